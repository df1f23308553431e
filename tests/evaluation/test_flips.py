"""What changes from one model to another, picture by picture."""

import numpy as np
import pytest
import supervision as sv

from cowvision.data.annotations import chosen
from cowvision.evaluation.flips import Flip, flip_list
from cowvision.evaluation.matching import match_class
from cowvision.evaluation.operating import operating_point
from tests.evaluation.test_comparison import random_herd
from tests.samples import boxes, truth

COWS = [[0, 0, 100, 100], [300, 0, 400, 100]]
ALARM = [600, 600, 700, 700]


def flip(found: sv.Detections, against: sv.Detections, real: sv.Detections | None = None, **options: float) -> Flip:
    [only] = flip_list([found], [against], [truth(COWS) if real is None else real], **{"threshold": 0.5} | options)
    return only


def changes(one: Flip) -> tuple[int, int, int, int]:
    return one.found, one.lost, one.new_false, one.gone_false


def test_found_and_lost() -> None:
    both, first = boxes(COWS, [0.9, 0.8]), boxes(COWS[:1], [0.9])
    assert changes(flip(both, first)) == (1, 0, 0, 0)
    assert changes(flip(first, both)) == (0, 1, 0, 0)
    assert changes(flip(first, boxes(COWS[1:], [0.9]))) == (1, 1, 0, 0), "one for the other is two changes"


def test_the_same_false_alarm_of_both_is_neither_new_nor_gone() -> None:
    moved = [605, 600, 705, 700]
    assert changes(flip(boxes([ALARM], [0.9]), boxes([moved], [0.6]))) == (0, 0, 0, 0)
    assert changes(flip(boxes([ALARM, moved], [0.9, 0.8]), boxes([moved], [0.6]))) == (0, 0, 1, 0)
    assert changes(flip(boxes([], []), boxes([ALARM], [0.6]))) == (0, 0, 0, 1)


def test_each_model_has_its_own_threshold() -> None:
    box = boxes(COWS[:1], [0.4])
    assert changes(flip(box, box, threshold=0.3)) == (0, 0, 0, 0)
    assert changes(flip(box, box, threshold=0.3, against_threshold=0.5)) == (1, 0, 0, 0)
    assert changes(flip(box, box, threshold=0.5, against_threshold=0.4)) == (0, 1, 0, 0)


def test_a_box_inside_a_crowd_is_no_false_alarm() -> None:
    crowd = truth([[0, 0, 400, 400]], crowd=[True])
    assert changes(flip(boxes([[10, 10, 60, 60]], [0.9]), boxes([], []), crowd)) == (0, 0, 0, 0)


def test_most_changes_first_and_ties_in_order() -> None:
    nothing, one, two = boxes([], []), boxes(COWS[:1], [0.9]), boxes(COWS, [0.9, 0.8])
    flips = flip_list([one, nothing, two, one], [nothing] * 4, [truth(COWS)] * 4, threshold=0.5)
    assert [(flip.place, flip.changes) for flip in flips] == [(2, 2), (0, 1), (3, 1), (1, 0)]
    with pytest.raises(ValueError, match="argument"):
        flip_list([one], [one, one], [truth(COWS)], threshold=0.5)
    assert flip_list([], [], [], threshold=0.5) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_list_adds_up_to_the_difference_of_the_figures(seed: int) -> None:
    found, truths = random_herd(20, seed)
    fewer = [chosen(one, np.arange(len(one)) % 3 > 0) for one in found]
    flips = flip_list(found, fewer, truths, threshold=0.3)
    one, other = (operating_point(match_class(answers, truths, "cow"), 0.3) for answers in (found, fewer))
    assert sum(flip.found - flip.lost for flip in flips) == one.found - other.found
    assert sum(flip.new_false - flip.gone_false for flip in flips) == one.false_alarms - other.false_alarms
