"""Pictures that tell what each box is: met, wrong, missed."""

import numpy as np
import pytest
import supervision as sv

from cowvision.evaluation.errors import Outcome, explain
from cowvision.viz.outcomes import SIGN_COLOURS, Sign, draw_outcome, signed_boxes
from tests.samples import boxes, truth

GREY = np.full((300, 600, 3), 128, np.uint8)
COWS = truth([[20, 40, 140, 140], [300, 40, 420, 140]])


def has(rgb: np.ndarray, sign: Sign) -> bool:
    return bool((rgb == sv.Color.from_hex(SIGN_COLOURS[sign]).as_rgb()).all(axis=2).any())


def test_each_kind_has_its_colour_and_only_where_there_is_one() -> None:
    found = boxes([[20, 40, 140, 140], [480, 200, 580, 280]], [0.9, 0.6])
    drawn = draw_outcome(GREY, explain(found, COWS), longest_side=600)
    assert all(has(drawn, sign) for sign in Sign)
    clean = draw_outcome(GREY, explain(boxes(COWS.xyxy.tolist(), [0.9, 0.8]), COWS), longest_side=600)
    assert [has(clean, sign) for sign in Sign] == [True, False, False]


def test_met_is_solid_and_the_others_are_broken_lines() -> None:
    found = boxes([[20, 40, 140, 140], [480, 200, 580, 280]], [0.9, 0.6])
    drawn = draw_outcome(GREY, explain(found, COWS), longest_side=600)
    sides = {Sign.MET: drawn[60:120, 20], Sign.WRONG: drawn[220:260, 580], Sign.MISSED: drawn[60:120, 420]}
    broken = {sign: bool((side == 128).all(axis=1).any()) for sign, side in sides.items()}
    assert broken == {Sign.MET: False, Sign.WRONG: True, Sign.MISSED: True}


def test_numbers_count_the_wrong_ones_first_then_the_missed() -> None:
    found = boxes([[20, 40, 140, 140], [22, 40, 140, 140], [480, 200, 580, 280]], [0.9, 0.5, 0.6])
    signed = signed_boxes(explain(found, COWS))
    assert [(one.sign, one.number, one.why) for one in signed] == [
        (Sign.MET, None, Outcome.HIT),
        (Sign.WRONG, 1, Outcome.BACKGROUND),
        (Sign.WRONG, 2, Outcome.DUPLICATE),
        (Sign.MISSED, 3, ""),
    ]
    assert signed[1].score == pytest.approx(0.6)


def test_a_missed_cow_says_what_it_was_called() -> None:
    [missed] = signed_boxes(explain(boxes([[20, 40, 140, 140]], [0.9], "horse"), truth([[20, 40, 140, 140]])))
    assert (missed.sign, missed.why, missed.score) == (Sign.MISSED, "horse", None)


def test_the_picture_itself_is_left_alone() -> None:
    before = GREY.copy()
    before.flags.writeable = False
    draw_outcome(before, explain(boxes([], []), COWS), longest_side=600)
    assert (before == 128).all()


@pytest.mark.parametrize(
    ("longest_side", "shape"), [(300, (150, 300, 3)), (900, (450, 900, 3)), (5000, (600, 1200, 3))]
)
def test_large_pictures_shrink_and_small_ones_grow_to_twice_their_size(longest_side, shape) -> None:
    assert draw_outcome(GREY, explain(boxes([], []), COWS), longest_side=longest_side).shape == shape


@pytest.mark.parametrize("box", [[0, 0, 1, 1], [-50, -50, 900, 900], [599, 299, 600, 300], [10, 10, 590, 11]])
def test_odd_boxes_are_drawn_all_the_same(box: list[int]) -> None:
    drawn = draw_outcome(GREY, explain(boxes([box], [0.9]), truth([])), longest_side=600)
    assert has(drawn, Sign.WRONG)


def test_no_boxes_at_all() -> None:
    assert (draw_outcome(GREY, explain(sv.Detections.empty(), truth([])), longest_side=600) == GREY).all()
