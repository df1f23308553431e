"""Long work: one job is one process of its own with a row in the store, so that no page, tab or server can lose it.

Nobody is in charge: whoever looks (`tend`) ends what died, forces what does not stop, and begins what waits. All of it
happens in transactions, so that two who look at once do not do it twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cowvision.errors import WorkspaceError
from cowvision.workspace.job_log import forget_log, job_folder, last_lines
from cowvision.workspace.job_process import Known, begin
from cowvision.workspace.store import Store

COMPUTE = "compute"
LANES = {"fetch": "network"}
"""Jobs of one lane wait for each other; every kind that is not named here computes, and two at once would be slower."""

TERMINATE_SECONDS, KILL_SECONDS = 15.0, 25.0
"""After a stop was asked for and not answered."""

_COLUMNS = (
    "job_id, kind, title, arguments, state, asked_at, started_at, ended_at, stop_asked_at, "
    "pid, pid_born, pid_mark, problem, result"
)


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in {JobState.DONE, JobState.FAILED, JobState.STOPPED}


@dataclass(frozen=True)
class Job:
    """A job as it stands.

    Attributes:
        job_id: Its number.
        kind: What it does: "finetune", "track", "fetch".
        title: What it does, in words.
        arguments: Of ``python -m cowvision``.
        state: How far it is.
        asked_at: Seconds since 1970, like all times here.
        started_at: Of the last start; None before the first.
        ended_at: None while it waits or runs.
        stop_asked_at: None where nobody asked.
        process: Who works on it; None while it waits.
        problem: Why it failed; empty otherwise.
        result: What it came to, as its process told; None without one.
    """

    job_id: int
    kind: str
    title: str
    arguments: tuple[str, ...]
    state: JobState
    asked_at: float
    started_at: float | None
    ended_at: float | None
    stop_asked_at: float | None
    process: Known | None
    problem: str
    result: Any

    @property
    def lane(self) -> str:
        """Jobs of one lane run one after the other."""
        return LANES.get(self.kind, COMPUTE)


def submit(store: Store, kind: str, title: str, arguments: Sequence[str]) -> Job:
    """Ask for a job; it begins at once if its lane is free.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    with store.transaction() as connection:
        sql = "INSERT INTO jobs (kind, title, arguments, state, asked_at) VALUES (?, ?, ?, 'waiting', ?)"
        made = connection.execute(sql, (kind, title, json.dumps(list(arguments)), time.time()))
    tend(store)
    return read_job(store, int(made.lastrowid or 0))


def all_jobs(store: Store, kind: str | None = None) -> list[Job]:
    """All jobs, or those of a kind, the oldest first.

    Raises:
        WorkspaceError: The workspace cannot be read.
    """
    rows = store.rows(f"SELECT {_COLUMNS} FROM jobs WHERE kind = coalesce(?, kind) ORDER BY job_id", kind)  # noqa: S608 - no input
    return [_job(row) for row in rows]


def read_job(store: Store, job_id: int) -> Job:
    """One job.

    Raises:
        WorkspaceError: There is no such job, or the workspace cannot be read.
    """
    rows = store.rows(f"SELECT {_COLUMNS} FROM jobs WHERE job_id = ?", job_id)  # noqa: S608 - no input
    if not rows:
        raise WorkspaceError("job", f"there is no job {job_id} (any more)", "Choose one of the list")
    return _job(rows[0])


