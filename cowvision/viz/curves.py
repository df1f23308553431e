"""What judges models, as plotly figures: curves, gains with their intervals, and what errors cost.

Text, grid and background are left to whoever shows the figure, so that light and dark both work. The two colours are
told apart by colour-blind people, stand out on white and on black, and never speak alone: lines and bars differ in
their pattern too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

if TYPE_CHECKING:  # what measures takes seconds to load; who shows tracks needs two colours
    from cowvision.evaluation.comparison import Gain
    from cowvision.evaluation.error_costs import ErrorCosts
    from cowvision.evaluation.operating import OperatingPoint, PrecisionRecall

BASELINE_COLOUR, CANDIDATE_COLOUR = "#d17f1b", "#2f86d6"
"""Of the model compared with, and of the one that is to be better."""

MOST_POINTS = 240
"""Points drawn of a curve; a screen shows no more."""

_NEUTRAL = "rgba(128,128,128,0.75)"
_LOOKS = ((BASELINE_COLOUR, "dash", "diamond", "/"), (CANDIDATE_COLOUR, "solid", "circle", ""))


@dataclass(frozen=True, eq=False)
class ModelCurve:
    """A model's curve: its name for people, precision over recall, and where it stands at the chosen threshold."""

    title: str
    curve: PrecisionRecall
    point: OperatingPoint | None = None


def precision_recall_curves(curves: Sequence[ModelCurve]) -> go.Figure:
    """Precision over recall of one or two models, the baseline first, with a mark at the chosen threshold."""
    figure = go.Figure()
    for one, (colour, dash, symbol, _) in zip(curves, _looks(len(curves)), strict=True):
        shown = _thinned(one.curve)
        figure.add_trace(
            go.Scatter(
                x=one.curve.recall[shown].round(4).tolist(),
                y=one.curve.precision[shown].round(4).tolist(),
                customdata=one.curve.score[shown].round(3).tolist(),
                mode="lines",
                line={"color": colour, "dash": dash, "width": 2.5},
                name=one.title,
                hovertemplate="recall %{x:.2f}, precision %{y:.2f}<br>down to score %{customdata:.2f}",
            )
        )
        figure.add_trace(_mark(one, colour, symbol))
    figure.update_xaxes(title="found: share of the cows (recall)", range=[0, 1.02], tickformat=".1f", fixedrange=True)
    figure.update_yaxes(
        title="right: share of the boxes (precision)", range=[0, 1.05], tickformat=".1f", fixedrange=True
    )
    return _plain(figure, height=340).update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})


def gain_intervals(gains: Mapping[str, Gain]) -> go.Figure:
    """Each gain as a point with its 95 % interval, and a line through zero; without a value it is left out.

    A gain without an interval is a hollow point without a bar.
    """
    known = {name: gain for name, gain in gains.items() if gain.value is not None}
    values = [gain.value or 0.0 for gain in known.values()]
    intervals = [gain.interval_95 or (value, value) for gain, value in zip(known.values(), values, strict=True)]
    lows, highs = ([interval[side] for interval in intervals] for side in (0, 1))
    hollow = [gain.interval_95 is None for gain in known.values()]
    words = [
        f"{value:+.3f}" + (f", from {low:+.3f} to {high:+.3f}" if low < high else "")
        for value, low, high in zip(values, lows, highs, strict=True)
    ]
    figure = go.Figure(
        go.Scatter(
            x=values,
            y=list(known),
            mode="markers+text",
            text=[f"{value:+.3f}" for value in values],
            textposition="top center",
            marker={
                "size": 13, "color": CANDIDATE_COLOUR, "line": {"width": 2.5, "color": CANDIDATE_COLOUR},
                "symbol": ["circle-open" if one else "circle" for one in hollow],
            },
            error_x={
                "type": "data", "symmetric": False, "thickness": 3, "color": CANDIDATE_COLOUR,
                "width": 0 if all(hollow) else 8, "visible": not all(hollow),
                "array": [high - value for value, high in zip(values, highs, strict=True)],
                "arrayminus": [value - low for value, low in zip(values, lows, strict=True)],
            },
            hovertext=words,
            hoverinfo="text",
            showlegend=False,
        )
    )  # fmt: skip
    reach = max((abs(side) for side in (*lows, *highs)), default=0.1) * 1.2 or 0.1
    low, high = min(min(lows, default=0.0) * 1.2, -0.12 * reach), max(max(highs, default=0.0) * 1.2, 0.12 * reach)
    digits = max(2, 1 - math.floor(math.log10(reach)))  # of small gains "+0.00" would be told at every tick
    figure.add_vline(x=0, line={"color": _NEUTRAL, "width": 2, "dash": "dot"})
    figure.update_xaxes(range=[low, high], tickformat=f"+.{digits}~f", zeroline=False, fixedrange=True, nticks=6)
    figure.update_yaxes(range=[len(known) - 0.35, -0.75], fixedrange=True, showgrid=False)
    return _plain(figure, height=70 + 62 * max(1, len(known)))


def cost_bars(costs: Mapping[str, ErrorCosts]) -> go.Figure:
    """What each kind of error costs one or two models, the baseline first, in AP at IoU 0.5."""
    figure = go.Figure()
    for (title, one), (colour, _, _, pattern) in zip(costs.items(), _looks(len(costs)), strict=True):
        figure.add_trace(
            go.Bar(
                y=list(one.costs),
                x=[round(cost, 4) for cost in one.costs.values()],
                orientation="h",
                marker={"color": colour, "pattern": {"shape": pattern, "solidity": 0.25}, "line": {"width": 0}},
                name=title,
                hovertemplate="%{y}: costs %{x:.3f} AP50",
            )
        )
    most = max((cost for one in costs.values() for cost in one.costs.values()), default=0.0)
    figure.update_xaxes(title="AP50 it costs", range=[0, max(0.02, most * 1.08)], fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    layout = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"}
    return _plain(figure, height=330).update_layout(barmode="group", bargap=0.28, legend=layout)


def _looks(count: int) -> Sequence[tuple[str, str, str, str]]:
    """Colour, dash, symbol and pattern of each: a model alone looks like a candidate."""
    return _LOOKS[2 - count :]


def _mark(one: ModelCurve, colour: str, symbol: str) -> go.Scatter:
    """The place of the threshold on the curve; nothing where no box reaches it, or there is no truth."""
    point = one.point
    is_there = point is not None and point.recall is not None and point.precision is not None
    return go.Scatter(
        x=[point.recall] if is_there and point else [],
        y=[point.precision] if is_there and point else [],
        mode="markers",
        marker={"size": 15, "color": colour, "symbol": symbol, "line": {"color": "#ffffff", "width": 2}},
        name=one.title,
        showlegend=False,
        hovertemplate=f"at {point.threshold:.2f}: recall %{{x:.2f}}, precision %{{y:.2f}}" if point else None,
    )


def _thinned(curve: PrecisionRecall) -> NDArray[np.intp]:
    """Places of the points to draw: the first at each of even steps of recall, and the last."""
    if len(curve.recall) <= MOST_POINTS:
        return np.arange(len(curve.recall))
    steps = np.linspace(0, curve.recall[-1], MOST_POINTS - 1)
    places = np.searchsorted(curve.recall, steps).clip(max=len(curve.recall) - 1)
    return np.asarray(np.unique([*places, len(curve.recall) - 1]), dtype=np.intp)


def _plain(figure: go.Figure, height: int) -> go.Figure:
    return figure.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 28, "b": 8}, hovermode="closest", dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
