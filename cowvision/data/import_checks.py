"""What is asked of every box of other software's ground truth, whatever the format."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cowvision.data.annotations import AnnotatedPicture, truth_boxes
from cowvision.data.import_findings import Findings
from cowvision.errors import AnnotationError

EDGE_PX = 1.0
"""How far a box may reach beyond the picture and be cut at its edge: tools differ by one in where pixels begin."""

ROUNDING_PX = 0.01
"""A cut this small is nothing but the rounding of a file's digits, and not worth a word."""

Box = tuple[float, float, float, float]


class TrueBox(NamedTuple):
    """One box that passed: x_min, y_min, x_max, y_max in pixels, exclusive-end, and what is known of it."""

    xyxy: Box
    name: str
    area: float | None = None
    crowd: bool = False
    visible_fraction: float = 1.0


def fitted(xyxy: Sequence[float], resolution_wh: tuple[int, int]) -> Box:
    """Return the box, cut at the picture's edge where it reaches beyond it by at most `EDGE_PX`.

    Raises:
        AnnotationError: Not finite, inverted or without extent, or outside the picture.
    """
    x_min, y_min, x_max, y_max = xyxy
    if not all(map(math.isfinite, xyxy)):
        raise AnnotationError("box", f"the box {_shown(xyxy)} is not finite", "Draw the box again")
    for side, length in (("width", x_max - x_min), ("height", y_max - y_min)):
        if length <= 0:
            what = "it is inverted" if length < 0 else "nothing is in it"
            raise AnnotationError("box", f"the {side} of the box is {length:g} px: {what}", "Draw the box again")
    width, height = resolution_wh
    beyond = max(-x_min, -y_min, x_max - width, y_max - height)
    if beyond > EDGE_PX or x_min >= width or y_min >= height or x_max <= 0 or y_max <= 0:
        cause = f"the box {_shown(xyxy)} reaches outside the picture of {width} x {height} pixels"
        raise AnnotationError("box", cause, "Draw the box again inside the picture")
    if beyond <= 0:
        return x_min, y_min, x_max, y_max
    return max(0.0, x_min), max(0.0, y_min), min(float(width), x_max), min(float(height), y_max)


def is_cut(before: Sequence[float], after: Box) -> bool:
    """Whether cutting at the edge moved a side by more than rounding does."""
    return any(abs(old - new) > ROUNDING_PX for old, new in zip(before, after, strict=True))


def note_cuts(findings: Findings, file: str, places: Sequence[str], picture: str) -> None:
    """Say once a picture that boxes were cut at its edge."""
    if places:
        cause = f"{_these(places)} reached up to {EDGE_PX:g} px beyond the picture and was cut at its edge"
        findings.note(file, places[0], cause, "Look at the boxes at the edge", picture)


def json_number(value: Any, what: str) -> float:
    """Return a JSON number as float; NaN and infinity pass, for `fitted` speaks of the box as a whole.

    Raises:
        AnnotationError: Not a number; a truth value and a number in quotes are none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AnnotationError(what, f"{what} is {shortened(value)}, not a number", "Write it as a number of pixels")
    try:
        return float(value)
    except OverflowError:  # JSON knows whole numbers of any length
        return math.inf


def shortened(value: Any) -> str:
    """Return a value from a file as a message may quote it."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def annotated(
    name: str, source: Path, boxes: Sequence[TrueBox], class_names: Sequence[str], **about: str
) -> AnnotatedPicture:
    """Bring the boxes of one picture into the form used everywhere; class ids are places in ``class_names``."""
    numbers = {one: number for number, one in enumerate(class_names)}
    sides = [(box.xyxy[2] - box.xyxy[0]) * (box.xyxy[3] - box.xyxy[1]) for box in boxes]
    truth = truth_boxes(
        [box.xyxy for box in boxes],
        [box.name for box in boxes],
        class_ids=[numbers[box.name] for box in boxes],
        area=[own if box.area is None else box.area for box, own in zip(boxes, sides, strict=True)],
        crowd=[box.crowd for box in boxes],
        visible_fraction=[box.visible_fraction for box in boxes],
        subject=name,
    )
    return AnnotatedPicture(name, truth, source, **about)


def _shown(xyxy: Sequence[float]) -> str:
    return "(" + ", ".join(f"{side:.6g}" for side in xyxy) + ")"


def _these(places: Sequence[str]) -> str:
    return "the box" if len(places) == 1 else f"the box (and {len(places) - 1} more)"
