"""One clip followed by one model, from the file to the result: what the command and its job do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.detection_box import DetectionBox
from cowvision.errors import ClipError, SettingError
from cowvision.models.callbacks import never, silent
from cowvision.tracking.clip_info import LONG_SECONDS, ClipInfo, probe, steady_fps
from cowvision.tracking.health import judge_health
from cowvision.tracking.identity import IdentityReport, judge_identity
from cowvision.tracking.pipeline import Draw, TrackProgress, TrackRun, track_clip
from cowvision.tracking.retiming import steady_frames
from cowvision.tracking.track_table import TrackTable
from cowvision.tracking.tracker import TrackerSettings
from cowvision.workspace.clips import Clip
from cowvision.workspace.tracked_clips import TRACKS, VIDEO, TrackedClip, write_summary

COUNTED = ("cow",)
_BATCH = 8  # frames that a graphics card looks at together


@dataclass(frozen=True)
class TrackEstimate:
    """How long a clip will take on this machine.

    Attributes:
        info: The clip.
        fps: The rate it will be tracked at.
        frames: Frames at that rate; None where the clip does not say how long it is.
        seconds: Of the whole work; None likewise.
    """

    info: ClipInfo
    fps: Fraction
    frames: int | None
    seconds: float | None


def is_long(clip: Clip) -> bool:
    """Whether somebody should be asked before a clip is tracked.

    Raises:
        ClipError: It cannot be tracked.
    """
    return (probe(clip.path, clip.file_name).seconds or 0) > LONG_SECONDS


def estimate(clip: Clip, box: DetectionBox, settings: TrackerSettings) -> TrackEstimate:
    """Time two looks at the clip's first frame.

    Raises:
        ClipError: The clip cannot be tracked.
    """
    info = probe(clip.path, clip.file_name)
    fps = steady_fps(info)
    frames = info.frames if info.seconds is None else max(1, round(info.seconds * fps))
    first = next(steady_frames(clip.path, fps, clip.file_name))
    box.predict([first.rgb])
    started = time.perf_counter()
    box.predict([first.rgb])
    look = time.perf_counter() - started
    return TrackEstimate(info, fps, frames, None if frames is None else frames / settings.every * look)


def follow(
    clip: Clip,
    box: DetectionBox,
    settings: TrackerSettings,
    folder: Path,
    *,
    painter: Callable[[tuple[int, int], float], Draw],
    truth: Sequence[sv.Detections] | None = None,
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
        on_progress: Told after every frame.
        should_stop: Asked before every frame.

    Raises:
        ClipError: As ``pipeline.track_clip``.
        SettingError: The truth has more frames than the clip.
    """
    info = probe(clip.path, clip.file_name)

    def detector(frames: Sequence[NDArray[np.uint8]]) -> list[sv.Detections]:
        return box.predict(list(frames), batch_size=len(frames))

    run = track_clip(
        clip.path, detector, settings, out=folder / VIDEO, draw=painter(info.resolution_wh, float(steady_fps(info))),
        name=clip.file_name, class_names=_counted(box), on_progress=on_progress, should_stop=should_stop,
        batch_size=1 if box.execution.device == "cpu" else _BATCH,
    )  # fmt: skip
    try:
        run.table.save(folder / TRACKS)
        tracked = TrackedClip(
            clip.key, clip.title, clip.sha256, box.spec.name, box.spec.title, box.spec.id, settings, str(run.fps),
            run.table.frames, run.info.resolution_wh, run.is_whole, _notes(run), run.seconds, run.stage_seconds,
            judge_health(run.table, float(run.fps), settings), _judged(run, truth), folder,
        )  # fmt: skip
        write_summary(tracked, folder)
    except OSError as error:
        raise ClipError(clip.title, error.strerror or "its result cannot be written", "Free some space") from None
    return tracked


def _counted(box: DetectionBox) -> tuple[str, ...]:
    """What is tracked: cows, or all that a model without cows knows."""
    return COUNTED if set(COUNTED) <= set(box.spec.class_names) else ()


def _notes(run: TrackRun) -> tuple[str, ...]:
    notes = []
    tracked = f"{float(run.table.frames / run.fps):.1f} s"
    if run.stopped:
        notes.append(f"Stopped after {tracked} of the clip; the rest was not tracked.")
    if run.broke_off:
        notes.append(f"The clip breaks off after {tracked} ({run.broke_off}).")
    if abs(run.info.fps - run.fps) > run.fps / 100:
        notes.append(f"It has {float(run.info.fps):.4g} frames a second and was tracked at {float(run.fps):.4g}.")
    if run.fps < 5:
        notes.append("With so few frames a second cows are far from where they were: ids are little to be relied on.")
    return tuple(notes)


def _judged(run: TrackRun, truth: Sequence[sv.Detections] | None) -> IdentityReport | None:
    """The tracks against truth, as far as the clip was tracked."""
    return (
        None if truth is None else judge_identity(fitted(truth, run.table, is_whole=run.is_whole), run.table.by_frame())
    )


def fitted(truth: Sequence[sv.Detections], table: TrackTable, *, is_whole: bool = True) -> list[sv.Detections]:
    """Truth with as many frames as there are tracks: nothing is in those after its last, and a part needs a part only.

    Raises:
        SettingError: It has more frames than a clip that was tracked to its end.
    """
    if is_whole and len(truth) > table.frames:
        cause = f"it names frame {len(truth)}, but the clip has {table.frames}"
        raise SettingError("truth", cause, "Give the truth of this very clip, at its own rate")
    return [*truth[: table.frames], *[sv.Detections.empty()] * (table.frames - len(truth))]
