"""Boxes and labels on a copy of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import supervision as sv
from numpy.typing import NDArray

CLASS_COLOURS = {
    "cow": "#f5b81f",
    "dog": "#ef5b4c",
    "horse": "#a974f0",
    "sheep": "#43b0e8",
    "person": "#f28ac0",
}
"""The colour of a class on the pictures and in the words beside them, as #rrggbb."""

OTHER_COLOUR = "#c9cec9"
"""The colour of every class without one of its own."""

_TRUTH_COLOUR = "#ffffff"
_TEXT_COLOUR = "#14140f"


def draw_detections(
    rgb: NDArray[np.uint8],
    detections: sv.Detections,
    *,
    threshold: float,
    truth: sv.Detections | None = None,
) -> NDArray[np.uint8]:
    """A copy of the picture with a labelled box for each detection of at least the threshold.

    Args:
        rgb: Picture, uint8 of shape (height, width, 3).
        detections: Boxes in pixels of that picture, with `confidence` and `data["class_name"]`.
        threshold: Lowest score drawn, 0 to 1.
        truth: True boxes to mark by their corners in white, below the detections; None marks nothing.

    Raises:
        ValueError: If the picture is not uint8 of shape (height, width, 3).
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        message = f"rgb must be uint8 of shape (height, width, 3), got {rgb.dtype} of shape {rgb.shape}"
        raise ValueError(message)
    style = _Style.for_picture((rgb.shape[1], rgb.shape[0]))
    scene = np.ascontiguousarray(rgb[:, :, ::-1])  # the annotators paint BGR
    if truth is not None and len(truth):
        scene = style.truth_annotator().annotate(scene, truth)
    shown = at_least(detections, threshold)
    if len(shown):
        scene = _draw_boxes(scene, shown, style)
    return np.ascontiguousarray(scene[:, :, ::-1])


def at_least(detections: sv.Detections, threshold: float) -> sv.Detections:
    """The detections whose score reaches the threshold; none where there are no scores."""
    if detections.confidence is None:
        return detections[:0]
    return detections[detections.confidence >= threshold]


def class_names(detections: sv.Detections) -> list[str]:
    """The class name of each detection, in order; empty for no detections."""
    return [str(name) for name in detections.data.get("class_name", ())]


@dataclass(frozen=True)
class _Style:
    """Line and text sizes in pixels, in proportion to the picture: the same look when it is shown at the same width."""

    line: int
    text: int

    @classmethod
    def for_picture(cls, resolution_wh: tuple[int, int]) -> _Style:
        longer = max(resolution_wh)
        return cls(line=max(1, round(longer / 420)), text=max(10, round(longer / 66)))

    def truth_annotator(self) -> sv.BoxCornerAnnotator:
        return sv.BoxCornerAnnotator(
            color=sv.Color.from_hex(_TRUTH_COLOUR),
            thickness=self.line + 1,
            corner_length=self.text,
            color_lookup=sv.ColorLookup.INDEX,
        )


def _draw_boxes(scene: NDArray[np.uint8], detections: sv.Detections, style: _Style) -> NDArray[np.uint8]:
    """Boxes first, labels over them, the surest last, so that it is never covered."""
    detections = detections[np.argsort(detections.confidence)]
    names = class_names(detections)
    palette = sv.ColorPalette.from_hex([*CLASS_COLOURS.values(), OTHER_COLOUR])
    places = list(CLASS_COLOURS)
    lookup = np.array([places.index(name) if name in CLASS_COLOURS else len(places) for name in names])
    boxes = sv.BoxAnnotator(color=palette, thickness=style.line)
    scene = boxes.annotate(scene, detections, custom_color_lookup=lookup)
    roomy = _has_room_for_label(detections, style)
    labels = [f"{name} {score:.2f}" for name, score in zip(names, detections.confidence, strict=True)]
    writer = sv.RichLabelAnnotator(
        color=palette,
        text_color=sv.Color.from_hex(_TEXT_COLOUR),
        font_size=style.text,
        text_padding=max(2, style.text // 4),
    )
    chosen = [label for label, fits in zip(labels, roomy, strict=True) if fits]
    return writer.annotate(scene, detections[roomy], chosen, custom_color_lookup=lookup[roomy])


def _has_room_for_label(detections: sv.Detections, style: _Style) -> NDArray[np.bool_]:
    """Whether a box is wide enough that its label would not hide the neighbours; a crowd far away keeps only boxes."""
    width = detections.xyxy[:, 2] - detections.xyxy[:, 0]
    return np.asarray(width >= 2.5 * style.text)
