"""What does a model call the cows? The tutorial's first surprise ("cows are dogs"), counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray

MISSED = "missed"


def names_given(
    truths: Sequence[NDArray[np.floating[Any]]],
    predictions: Sequence[sv.Detections],
    *,
    min_score: float = 0.3,
    min_iou: float = 0.5,
) -> Counter[str]:
    """Count the class names under which true boxes were found.

    Every true box takes the name of the detection that overlaps it best, among those with at least ``min_score`` and
    an intersection over union of at least ``min_iou``; a box that none overlaps so much counts as ``"missed"``.

    Args:
        truths: one (n, 4) float array a picture, ``xyxy`` in pixels, of the boxes asked about (the cows, say).
        predictions: the detections of the same pictures, ``data["class_name"]`` set.
        min_score: detections below this score are not looked at, 0..1.
        min_iou: smallest overlap that counts as found, 0..1.

    Raises:
        ValueError: if there are not as many truths as predictions.
    """
    counts: Counter[str] = Counter()
    for boxes, detections in zip(truths, predictions, strict=True):
        counts.update(_names_in_picture(boxes, detections, min_score, min_iou))
    return counts


def _names_in_picture(
    boxes: NDArray[np.floating[Any]], detections: sv.Detections, min_score: float, min_iou: float
) -> list[str]:
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    if len(detections) == 0 or detections.confidence is None:
        return [MISSED] * len(boxes)
    seen = detections.confidence >= min_score
    xyxy, names = detections.xyxy[seen], np.asarray(detections.data["class_name"])[seen]
    if len(boxes) == 0 or len(xyxy) == 0:
        return [MISSED] * len(boxes)
    overlap = sv.box_iou_batch(boxes, xyxy)
    best = overlap.argmax(axis=1)
    return [str(names[j]) if overlap[i, j] >= min_iou else MISSED for i, j in enumerate(best)]
