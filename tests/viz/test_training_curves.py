"""The curves of a training: what is drawn, and nothing where nothing is known."""

import pytest

from cowvision.viz.curves import MOST_POINTS
from cowvision.viz.training_curves import held_out_curve, loss_curve, smoothed


def by_name(figure) -> dict:
    return {trace.name: trace for trace in figure.data}


def test_before_the_first_step_the_axes_are_there() -> None:
    assert loss_curve([], 240).layout.xaxis.range[1] >= 240
    drawn = by_name(held_out_curve([], 240))
    assert set(drawn) == {"held-out mAP", "best, kept"}
    assert list(drawn["held-out mAP"].x) == []


def test_the_loss_is_shown_as_it_was_and_smoothed() -> None:
    losses = [(step, 2.0 + (-1) ** step) for step in range(1, 101)]
    drawn = by_name(loss_curve(losses, 100))
    assert list(drawn["as measured"].y) == [loss for _, loss in losses]
    late = drawn["smoothed"].y[50:]
    assert max(late) - min(late) < 0.5


def test_a_long_run_is_drawn_with_as_many_points_as_a_screen_shows() -> None:
    drawn = by_name(loss_curve([(step, 1.0) for step in range(1, 5001)], 5000))
    assert len(drawn["smoothed"].x) == MOST_POINTS
    assert drawn["smoothed"].x[-1] > 4950
    assert drawn["smoothed"].y[-1] == pytest.approx(1.0)


def test_one_step_is_a_point_that_can_be_seen() -> None:
    assert by_name(loss_curve([(1, 2.5)], 10))["smoothed"].mode == "lines+markers"


def test_the_start_is_a_dotted_line_and_the_best_is_marked() -> None:
    looks = [(0, 0.2), (60, 0.35), (120, 0.3)]
    drawn = by_name(held_out_curve(looks, 240, best_step=60))
    assert list(drawn["start model"].y) == [0.2, 0.2]
    assert drawn["start model"].line.dash == "dot"
    assert (list(drawn["best, kept"].x), list(drawn["best, kept"].y)) == ([60], [0.35])
    assert list(drawn["held-out mAP"].x) == [0, 60, 120]


def test_looks_that_nobody_could_judge_are_left_out() -> None:
    drawn = by_name(held_out_curve([(0, None), (10, None)], 20, best_step=10))
    assert "start model" not in drawn
    assert list(drawn["held-out mAP"].x) == []
    assert list(drawn["best, kept"].x) == []


def test_smoothing_keeps_the_length_and_a_constant() -> None:
    assert smoothed([]) == []
    assert smoothed([1.5] * 40) == [1.5] * 40
