"""The picture under work: canvas, autosave, answers, undo."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import streamlit as st

from cowvision.data.annotations import names_of
from cowvision.errors import CowVisionError
from cowvision.models.catalog import ModelSpec
from cowvision.ui import (
    cache,
    labelling_canvas,
    labelling_draft,
    labelling_history,
    labelling_keys,
    labelling_list,
    labelling_taken_off,
    widgets,
)
from cowvision.ui import labelling_actions as actions
from cowvision.ui import labelling_session as memory
from cowvision.ui.canvas import Reading
from cowvision.ui.herd_view import ShownPicture
from cowvision.ui.labelling_room import room_wh
from cowvision.ui.labelling_session import Desk
from cowvision.workspace import labels
from cowvision.workspace.herd_counts import HerdCounts, herd_counts
from cowvision.workspace.herds import Herd, HerdPicture, LabelState, remove_picture

CONFIRM, NO_COWS, UNDO, REDO, REMOVE_ALL = "confirm", "no cows", "undo", "redo", "remove all"
_CLASS = "label_class"
_HINT = (
    "Drag to draw a box. To change boxes, press the pencil at the top right of the picture and click one: move it, "
    "drag its corners, click it again to rename it. To delete it, press the ✕ beside the pencil"
    '<span class="cv-by-key">, or Delete or Backspace</span>.'
)
_PUSHED = "A box was moved beyond the picture: it ends at the edge, or is back where it was if nothing of it was left."


@dataclass(frozen=True)
class Work:
    """What a visitor works on: the herd, its pictures, the chosen one, and the models that can help."""

    herd: Herd
    pictures: Sequence[HerdPicture]
    chosen: HerdPicture
    specs: Sequence[ModelSpec]

    @cached_property
    def counts(self) -> HerdCounts:
        """The herd's boxes, counted once a run; errors as those of `herd_counts`."""
        return herd_counts(cache.store(), self.herd.herd_id)


def open_desk(herd: Herd, chosen: HerdPicture) -> Desk:
    """The desk of a picture with what is stored now; errors as `labels.current`."""
    now = labels.current(cache.store(), herd.herd_id, chosen.picture_id)
    return memory.desk_of(herd.herd_id, chosen.picture_id, now)


def class_names(desk: Desk, in_herd: Sequence[str]) -> list[str]:
    """The classes to choose from: cow first, then the usual ones and those in use."""
    mine = memory.ensure().own_classes
    return list(dict.fromkeys([*memory.USUAL_CLASSES, *in_herd, *mine, *names_of(desk.labels.boxes).tolist()]))


def chosen_class(names: Sequence[str]) -> str:
    """The class that the next boxes get, as it was chosen last."""
    return str(st.session_state.get(_CLASS) or names[0])


def choose_class(names: Sequence[str]) -> None:
    """The choice of the class that the next boxes get."""
    name = st.selectbox(
        "New boxes are", names, key=_CLASS, accept_new_options=True, persist_state="session",
        help="Choose, or type a class of your own. Boxes drawn before keep theirs.",
    )  # fmt: skip
    if name and name not in names:
        memory.ensure().own_classes.append(name)


def canvas(desk: Desk, picture: ShownPicture, class_name: str) -> None:
    """The canvas; what was drawn is saved before anything else is shown. Errors as those of `labels.save`."""
    st.html(f'<p class="cv-note cv-label-how">{_HINT}</p>')
    room = room_wh()
    with st.container(key="label_canvas"):
        reading = labelling_canvas.draw(desk, picture, room, class_name)
    labelling_keys.delete_by_key()
    if reading.changed:
        _keep(desk, reading)
    elif labels.current(cache.store(), desk.herd_id, desk.picture_id).revision != desk.labels.revision:
        actions.adopt(desk)
        if not _is_leaving():  # a canvas that comes back to life now would bring the browser back to its address
            _say_it_was_changed()
            st.rerun()
    if reading.clicks or reading.unnamed:
        desk.begin_anew()
        st.rerun()
    _say_what_was_cut(desk, reading)


def _keep(desk: Desk, reading: Reading) -> None:
    """Save what was drawn."""
    try:
        actions.keep(desk, reading.boxes, "drawn")
    except CowVisionError:
        memory.ensure().asked = None  # the drawing stays on the canvas, and nobody leaves it unsaved
        raise
    if desk.conflict is not None:
        memory.ensure().asked = None
        st.rerun()


def _say_what_was_cut(desk: Desk, reading: Reading) -> None:
    """Say that boxes end at the picture's edge; those that were moved beyond it are shown where they are kept."""
    if reading.pushed:
        if labelling_canvas.show_as_kept(desk):
            memory.flash(_PUSHED)
            st.rerun()
        return
    desk.put_right = []
    if reading.cut:
        memory.flash("The box ends at the picture's edge, though it was drawn beyond it.")


