"""Tracks in and out of MOT text: a line a box, in the columns of the MOT Challenge.

    frame, id, left, top, width, height, confidence, class, visible share

Frames and ids count from 1. Places do not: a picture's upper left corner is (0, 0), in what is read and in what is
written, as in all of CowVision; the MOT Challenge's own files call its first pixel (1, 1). No figure changes by that as
long as truth and tracks count alike. In truth a confidence of 0 marks a box that counts neither as found nor as missed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import supervision as sv

from cowvision.errors import AnnotationError

MOST_FRAMES = 10_000_000
"""Almost two days at 60 frames a second: a higher number is a slip of the pen."""

_FEWEST_COLUMNS = 6


def read_mot(
    path: str | Path, *, least_confidence: float | None = None, classes: Collection[int] | None = None
) -> list[sv.Detections]:
    """Boxes by frame, from frame 1 to the last that is named; frames between without a box are empty.

    Args:
        path: The file.
        least_confidence: Boxes below it are left out; truth is read with 0.5, for 0 means "does not count" there.
        classes: Numbers of the classes that are wanted; None wants all, also boxes without a class.

    Returns:
        For each frame float64 boxes in pixels with ``tracker_id``; frames without a box share one value.

    Raises:
        AnnotationError: The file is missing, or a line is no box, names frame 0 or one beyond `MOST_FRAMES`, or gives
            one id twice in a frame.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "not a text file"
        raise AnnotationError(str(path), cause, "Give a MOT text file") from None
    boxes: dict[int, list[tuple[float, ...]]] = {}
    last = 0
    for number, line in enumerate(lines, start=1):
        if line.strip():
            frame, row = _row(line, f"{path.name}, line {number}")
            last = max(last, frame)
            if (least_confidence is None or row[5] >= least_confidence) and (classes is None or row[6] in classes):
                boxes.setdefault(frame, []).append(row)
    nothing = _as_detections([], path, 0)
    return [_as_detections(boxes[frame], path, frame) if frame in boxes else nothing for frame in range(1, last + 1)]


def mot_text(tracks: Sequence[sv.Detections]) -> str:
    """Tracks as MOT text; the n-th element is frame n, counted from 1."""
    lines = []
    for frame, boxes in enumerate(tracks, start=1):
        scores = np.ones(len(boxes)) if boxes.confidence is None else boxes.confidence
        ids = np.zeros(len(boxes), np.int64) if boxes.tracker_id is None else boxes.tracker_id
        for (left, top, right, bottom), score, number in zip(boxes.xyxy.tolist(), scores, ids, strict=True):
            place = ",".join(f"{value:.2f}" for value in (left, top, right - left, bottom - top))
            lines.append(f"{frame},{int(number)},{place},{float(score):.4f},-1,-1,-1")
    return "".join(f"{line}\n" for line in lines)


def _row(line: str, where: str) -> tuple[int, tuple[float, ...]]:
    parts = line.replace(";", ",").split(",")
    try:
        values = [float(part) for part in parts[:8]]
    except ValueError:
        values = []
    if len(values) < _FEWEST_COLUMNS or not all(map(math.isfinite, values)):
        remedy = "Write frame, id, left, top, width, height, confidence"
        raise AnnotationError(where, f"not a box of a track: {line.strip()[:60]}", remedy)
    frame, number, left, top, width, height = values[:6]
    if frame < 1 or frame != int(frame) or number != int(number):
        raise AnnotationError(where, "frames count from 1, and ids are whole numbers", "Number them anew")
    if frame > MOST_FRAMES:
        cause = f"it names frame {frame:.0f}, and no clip has more than {MOST_FRAMES:,} frames"
        raise AnnotationError(where, cause, "Write the frame's number first")
    if width <= 0 or height <= 0:
        raise AnnotationError(where, "a box without width or height", "Leave it out")
    confidence, number_of_class = (*values[_FEWEST_COLUMNS:], *(1.0, -1.0)[len(values) - _FEWEST_COLUMNS :])
    return int(frame), (number, left, top, left + width, top + height, confidence, number_of_class)


def _as_detections(rows: list[tuple[float, ...]], path: Path, frame: int) -> sv.Detections:
    table = np.array(rows, dtype=np.float64).reshape(-1, 7)
    ids = table[:, 0].astype(np.int64)
    if len(np.unique(ids)) < len(ids):
        raise AnnotationError(f"{path.name}, frame {frame}", "one id is there twice", "Give every box its own id")
    return sv.Detections(xyxy=table[:, 1:5], tracker_id=ids, confidence=table[:, 5])
