"""Two versions of a picture's boxes beside each other where edits collide: nothing is lost, whichever is kept."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from cowvision.errors import CowVisionError
from cowvision.ui import labelling_actions as actions
from cowvision.ui import labelling_canvas, widgets
from cowvision.ui import labelling_session as memory
from cowvision.ui.herd_view import ShownPicture
from cowvision.ui.labelling_room import half_width
from cowvision.ui.labelling_session import Desk


def show(desk: Desk, picture: ShownPicture) -> None:
    """Two versions beside each other: nothing is lost, whichever is kept."""
    error = desk.conflict
    if error is None:
        return
    widgets.show_error(error)
    sides = (("Saved by the other tab", "theirs", error.theirs), ("Yours, not saved yet", "yours", error.yours))
    for column, (title, name, boxes) in zip(st.columns(2), sides, strict=True):
        with column:
            count = widgets.counted(len(boxes), "box")
            st.markdown(f"**{title}**: {count}")
            key = f"{name}_{desk.herd_id}_{desk.picture_id[:16]}_{error.revision}"
            labelling_canvas.show_still(picture, boxes, (half_width(), 420), key)
            if name == "theirs":
                st.button("Keep theirs", key="keep_theirs", on_click=_settle, args=(desk, actions.keep_theirs))
            else:
                st.button("Save mine over it", key="save_mine", on_click=_settle, args=(desk, actions.save_mine))
    st.caption("Whichever you choose, the other version stays in the history.")


def _settle(desk: Desk, settle: Callable[[Desk], None]) -> None:
    try:
        settle(desk)
    except CowVisionError as error:
        memory.ensure().problems.append(error)
