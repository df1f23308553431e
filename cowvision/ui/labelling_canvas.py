"""The canvas of the Label page: drawn on a picture, frozen while it is mounted, read as boxes of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
import supervision as sv

from cowvision.data.annotations import names_of
from cowvision.ui import cache
from cowvision.ui.canvas import CanvasBox, Fit, Reading, background_jpeg, canvas_boxes, fit, read_canvas
from cowvision.ui.herd_view import ShownPicture
from cowvision.ui.labelling_session import Desk
from cowvision.viz.drawing import colour_of

LINE = 2
FONT = 10
_MARGINS = {"dark": (43, 50, 46), "light": (228, 225, 216)}


def draw(desk: Desk, picture: ShownPicture, room_wh: tuple[int, int], class_name: str) -> Reading:
    """Show the canvas and read what is on it.

    What it begins with is frozen until `Desk.begin_anew`: given back what was just drawn, it would start over without
    end. It begins anew by itself where its own memory is gone (another page was open) or its size is another.

    Raises:
        CowVisionError: The picture cannot be read.
    """
    shape = fit(picture.resolution_wh, room_wh)
    if desk.drawing is None or desk.fit != shape or desk.key not in st.session_state:
        desk.begin_anew()
        desk.untagged = the_only_class([*names_of(desk.labels.boxes).tolist(), class_name])
        desk.fit, desk.drawing = shape, drawing_of(desk.labels.boxes, shape, desk.untagged)
    result = _canvas(picture, shape, desk.drawing or {}, desk.key, class_name, untagged=desk.untagged)
    drawn: Sequence[CanvasBox] = result.boxes
    turned = any(one.get("angle") for one in (result.json_data or {}).get("objects", []))
    if turned:  # the canvas lets several boxes be turned together; a box of this page has upright sides
        return Reading(desk.labels.boxes, changed=False, clicks=1, cut=0)
    reading = read_canvas(drawn, desk.labels.boxes, shape, unnamed=class_name, untagged=desk.untagged)
    desk.on_canvas = list(drawn)
    return reading


def show_as_kept(desk: Desk) -> bool:
    """Have the mounted canvas show what is stored, its pencil left as it is; once for each drawing it reported.

    Only for boxes that were moved beyond the picture: what is drawn before the canvas follows would be gone.

    Returns:
        Whether the page is to be run again for it.
    """
    if desk.fit is None or desk.on_canvas == desk.put_right:
        return False
    desk.put_right, desk.redrawn = desk.on_canvas, desk.redrawn + 1
    desk.drawing = drawing_of(desk.labels.boxes, desk.fit, desk.untagged) | {"redrawn": desk.redrawn}
    return True


def show_still(picture: ShownPicture, boxes: sv.Detections, room_wh: tuple[int, int], key: str) -> None:
    """The picture with boxes that cannot be moved; errors as `draw`."""
    shape = fit(picture.resolution_wh, room_wh)
    untagged = the_only_class(names_of(boxes).tolist())
    _canvas(picture, shape, drawing_of(boxes, shape, untagged), key, "", disabled=True)


def the_only_class(names: Sequence[str]) -> str:
    """The class of all these boxes; empty where there are several. Tags that all say the same only hide small cows."""
    return names[0] if len(set(names)) == 1 else ""


def drawing_of(boxes: sv.Detections, shape: Fit, untagged: str = "") -> dict[str, Any]:
    """What a canvas begins with: each box in the colour of its class, with a tag unless it is of the untagged one.

    A corner that is dragged moves both sides freely, with Shift in proportion: a box fits an animal, not a picture.
    """
    from streamlit_drawable_canvas import boxes_to_drawing  # noqa: PLC0415 - it can only be imported while a page runs

    objects = []
    for box in canvas_boxes(boxes, shape):
        [one] = boxes_to_drawing([box], stroke_color=colour_of(box["label"]), stroke_width=LINE)["objects"]
        objects.append({**one, "fontSize": FONT, "label": "" if one["label"] == untagged else one["label"]})
    return {"objects": objects, "uniformScaling": False}


def _canvas(
    picture: ShownPicture,
    shape: Fit,
    drawing: dict[str, Any],
    key: str,
    class_name: str,
    *,
    untagged: str = "",
    disabled: bool = False,
) -> Any:
    from streamlit_drawable_canvas import st_canvas  # noqa: PLC0415 - it can only be imported while a page runs

    width, height = shape.canvas_wh
    return st_canvas(
        fill_color="rgba(0, 0, 0, 0)",
        stroke_width=LINE,
        stroke_color=colour_of(class_name),
        background_image=_background(picture.id, shape, _margin_rgb(), picture),
        width=width,
        height=height,
        drawing_mode="labeled_rect",
        label="" if class_name == untagged else class_name,
        initial_drawing=drawing,
        font_size=FONT,
        key=key,
        disabled=disabled,
    )


def _margin_rgb() -> tuple[int, int, int]:
    return _MARGINS.get(str(st.context.theme.type), _MARGINS["light"])


@st.cache_data(max_entries=60, show_spinner=False)
def _background(picture_id: str, shape: Fit, margin_rgb: tuple[int, int, int], _picture: ShownPicture) -> bytes:
    return background_jpeg(cache.picture(picture_id, _picture.load).rgb, shape, margin_rgb)
