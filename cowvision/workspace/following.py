"""One clip followed by one model, from the file to the result: what the command and its job do."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.words import counted
from cowvision.detection_box import DetectionBox
from cowvision.errors import ClipError
from cowvision.models.callbacks import never, silent
from cowvision.tracking.clip_info import LONG_SECONDS, ClipInfo, probe, steady_fps
from cowvision.tracking.health import judge_health
from cowvision.tracking.lengths import read_seconds
from cowvision.tracking.pipeline import Draw, TrackProgress, TrackRun, track_clip
from cowvision.tracking.settings import TrackerSettings
from cowvision.workspace.clips import Clip
from cowvision.workspace.tracked_clips import TRACKS, VIDEO, TrackedClip, write_summary
from cowvision.workspace.tracked_truth import check_truth, is_own_rate, judged

COUNTED = ("cow",)
_FEW = 5  # frames or looks a second between which a cow goes further than boxes overlap
_BATCH = 8  # frames that a graphics card looks at together
_TIMED_SECONDS = 3.0  # of work, for an estimate

Painter = Callable[[tuple[int, int], float], Draw]
"""Makes what draws, from the frames' width and height and their rate."""


@dataclass(frozen=True)
class TrackEstimate:
    """How long a clip will take on this machine.

    Attributes:
        info: The clip.
        fps: The rate it will be tracked at.
        frames: Frames at that rate, as the clip states or, where it does not, as its file shows.
        seconds: Of the whole work.
    """

    info: ClipInfo
    fps: Fraction
    frames: int
    seconds: float


def is_long(clip: Clip) -> bool:
    """Whether somebody should be asked before a clip is tracked.

    Raises:
        ClipError: It cannot be tracked.
    """
    return _seconds_of(clip, probe(clip.path, clip.file_name), LONG_SECONDS) > LONG_SECONDS


def estimate(
    clip: Clip, box: DetectionBox, settings: TrackerSettings, *, painter: Painter | None = None
) -> TrackEstimate:
    """Track the first seconds of a clip, two looks at least, and reckon from them.

    Args:
        clip: The clip.
        box: The detector.
        settings: Of the tracker.
        painter: As of `follow`; None draws nothing, which takes less.

    Raises:
        ClipError: The clip cannot be tracked.
    """
    info = probe(clip.path, clip.file_name)
    fps = steady_fps(info)
    frames = max(1, round(_seconds_of(clip, info) * fps))
    pace = _Pace(settings.every)
    with tempfile.TemporaryDirectory(prefix="cowvision-") as folder:
        run = _tracked(clip, box, settings, Path(folder), info, painter, pace.see, pace.is_known)
    return TrackEstimate(info, fps, frames, pace.seconds_for(frames) if run.stopped else run.seconds)


class _Pace:
    """How long a look takes with all that goes on beside it, from when each was done."""

    def __init__(self, every: int) -> None:
        self._every, self._began = every, time.perf_counter()
        self._looks: list[float] = []

    def see(self, progress: TrackProgress) -> None:
        if (progress.done - 1) % self._every == 0:
            self._looks.append(time.perf_counter())

    def is_known(self) -> bool:
        return len(self._looks) > 1 and self._looks[-1] - self._looks[0] > _TIMED_SECONDS

    def seconds_for(self, frames: int) -> float:
        """Until the first look is done, which takes longer, and then for the others."""
        look = (self._looks[-1] - self._looks[0]) / (len(self._looks) - 1)
        return self._looks[0] - self._began + look * (frames / self._every - 1)


def _seconds_of(clip: Clip, info: ClipInfo, most: float = math.inf) -> float:
    """How long a clip is as it says, else as its file shows."""
    if info.seconds is not None:
        return info.seconds
    facts = clip.path.stat()
    return _read_seconds(clip.path, facts.st_size, facts.st_mtime, most)


@lru_cache(maxsize=32)
def _read_seconds(path: Path, size: int, changed: float, most: float) -> float:
    del size, changed  # the key of the cache: a page asks each time it is shown
    return read_seconds(path, most=most)


