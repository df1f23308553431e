"""The side of a job that works: it says who it is and how far, hears that it is to stop, and leaves its result."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cowvision.errors import CowVisionError, WorkspaceError
from cowvision.workspace.job_log import append_event, job_folder
from cowvision.workspace.job_process import JOB_VARIABLE, Known, this_process
from cowvision.workspace.jobs import JobState, read_job, tend
from cowvision.workspace.store import Store


@dataclass
class Work:
    """A process's own view of its job; without a job (a command typed by a person) it tells nobody and never stops.

    Attributes:
        job_id: The job; None without one.
        result: What it came to, anything JSON can hold; set before the work ends.
    """

    job_id: int | None = None
    result: Any = None
    _stop_file: Path = field(default_factory=Path)

    def tell(self, **facts: Any) -> None:
        """Add an event to the job's log."""
        if self.job_id is not None:
            with suppress(OSError):  # a full disk shall end no work for want of a line in a log
                append_event(self.job_id, facts)

    def should_stop(self) -> bool:
        """Whether somebody asked the job to stop."""
        return self.job_id is not None and self._stop_file.exists()


@contextmanager
def at_work(store: Store) -> Iterator[Work]:
    """Work on the job that the environment names, or on none; how the block ends is how the job ends.

    Raises:
        WorkspaceError: Another process works on that job, or the workspace cannot be written.
    """
    told = os.environ.get(JOB_VARIABLE, "")
    if not told.isdecimal():
        yield Work()
        return
    work, me = Work(int(told), None, job_folder(int(told)) / "stop"), this_process()
    _take(store, int(told), me)
    try:
        yield work
    except CowVisionError as error:
        was_asked = work.should_stop()  # a stop before there was anything to keep is no failure
        _leave(store, work, me, JobState.STOPPED if was_asked else JobState.FAILED, "" if was_asked else str(error))
        raise
    except BaseException as error:
        _leave(store, work, me, JobState.FAILED, f"it failed in a way that was not foreseen ({error!r})")
        raise
    _leave(store, work, me, JobState.STOPPED if work.should_stop() else JobState.DONE, "")


def _take(store: Store, job_id: int, me: Known) -> None:
    with store.transaction() as connection:
        job = read_job(store, job_id)
        is_mine = job.process is None or job.process.pid == me.pid or not job.process.is_alive
        if job.state.is_over or not is_mine:
            raise WorkspaceError(f"job {job_id}", "another process works on it, or it is over", "Ask for it again")
        taken = "state = 'running', pid = ?, pid_born = ?, pid_mark = ?, started_at = coalesce(started_at, ?)"
        values = (me.pid, me.born, me.mark, time.time(), job_id)
        connection.execute(f"UPDATE jobs SET {taken} WHERE job_id = ?", values)  # noqa: S608 - written above


def _leave(store: Store, work: Work, me: Known, state: JobState, problem: str) -> None:
    with store.transaction() as connection:
        over = "UPDATE jobs SET state = ?, problem = ?, result = ?, ended_at = ?"
        values = (state.value, problem, json.dumps(work.result), time.time(), work.job_id, me.pid)
        connection.execute(f"{over} WHERE job_id = ? AND state = 'running' AND pid = ?", values)
    tend(store)  # what waits begins, even if nobody looks
