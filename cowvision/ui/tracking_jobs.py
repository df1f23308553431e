"""Trackings as jobs: how one is asked for, which one follows which clip, and how far it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cowvision.errors import CowVisionError
from cowvision.models.catalog import ModelSpec
from cowvision.tracking.settings import TrackerSettings
from cowvision.ui import cache
from cowvision.workspace.clips import Clip, own_clips
from cowvision.workspace.job_log import events_after, events_file, job_folder
from cowvision.workspace.jobs import Job, JobState, again, all_jobs, ask_to_stop, forget, submit
from cowvision.workspace.tracked_folders import forget_tracked

TRACK = "track"
PREVIEW = "preview.jpg"
OPTIONS = {
    "least_score": "--threshold", "most_inside": "--inside", "least_iou": "--overlap", "patience": "--patience",
    "coast": "--coast", "confirm": "--confirm", "every": "--every",
}  # fmt: skip
"""The command's options by the fields of the settings."""

_OWN_KEY = re.compile("[0-9a-f]{64}")  # shipped clips have names instead
_RECENT_BYTES = 6000
"""Of the end of a log: the pace is taken from what is told there, about the last half minute."""


@dataclass(frozen=True)
class Course:
    """How far a tracking is.

    Attributes:
        done: Frames.
        total: Frames in all; None where the clip does not say.
        cows: Tracks in the newest frame.
        per_second: Frames a second lately; None before there is a pace.
    """

    done: int = 0
    total: int | None = None
    cows: int = 0
    per_second: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """Until the last frame; None while nobody can say."""
        if self.total is None or not self.per_second:
            return None
        return max(0.0, (self.total - self.done) / self.per_second)


def start(clip: Clip, spec: ModelSpec, settings: TrackerSettings, *, agreed: bool = False) -> Job:
    """Ask for a tracking; it begins at once if nothing else computes.

    Args:
        clip: The clip.
        spec: Who finds the cows.
        settings: Of the tracker.
        agreed: Whether somebody was asked about a very long clip and agreed.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    usual = TrackerSettings()
    arguments = [TRACK, clip.key, "--model", spec.name, "--keep"]
    for name, option in OPTIONS.items():
        if getattr(settings, name) != getattr(usual, name):
            arguments += [option, str(getattr(settings, name))]
    arguments += ["--yes"] if agreed else []
    return submit(cache.store(), TRACK, f"{clip.title} with {spec.title}", arguments)


def try_again(job: Job) -> None:
    """Have a job do again what failed; errors as of `start`."""
    again(cache.store(), job.job_id)


def forget_failed(clip: Clip, spec: ModelSpec) -> None:
    """Forget the jobs of a clip and a model that failed, with what they printed; errors as of `start`."""
    for job in _of(clip, spec, trackings()):
        if job.state is JobState.FAILED:
            forget(cache.store(), job.job_id)


def trackings() -> list[Job]:
    """All jobs that track, the oldest first; errors as of `jobs.all_jobs`."""
    return all_jobs(cache.store(), TRACK)


def stop_all(clip: Clip) -> None:
    """Ask every job of a clip to stop, those that wait first; errors as of `start`."""
    mine = [job for job in trackings() if is_open(job) and _key(job) == clip.key]
    for job in sorted(mine, key=lambda job: job.state is not JobState.WAITING):
        ask_to_stop(cache.store(), job.job_id)


def forget_removed() -> None:
    """Forget the jobs of own clips that were removed: a waiting one never begins, and of one that is over nothing is
    kept, neither what it printed and drew nor a result that it wrote, or began, after its clip had gone; errors as of
    `start`.
    """
    keys = {clip.key for clip in own_clips(cache.store())}
    for job in trackings():
        if _OWN_KEY.fullmatch(_key(job)) is None or _key(job) in keys:
            continue
        if is_open(job):
            if job.stop_asked_at is None:
                ask_to_stop(cache.store(), job.job_id)
            continue
        forget_tracked(_key(job))
        forget(cache.store(), job.job_id)


def is_open(job: Job) -> bool:
    """Whether a job waits or runs."""
    return not job.state.is_over


def newest_for(clip: Clip, spec: ModelSpec, jobs: Iterable[Job]) -> Job | None:
    """The job that was asked for last for a clip and a model; None without one."""
    mine = _of(clip, spec, jobs)
    return mine[-1] if mine else None


def settings_of(job: Job) -> TrackerSettings | None:
    """What a job tracks with; None where this version cannot read it."""
    usual = TrackerSettings()
    try:
        kinds: dict[str, Any] = {name: type(getattr(usual, name)) for name in OPTIONS}
        told = {name: kinds[name](_told(job, option)) for name, option in OPTIONS.items() if _told(job, option)}
        return TrackerSettings(**told)
    except (ValueError, TypeError, CowVisionError):
        return None


def course_of(job: Job) -> Course:
    """How far a job is by now, as its log tells."""
    try:
        size = events_file(job.job_id).stat().st_size
    except OSError:
        return Course()
    told, _ = events_after(job.job_id, max(0, size - _RECENT_BYTES))
    since = job.started_at or 0.0
    told = [event for event in told if event.get("kind") == "frame" and float(event["at"]) >= since]
    if not told:
        return Course()
    first, last = told[0], told[-1]
    seconds = float(last["at"]) - float(first["at"])
    pace = (int(last["done"]) - int(first["done"])) / seconds if seconds > 0 else None
    total = None if last["total"] is None else int(last["total"])
    return Course(int(last["done"]), total, int(last["cows"]), pace)


def preview(job: Job) -> bytes | None:
    """The frame that a job drew last, as JPEG; None before the first."""
    path: Path = job_folder(job.job_id) / PREVIEW
    try:
        return path.read_bytes()
    except OSError:
        return None


def _of(clip: Clip, spec: ModelSpec, jobs: Iterable[Job]) -> list[Job]:
    return [job for job in jobs if _key(job) == clip.key and _told(job, "--model") == spec.name]


def _key(job: Job) -> str:
    """Of the clip that a job follows."""
    return job.arguments[1] if len(job.arguments) > 1 else ""


def _told(job: Job, option: str) -> str:
    if option not in job.arguments[:-1]:
        return ""
    return job.arguments[job.arguments.index(option) + 1]