def follow(
    clip: Clip,
    box: DetectionBox,
    settings: TrackerSettings,
    folder: Path,
    *,
    painter: Painter,
    truth: Sequence[sv.Detections] | None = None,
    remarks: Sequence[str] = (),
    on_progress: Callable[[TrackProgress], None] = silent,
    should_stop: Callable[[], bool] = never,
) -> TrackedClip:
    """Track a clip into a folder: the drawn clip, the tracks, and what they came to.

    Args:
        clip: The clip.
        box: The detector.
        settings: Of the tracker.
        folder: Where all of it goes; it exists.
        painter: Makes what draws, from the frames' width and height and their rate.
        truth: True boxes by frame with ``tracker_id``; None where nobody knows.
        remarks: What else is to be known about the result, a sentence each.
        on_progress: Told after every frame.
        should_stop: Asked before every frame.

    Raises:
        ClipError: As ``pipeline.track_clip``.
        WorkStopped: Likewise.
        SettingError: The truth cannot be matched with the clip; see `tracked_truth.check_truth`.
    """
    info = probe(clip.path, clip.file_name)
    check_truth(truth, info, steady_fps(info))
    run = _tracked(clip, box, settings, folder, info, painter, on_progress, should_stop)
    identity, doubts = judged(truth, run)
    try:
        run.table.save(folder / TRACKS)
        tracked = TrackedClip(
            clip.key, clip.title, clip.sha256, box.spec.name, box.spec.title, box.spec.id, settings, str(run.fps),
            run.table.frames, run.info.resolution_wh, run.is_whole, (*_notes(run, settings), *remarks, *doubts),
            run.seconds, run.stage_seconds, judge_health(run.table, float(run.fps), settings), identity, folder,
        )  # fmt: skip
        write_summary(tracked, folder)
    except OSError as error:
        raise ClipError(clip.title, error.strerror or "its result cannot be written", "Free some space") from None
    return tracked


def _tracked(  # noqa: PLR0917 - the arguments of its two callers
    clip: Clip,
    box: DetectionBox,
    settings: TrackerSettings,
    folder: Path,
    info: ClipInfo,
    painter: Painter | None,
    on_progress: Callable[[TrackProgress], None],
    should_stop: Callable[[], bool],
) -> TrackRun:
    def detector(frames: Sequence[NDArray[np.uint8]]) -> list[sv.Detections]:
        return box.predict(list(frames), batch_size=len(frames))

    draw = None if painter is None else painter(info.resolution_wh, float(steady_fps(info)))
    return track_clip(
        clip.path, detector, settings, out=folder / VIDEO, draw=draw, name=clip.file_name,
        class_names=_counted(box), on_progress=on_progress, should_stop=should_stop,
        batch_size=1 if box.execution.device == "cpu" else _BATCH,
    )  # fmt: skip


def _counted(box: DetectionBox) -> tuple[str, ...]:
    """What is tracked: cows, or all that a model without cows knows."""
    return COUNTED if set(COUNTED) <= set(box.spec.class_names) else ()


def _notes(run: TrackRun, settings: TrackerSettings) -> tuple[str, ...]:
    notes = []
    tracked = f"{float(run.table.frames / run.fps):.1f} s"
    if run.stopped:
        notes.append(f"Stopped after {tracked} of the clip; the rest was not tracked.")
    if run.broke_off:
        notes.append(f"The clip breaks off after {tracked} ({run.broke_off}).")
    if run.spoilt:
        notes.append(f"Pictures of the clip are missing, and the one before stays in their place ({run.spoilt}).")
    if not is_own_rate(run.info, run.fps):
        own = counted(float(run.info.fps), "frame")
        notes.append(f"It has {own} a second and was tracked at {float(run.fps):.4g}.")
    if run.table.frames <= settings.frames_to_confirm:
        after = counted(settings.frames_to_confirm, "frame")
        notes.append(
            f"Too short for ids: a cow gets its own after {after} in sight. That no cow has one here says nothing."
        )
    few = "frames" if run.fps < _FEW else f"looks ({float(run.fps / settings.every):.3g})"
    if run.fps / settings.every < _FEW:
        notes.append(f"With so few {few} a second cows are far from where they were: ids are little to be relied on.")
    return tuple(notes)
