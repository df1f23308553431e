"""A picture with what each box is: met, wrong, or missing. Told by colour, by line and by number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cowvision.evaluation.errors import Outcome, PictureOutcome
from cowvision.viz.encoding import scaled_down


class Sign(StrEnum):
    """How a box is drawn."""

    MET = "met"  # thin and solid, with no number
    WRONG = "wrong"  # dashed, with a number
    MISSED = "missed"  # dotted, with a number


SIGN_COLOURS = {Sign.MET: "#56b4e9", Sign.WRONG: "#ff8a1f", Sign.MISSED: "#ffffff"}
"""#rrggbb; apart for colour-blind people too (sky blue, orange and white), each on a dark rim."""

_DASHES = {Sign.MET: None, Sign.WRONG: (7.0, 4.0), Sign.MISSED: (1.6, 2.4)}
"""Length of a stroke and of the gap after it, in line widths; None is solid."""

_RIM = "#14140f"

Plate = tuple[int, int, int, int]
"""Left, top, right and bottom of a number's plate, in pixels of what is drawn."""


@dataclass(frozen=True)
class SignedBox:
    """A box that is drawn.

    Attributes:
        sign: How.
        xyxy: Its sides in pixels of the picture.
        number: What stands beside it, from 1; None for one that was met.
        why: What it is, for wrong ones; the class it was given instead, for missed ones ("" if nothing was there).
        score: Its score; None for missed ones.
    """

    sign: Sign
    xyxy: tuple[float, float, float, float]
    number: int | None
    why: Outcome | str
    score: float | None


def signed_boxes(outcome: PictureOutcome) -> list[SignedBox]:
    """The boxes of a picture: those met, the wrong ones, the surest first, and the missed; ignored ones are none."""
    scores = outcome.detections.confidence
    told = zip(outcome.outcomes, outcome.detections.xyxy, [] if scores is None else scores, strict=True)
    rows = [(what, _sides(box), float(score)) for what, box, score in told if what is not Outcome.IGNORED]
    met = [SignedBox(Sign.MET, box, None, what, score) for what, box, score in rows if what is Outcome.HIT]
    wrong = [row for row in rows if row[0] is not Outcome.HIT]
    signed = [SignedBox(Sign.WRONG, box, number, what, score) for number, (what, box, score) in enumerate(wrong, 1)]
    missed = np.flatnonzero(~outcome.found)
    return [*met, *signed] + [
        SignedBox(Sign.MISSED, _sides(outcome.truths.xyxy[place]), number, outcome.called[place], None)
        for number, place in enumerate(missed, len(wrong) + 1)
    ]


def draw_outcome(rgb: NDArray[np.uint8], outcome: PictureOutcome, *, longest_side: int) -> NDArray[np.uint8]:
    """A copy of the picture with what each box of one model is.

    Args:
        rgb: Picture, uint8 of shape (height, width, 3).
        outcome: From ``evaluation.errors.explain``, in pixels of that picture.
        longest_side: Pixels; larger pictures are scaled down before, smaller ones up to twice their size, so that
            lines and numbers stay fine.
    """
    scene = _prepared(rgb, longest_side)
    scale = scene.shape[1] / rgb.shape[1]
    width = max(2, round(max(scene.shape[:2]) / 420))
    boxes = signed_boxes(outcome)
    for box in boxes:
        corners = np.rint(np.asarray(box.xyxy) * scale).astype(int)
        _outline(scene, corners, box.sign, width)
    taken: list[Plate] = []
    for box in boxes:  # numbers last: no line crosses them
        if box.number is not None:
            taken.append(_write_number(scene, np.asarray(box.xyxy) * scale, box, width, taken))
    return scene


def _sides(box: NDArray[Any]) -> tuple[float, float, float, float]:
    x_min, y_min, x_max, y_max = (float(side) for side in box)
    return x_min, y_min, x_max, y_max


def _prepared(rgb: NDArray[np.uint8], longest_side: int) -> NDArray[np.uint8]:
    scale = min(2.0, longest_side / max(rgb.shape[:2]))
    if scale <= 1:
        return np.array(scaled_down(rgb, longest_side), order="C")
    size_wh = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
    return np.asarray(cv2.resize(rgb, size_wh, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _outline(scene: NDArray[np.uint8], corners: NDArray[np.int_], sign: Sign, width: int) -> None:
    """The four sides, a dark rim under the colour, so that they are seen on snow and on earth."""
    x_min, y_min, x_max, y_max = (int(side) for side in corners)
    ring = [(x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max), (x_min, y_min)]
    strokes = [stroke for start, end in pairwise(ring) for stroke in _strokes(start, end, sign, width)]
    line = width if sign is Sign.MET else width + 1
    for colour, thickness in ((_RIM, line + 2), (SIGN_COLOURS[sign], line)):
        for start, end in strokes:
            cv2.line(scene, start, end, _rgb(colour), thickness, cv2.LINE_AA)


def _strokes(
    start: tuple[int, int], end: tuple[int, int], sign: Sign, width: int
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Pieces of a side; a dashed one begins and ends with a stroke, so that corners are closed."""
    dash = _DASHES[sign]
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    if dash is None or length < 4 * width:
        return [(start, end)]
    stroke, gap = (part * (width + 1) * min(1.0, length / (30 * width)) for part in dash)
    count = max(2, round((length + gap) / (stroke + gap)))
    begins = np.linspace(0, max(0.0, length - stroke), count)
    way = (np.array(end) - start) / length

    def at(distance: float) -> tuple[int, int]:
        x, y = np.rint(start + way * min(distance, length)).astype(int)
        return int(x), int(y)

    return [(at(begin), at(begin + stroke)) for begin in begins]


def _write_number(
    scene: NDArray[np.uint8], corners: NDArray[np.floating[Any]], box: SignedBox, width: int, taken: list[Plate]
) -> Plate:
    """The number on a plate at a corner of its box, beside the plates that are there; returns where the plate is."""
    size, text, thick = 0.22 * width + 0.2, str(box.number), max(1, width - 1)
    (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, thick)
    pad = width + 2
    plate = _free_plate(corners, (wide + 2 * pad, tall + 2 * pad), (scene.shape[1], scene.shape[0]), taken)
    left, top, right, bottom = plate
    cv2.rectangle(scene, (left, top), (right, bottom), _rgb(SIGN_COLOURS[box.sign]), -1)
    cv2.rectangle(scene, (left, top), (right, bottom), _rgb(_RIM), 1)
    where = (left + pad, bottom - pad)
    cv2.putText(scene, text, where, cv2.FONT_HERSHEY_SIMPLEX, size, _rgb(_RIM), thick, cv2.LINE_AA)
    return plate


def _free_plate(
    corners: NDArray[np.floating[Any]], plate_wh: tuple[int, int], scene_wh: tuple[int, int], taken: list[Plate]
) -> Plate:
    """The first of the box's corners, inside the picture, where no other plate is; the upper left one if all are."""
    wide, tall = plate_wh
    x_min, y_min, x_max, y_max = corners
    places = []
    for left, top in ((x_min, y_min - tall), (x_max - wide, y_min - tall), (x_min, y_max), (x_max - wide, y_max)):
        left_in = int(np.clip(left, 0, max(0, scene_wh[0] - wide)))
        top_in = int(np.clip(top, 0, max(0, scene_wh[1] - tall)))
        places.append((left_in, top_in, left_in + wide, top_in + tall))
    return next((one for one in places if not any(_meet(one, other) for other in taken)), places[0])


def _meet(one: Plate, other: Plate) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue
