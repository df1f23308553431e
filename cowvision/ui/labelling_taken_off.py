"""Cows that the answer "no cows here" takes off a picture: told on the next one, where they can be brought back."""

from __future__ import annotations

import streamlit as st

from cowvision.data.annotations import names_of
from cowvision.ui import cache, widgets
from cowvision.ui import labelling_actions as actions
from cowvision.ui import labelling_session as memory
from cowvision.ui.labelling_session import Desk, TakenOff
from cowvision.workspace import labels

BRING_BACK = "bring back"


def offer_back() -> None:
    """After an answer that took boxes away: what it took from which picture, and the way to have it back."""
    taken = memory.ensure().taken_off
    if taken is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="label_taken_off"):
        boxes = widgets.counted(taken.boxes, "box")
        words = (
            f"**{widgets.plain(taken.name)}** has no cows now: its {boxes} {'is' if taken.boxes == 1 else 'are'} gone."
        )
        st.warning(words, icon=":material/do_not_disturb_on:", width="stretch")
        st.button("Undo that", key="bring_back", icon=":material/undo:", on_click=memory.ask, args=(BRING_BACK, taken))


def no_cows(desk: Desk, name: str) -> bool:
    """Give the answer, and keep in mind what it took off the picture of that name; errors as `actions.no_cows`."""
    boxes, revision = int((names_of(desk.labels.boxes) == "cow").sum()), desk.labels.revision
    done = actions.no_cows(desk)
    if done and boxes:
        memory.ensure().taken_off = TakenOff(desk.herd_id, desk.picture_id, name, boxes, revision)
    return done


def bring_back(taken: TakenOff) -> None:
    """Back to the picture, and to its boxes as they were; errors as `actions.restore`."""
    now = labels.current(cache.store(), taken.herd_id, taken.picture_id)
    actions.restore(memory.desk_of(taken.herd_id, taken.picture_id, now), taken.revision)
    memory.go_to_picture(taken.herd_id, taken.picture_id)
