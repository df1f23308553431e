"""What looks wrong about the boxes of a picture, and why it matters: hints, never refusals."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import supervision as sv

from cowvision.data.annotations import crowds_of, names_of

TINY_SIDE = 8.0
"""A box with a shorter side of fewer picture pixels is tiny."""

DUPLICATE_IOU = 0.7
"""Two boxes of one class that overlap by at least this IoU are likely to be one animal."""

OUTSIDE_PX = 0.01
LEAST_NEIGHBOURS = 5
"""Answered pictures of the herd, besides this one, before it is compared with them."""

UNLIKE_TIMES, UNLIKE_COWS = 3, 3
UNLIKE_RULE = (
    f"A picture is called unlike its neighbours when its number of cows is at least {UNLIKE_TIMES} times, or at most a "
    "third of, the middle number (median) on the other answered pictures of the herd, of which there must be at least "
    f"{LEAST_NEIGHBOURS}; or when a model sees twice or half as many. In both cases by {UNLIKE_COWS} cows or more."
)
"""The definition, for the page to say."""


@dataclass(frozen=True)
class Hint:
    """Something to look at again.

    Attributes:
        boxes: The boxes it is about, counted from 1; none if it is about the picture as a whole.
        words: What is odd and why it matters, in one or two sentences.
    """

    boxes: tuple[int, ...]
    words: str


def box_hints(boxes: sv.Detections, resolution_wh: tuple[int, int]) -> list[Hint]:
    """What is odd about single boxes, and about pairs; crowd regions may overlap what they like."""
    return [*_tiny(boxes), *_outside(boxes, resolution_wh), *_duplicates(boxes)]


def neighbour_hints(cows: int, others: Sequence[int], by_model: tuple[str, int] | None = None) -> list[Hint]:
    """Whether a picture is labelled unlike its neighbours, by the definition of `UNLIKE_RULE`.

    Args:
        cows: Cows labelled on the picture.
        others: Cows labelled on each other answered picture of the herd.
        by_model: A model's title, and how many cows it sees on this picture.
    """
    hints = []
    if len(others) >= LEAST_NEIGHBOURS:
        middle = statistics.median(others)
        if _is_far(cows, middle, UNLIKE_TIMES):
            where = f"{_cows(cows)} here, {middle:g} on the middle picture of this herd"
            words = f"{where}. Was one forgotten, or counted twice?"
            hints.append(Hint((), words))
    if by_model is not None and _is_far(cows, by_model[1], 2):
        words = f"{_cows(cows)} here, and {by_model[0]} sees {by_model[1]}. One of the two is wrong: look again."
        hints.append(Hint((), words))
    return hints


def _is_far(cows: float, other: float, times: float) -> bool:
    smaller, larger = sorted((cows, other))
    return larger - smaller >= UNLIKE_COWS and larger >= times * smaller


def _cows(number: int) -> str:
    return f"{number} cow" if number == 1 else f"{number} cows"


def _tiny(boxes: sv.Detections) -> list[Hint]:
    sides = boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]
    return [
        Hint(
            (place + 1,),
            f"Box {place + 1} is tiny ({width:.1f} × {height:.1f} pixels). A detector can hardly learn from it, and "
            "one pixel more or less decides whether it counts as found.",
        )
        for place, (width, height) in enumerate(sides.tolist())
        if min(width, height) < TINY_SIDE
    ]


def _outside(boxes: sv.Detections, resolution_wh: tuple[int, int]) -> list[Hint]:
    beyond = np.hstack([-boxes.xyxy[:, :2], boxes.xyxy[:, 2:] - np.asarray(resolution_wh)]).max(axis=1, initial=-1)
    return [
        Hint(
            (place + 1,),
            f"Box {place + 1} reaches {far:.1f} pixels outside the picture. Models answer inside it only, so such "
            "a box is harder to meet than it looks.",
        )
        for place, far in enumerate(beyond.tolist())
        if far > OUTSIDE_PX
    ]


def _duplicates(boxes: sv.Detections) -> list[Hint]:
    names, crowds = names_of(boxes), crowds_of(boxes)
    overlap = sv.box_iou_batch(boxes.xyxy, boxes.xyxy)
    hints = []
    for one, other in np.argwhere(np.triu(overlap >= DUPLICATE_IOU, 1)).tolist():
        if names[one] == names[other] and not crowds[one] and not crowds[other]:
            words = (
                f"Boxes {one + 1} and {other + 1} nearly cover each other ({overlap[one, other]:.0%}). If they are one "
                f"{names[one]}, remove one of them: a model that finds it once would be blamed for missing the other."
            )
            hints.append(Hint((one + 1, other + 1), words))
    return hints
