"""Figures that judge: what is drawn, marked and left out."""

import numpy as np
import pytest

from cowvision.evaluation.comparison import Gain
from cowvision.evaluation.error_costs import ErrorCosts, error_costs
from cowvision.evaluation.matching import match_class
from cowvision.evaluation.operating import PrecisionRecall, operating_point, precision_recall
from cowvision.viz.curves import (
    BASELINE_COLOUR,
    CANDIDATE_COLOUR,
    MOST_POINTS,
    ModelCurve,
    cost_bars,
    gain_intervals,
    precision_recall_curves,
)
from tests.samples import boxes, truth

TRUTHS = [truth([[0, 0, 20, 20], [40, 0, 60, 20]])]
FOUND = [boxes([[0, 0, 20, 20], [80, 0, 99, 20], [40, 0, 60, 20]], [0.9, 0.7, 0.5])]


def curve_of(title: str, threshold: float = 0.6) -> ModelCurve:
    matches = match_class(FOUND, TRUTHS, "cow")
    return ModelCurve(title, precision_recall(matches), operating_point(matches, threshold))


def test_two_curves_differ_in_colour_and_in_line_and_carry_their_scores() -> None:
    figure = precision_recall_curves([curve_of("Old"), curve_of("New")])
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [line.name for line in lines] == ["Old", "New"]
    assert [line.line.color for line in lines] == [BASELINE_COLOUR, CANDIDATE_COLOUR]
    assert len({line.line.dash for line in lines}) == 2
    assert list(lines[0].customdata) == [0.9, 0.7, 0.5]
    assert list(lines[0].x) == [0.5, 0.5, 1.0]


def test_the_mark_stands_where_the_threshold_does() -> None:
    figure = precision_recall_curves([curve_of("Only", threshold=0.6)])
    [mark] = [trace for trace in figure.data if trace.mode == "markers"]
    assert (mark.x[0], mark.y[0]) == (0.5, 0.5)


def test_without_boxes_or_truth_there_is_no_mark_and_no_curve() -> None:
    nothing = match_class([boxes([], [])], [truth([])], "cow")
    figure = precision_recall_curves([ModelCurve("None", precision_recall(nothing), operating_point(nothing, 0.5))])
    assert all(len(trace.x) == 0 for trace in figure.data)


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    steps = np.linspace(0.0001, 0.9, 9000)
    figure = precision_recall_curves([ModelCurve("Long", PrecisionRecall(steps, 1 - steps, 1 - steps))])
    drawn = figure.data[0].x
    assert len(drawn) <= MOST_POINTS
    assert (drawn[0], drawn[-1]) == (pytest.approx(0.0001), pytest.approx(0.9))


def test_a_gain_shows_its_interval_and_the_line_through_zero() -> None:
    figure = gain_intervals({"mAP": Gain(0.1, (0.04, 0.2), 0.99), "AP50": Gain(None, None, None)})
    [points] = figure.data
    assert list(points.y) == ["mAP"]
    assert points.error_x.array[0] == pytest.approx(0.1)
    assert points.error_x.arrayminus[0] == pytest.approx(0.06)
    low, high = figure.layout.xaxis.range
    assert low < 0 and high > 0.2
    assert figure.layout.shapes[0].x0 == 0


def test_a_gain_without_an_interval_is_a_hollow_point() -> None:
    [points] = gain_intervals({"mAP": Gain(0.1, None, None)}).data
    assert list(points.marker.symbol) == ["circle-open"]
    assert not points.error_x.visible


@pytest.mark.parametrize("gain", [Gain(0.0, (0.0, 0.0), 0.0), Gain(-0.3, (-0.4, -0.1), 0.0)])
def test_zero_is_always_in_view(gain: Gain) -> None:
    low, high = gain_intervals({"mAP": gain}).layout.xaxis.range
    assert low < 0 < high


@pytest.mark.parametrize(("gain", "form"), [(0.3, "+.2~f"), (0.003, "+.4~f")])
def test_ticks_of_small_gains_are_told_apart(gain: float, form: str) -> None:
    assert gain_intervals({"mAP": Gain(gain, None, None)}).layout.xaxis.tickformat == form


def test_costs_stand_side_by_side_and_differ_in_pattern() -> None:
    costs = error_costs(FOUND, TRUTHS)
    figure = cost_bars({"Old": costs, "New": costs})
    assert [bar.name for bar in figure.data] == ["Old", "New"]
    assert len({bar.marker.pattern.shape for bar in figure.data}) == 2
    assert list(figure.data[0].y) == list(costs.costs)


def test_costs_without_truth_are_empty_bars() -> None:
    assert len(cost_bars({"Only": ErrorCosts(None, {})}).data[0].x) == 0