def answers(desk: Desk) -> None:
    """Save and next, no cows, undo, redo, remove all."""
    with st.container(horizontal=True, gap="small", key="label_answers"):
        _press("Save and next", CONFIRM, "S", ":material/check:", help="These boxes are right.", primary=True)
        _press("No cows here", NO_COWS, "N", ":material/do_not_disturb_on:", help="An answer too: boxes of cows go.")
    with st.container(horizontal=True, gap="small", key="label_steps"):
        _press("Undo", UNDO, "Ctrl+Z", ":material/undo:", disabled=not desk.past)
        _press("Redo", REDO, "Ctrl+Shift+Z", ":material/redo:", disabled=not desk.future)
        _press("Remove all boxes", REMOVE_ALL, None, ":material/delete_sweep:", disabled=not len(desk.labels.boxes))


def do_what_was_asked(work: Work, desk: Desk) -> None:
    """Carry out a press, now that the canvas was read."""

    def onwards(done: bool) -> None:  # noqa: FBT001
        following = labelling_list.next_waiting(work.pictures, work.chosen)
        if done and following is not None:
            memory.go_to_picture(desk.herd_id, following.picture_id)
        elif done:
            memory.say("Every picture of this herd has an answer.")

    actions.when_asked({
        CONFIRM: lambda _: onwards(_confirmed(desk)),
        NO_COWS: lambda _: onwards(labelling_taken_off.no_cows(desk, work.chosen.name)),
        labelling_taken_off.BRING_BACK: labelling_taken_off.bring_back,
        UNDO: lambda _: actions.undo(desk),
        REDO: lambda _: actions.redo(desk),
        REMOVE_ALL: lambda _: actions.remove_all(desk),
        labelling_history.RESTORE: lambda revision: actions.restore(desk, revision),
        labelling_draft.USE: lambda _: labelling_draft.use(desk, ShownPicture.of(work.chosen), work.specs),
    })  # fmt: skip


def status(desk: Desk) -> None:
    """What is saved, as it lies in the store."""
    now = desk.labels
    if now.saved_at is None:
        st.caption("Nothing saved yet. Drag on the picture to draw the first box.")
    else:
        boxes = widgets.counted(len(now.boxes), "box")
        when = time.strftime("%H:%M:%S", time.localtime(now.saved_at))
        draft = ", to be confirmed by *Save and next*" if now.state is LabelState.DRAFT else ""
        st.markdown(f":material/cloud_done: Saved at {when}: **{now.state}**, {boxes}{draft}.")


def offer_removal(herd: Herd, chosen: HerdPicture) -> None:
    """The way to take a picture out of the herd, on a second word."""
    with st.popover("Remove this picture", icon=":material/delete:", type="tertiary"):
        st.write("It leaves this herd, and its boxes with all their history are forgotten for good.")
        st.button("Remove it", key="remove_picture", type="primary", on_click=_remove, args=(herd, chosen))


def _is_leaving() -> bool:
    asked = memory.ensure().asked
    return asked is not None and asked.what == labelling_list.GO


def _say_it_was_changed() -> None:
    """Show what another tab saved first: whoever pressed had not seen it."""
    words = "The boxes were changed in another tab; here they are."
    if memory.ensure().asked is not None:
        memory.ensure().asked = None
        words += " What you pressed is not done: look, then press again."
    memory.say(words)


def _remove(herd: Herd, chosen: HerdPicture) -> None:
    try:
        remove_picture(cache.store(), herd.herd_id, chosen.picture_id)
    except CowVisionError as error:
        memory.ensure().problems.append(error)
        return
    cache.drop(chosen.picture_id)
    memory.ensure().desks.pop((herd.herd_id, chosen.picture_id), None)
    memory.go_to_picture(herd.herd_id, "")


def _confirmed(desk: Desk) -> bool:
    if len(desk.labels.boxes):
        return actions.confirm(desk)
    if desk.labels.state is LabelState.NO_COWS:
        return True
    memory.say("There are no boxes to save. If there are no cows on this picture, press *No cows here*.")
    return False


def _press(
    label: str,
    what: str,
    shortcut: str | None,
    icon: str,
    *,
    disabled: bool = False,
    primary: bool = False,
    help: str | None = None,  # noqa: A002 - Streamlit's own word
) -> None:
    key = f"label_{what.replace(' ', '_')}"
    st.button(
        label, key=key, icon=icon, shortcut=shortcut, disabled=disabled, on_click=memory.ask, args=(what,),
        type="primary" if primary else "secondary", help=help,
    )  # fmt: skip
