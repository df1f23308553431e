"""Which herd: choosing, making, renaming and deleting one, and the example to begin with."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cowvision.errors import CowVisionError
from cowvision.ui import cache, gallery, herd_rule, widgets
from cowvision.ui import labelling_session as memory
from cowvision.workspace.herd_counts import herd_counts
from cowvision.workspace.herds import (
    LONGEST_NAME,
    Herd,
    add_picture,
    all_herds,
    create_herd,
    delete_herd,
    pictures_of,
    read_herd,
    rename_herd,
)

THE_TUTORIAL = (
    "“The tutorial” is Tryolabs' *hands-on guide to object detection and tracking*, whose steps these pages follow."
)
EXAMPLE = "The tutorial's two pictures"
EXAMPLE_STILLS = ("farmer_and_cows", "many_cows")


def choose_herd() -> Herd | None:
    """The herd that the address names, the one worked on last, or the newest; None while there is none."""
    herds = all_herds(cache.store())
    if not herds:
        return None
    known = {one.herd_id: one for one in herds}
    asked = st.query_params.get("herd", "")
    wanted = int(asked) if asked.isdecimal() else 0
    if asked and wanted not in known:
        st.info("The herd this address names is not here (any more); here is another one.", icon=":material/search:")
    chosen = known.get(wanted) or known.get(memory.ensure().herd_id) or herds[-1]
    memory.ensure().herd_id = chosen.herd_id
    st.query_params["herd"] = str(chosen.herd_id)
    return _bar(herds, chosen)


def herd_to_fill(name: str = "My herd") -> Herd:
    """The herd worked on last, the newest, or a new one; errors as `create_herd`."""
    herds = {one.herd_id: one for one in all_herds(cache.store())}
    if not herds:
        return create_herd(cache.store(), name)
    return herds.get(memory.ensure().herd_id) or herds[max(herds)]


def welcome() -> None:
    """What there is to do before the first herd."""
    with st.container(border=True):
        widgets.section(
            "No herd yet",
            "A herd is a named set of pictures whose boxes follow one rule. Begin with one of these.",
        )
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown(
                "**The tutorial's own task**  \nTwo pictures without boxes: a farmer among cows, and many cows. "
                f"{THE_TUTORIAL}"
            )
            st.button("Begin with the tutorial's two pictures", key="example", type="primary", on_click=_make_example)
        with right:
            st.markdown("**Your own pictures**  \nGive the herd a name; pictures come next.")
            _new_herd("first")


def _bar(herds: Sequence[Herd], chosen: Herd) -> Herd:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="herd_bar"):
        names = {one.herd_id: one for one in herds}
        st.session_state["herd"] = chosen.herd_id
        st.selectbox(
            "Herd", list(names), key="herd", on_change=_picked,
            format_func=lambda number: f"{names[number].name} ({names[number].labelled} of {names[number].pictures})",
            help="Behind the name: how many of its pictures have an answer.",
        )  # fmt: skip
        with st.popover("New herd", icon=":material/add:", key=f"new_herd_{max(names)}"):  # a made one closes it
            _new_herd(f"after_{max(names)}")
            if all(one.name != EXAMPLE for one in herds):
                st.button("The tutorial's two pictures", key="example", on_click=_make_example)
        with st.popover("This herd", icon=":material/tune:", key="this_herd", on_change="rerun"):  # counts as of now
            _settings(chosen)
    return chosen


def _settings(herd: Herd) -> None:
    name = st.text_input("Name", herd.name, max_chars=LONGEST_NAME, key=f"rename_{herd.herd_id}_{herd.name}")
    st.button("Rename", key="rename", disabled=name == herd.name, on_click=_rename, args=(herd.herd_id, name))
    st.divider()
    herd_rule.change(herd)
    st.divider()
    words = f"{widgets.counted(herd.pictures, 'picture')}{_boxes(herd)}"
    sure = st.checkbox(f"Yes, delete {words}, with all their history", key=f"sure_{herd.herd_id}")
    st.button("Delete this herd", key="delete_herd", disabled=not sure, on_click=_delete, args=(herd.herd_id,))


def _boxes(herd: Herd) -> str:
    """All boxes of a herd in words: those that were confirmed, and the drafts."""
    drafts = herd_counts(cache.store(), herd.herd_id).boxes - herd.boxes
    confirmed = "1 confirmed box" if herd.boxes == 1 else f"{herd.boxes} confirmed boxes"
    if not drafts:
        return f" and {confirmed}"
    return f", {confirmed} and {drafts} in {'a draft' if drafts == 1 else 'drafts'}"


def _new_herd(where: str) -> None:
    with st.form(f"new_herd_{where}", border=False):
        name = st.text_input("Name of the new herd", max_chars=LONGEST_NAME, placeholder="e.g. Back pasture, May")
        if st.form_submit_button("Make it"):
            with widgets.errors_shown():
                memory.go_to_herd(create_herd(cache.store(), name).herd_id)
                st.rerun()


def _picked() -> None:
    memory.go_to_herd(int(st.session_state["herd"]))


def _make_example() -> None:
    """Copy the shipped stills into a herd of their own, without boxes."""
    try:
        stills = {one.key: one for one in gallery.shipped_stills()}
        herd = create_herd(cache.store(), EXAMPLE)
        for key in EXAMPLE_STILLS:
            still = stills.get(key)
            if still is not None and still.file is not None:
                add_picture(
                    cache.store(), herd.herd_id, still.file.read_bytes(), still.name, still.picture().resolution_wh
                )
        memory.go_to_herd(herd.herd_id)
    except CowVisionError as error:
        memory.ensure().problems.append(error)


def _rename(herd_id: int, name: str) -> None:
    try:
        rename_herd(cache.store(), herd_id, name)
    except CowVisionError as error:
        memory.ensure().problems.append(error)


def _delete(herd_id: int) -> None:
    try:
        name = read_herd(cache.store(), herd_id).name
        gone = [one.picture_id for one in pictures_of(cache.store(), herd_id)]
        delete_herd(cache.store(), herd_id)
    except CowVisionError as error:
        memory.ensure().problems.append(error)
        return
    for picture_id in gone:
        cache.drop(picture_id)
    memory.ensure().herd_id = 0
    for key in ("herd", "picture"):
        st.query_params.pop(key, None)
    memory.say(f"The herd {widgets.plain(name)} is deleted.")
