"""Tables and boxes as plotly figures."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import plotly.graph_objects as go
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import names_of, scores_of
from cowvision.viz.drawing import at_least, colour_of
from cowvision.viz.encoding import as_jpeg, scaled_down

ZOOM_SIDE = 2048
"""Longest side in pixels of a picture to zoom into."""


def zoomable_picture(
    rgb: NDArray[np.uint8], detections: sv.Detections, *, threshold: float, truth: sv.Detections | None = None
) -> go.Figure:
    """The picture with a box for each detection of at least the threshold, to zoom, move and point at.

    Args:
        rgb: Picture, uint8 of shape (height, width, 3); axes are its own pixels, whatever size is sent.
        detections: Boxes in pixels of that picture.
        threshold: Lowest score shown, 0 to 1.
        truth: True boxes to show as dotted white lines.
    """
    height, width = rgb.shape[:2]
    figure = go.Figure()
    figure.add_layout_image(
        source=f"data:image/jpeg;base64,{base64.b64encode(as_jpeg(scaled_down(rgb, ZOOM_SIDE))).decode()}",
        xref="x", yref="y", x=0, y=0, sizex=width, sizey=height, sizing="stretch", layer="below",
    )  # fmt: skip
    if truth is not None:
        for name, box in zip(names_of(truth), truth.xyxy, strict=True):
            figure.add_trace(_outline(box, "#ffffff", f"{name}, in truth", dash="dot", fill=False))
    shown = at_least(detections, threshold)
    largest_first = np.argsort(-shown.box_area, kind="stable")  # small boxes lie on top, so that all can be pointed at
    for place in largest_first:
        name, score = str(names_of(shown)[place]), float(scores_of(shown)[place])
        figure.add_trace(_outline(shown.xyxy[place], colour_of(name), f"{name} {score:.2f}"))
    figure.update_xaxes(range=[0, width], visible=False, constrain="domain")
    figure.update_yaxes(range=[height, 0], visible=False, scaleanchor="x", constrain="domain")
    shown_height = min(640, max(200, round(620 * height / width)))
    return figure.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0}, dragmode="pan", showlegend=False, hovermode="closest",
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", height=shown_height,
    )  # fmt: skip


def _outline(
    box: NDArray[np.floating[Any]], colour: str, words: str, *, dash: str = "solid", fill: bool = True
) -> go.Scatter:
    """A box one can point at anywhere inside."""
    x_min, y_min, x_max, y_max = (float(side) for side in box)
    sides = f"x {x_min:.0f} to {x_max:.0f}, y {y_min:.0f} to {y_max:.0f}"
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return go.Scatter(
        x=[x_min, x_max, x_max, x_min, x_min],
        y=[y_min, y_min, y_max, y_max, y_min],
        mode="lines",
        line={"color": colour, "width": 2, "dash": dash},
        fill="toself" if fill else "none",
        fillcolor=f"rgba({red},{green},{blue},0.06)",
        hoveron="fills" if fill else "points",
        text=f"{words}<br>{sides}" if fill else None,
        hovertext=f"{words}<br>{sides}",
        hoverinfo="text",
        name=words,
    )
