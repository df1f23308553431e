"""Everything that was ever saved of a picture, and the way back to it."""

from __future__ import annotations

import time

import streamlit as st

from cowvision.ui import cache, widgets
from cowvision.ui import labelling_session as memory
from cowvision.ui.herd_view import ShownPicture
from cowvision.ui.labelling_canvas import show_still
from cowvision.ui.labelling_room import whole_width
from cowvision.ui.labelling_session import Desk
from cowvision.workspace import labels

RESTORE = "restore"
MOST_WH = (440, 340)
_NARROW, _SHARE, _GAP = 560, 0.53, 48  # the room of the canvas is 7/10 of the page's width, and the preview 2/5 of it


def show(desk: Desk, picture: ShownPicture) -> None:
    """Choose a revision, see it, bring it back; errors as `labels.history`."""
    revisions = labels.history(cache.store(), desk.herd_id, desk.picture_id)
    if not revisions:
        st.caption("Nothing was saved yet. Every change is saved as you make it, and listed here.")
        return
    known = {one.revision: one for one in revisions}
    left, right = st.columns([3, 2], gap="medium")
    with left:
        chosen = st.selectbox(
            f"{widgets.counted(len(revisions), 'version')}, the newest first",
            list(known),
            format_func=lambda number: _line(known[number]),
            key=f"history_{desk.picture_id[:16]}_{revisions[0].revision}",  # the newest again once there is a newer one
        )
        st.button(
            "Bring this version back", key="restore", disabled=chosen == desk.labels.revision,
            on_click=memory.ask, args=(RESTORE, chosen), help="It becomes the newest; nothing is thrown away.",
        )  # fmt: skip
    with right:
        earlier = labels.current(cache.store(), desk.herd_id, desk.picture_id, revision=chosen)
        show_still(picture, earlier.boxes, _room_wh(), f"history_{desk.herd_id}_{desk.picture_id[:16]}_{chosen}")


def _room_wh() -> tuple[int, int]:
    """Width and height there is for the preview, in canvas pixels; on a phone it stands below the list."""
    width = whole_width()
    beside = width if width < _NARROW else int(width * _SHARE) - _GAP
    return min(MOST_WH[0], beside), MOST_WH[1]


def _line(one: labels.Revision) -> str:
    when = time.strftime("%d %b %H:%M:%S", time.localtime(one.saved_at))
    boxes = widgets.counted(one.boxes, "box")
    return " · ".join(filter(None, (when, one.state.value, boxes, one.note)))
