"""What a threshold makes of a model: counted by hand, and read from matches that were made once."""

import numpy as np
import pytest

from cowvision.data.annotations import chosen
from cowvision.evaluation.matching import match_class
from cowvision.evaluation.operating import best_f1, least_biased, operating_point, operating_points, precision_recall
from tests.evaluation.test_comparison import random_herd
from tests.samples import boxes, truth

TRUTHS = [truth([[0, 0, 40, 40], [100, 0, 140, 40]]), truth([]), truth([[0, 0, 40, 40]])]
FOUND = [
    boxes([[0, 0, 40, 40], [100, 0, 140, 40], [300, 300, 340, 340]], [0.9, 0.6, 0.3]),
    boxes([[10, 10, 60, 60]], [0.7]),
    boxes([[0, 0, 40, 30]], [0.4]),
]


def test_a_threshold_counted_by_hand() -> None:
    matches = match_class(FOUND, TRUTHS, "cow")
    point = operating_point(matches, 0.5)
    assert (point.found, point.false_alarms, point.missed) == (2, 1, 1)
    assert point.precision == pytest.approx(2 / 3)
    assert point.recall == pytest.approx(2 / 3)
    assert point.f1 == pytest.approx(2 / 3)
    assert point.count_error == pytest.approx(2 / 3), "off by 0, 1 too many, 1 too few"
    assert point.count_bias == pytest.approx(0.0)


def test_a_score_equal_to_the_threshold_counts() -> None:
    assert operating_point(match_class(FOUND, TRUTHS, "cow"), 0.9).found == 1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threshold", [0.15, 0.5, 0.8])
def test_matching_once_gives_what_matching_the_rest_anew_would(seed: int, threshold: float) -> None:
    found, truths = random_herd(20, seed)
    whole = operating_point(match_class(found, truths, "cow"), threshold)
    kept = [chosen(one, one.confidence >= threshold) for one in found]
    anew = operating_point(match_class(kept, truths, "cow"), 0.0)
    assert (whole.found, whole.false_alarms, whole.missed) == (anew.found, anew.false_alarms, anew.missed)
    assert whole.count_error == anew.count_error


def test_detections_in_a_crowd_count_neither_way() -> None:
    crowd = truth([[0, 0, 100, 100]], crowd=[True])
    point = operating_point(match_class([boxes([[10, 10, 30, 30]], [0.9])], [crowd], "cow"), 0.5)
    assert (point.found, point.false_alarms, point.missed) == (0, 0, 0)
    assert point.recall is None
    assert point.count_bias == 0


def test_nothing_found_nothing_true_and_no_pictures() -> None:
    blind = operating_point(match_class([boxes([], [])], TRUTHS[:1], "cow"), 0.5)
    assert (blind.precision, blind.recall, blind.f1, blind.count_bias) == (None, 0.0, 0.0, -2.0)
    empty = operating_point(match_class(FOUND[1:2], TRUTHS[1:2], "cow"), 0.5)
    assert (empty.precision, empty.recall, empty.f1) == (0.0, None, None)
    nobody = operating_point(match_class([], [], "cow"), 0.5)
    assert (nobody.found, nobody.count_error, nobody.count_bias) == (0, None, None)


def test_the_marks_are_where_they_belong() -> None:
    points = operating_points(match_class(FOUND, TRUTHS, "cow"))
    assert len(points) == 91
    assert points[0].threshold == 0.05
    assert points[-1].threshold == 0.95
    best = best_f1(points)
    assert best.f1 == max(point.f1 for point in points)
    assert best.threshold == pytest.approx(0.4), "of equal ones the strictest"
    fair = least_biased(points)
    assert abs(fair.count_bias) == min(abs(point.count_bias) for point in points)
    assert best_f1(operating_points(match_class([], [], "cow"))) is None
    assert least_biased([]) is None


def test_the_curve_ends_at_the_recall_of_everything_found() -> None:
    curve = precision_recall(match_class(FOUND, TRUTHS, "cow"))
    np.testing.assert_allclose(curve.recall, [1 / 3, 1 / 3, 2 / 3, 1, 1])
    np.testing.assert_allclose(curve.precision, [1, 1 / 2, 2 / 3, 3 / 4, 3 / 5])
    assert curve.score.tolist() == pytest.approx([0.9, 0.7, 0.6, 0.4, 0.3])
    assert len(precision_recall(match_class(FOUND[1:2], TRUTHS[1:2], "cow")).recall) == 0
