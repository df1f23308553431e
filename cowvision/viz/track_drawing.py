"""Frames of a clip with their tracks: boxes, ids and short trails, a colour an id."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import chosen

TRACK_COLOURS = (
    "#f5b81f", "#43b0e8", "#ef5b4c", "#a974f0", "#58c26b", "#f28ac0",
    "#2ec4b6", "#ff8c42", "#c9d84a", "#7f9cff", "#d96fe0", "#e0c9a6",
)  # fmt: skip
"""Colours of the ids, in turn, as #rrggbb."""

TRAIL_SECONDS = 1.5
_TEXT_COLOUR, _TAG_COLOUR = "#14140f", "#14140f"


def track_colour(track_id: int) -> str:
    """The colour of an id as #rrggbb; ids count from 1."""
    return TRACK_COLOURS[(track_id - 1) % len(TRACK_COLOURS)]


class TrackPainter:
    """Draws one clip's frames, which come in order; the trails are remembered from frame to frame.

    A box that was seen in the frame is drawn whole; of one that is only predicted there, the corners.

    Args:
        resolution_wh: Width and height of the frames in pixels.
        fps: Frames a second.
        noun: What is counted in the corner.
    """

    def __init__(self, resolution_wh: tuple[int, int], fps: float, noun: str = "cow") -> None:
        longer = max(resolution_wh)
        line, self._noun = max(1, round(longer / 500)), noun
        palette = _swapped([track_colour(number) for number in range(1, len(TRACK_COLOURS) + 1)])
        self._box = sv.BoxAnnotator(color=palette, thickness=line + 1)
        self._corners = sv.BoxCornerAnnotator(color=palette, thickness=line, corner_length=max(4, longer // 80))
        self._length, self._empty = max(2, round(TRAIL_SECONDS * fps)), 0
        self._new_trail = partial(
            sv.TraceAnnotator, color=palette, color_lookup=sv.ColorLookup.TRACK, thickness=line,
            position=sv.Position.BOTTOM_CENTER, trace_length=self._length,
        )  # fmt: skip
        self._trail = self._new_trail()
        self._id = sv.LabelAnnotator(
            color=palette, text_color=_swapped([_TEXT_COLOUR]).by_idx(0), text_scale=max(0.35, longer / 1200),
            text_thickness=max(1, round(longer / 640)), text_padding=max(2, longer // 320),
        )  # fmt: skip
        self._tag_scale = max(0.45, longer / 1500)

    def __call__(self, rgb: NDArray[np.uint8], tracks: sv.Detections) -> NDArray[np.uint8]:
        """A copy of a frame, (h, w, 3) uint8 RGB, with its tracks drawn in."""
        scene = np.array(rgb)
        ids = np.zeros(0, np.int64) if tracks.tracker_id is None else np.asarray(tracks.tracker_id)
        self._empty = 0 if len(tracks) else self._empty + 1
        if self._empty == self._length:
            self._trail = self._new_trail()  # it counts frames with tracks only, and would draw on from before
        if len(tracks):
            placed = _counted_from_zero(tracks)
            scene = self._trail.annotate(scene, placed)
            seen = np.asarray(tracks.data.get("seen", np.ones(len(tracks))), np.bool_)
            places = (ids - 1) % len(TRACK_COLOURS)
            for annotator, which in ((self._corners, ~seen), (self._box, seen)):
                if which.any():
                    scene = annotator.annotate(scene, chosen(placed, which), custom_color_lookup=places[which])
            scene = self._id.annotate(scene, placed, [str(one) for one in ids], custom_color_lookup=places)
        return self._with_count(scene, len(tracks))

    def _with_count(self, scene: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
        text = f"{count} {self._noun}{'' if count == 1 else 's'}"
        colours = _swapped(["#ffffff", _TAG_COLOUR])
        half = sv.Point(x=round(len(text) * 10 * self._tag_scale) + 8, y=round(18 * self._tag_scale) + 8)
        return np.asarray(
            sv.draw_text(
                scene, text, half, text_color=colours.by_idx(0), background_color=colours.by_idx(1),
                text_scale=self._tag_scale, text_thickness=max(1, round(self._tag_scale * 1.6)),
                text_padding=round(8 * self._tag_scale),
            ),
            np.uint8,
        )  # fmt: skip


def _swapped(colours: Sequence[str]) -> sv.ColorPalette:
    """A palette for pictures in RGB: the annotators paint BGR, and turning each frame around twice takes longer."""
    known = [sv.Color.from_hex(colour) for colour in colours]
    return sv.ColorPalette([sv.Color(r=one.b, g=one.g, b=one.r) for one in known])


def _counted_from_zero(tracks: sv.Detections) -> sv.Detections:
    """The same boxes with ids from 0: the palette is looked up by them."""
    return sv.Detections(
        xyxy=tracks.xyxy, tracker_id=None if tracks.tracker_id is None else np.asarray(tracks.tracker_id) - 1
    )
