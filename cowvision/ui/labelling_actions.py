"""Everything that changes a picture's boxes or the picture worked on: each change is saved before it is shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import streamlit as st
import supervision as sv

from cowvision.data.annotations import chosen, names_of, truth_boxes
from cowvision.errors import CowVisionError, StaleEditError
from cowvision.ui import cache
from cowvision.ui import labelling_session as memory
from cowvision.ui.labelling_session import Desk
from cowvision.workspace import labels
from cowvision.workspace.herds import LabelState

ON_ITS_WAY_SECONDS = 0.3
"""The canvas sends a drawing 0.2 s after the mouse let go: whatever was pressed waits this long for it."""


def keep(
    desk: Desk,
    boxes: sv.Detections,
    note: str,
    *,
    state: LabelState | None = None,
    model_id: str | None = None,
    based_on: int | None = None,
) -> bool:
    """Save boxes; returns False if somebody else saved in the meantime, which the desk then remembers.

    Args:
        desk: The picture.
        boxes: All its boxes.
        note: A few words for the history.
        state: DRAFT where there are boxes, by default, for nobody confirmed them yet.
        model_id: The model whose untouched boxes these are.
        based_on: The revision that the edit starts from; the one this session has seen by default.

    Raises:
        CowVisionError: They cannot be saved.
    """
    state = state or (LabelState.DRAFT if len(boxes) else LabelState.UNLABELLED)
    start = desk.labels.revision if based_on is None else based_on
    return _write(
        desk,
        lambda: labels.save(
            cache.store(), desk.herd_id, desk.picture_id, boxes,
            based_on=start, state=state, model_id=model_id, note=note,
        ),
    )  # fmt: skip


def confirm(desk: Desk) -> bool:
    """Say that the boxes are right."""
    return keep(desk, desk.labels.boxes, "confirmed", state=LabelState.LABELLED)


def no_cows(desk: Desk) -> bool:
    """Say that there are no cows: boxes around cows go, boxes around something else stay and are confirmed."""
    others = chosen(desk.labels.boxes, names_of(desk.labels.boxes) != "cow")
    state = LabelState.LABELLED if len(others) else LabelState.NO_COWS
    done = keep(desk, others, "no cows here", state=state)
    desk.begin_anew()
    return done


def remove_all(desk: Desk) -> None:
    """Take all boxes away; undo brings them back."""
    keep(desk, truth_boxes([], []), "all boxes removed")
    desk.begin_anew()


def undo(desk: Desk) -> None:
    """Go back by one change of this session."""
    if desk.past:
        _step(desk, desk.past[-1], "undone", desk.past[:-1], [*desk.future, desk.labels.revision])


def redo(desk: Desk) -> None:
    """Take back one undo."""
    if desk.future:
        _step(desk, desk.future[-1], "redone", [*desk.past, desk.labels.revision], desk.future[:-1])


def restore(desk: Desk, revision: int) -> None:
    """Bring a revision of the history back, as a new one."""
    _write(desk, lambda: _restored(desk, revision, f"restored no. {revision}"))
    desk.begin_anew()


def keep_theirs(desk: Desk) -> None:
    """End a conflict: what somebody else saved stays; one's own boxes are in the history already."""
    adopt(desk)
    desk.conflict = None


def save_mine(desk: Desk) -> None:
    """End a conflict: one's own boxes become the newest; what somebody else saved stays in the history."""
    conflict = desk.conflict
    if conflict is None:
        return
    if keep(desk, conflict.yours, "saved over another version", based_on=conflict.revision):
        desk.conflict = None
    desk.begin_anew()


def adopt(desk: Desk) -> None:
    """Go on from what is stored; what was done in this session before is not undone over what somebody else did."""
    desk.labels = labels.current(cache.store(), desk.herd_id, desk.picture_id)
    desk.past, desk.future = [], []
    desk.begin_anew()


def follow(herd_id: int, picture_id: str) -> None:
    """Go on from boxes that this session saved past the desk: what one did oneself is no news from another tab."""
    desk = memory.ensure().desks.get((herd_id, picture_id))
    if desk is not None:
        adopt(desk)


def when_asked(what: dict[str, Callable[[Any], object]]) -> None:
    """Do what was pressed, if anything was, and start the page anew; the canvas was read before this is called.

    If the press is so fresh that a drawing may still be on its way, the page waits for it first: its arrival starts the
    page anew by itself, and nothing drawn is lost by pressing quickly.
    """
    labelling = memory.ensure()
    asked = labelling.asked
    if asked is None or asked.what not in what:
        return
    if asked.where != memory.here():  # another picture came in between
        labelling.asked = None
        return
    wait = asked.at + ON_ITS_WAY_SECONDS - time.monotonic()
    if wait > 0:
        time.sleep(wait)
        st.empty()  # a drawing that came meanwhile ends this run here, and the next one reads it
    labelling.asked = None
    try:
        what[asked.what](asked.value)
    except CowVisionError as error:
        labelling.problems.append(error)
    st.rerun()


def _step(desk: Desk, revision: int, note: str, past: list[int], future: list[int]) -> None:
    if _write(desk, lambda: _restored(desk, revision, note)):
        desk.past, desk.future = past, future
    desk.begin_anew()


def _restored(desk: Desk, revision: int, note: str) -> labels.Labels:
    """A revision again, as the newest; number 0 is the time before anything was saved."""
    place, start = (cache.store(), desk.herd_id, desk.picture_id), desk.labels.revision
    if revision:
        return labels.restore(*place, revision, based_on=start, note=note)
    return labels.save(*place, truth_boxes([], []), based_on=start, state=LabelState.UNLABELLED, note=note)


def _write(desk: Desk, write: Callable[[], labels.Labels]) -> bool:
    try:
        saved = write()
    except StaleEditError as error:
        desk.conflict = _put_aside(desk, error)
        return False
    if saved.revision != desk.labels.revision:
        desk.past.append(desk.labels.revision)
        desk.future.clear()
    desk.labels = saved
    return True


def _put_aside(desk: Desk, error: StaleEditError) -> StaleEditError:
    """Keep one's own boxes in the history at once, below the other version: a reload loses neither."""
    while True:
        try:
            kept = labels.put_aside(cache.store(), desk.herd_id, desk.picture_id, error.yours, based_on=error.revision)
        except StaleEditError as later:  # somebody saved once more in between
            error = later
            continue
        return StaleEditError(error.subject, error.yours, kept.boxes, kept.revision)
