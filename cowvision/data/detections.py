"""What a detector found, counted and as the tutorial returns it."""

from typing import Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import names_of, scores_of


def count_named(detections: sv.Detections, threshold: float = 0.5, class_name: str = "cow") -> int:
    """Count the detections of one class at or above a score."""
    return int(np.count_nonzero(names_of(detections)[scores_of(detections) >= threshold] == class_name))


def as_tutorial_dict(detections: sv.Detections) -> dict[str, NDArray[Any]]:
    """Return what the tutorial's model returns.

    `pred_classes` (n,) int64, `pred_boxes` (n, 4) float32 as x_min, y_min, x_max, y_max in pixels, `scores` (n,)
    float32, best first.
    """
    return {
        "pred_classes": np.zeros(0, np.int64) if detections.class_id is None else detections.class_id,
        "pred_boxes": detections.xyxy,
        "scores": scores_of(detections),
    }
