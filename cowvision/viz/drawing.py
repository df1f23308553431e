"""Boxes and labels on a copy of a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import chosen, names_of, scores_of

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

FEW_BOXES = 12
"""Up to so many boxes, each has its label."""

_TRUTH_COLOUR, _TRUTH_RIM = "#ffffff", "#14140f"
_TEXT_COLOUR = "#14140f"


def draw_detections(
    rgb: NDArray[np.uint8],
    detections: sv.Detections,
    *,
    threshold: float,
    truth: sv.Detections | None = None,
    longest_side: int | None = None,
) -> NDArray[np.uint8]:
    """A copy of the picture with a labelled box for each detection of at least the threshold.

    Args:
        rgb: Picture, uint8 of shape (height, width, 3).
        detections: Boxes in pixels of that picture, with `confidence` and `data["class_name"]`.
        threshold: Lowest score drawn, 0 to 1.
        truth: True boxes to mark by their corners in white, below the detections; None marks nothing.
        longest_side: Pixels the copy is scaled down to before boxes are drawn on it; None keeps the picture's size.

    Raises:
        ValueError: If the picture is not uint8 of shape (height, width, 3).
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        message = f"rgb must be uint8 of shape (height, width, 3), got {rgb.dtype} of shape {rgb.shape}"
        raise ValueError(message)
    scale = 1.0 if longest_side is None else min(1.0, longest_side / max(rgb.shape[:2]))
    scene = _scaled(np.ascontiguousarray(rgb[:, :, ::-1]), scale)  # the annotators paint BGR
    style = _Style.for_picture((scene.shape[1], scene.shape[0]))
    if truth is not None and len(truth):
        marked = _boxes_scaled(truth, scale)
        for annotator in style.truth_annotators(marked):
            scene = annotator.annotate(scene, marked)
    shown = at_least(detections, threshold)
    if len(shown):
        scene = _draw_boxes(scene, _boxes_scaled(shown, scale), style)
    return np.ascontiguousarray(scene[:, :, ::-1])


def at_least(detections: sv.Detections, threshold: float) -> sv.Detections:
    """The detections whose score reaches the threshold."""
    return chosen(detections, scores_of(detections) >= threshold)


def colour_of(class_name: str) -> str:
    """The colour of a class as #rrggbb."""
    return CLASS_COLOURS.get(class_name, OTHER_COLOUR)


@dataclass(frozen=True)
class _Style:
    """Line and text sizes in pixels, in proportion to the picture: the same look when it is shown at the same width."""

    line: int
    text: int

    @classmethod
    def for_picture(cls, resolution_wh: tuple[int, int]) -> _Style:
        longer = max(resolution_wh)
        return cls(line=max(1, round(longer / 400)), text=max(10, round(longer / 50)))

    def truth_annotators(self, truth: sv.Detections) -> list[sv.BoxCornerAnnotator]:
        """Corners short enough for the smallest box: dark ones, and white ones on them, to be seen on snow as well."""
        smallest_side = float((truth.xyxy[:, 2:] - truth.xyxy[:, :2]).min())
        length = max(2, min(self.text, round(smallest_side / 3)))
        looks = ((_TRUTH_RIM, self.line + 4), (_TRUTH_COLOUR, self.line + 1))
        return [
            sv.BoxCornerAnnotator(
                color=sv.Color.from_hex(colour),
                thickness=thickness,
                corner_length=length,
                color_lookup=sv.ColorLookup.INDEX,
            )
            for colour, thickness in looks
        ]


def _scaled(scene: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale == 1.0:
        return scene
    size_wh = (max(1, round(scene.shape[1] * scale)), max(1, round(scene.shape[0] * scale)))
    return np.asarray(cv2.resize(scene, size_wh, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _boxes_scaled(boxes: sv.Detections, scale: float) -> sv.Detections:
    return replace(boxes, xyxy=boxes.xyxy * scale)


def _draw_boxes(scene: NDArray[np.uint8], detections: sv.Detections, style: _Style) -> NDArray[np.uint8]:
    """Boxes first, labels over them, the surest last, so that it is never covered."""
    detections = chosen(detections, np.argsort(scores_of(detections), kind="stable"))
    palette, places = _palette(names_of(detections))
    boxes = sv.BoxAnnotator(color=palette, thickness=style.line)
    scene = boxes.annotate(scene, detections, custom_color_lookup=places)
    roomy = _has_room_for_label(detections, style)
    named = chosen(detections, roomy)
    labels = [f"{name} {score:.2f}" for name, score in zip(names_of(named), scores_of(named), strict=True)]
    writer = sv.RichLabelAnnotator(
        color=palette,
        text_color=sv.Color.from_hex(_TEXT_COLOUR),
        font_size=style.text,
        text_padding=max(2, style.text // 4),
        smart_position=True,
    )
    return np.asarray(writer.annotate(scene, named, labels, custom_color_lookup=places[roomy]), dtype=np.uint8)


def _palette(names: NDArray[np.str_]) -> tuple[sv.ColorPalette, NDArray[np.int64]]:
    """The colours, and the place of each name's colour among them."""
    colours = list(dict.fromkeys([*CLASS_COLOURS.values(), OTHER_COLOUR]))
    places = [colours.index(colour_of(str(name))) for name in names]
    return sv.ColorPalette.from_hex(colours), np.array(places, dtype=np.int64)


def _has_room_for_label(detections: sv.Detections, style: _Style) -> NDArray[np.bool_]:
    """Whether to label a box: each one of a few, but in a crowd only those wide enough not to hide their neighbours."""
    width = detections.xyxy[:, 2] - detections.xyxy[:, 0]
    least = 0 if len(detections) <= FEW_BOXES else 2.5 * style.text
    return np.asarray(width >= least, dtype=np.bool_)
