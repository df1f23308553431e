"""How a training went, as plotly figures: its loss, and what the held-out pictures said. Looks as in `viz.curves`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cowvision.viz.curves import BASELINE_COLOUR, CANDIDATE_COLOUR, MOST_POINTS

Losses = Sequence[tuple[int, float]]
"""Pairs of step and loss, in the order of steps."""

Looks = Sequence[tuple[int, float | None]]
"""Pairs of step and mAP of the held-out pictures, None where nobody can say; step 0 is the model that training began
with."""

_HEIGHT = 250
_MEMORY, _LEAST_MEMORY = 0.06, 8.0
"""The smoothed line is a mean over about this share of the points shown, and over so many at least."""


def loss_curve(losses: Losses, steps: int) -> go.Figure:
    """The loss as it was, faint, and smoothed.

    Args:
        losses: What was noted so far; may be empty.
        steps: Steps in all: the axis is there before the line.
    """
    shown = _thinned(losses)
    places, values = [step for step, _ in shown], [loss for _, loss in shown]
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=places, y=[round(one, 4) for one in values], mode="lines", name="as measured", opacity=0.35,
            line={"color": CANDIDATE_COLOUR, "width": 1.2}, hoverinfo="skip",
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=places, y=smoothed(values), mode="lines+markers" if len(places) == 1 else "lines", name="smoothed",
            line={"color": CANDIDATE_COLOUR, "width": 2.8}, hovertemplate="step %{x:,}: loss %{y:.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(rangemode="tozero", title="loss", fixedrange=True)
    return _over_steps(figure, steps)


def held_out_curve(looks: Looks, steps: int, best_step: int | None = None) -> go.Figure:
    """The held-out mAP of each look, the start model as a dotted line, the best look marked.

    Args:
        looks: In the order of steps; may be empty.
        steps: Steps in all.
        best_step: Of the model that is kept; None where there is none.
    """
    known = [(step, score) for step, score in looks if score is not None]
    start = next((score for step, score in known if step == 0), None)
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[step for step, _ in known], y=[score for _, score in known], mode="lines+markers", name="held-out mAP",
            line={"color": CANDIDATE_COLOUR, "width": 2.8}, marker={"size": 8},
            hovertemplate="step %{x:,}: mAP %{y:.3f}<extra></extra>",
        )
    )  # fmt: skip
    best = [(step, score) for step, score in known if step == best_step and step > 0]
    figure.add_trace(
        go.Scatter(
            x=[step for step, _ in best], y=[score for _, score in best], mode="markers", name="best, kept",
            marker={"size": 17, "symbol": "star", "color": CANDIDATE_COLOUR, "line": {"width": 1.5, "color": "#fff"}},
            hovertemplate="kept: step %{x:,}, mAP %{y:.3f}<extra></extra>",
        )
    )  # fmt: skip
    if start is not None:
        figure.add_trace(
            go.Scatter(
                x=[0, max(steps, 1)], y=[start, start], mode="lines", name="start model",
                line={"color": BASELINE_COLOUR, "width": 2.2, "dash": "dot"},
                hovertemplate="start model: mAP %{y:.3f}<extra></extra>",
            )
        )  # fmt: skip
    most = max((score for _, score in known), default=0.0)
    figure.update_yaxes(title="mAP", range=[0, max(0.1, most * 1.15)], tickformat=".2~f", fixedrange=True)
    return _over_steps(figure, steps)


def smoothed(values: Sequence[float]) -> list[float]:
    """A moving average that looks back only; as many values as were given."""
    keep = 1 - 1 / max(_LEAST_MEMORY, _MEMORY * len(values))
    average, weight, line = 0.0, 0.0, []
    for value in values:
        average, weight = keep * average + (1 - keep) * value, keep * weight + (1 - keep)
        line.append(round(average / weight, 4))
    return line


def _thinned(losses: Losses) -> list[tuple[float, float]]:
    """At most ``MOST_POINTS`` points: means of neighbours, so that no peak is lost by chance."""
    parts: list[NDArray[np.float64]] = np.array_split(
        np.asarray(losses, np.float64).reshape(-1, 2), max(1, min(MOST_POINTS, len(losses)))
    )
    means = [part.mean(axis=0) for part in parts if len(part)]
    return [(round(float(step), 1), float(loss)) for step, loss in means]


def _over_steps(figure: go.Figure, steps: int) -> go.Figure:
    figure.update_xaxes(range=[0, max(steps, 1) * 1.02], title="step", tickformat=",d", fixedrange=True, nticks=6)
    return figure.update_layout(
        height=_HEIGHT, margin={"l": 8, "r": 8, "t": 28, "b": 8}, hovermode="closest", dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}, uirevision="training",
    )  # fmt: skip
