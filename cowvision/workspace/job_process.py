"""The process behind a job: begun apart from the one that began it, and known again by its number and its birth.

A birth in seconds since 1970 moves with the clock that is set, or put right after the machine has slept; where the
system counts from its own start (Linux), that count and the start's own number tell instead.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from cowvision.workspace.job_log import job_folder, output_file

PROGRAM = (sys.executable, "-m", "cowvision")
JOB_VARIABLE = "COWVISION_JOB"
"""Environment variable that tells a process which job it works on."""

_STARTED_AT = 19  # field 22 of the file, counted from the state, which follows the name in its brackets
_BORN_APART = 0.5  # seconds: how exactly systems remember when a process was born


@dataclass(frozen=True)
class Known:
    """A process.

    Attributes:
        pid: Its number, which is given again one day.
        born: When it was born, in seconds since 1970.
        mark: What no other process has, whatever the clock says; empty where the system does not tell.
    """

    pid: int
    born: float
    mark: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; one that has ended and that nobody has asked about yet does not."""
        return self._process() is not None

    def end(self, *, by_force: bool) -> None:
        """Ask it to end, or end it."""
        process = self._process()
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.kill() if by_force else process.terminate()

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            if not self._is(process):
                return None
            if process.status() == psutil.STATUS_ZOMBIE:
                with suppress(ChildProcessError):
                    os.waitpid(self.pid, os.WNOHANG)
                return None
        except psutil.NoSuchProcess:
            return None
        return process

    def _is(self, process: psutil.Process) -> bool:
        mark = _mark(self.pid) if self.mark else ""
        return mark == self.mark if mark else abs(process.create_time() - self.born) <= _BORN_APART


def this_process() -> Known:
    """The process that runs this."""
    return _known(os.getpid())


def is_running(pid: int) -> bool:
    """Whether a process of that number runs, whichever it is."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False


def begin(job_id: int, arguments: Sequence[str]) -> Known:
    """Begin ``python -m cowvision ARGUMENTS`` for a job; it goes on when this process ends.

    Raises:
        OSError: It cannot be begun, or its folder cannot be written.
    """
    job_folder(job_id).mkdir(parents=True, exist_ok=True)
    with output_file(job_id).open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - this program, with arguments that no shell reads
            [*PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {JOB_VARIABLE: str(job_id)},
            start_new_session=True,
        )
    process.returncode = 0  # nobody here waits for it: without this its object complains when it goes
    try:
        return _known(process.pid)
    except psutil.NoSuchProcess:
        return Known(process.pid, 0.0)  # it has ended already


def _known(pid: int) -> Known:
    return Known(pid, psutil.Process(pid).create_time(), _mark(pid))


def _mark(pid: int) -> str:
    """The system's start and the ticks from there to the process's own; empty if nobody tells (see proc(5))."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        return f"{boot} {int(after_name.split()[_STARTED_AT])}"
    except (OSError, ValueError, IndexError):
        return ""
