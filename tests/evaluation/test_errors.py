"""Every way to be wrong, one at a time, and together with the figures that count them."""

import numpy as np
import pytest
import supervision as sv

from cowvision.data.annotations import truth_boxes
from cowvision.evaluation.errors import Outcome, explain, explain_all
from cowvision.evaluation.matching import match_class
from cowvision.evaluation.operating import operating_point
from tests.evaluation.test_comparison import random_herd
from tests.samples import boxes, truth

COW, HORSE = [0, 0, 100, 100], [300, 0, 400, 100]
FIELD = truth_boxes([COW, HORSE], ["cow", "horse"])


@pytest.mark.parametrize(
    ("box", "outcome"),
    [
        ([0, 0, 100, 90], Outcome.HIT),
        ([0, 0, 100, 40], Outcome.LOCATION),
        ([300, 0, 400, 90], Outcome.CLASS),
        ([300, 0, 400, 30], Outcome.BOTH),
        ([600, 600, 700, 700], Outcome.BACKGROUND),
        ([0, 0, 100, 5], Outcome.BACKGROUND),
    ],
)
def test_each_kind_of_detection_alone(box: list, outcome: Outcome) -> None:
    picture = explain(boxes([box], [0.9]), FIELD)
    assert picture.outcomes == (outcome,)
    assert picture.missed == (outcome is not Outcome.HIT)


def test_a_second_box_on_a_cow_is_a_duplicate_even_if_it_comes_first_in_the_list() -> None:
    picture = explain(boxes([[0, 0, 100, 80], COW], [0.6, 0.9]), FIELD)
    assert picture.detections.confidence.tolist() == pytest.approx([0.9, 0.6])
    assert picture.outcomes == (Outcome.HIT, Outcome.DUPLICATE)
    assert picture.meets.tolist() == [0, -1]


def test_a_cow_called_something_else_is_missed_and_says_by_what_name() -> None:
    found = sv.Detections.merge([boxes([COW], [0.7], "dog"), boxes([COW], [0.8], "horse")])
    picture = explain(found, FIELD)
    assert picture.outcomes == ()
    assert picture.missed == 1
    assert picture.called == ("horse",), "the surer of the two"
    assert explain(found, FIELD, threshold=0.9).called == ("",)


@pytest.mark.parametrize("seed", range(4))
def test_a_higher_threshold_is_the_same_picture_cut(seed: int) -> None:
    found, truths = random_herd(12, seed)
    dogs = [boxes(one.xyxy[:2] + 3, [0.55, 0.25], "dog") if len(one) > 1 else boxes([], []) for one in truths]
    every = [
        sv.Detections.merge([one, two]) if len(one) and len(two) else one for one, two in zip(found, dogs, strict=True)
    ]
    for threshold in (0.2, 0.5, 0.8):
        for whole, cut in zip(explain_all(every, truths), explain_all(every, truths, threshold=threshold), strict=True):
            again = whole.at_least(threshold)
            assert again.outcomes == cut.outcomes
            assert again.meets.tolist() == cut.meets.tolist()
            assert again.found.tolist() == cut.found.tolist()
            assert again.called == cut.called
            np.testing.assert_array_equal(again.detections.xyxy, cut.detections.xyxy)


def test_a_crowd_takes_any_number() -> None:
    crowd = truth([[0, 0, 200, 200]], crowd=[True])
    picture = explain(boxes([[10, 10, 40, 40], [50, 50, 90, 90]], [0.9, 0.8]), crowd)
    assert picture.outcomes == (Outcome.IGNORED, Outcome.IGNORED)
    assert picture.missed == 0


def test_nothing_on_the_picture_and_nothing_found() -> None:
    picture = explain(boxes([], []), truth([]))
    assert picture.outcomes == ()
    assert (picture.missed, picture.called) == (0, ())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threshold", [0.1, 0.55])
def test_the_outcomes_add_up_to_the_figures(seed: int, threshold: float) -> None:
    found, truths = random_herd(15, seed)
    pictures = explain_all(found, truths, threshold=threshold)
    point = operating_point(match_class(found, truths, "cow"), threshold)
    assert sum(picture.count(Outcome.HIT) for picture in pictures) == point.found
    assert sum(picture.missed for picture in pictures) == point.missed
    wrong = [one for picture in pictures for one in picture.outcomes if one not in (Outcome.HIT, Outcome.IGNORED)]
    assert len(wrong) == point.false_alarms
    for picture in pictures:
        met = picture.meets[picture.meets >= 0]
        assert len(set(met.tolist())) == len(met)
        assert np.array_equal(np.flatnonzero(picture.found), np.sort(met))
