"""Which pictures change from one model to another, and how: the flip list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import supervision as sv

from cowvision.data.annotations import chosen
from cowvision.evaluation.errors import MEETS, Outcome, PictureOutcome, explain_all
from cowvision.evaluation.matching import match_boxes


@dataclass(frozen=True, eq=False)
class Flip:
    """What changes on one picture from the other model to this one, each at its own threshold.

    Attributes:
        place: The picture's place in the lists that were given, from 0.
        found: True boxes that this model meets and the other does not.
        lost: True boxes that the other model meets and this one does not.
        new_false: False alarms of this model that the other does not have.
        gone_false: False alarms of the other model that this one does not have.
        outcome: What each of this model's boxes is.
        against_outcome: The same of the other model's.
    """

    place: int
    found: int
    lost: int
    new_false: int
    gone_false: int
    outcome: PictureOutcome
    against_outcome: PictureOutcome

    @property
    def changes(self) -> int:
        """How much changed in all; 0 where both models agree."""
        return self.found + self.lost + self.new_false + self.gone_false


def flip_list(
    found: Sequence[sv.Detections],
    against: Sequence[sv.Detections],
    truths: Sequence[sv.Detections],
    *,
    threshold: float,
    against_threshold: float | None = None,
    class_name: str = "cow",
) -> list[Flip]:
    """Every picture, those with the most changes first; of equal ones in the order given, unchanged ones last.

    Args:
        found: Raw detections of this model, per picture.
        against: Raw detections of the other model on the same pictures.
        truths: Truth of the pictures, as from ``truth_boxes``.
        threshold: Lowest score of this model that counts.
        against_threshold: Lowest score of the other model that counts; this model's by default.
        class_name: The class that is judged.

    Raises:
        ValueError: Not as many answers as truths.
    """
    other_threshold = threshold if against_threshold is None else against_threshold
    ours = explain_all(found, truths, threshold=threshold, class_name=class_name)
    theirs = explain_all(against, truths, threshold=other_threshold, class_name=class_name)
    return flips_of(ours, theirs)


def flips_of(ours: Sequence[PictureOutcome], theirs: Sequence[PictureOutcome]) -> list[Flip]:
    """``flip_list`` of pictures that were looked at before: what this model's boxes are, and what the other's are.

    Raises:
        ValueError: Not the same number of pictures.
    """
    flips = [_flip(place, *pair) for place, pair in enumerate(zip(ours, theirs, strict=True))]
    return sorted(flips, key=lambda flip: -flip.changes)


def _flip(place: int, ours: PictureOutcome, theirs: PictureOutcome) -> Flip:
    alarms, others = _false_alarms(ours), _false_alarms(theirs)
    met, _ = match_boxes(alarms.xyxy, others.xyxy, np.zeros((0, 4)), MEETS)
    shared = int((met >= 0).sum())
    return Flip(
        place=place,
        found=int((ours.found & ~theirs.found).sum()),
        lost=int((theirs.found & ~ours.found).sum()),
        new_false=len(alarms) - shared,
        gone_false=len(others) - shared,
        outcome=ours,
        against_outcome=theirs,
    )


def _false_alarms(picture: PictureOutcome) -> sv.Detections:
    """The detections that met nothing; those inside a crowd are none."""
    alarm = [outcome not in {Outcome.HIT, Outcome.IGNORED} for outcome in picture.outcomes]
    return chosen(picture.detections, np.array(alarm, dtype=bool))
