"""How many cows are tracked in every frame, as a plotly figure. Looks as in `viz.curves`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cowvision.viz.curves import BASELINE_COLOUR, CANDIDATE_COLOUR

MOST_STEPS = 1500
"""Steps drawn of a line; a longer clip is shown by the median of neighbouring frames."""

_TRUTH = "rgba(128,128,128,0.9)"
_EARLY = "rgba(128,128,128,0.28)"
_LOOKS = ((BASELINE_COLOUR, "dash"), (CANDIDATE_COLOUR, "solid"))
_HEIGHT = 270


@dataclass(frozen=True, eq=False)
class HerdCounts:
    """A model's name for people, and how many it tracked in each frame, (frames,) int."""

    title: str
    counts: NDArray[np.int64]


def cows_per_frame(
    models: Sequence[HerdCounts], fps: float, truth: Sequence[int] | None = None, unsure: int = 0
) -> go.Figure:
    """A stepped line a model over the seconds of the clip.

    Args:
        models: One or two, the one that is compared with first.
        fps: Frames a second.
        truth: How many there truly are in each frame; a dotted line.
        unsure: So many of the first frames are too early for any id; they are shaded.
    """
    figure = go.Figure()
    if truth is not None:
        figure.add_trace(_line("in truth", np.asarray(truth, np.int64), fps, _TRUTH, "dot"))
    for one, (colour, dash) in zip(models, _LOOKS[-len(models) :], strict=True):
        figure.add_trace(_line(one.title, one.counts, fps, colour, dash))
    longest = max([len(one.counts) for one in models], default=0) / fps
    most = max([int(one.counts.max(initial=0)) for one in models] + [max(truth or [0])], default=0)
    figure.update_xaxes(title="seconds", range=[0, max(longest, 1 / fps)], fixedrange=True)
    figure.update_yaxes(title="cows", range=[0, max(1, most) * 1.12], dtick=_whole_step(most), tick0=0, fixedrange=True)
    if unsure:
        figure.add_vrect(0, unsure / fps, fillcolor=_EARLY, line_width=0, layer="below")
    return figure.update_layout(
        height=_HEIGHT, margin={"l": 8, "r": 8, "t": 28, "b": 8}, hovermode="x unified", dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip


def _line(title: str, counts: NDArray[np.int64], fps: float, colour: str, dash: str) -> go.Scatter:
    places, values = _thinned(counts)
    return go.Scatter(
        x=np.round(places / fps, 3).tolist(), y=values.tolist(), mode="lines", name=title,
        line={"color": colour, "dash": dash, "width": 2.2, "shape": "hv"}, hovertemplate="%{y}",
    )  # fmt: skip


def _whole_step(most: int) -> int:
    """1, 2, 5, 10, 20 ... cows from one mark of the axis to the next, for at most seven marks."""
    zeros = "0" * max(0, len(str(most)) - 2)
    return next(step for step in (int(f"{digit}{zeros}") for digit in (1, 2, 5, 10, 20)) if most <= 6 * step)


def _thinned(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frames and counts, at most `MOST_STEPS` of them."""
    width = max(1, -(-len(counts) // MOST_STEPS))
    starts = np.arange(0, len(counts), width)
    values = [int(np.median(counts[start : start + width])) for start in starts]
    return starts, np.asarray(values, np.int64)