def tend(store: Store, now: float | None = None) -> None:
    """End what died, force what does not stop, begin what waits and may begin.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    now = time.time() if now is None else now
    with store.transaction() as connection:
        busy = set()
        for job in _in_state(store, JobState.RUNNING):
            if job.process is not None and job.process.is_alive:
                busy.add(job.lane)
                _force_if_due(job, now)
            else:
                _end(connection, job, *_why_it_is_gone(job), now)
        for job in _in_state(store, JobState.WAITING):
            if job.lane not in busy:
                busy.add(job.lane)
                _begin(connection, job, now)


def ask_to_stop(store: Store, job_id: int, now: float | None = None) -> None:
    """Ask a job to stop: one that waits never begins, one that runs ends soon and keeps what it has.

    Raises:
        WorkspaceError: There is no such job, or the workspace cannot be written.
    """
    now = time.time() if now is None else now
    with store.transaction() as connection:
        job = read_job(store, job_id)
        if job.state is JobState.WAITING:
            _end(connection, job, JobState.STOPPED, "", now)
        elif job.state is JobState.RUNNING:
            stop_file = job_folder(job_id) / "stop"
            stop_file.parent.mkdir(parents=True, exist_ok=True)
            stop_file.touch()
            connection.execute(
                "UPDATE jobs SET stop_asked_at = coalesce(stop_asked_at, ?) WHERE job_id = ?", (now, job_id)
            )


def again(store: Store, job_id: int) -> Job:
    """Have a job that is over go on where it was; its process finds what the last one left.

    Raises:
        WorkspaceError: There is no such job, or the workspace cannot be written.
    """
    with store.transaction() as connection:
        job = read_job(store, job_id)
        if job.state.is_over:
            fresh = "state = 'waiting', ended_at = NULL, stop_asked_at = NULL, problem = ''"
            connection.execute(f"UPDATE jobs SET {fresh} WHERE job_id = ?", (job_id,))  # noqa: S608 - written above
    tend(store)
    return read_job(store, job_id)


def forget(store: Store, job_id: int) -> None:
    """Delete a job that is over, with its log; one that waits or runs stays.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    sql = "DELETE FROM jobs WHERE job_id = ? AND state IN ('done', 'failed', 'stopped')"
    with store.transaction() as connection:
        removed = connection.execute(sql, (job_id,)).rowcount
    if removed:
        forget_log(job_id)


def place_in_queue(store: Store, job: Job) -> int:
    """How many jobs are before one that waits, the running one included; 0 for one that does not wait."""
    if job.state is not JobState.WAITING:
        return 0
    open_jobs = [*_in_state(store, JobState.RUNNING), *_in_state(store, JobState.WAITING)]
    return sum(other.lane == job.lane and other.job_id != job.job_id for other in open_jobs if _is_before(other, job))


def _is_before(other: Job, job: Job) -> bool:
    return other.state is JobState.RUNNING or other.job_id < job.job_id


def _in_state(store: Store, state: JobState) -> list[Job]:
    sql = f"SELECT {_COLUMNS} FROM jobs WHERE state = ? ORDER BY job_id"  # noqa: S608 - no input
    return [_job(row) for row in store.rows(sql, state.value)]


def _begin(connection: Any, job: Job, now: float) -> None:
    (job_folder(job.job_id) / "stop").unlink(missing_ok=True)
    try:
        process = begin(job.job_id, job.arguments)
    except OSError as error:
        _end(connection, job, JobState.FAILED, f"its process could not be begun ({error.strerror or error})", now)
        return
    sql = "UPDATE jobs SET state = 'running', started_at = ?, pid = ?, pid_born = ?, pid_mark = ? WHERE job_id = ?"
    connection.execute(sql, (now, process.pid, process.born, process.mark, job.job_id))


def _end(connection: Any, job: Job, state: JobState, problem: str, now: float) -> None:
    sql = "UPDATE jobs SET state = ?, problem = ?, ended_at = ? WHERE job_id = ?"
    connection.execute(sql, (state.value, problem, now, job.job_id))


def _force_if_due(job: Job, now: float) -> None:
    waited = 0.0 if job.stop_asked_at is None else now - job.stop_asked_at
    if job.process is not None and waited > TERMINATE_SECONDS:
        job.process.end(by_force=waited > KILL_SECONDS)


def _why_it_is_gone(job: Job) -> tuple[JobState, str]:
    """What became of a job whose process ended without a word."""
    if job.stop_asked_at is not None:
        return JobState.STOPPED, ""
    told = last_lines(job.job_id, 1)
    return JobState.FAILED, f"its process ended without a word{f': {told}' if told else ''}"


def _job(row: Sequence[Any]) -> Job:
    (
        job_id, kind, title, arguments, state, asked_at, started_at, ended_at, stop_asked_at,
        pid, born, mark, problem, result,
    ) = row  # fmt: skip
    process = None if pid is None else Known(int(pid), float(born), str(mark))
    times = (float(asked_at), started_at, ended_at, stop_asked_at)
    known = tuple(map(str, json.loads(arguments)))
    return Job(int(job_id), kind, title, known, JobState(state), *times, process, problem, json.loads(result))
