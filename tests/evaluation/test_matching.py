"""COCO's matching at its edges: exactly at a threshold, equal overlaps, the hundredth box, many sizes side by side."""

import numpy as np
import pytest
import supervision as sv

from cowvision.evaluation import matching
from cowvision.evaluation.matching import match_boxes, match_class
from tests.evaluation.test_comparison import random_herd
from tests.samples import boxes, truth

COW = [0, 0, 100, 100]


def test_an_overlap_that_equals_the_threshold_is_a_hit() -> None:
    matches = match_class([boxes([[0, 0, 100, 50]], [0.9])], [truth([COW])], "cow")
    assert matches.hit[:, 0].tolist() == [True] + [False] * 9
    crowd = match_class([boxes([[50, 0, 150, 100]], [0.9])], [truth([COW], crowd=[True])], "cow")
    assert crowd.ignored[:, 0].tolist() == [True] + [False] * 9


def test_of_equal_overlaps_the_last_is_taken_as_pycocotools_does() -> None:
    twins = np.array([COW, COW, [300, 0, 400, 100]])
    places, ignored = match_boxes(np.array([COW, COW, COW]), twins, np.zeros((0, 4)), 0.5)
    assert places.tolist() == [1, 0, -1]
    assert not ignored.any()


@pytest.mark.parametrize(("better", "met"), [(99, True), (100, False)])
def test_the_hundredth_box_of_a_picture_is_the_last_that_counts(better: int, *, met: bool) -> None:
    alarms = [[500 + place, 500, 520 + place, 520] for place in range(better)]
    found = boxes([COW, *alarms], [0.1, *np.linspace(0.9, 0.2, better)])
    matches = match_class([found], [truth([COW])], "cow")
    assert (len(matches.score), bool(matches.hit.any())) == (100, met)


def test_a_picture_alone_is_matched_as_among_others(monkeypatch) -> None:
    found, truths = random_herd(40, 3)
    together = match_class(found, truths, "cow")
    monkeypatch.setattr(matching, "_ELEMENTS", 1)
    alone = match_class(found, truths, "cow")
    for name in ("picture", "hit", "ignored", "truths", "score"):
        assert np.array_equal(getattr(together, name), getattr(alone, name)), name


def test_no_pictures_no_boxes_and_too_few_answers() -> None:
    assert match_class([], [], "cow").hit.shape == (10, 0)
    assert match_class([sv.Detections.empty()], [truth([COW])], "cow").truths.tolist() == [1]
    with pytest.raises(ValueError, match="got 0 and 1"):
        match_class([], [truth([COW])], "cow")
