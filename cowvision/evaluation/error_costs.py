"""What each kind of error costs: by how much AP at IoU 0.5 would rise without it.

After TIDE (Bolya et al. 2020, "TIDE: A General Toolbox for Identifying Object Detection Errors"), rule for rule as its
program `tidecv` 1.0.1 applies them, so that the figures can be held against published ones. Two of its rules differ
from ``errors.explain``, which speaks to people: a badly placed box that touches a cow is a location error before it is
a class error, and where scores are equal, what was repaired and what is still wrong comes before what was right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import chosen, crowds_of, names_of, scores_of
from cowvision.evaluation.errors import MEETS, TOUCHES
from cowvision.evaluation.matching import MOST_DETECTIONS, overlaps

CLASS, LOCATION, BOTH, DUPLICATE, BACKGROUND, MISSED = KINDS = (
    "class", "location", "both", "duplicate", "background", "missed",
)  # fmt: skip
_RIGHT = ""
_RECALLS = np.arange(101) / 100  # TIDE's own; COCO's differ from them in the last bit


@dataclass(frozen=True)
class ErrorCosts:
    """AP of one class at IoU 0.5 and what would be gained without each kind of error.

    Attributes:
        ap_50: AP at IoU 0.5, 0..1; None without truth.
        costs: Gain in AP, 0..1, by kind: class, location, both, duplicate, background, missed; empty without truth.
            They do not add up to what is missing to 1, for one repair may make room for another.
    """

    ap_50: float | None
    costs: dict[str, float]


def error_costs(
    found: Sequence[sv.Detections], truths: Sequence[sv.Detections], *, class_name: str = "cow"
) -> ErrorCosts:
    """Repair each kind of error by itself and see what AP becomes.

    Args:
        found: Raw detections of all classes per picture: a cow called a dog is a class error only if the dog is here.
        truths: Truth of all classes on the same pictures, as from ``truth_boxes``.
        class_name: The class whose AP it is.

    Raises:
        ValueError: Not as many answers as truths.
    """
    pictures = [_look_at(one, truth, class_name) for one, truth in zip(found, truths, strict=True)]
    boxes = [box for picture in pictures for box in picture.boxes]
    count, missed = sum(picture.truths for picture in pictures), sum(picture.missed for picture in pictures)
    if count == 0:
        return ErrorCosts(None, {})
    before = _average_precision([(box.score, box.kind == _RIGHT) for box in boxes if box.counts], count)
    after = {kind: _average_precision(_repaired(boxes, kind), count) for kind in KINDS[:-1]}
    after[MISSED] = _average_precision(_repaired(boxes, MISSED), count - missed)
    return ErrorCosts(before, {kind: max(value - before, 0.0) for kind, value in after.items()})


@dataclass(frozen=True)
class _Box:
    """A detection that has to do with the judged class.

    Attributes:
        score: Its score.
        kind: Its error; empty for a hit.
        counts: Whether it counts in the AP of the class: it has that class and does not lie in a crowd.
        becomes_hit: Whether it is a hit of the class once its error is repaired; else it goes away.
    """

    score: float
    kind: str
    counts: bool
    becomes_hit: bool = False


@dataclass(frozen=True)
class _Picture:
    """What one picture adds: boxes best first, true boxes, and those no detection could be repaired to meet."""

    boxes: list[_Box]
    truths: int
    missed: int


def _repaired(boxes: Sequence[_Box], kind: str) -> list[tuple[float, bool]]:
    """Scores and hits without one kind of error: the errors before the hits, as TIDE lists them."""
    wrong = [
        (box.score, box.kind == kind)
        for box in boxes
        if box.kind != _RIGHT and (box.becomes_hit if box.kind == kind else box.counts)
    ]
    return wrong + [(box.score, True) for box in boxes if box.kind == _RIGHT]


def _average_precision(points: Sequence[tuple[float, bool]], truths: int) -> float:
    """AP at 101 recalls; 0 without true boxes, as TIDE has it."""
    if truths == 0 or not points:
        return 0.0
    scores, hits = (np.array(column) for column in zip(*points, strict=True))
    found = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    precision = np.maximum.accumulate((found / np.arange(1, len(found) + 1))[::-1])[::-1]
    steps = np.searchsorted(found / truths, _RECALLS, side="left")
    return float(np.append(precision, 0.0)[steps].mean())


def _look_at(found: sv.Detections, truth: sv.Detections, class_name: str) -> _Picture:
    order = np.argsort(-scores_of(found), kind="stable")[:MOST_DETECTIONS]
    found, crowd = chosen(found, order), crowds_of(truth)
    real, crowds = chosen(truth, ~crowd), chosen(truth, crowd)
    labels, names, scores = names_of(found), names_of(real), scores_of(found)
    overlap = overlaps(found.xyxy, real.xyxy)
    same = labels[:, None] == names[None]
    meets = _meet(overlap * same)
    used = np.isin(np.arange(len(real)), meets)
    ignored = _inside_crowds(found, crowds) & (meets < 0)
    best = np.full(len(real), -1)  # the surest detection that a repair would bring to each true box
    boxes = []
    for row in range(len(found)):
        if meets[row] >= 0:
            boxes.append((row, _RIGHT, -1))
            continue
        kind, place = _error(overlap[row], same[row], used)
        if place >= 0 and not used[place] and best[place] < 0:
            best[place] = row
        boxes.append((row, kind, place))
    kept = [
        _Box(
            score=float(scores[row]),
            kind=kind,
            counts=bool(labels[row] == class_name and not ignored[row]),
            becomes_hit=bool(place >= 0 and best[place] == row and names[place] == class_name),
        )
        for row, kind, place in boxes
        if kind != _RIGHT or labels[row] == class_name
    ]
    own = names == class_name
    return _Picture(kept, int(own.sum()), int((own & ~used & (best < 0)).sum()))


def _meet(overlap: NDArray[np.float64]) -> NDArray[np.intp]:
    """Place of the true box each detection takes, best first, -1 for none; of equal overlaps the first, unlike COCO."""
    meets, free = np.full(len(overlap), -1, dtype=np.intp), overlap.copy()
    for row in range(len(overlap) if overlap.shape[1] else 0):
        place = int(free[row].argmax())
        if free[row, place] >= MEETS:
            meets[row] = place
            free[:, place] = 0
    return meets


def _inside_crowds(found: sv.Detections, crowds: sv.Detections) -> NDArray[np.bool_]:
    """Whether more than half of each detection lies in a crowd of its class; TIDE wants more, COCO takes a half."""
    share = overlaps(found.xyxy, crowds.xyxy, crowd=True)
    return np.asarray(((share > MEETS) & (names_of(found)[:, None] == names_of(crowds)[None])).any(axis=1))


def _error(overlap: NDArray[np.float64], same: NDArray[np.bool_], used: NDArray[np.bool_]) -> tuple[str, int]:
    """Kind of a detection that met nothing, and the true box it would meet if repaired, -1 for none."""
    right, wrong = overlap * same, overlap * ~same
    if len(overlap) == 0:
        return BACKGROUND, -1
    if TOUCHES <= right.max() <= MEETS:
        return LOCATION, int(right.argmax())
    if wrong.max() >= MEETS:
        return CLASS, int(wrong.argmax())
    if (right * used).max() >= MEETS:
        return DUPLICATE, -1
    return (BACKGROUND if overlap.max() <= TOUCHES else BOTH), -1
