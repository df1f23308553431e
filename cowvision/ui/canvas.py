"""Between the canvas that boxes are drawn on and the picture: pure arithmetic, no widget.

Canvas pixels are the browser's (CSS) pixels. Around the picture lies a margin, so that a box can begin outside it and
reach its very edge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import chosen, crowds_of, names_of, truth_boxes
from cowvision.data.coco import usual_name
from cowvision.ui.canvas_pairs import SAME, come_back, pairs_of
from cowvision.viz.encoding import as_jpeg

MARGIN = 24
"""Canvas pixels around the picture on every side."""

NARROW_MARGIN, NARROW_ROOM = 10, 480
"""The margin where there are fewer canvas pixels than the second number: on a phone the picture needs them."""

LEAST_SIDE = 5.0
"""A drawn box with a side shorter than this many canvas pixels was a click: a bare one makes a box of 4."""

MOST_ENLARGED = 4.0
LONGEST_LABEL = 40

CanvasBox = Mapping[str, Any]


@dataclass(frozen=True)
class Fit:
    """How a picture lies on the canvas.

    Attributes:
        resolution_wh: Width and height of the upright picture in its own pixels.
        shown_wh: Width and height it is shown with, in canvas pixels.
        margin: Canvas pixels around it on every side.
    """

    resolution_wh: tuple[int, int]
    shown_wh: tuple[int, int]
    margin: int = MARGIN

    @property
    def canvas_wh(self) -> tuple[int, int]:
        """Width and height of the canvas with its margins."""
        return self.shown_wh[0] + 2 * self.margin, self.shown_wh[1] + 2 * self.margin

    @cached_property
    def scale(self) -> NDArray[np.float64]:
        """Canvas pixels a picture pixel, for x, y, x, y: (4,)."""
        return np.tile(np.asarray(self.shown_wh, np.float64) / np.asarray(self.resolution_wh, np.float64), 2)

    def to_canvas(self, xyxy: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Corners (n, 4) in picture pixels as corners in canvas pixels."""
        return np.asarray(xyxy, np.float64).reshape(-1, 4) * self.scale + self.margin

    def from_canvas(self, xyxy: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Corners (n, 4) in canvas pixels as corners in picture pixels; those in the margin lie outside the picture."""
        return (np.asarray(xyxy, np.float64).reshape(-1, 4) - self.margin) / self.scale

    def clipped(self, xyxy: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Corners (n, 4) in picture pixels, cut at the picture's edges."""
        width, height = self.resolution_wh
        return np.clip(np.asarray(xyxy, np.float64).reshape(-1, 4), 0, [width, height, width, height])


@dataclass(frozen=True, eq=False)
class Reading:
    """What a canvas holds, as boxes of the picture.

    Attributes:
        boxes: As `truth_boxes` makes them; those nobody touched are the stored ones to the last digit.
        changed: Whether anything differs from what is stored.
        clicks: Drawn boxes left out because they are too small to be meant.
        cut: Boxes that reached beyond the picture and were cut at its edge.
        unnamed: Boxes whose label was emptied; they got the class that was chosen, which the canvas does not show yet.
        pushed: Boxes that were there and were moved beyond the picture: cut at its edge, or back where they were if
            nothing of them was left on it. The canvas still shows them where they were let go.
    """

    boxes: sv.Detections
    changed: bool
    clicks: int
    cut: int
    unnamed: int = 0
    pushed: int = 0


def fit(resolution_wh: tuple[int, int], room_wh: tuple[int, int]) -> Fit:
    """The largest canvas, margins included, that a picture fits on within so many canvas pixels."""
    width, height = resolution_wh
    margin = MARGIN if room_wh[0] >= NARROW_ROOM else NARROW_MARGIN
    inner_wh = [max(32, room - 2 * margin) for room in room_wh]
    scale = min(inner_wh[0] / width, inner_wh[1] / height, MOST_ENLARGED)
    return Fit(resolution_wh, (max(1, round(width * scale)), max(1, round(height * scale))), margin)


def background_jpeg(rgb: NDArray[np.uint8], shape: Fit, margin_rgb: tuple[int, int, int]) -> bytes:
    """The picture at the size it is shown with, on its margin, as JPEG."""
    enlarged = shape.shown_wh[0] > rgb.shape[1]
    shown = cv2.resize(rgb, shape.shown_wh, interpolation=cv2.INTER_CUBIC if enlarged else cv2.INTER_AREA)
    around = cv2.copyMakeBorder(shown, *(shape.margin,) * 4, cv2.BORDER_CONSTANT, value=margin_rgb)
    return as_jpeg(np.asarray(around, dtype=np.uint8), quality=88)


def canvas_boxes(boxes: sv.Detections, shape: Fit) -> list[dict[str, Any]]:
    """Boxes as the canvas takes them: label, left, top, width, height."""
    corners = shape.to_canvas(sides_of(boxes))
    return [
        {"label": str(name), "left": x_min, "top": y_min, "width": x_max - x_min, "height": y_max - y_min}
        for name, (x_min, y_min, x_max, y_max) in zip(names_of(boxes), corners.tolist(), strict=True)
    ]


def read_canvas(
    drawn: Sequence[CanvasBox], stored: sv.Detections, shape: Fit, *, unnamed: str, untagged: str = ""
) -> Reading:
    """Boxes of the picture that a canvas holds, which was begun with the stored ones.

    Args:
        drawn: The canvas's boxes.
        stored: What is stored; boxes that were not touched keep every digit, and their area and marks.
        shape: How the picture lies on the canvas.
        unnamed: The class of a box whose label was emptied.
        untagged: The class of boxes that carry no label on this canvas; empty where all carry one.
    """
    names = [label_of(str(box["label"])) or untagged or unnamed for box in drawn]
    corners = np.array([_corners(box) for box in drawn], dtype=np.float64).reshape(-1, 4)
    known = shape.to_canvas(sides_of(stored))
    on_picture = shape.to_canvas(shape.clipped(shape.from_canvas(corners)))  # one that was cut is shown uncut still
    untouched = pairs_of(corners, on_picture, names, known, names_of(stored).tolist())
    back = come_back(corners, on_picture, names, known, names_of(stored).tolist(), untouched=untouched)
    untouched |= back
    gone = sorted(set(range(len(stored))) - set(untouched.values()))
    fresh = [place for place in range(len(drawn)) if place not in untouched]
    clicks = [place for place in fresh if _is_click(corners[place], known[gone])]
    fresh = [place for place in fresh if place not in clicks]
    inside = shape.clipped(shape.from_canvas(corners[fresh]))
    whole = (inside[:, 2:] > inside[:, :2]).all(axis=1)
    made = truth_boxes(
        inside[whole],
        [names[place] for place, kept in zip(fresh, whole, strict=True) if kept],
        crowd=_crowds(inside[whole], chosen(stored, np.array(gone, dtype=np.intp))),
    )
    kept = chosen(_truth_only(stored), np.array([*untouched.values()], dtype=np.intp))
    places = np.array([*untouched, *np.array(fresh, dtype=np.intp)[whole]], dtype=np.intp)
    both = sv.Detections.merge([kept, made]) if len(kept) and len(made) else made if len(made) else kept
    boxes = chosen(both, np.argsort(places))
    cut = int((np.abs(shape.to_canvas(inside) - corners[fresh]) > SAME)[whole].any(axis=1).sum())
    nameless = 0 if untagged else sum(not label_of(str(box["label"])) for box in drawn)
    pushed = len(back) + min(cut, len(gone))
    return Reading(boxes, not same_boxes(boxes, stored), len(clicks) + int((~whole).sum()), cut, nameless, pushed)


def same_boxes(one: sv.Detections, other: sv.Detections) -> bool:
    """Whether both hold the same boxes of the same classes, in whatever order."""
    return sorted(_rows(one)) == sorted(_rows(other))


def sides_of(boxes: sv.Detections) -> NDArray[np.float64]:
    """Return the corners of boxes, (n, 4) float64."""
    return np.asarray(boxes.xyxy, dtype=np.float64).reshape(-1, 4)


def label_of(text: str) -> str:
    """A class name as it is kept: one line, not too long, and the usual one if it differs in capitals only."""
    return usual_name(" ".join(text.split())[:LONGEST_LABEL].strip())


def _rows(boxes: sv.Detections) -> list[tuple[Any, ...]]:
    sides = np.round(sides_of(boxes), 3).tolist()
    return [(*side, str(name)) for side, name in zip(sides, names_of(boxes), strict=True)]


def _corners(box: CanvasBox) -> tuple[float, float, float, float]:
    left, top = float(box["left"]), float(box["top"])
    return left, top, left + float(box["width"]), top + float(box["height"])


def _is_click(corners: NDArray[np.float64], gone: NDArray[np.float64]) -> bool:
    """Whether a box is too small to be meant, and is not a small one that was there before and was moved or resized."""
    sides = corners[2:] - corners[:2]
    if sides.min() >= LEAST_SIDE:
        return False
    moved = np.abs((gone[:, 2:] - gone[:, :2]) - sides).max(axis=1, initial=0) <= SAME
    touches = (np.minimum(gone[:, 2:], corners[2:]) > np.maximum(gone[:, :2], corners[:2])).all(axis=1)
    return not (moved | touches).any()


def _crowds(xyxy: NDArray[np.float64], gone: sv.Detections) -> list[bool]:
    """Whether each box is a stored crowd region that was moved or resized: it overlaps one that is not there now."""
    regions = gone.xyxy[crowds_of(gone)]
    if not len(regions) or not len(xyxy):
        return [False] * len(xyxy)
    return [bool(overlap > 0.5) for overlap in sv.box_iou_batch(xyxy, regions).max(axis=1)]


def _truth_only(stored: sv.Detections) -> sv.Detections:
    """The stored boxes without what only the store adds."""
    known: dict[str, Any] = {key: stored.data.get(key) for key in ("area", "crowd", "visible_fraction")}
    return truth_boxes(sides_of(stored), names_of(stored).tolist(), **known)
