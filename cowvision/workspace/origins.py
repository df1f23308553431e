"""What became of a model's boxes: accepted, corrected, drawn anew, removed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import crowds_of, names_of

UNCHANGED_IOU = 0.99
CORRECTED_IOU = 0.5


class Origin(StrEnum):
    """Where a box comes from, seen from the model's draft that the picture was started with."""

    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    DRAWN = "drawn"


@dataclass(frozen=True)
class Tally:
    """What became of a draft: boxes accepted, corrected and drawn anew, and boxes of the draft that were removed."""

    accepted: int = 0
    corrected: int = 0
    drawn: int = 0
    removed: int = 0


def origins(draft: sv.Detections, saved: sv.Detections) -> NDArray[np.str_]:
    """Where each saved box comes from, (n,) `Origin` values.

    A box of IoU >= 0.99 with a draft box of its class and crowd flag is accepted; of the rest, one of IoU >= 0.5 with a
    draft box of any class is corrected; the others are drawn. The largest IoU goes first, and a draft box answers for
    one saved box only: those that answer for none were removed.
    """
    overlap = sv.box_iou_batch(saved.xyxy, draft.xyxy)
    alike = names_of(saved)[:, None] == names_of(draft)[None]
    alike &= crowds_of(saved)[:, None] == crowds_of(draft)[None]
    found = np.full(len(saved), Origin.DRAWN.value, dtype="<U9")
    free = np.ones(overlap.shape, dtype=bool)
    order = np.column_stack(np.unravel_index(np.argsort(-overlap, axis=None, kind="stable"), overlap.shape))
    steps = ((Origin.ACCEPTED, alike & (overlap >= UNCHANGED_IOU)), (Origin.CORRECTED, overlap >= CORRECTED_IOU))
    for origin, allowed in steps:
        for row, column in order[allowed[order[:, 0], order[:, 1]]]:
            if free[row, column]:
                found[row], free[row], free[:, column] = origin.value, False, False
    return found


def tally(draft: sv.Detections, saved: sv.Detections) -> Tally:
    """Count what became of a draft, by the rule of `origins`."""
    accepted, corrected, drawn = (int((origins(draft, saved) == origin.value).sum()) for origin in Origin)
    return Tally(accepted, corrected, drawn, removed=len(draft) - accepted - corrected)
