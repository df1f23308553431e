"""What a job tells while it works: an append-only file of one JSON object a line."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from cowvision.models.places import home_folder


def job_folder(job_id: int) -> Path:
    """Where everything of a job lies: its events, what it prints, whether it is to stop."""
    return home_folder() / "jobs" / str(job_id)


def events_file(job_id: int) -> Path:
    """The events of a job."""
    return job_folder(job_id) / "events.jsonl"


def output_file(job_id: int) -> Path:
    """What a job's process prints."""
    return job_folder(job_id) / "output.log"


def append_event(job_id: int, facts: dict[str, Any]) -> None:
    """Add an event, with the time in seconds since 1970 as ``at``.

    A line that a killed process left half written is ended first, so that it spoils no other.
    """
    path = events_file(job_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"at": time.time(), **facts})
    with path.open("ab+") as file:
        file.seek(max(0, file.seek(0, 2) - 1))
        broken = file.read(1) not in {b"", b"\n"}
        file.write(f"{chr(10) * broken}{line}\n".encode())


def events(job_id: int) -> list[dict[str, Any]]:
    """All events of a job, the oldest first; half a line is no event."""
    return events_after(job_id, 0)[0]


def events_after(job_id: int, offset: int) -> tuple[list[dict[str, Any]], int]:
    """The events written after ``offset`` bytes of a job's log, and the offset to ask from next time."""
    try:
        with events_file(job_id).open("rb") as file:
            file.seek(offset)
            data = file.read()
    except OSError:
        return [], offset
    whole = data[: data.rfind(b"\n") + 1]
    found = [event for event in map(_parsed, whole.splitlines()) if event is not None]
    return found, offset + len(whole)


def last_lines(job_id: int, count: int = 20) -> str:
    """The end of what a job printed, for people."""
    try:
        printed = output_file(job_id).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(printed.splitlines()[-count:])


def forget_log(job_id: int) -> None:
    """Delete all that lies in a job's folder: its events, what it printed, what it drew."""
    shutil.rmtree(job_folder(job_id), ignore_errors=True)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
