"""Why boxes are wrong: each detection and each true box of a picture with what happened to it.

The six kinds are those of TIDE (Bolya et al. 2020, "TIDE: A General Toolbox for Identifying Object Detection Errors"),
with its thresholds: a detection meets a true box at IoU 0.5 and has something to do with it from IoU 0.1 up. Where
several fit, the better overlap decides: on a horse and touching a cow is a class error (TIDE: a location error).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import chosen, crowds_of, names_of, scores_of
from cowvision.evaluation.matching import match_boxes, overlaps

MEETS, TOUCHES = 0.5, 0.1


class Outcome(StrEnum):
    """What a detection is."""

    HIT = "hit"
    DUPLICATE = "duplicate"  # a true box that a surer detection has met already
    LOCATION = "location"  # the right class, badly placed
    CLASS = "class"  # well placed on something of another class
    BOTH = "class and location"  # badly placed on something of another class
    BACKGROUND = "background"  # on nothing that is known
    IGNORED = "ignored"  # inside a crowd: counts neither way


@dataclass(frozen=True, eq=False)
class PictureOutcome:
    """One picture at one threshold, one class.

    Attributes:
        detections: The detections of the class that are looked at, best first.
        outcomes: (d,) what each of them is.
        meets: (d,) int, the place of the true box each hit meets, -1 for the others.
        truths: The true boxes of the class, crowds left out.
        strangers: (t,) str, for each true box the class of the surest detection of another class that meets it; "" for
            none.
        stranger_scores: (t,) float, the scores of those; 0 for none.
    """

    detections: sv.Detections
    outcomes: tuple[Outcome, ...]
    meets: NDArray[np.intp]
    truths: sv.Detections
    strangers: tuple[str, ...]
    stranger_scores: NDArray[np.floating[Any]]

    @property
    def found(self) -> NDArray[np.bool_]:
        """Whether each true box was met, (t,) bool."""
        return np.isin(np.arange(len(self.truths)), self.meets)

    @property
    def called(self) -> tuple[str, ...]:
        """For a true box that was not met the class a detection gives it at its place, (t,) str; "" for none."""
        pairs = zip(self.strangers, self.found, strict=True)
        return tuple("" if found else name for name, found in pairs)

    def at_least(self, threshold: float) -> PictureOutcome:
        """The same picture at a higher threshold: what a detection is never depends on a worse one."""
        kept = int(np.count_nonzero(scores_of(self.detections) >= threshold))
        known = zip(self.strangers, self.stranger_scores, strict=True)
        return replace(
            self,
            detections=chosen(self.detections, np.arange(kept)),
            outcomes=self.outcomes[:kept],
            meets=self.meets[:kept],
            strangers=tuple(name if score >= threshold else "" for name, score in known),
        )

    def count(self, outcome: Outcome) -> int:
        """How many detections are that."""
        return self.outcomes.count(outcome)

    @property
    def missed(self) -> int:
        """True boxes that were not met."""
        return int((~self.found).sum())


def explain(
    found: sv.Detections, truth: sv.Detections, *, threshold: float = 0.0, class_name: str = "cow"
) -> PictureOutcome:
    """Say of one picture what each detection of a class from a score up is, and which true boxes were met.

    Args:
        found: Raw detections of all classes.
        truth: True boxes of all classes, as from ``truth_boxes``.
        threshold: Lowest score looked at.
        class_name: The class that is judged.
    """
    found = chosen(found, scores_of(found) >= threshold)
    found = chosen(found, np.argsort(-scores_of(found), kind="stable"))
    own = chosen(found, names_of(found) == class_name)
    of_class, crowd = names_of(truth) == class_name, crowds_of(truth)
    truths, crowds = chosen(truth, of_class & ~crowd), chosen(truth, of_class & crowd)
    others = chosen(truth, ~of_class)
    meets, ignored = match_boxes(own.xyxy, truths.xyxy, crowds.xyxy, MEETS)
    right, wrong = overlaps(own.xyxy, truths.xyxy), overlaps(own.xyxy, others.xyxy)
    outcomes = tuple(
        _outcome(int(place), bool(inside), _largest(right, row), _largest(wrong, row))
        for row, (place, inside) in enumerate(zip(meets, ignored, strict=True))
    )
    return PictureOutcome(own, outcomes, meets, truths, *_strangers(found, truths, class_name))


def explain_all(
    found: Sequence[sv.Detections],
    truths: Sequence[sv.Detections],
    *,
    threshold: float = 0.0,
    class_name: str = "cow",
) -> list[PictureOutcome]:
    """``explain`` for each picture."""
    pairs = zip(found, truths, strict=True)
    return [explain(one, truth, threshold=threshold, class_name=class_name) for one, truth in pairs]


def _outcome(place: int, inside_crowd: bool, right: float, wrong: float) -> Outcome:  # noqa: FBT001 - a fact of the box
    if place >= 0:
        return Outcome.HIT
    if inside_crowd:
        return Outcome.IGNORED
    if right >= MEETS:
        return Outcome.DUPLICATE
    if wrong >= MEETS:
        return Outcome.CLASS
    if right >= TOUCHES:
        return Outcome.LOCATION
    return Outcome.BOTH if wrong >= TOUCHES else Outcome.BACKGROUND


def _largest(overlap: NDArray[np.float64], row: int) -> float:
    return float(overlap[row].max(initial=0.0))


def _strangers(
    found: sv.Detections, truths: sv.Detections, class_name: str
) -> tuple[tuple[str, ...], NDArray[np.floating[Any]]]:
    """For each true box the surest detection of another class that meets it: its class, "" for none, and its score."""
    strangers = chosen(found, names_of(found) != class_name)
    meets = overlaps(strangers.xyxy, truths.xyxy) >= MEETS
    if not meets.any():
        return ("",) * len(truths), np.zeros(len(truths))
    surest, known = meets.argmax(axis=0), meets.any(axis=0)  # the best detection comes first
    names = np.where(known, names_of(strangers)[surest], "").tolist()
    return tuple(names), np.where(known, scores_of(strangers)[surest], 0.0)
