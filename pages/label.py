"""Label: boxes around cows, drawn or corrected, saved as they are made."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cowvision.models.catalog import ModelSpec, all_models
from cowvision.ui import (
    cache,
    frame,
    herd_export,
    herd_import,
    herd_intake,
    herd_picker,
    herd_rule,
    labelling_conflict,
    labelling_desk,
    labelling_draft,
    labelling_hints,
    labelling_history,
    labelling_list,
    labelling_table,
    labelling_taken_off,
    session,
    widgets,
)
from cowvision.ui import labelling_session as memory
from cowvision.ui.herd_view import ShownPicture
from cowvision.ui.labelling_desk import Work
from cowvision.ui.labelling_session import Desk
from cowvision.workspace.herds import Herd, HerdPicture, pictures_of


def label_page() -> None:
    """The whole page, from top to bottom."""
    frame.ensure()
    session.ensure()
    widgets.page_style()
    specs = all_models(on_problem=widgets.show_error)
    left, right = st.columns(2, gap="medium", vertical_alignment="center")
    with left, st.container(key="label_head"):
        lead = "Draw a box around every cow: models are judged by these boxes, and taught with them."
        widgets.header("Where are the cows?", lead, ["every change is saved at once"])
    with widgets.errors_shown():
        herd_intake.take_sent()
    _show_news()
    with widgets.errors_shown():
        with right:
            herd = herd_picker.choose_herd()
        if herd is None:
            herd_picker.welcome()
        else:
            _show_herd(herd, pictures_of(cache.store(), herd.herd_id), specs)
    _flash()


def _show_news() -> None:
    """What happened and what went wrong, until it is dismissed; the canvas runs the page again too often for less."""
    labelling = memory.ensure()
    if labelling.notes:
        st.info("  \n".join(labelling.notes), icon=":material/info:")
    if labelling.problems:
        widgets.show_errors(labelling.problems, f"{len(labelling.problems)} things went wrong:")
    labelling_taken_off.offer_back()
    if labelling.notes or labelling.problems:
        st.button("Close", key="dismiss", icon=":material/close:", on_click=memory.dismiss)


def _flash() -> None:
    """What is to be seen wherever the page is scrolled to; at its end, for a run that is cut short shows nothing."""
    labelling = memory.ensure()
    for words in labelling.flashes:
        st.toast(words, icon=":material/info:", duration="long")
    labelling.flashes = []


def _show_herd(herd: Herd, pictures: Sequence[HerdPicture], specs: Sequence[ModelSpec]) -> None:
    if pictures:
        work = Work(herd, pictures, labelling_list.current(herd.herd_id, pictures), specs)
        desk = labelling_desk.open_desk(herd, work.chosen)
        names = labelling_desk.class_names(desk, work.counts.class_names)
        left, right = st.columns([7, 3], gap="medium")
        with left:
            labelling_list.ways(herd.herd_id, pictures, work.chosen)
            with widgets.errors_shown():
                _show_picture(work, desk, names)
            labelling_list.go_if_asked(herd.herd_id)
        with right:
            _show_margin(work, desk, names)
        if desk.conflict is None:
            with widgets.errors_shown():
                _show_tools(desk, ShownPicture.of(work.chosen), names, specs)
    else:
        st.info("This herd has no pictures yet. Add some here.", icon=":material/image:")
    _show_ways_in_and_out(herd, pictures)


def _show_picture(work: Work, desk: Desk, names: list[str]) -> None:
    """One picture: the canvas first, for what was drawn on it is saved before anything speaks of it."""
    picture = ShownPicture.of(work.chosen)
    if desk.conflict is not None:
        labelling_conflict.show(desk, picture)
        return
    labelling_desk.canvas(desk, picture, labelling_desk.chosen_class(names))
    labelling_desk.do_what_was_asked(work, desk)
    labelling_hints.show(desk, picture, work.counts, work.specs)


def _show_margin(work: Work, desk: Desk, names: list[str]) -> None:
    """Beside the canvas: the answers, what is saved, and the other pictures."""
    herd_rule.ask_once(work.herd)
    if desk.conflict is None:
        labelling_desk.answers(desk)
        labelling_desk.status(desk)
        labelling_draft.tally(desk, work.specs)
        labelling_desk.choose_class(names)
        herd_rule.reminder(work.herd)
    pictures = labelling_list.with_state(work.pictures, work.chosen, desk.labels.state)
    labelling_list.listed(work.herd.herd_id, pictures, work.chosen)
    labelling_desk.offer_removal(work.herd, work.chosen)


def _show_tools(desk: Desk, picture: ShownPicture, names: list[str], specs: Sequence[ModelSpec]) -> None:
    """What else can be done with the picture's boxes; each is only made while it is open."""
    drafting = st.expander(
        "Start from a model's boxes", icon=":material/auto_awesome:", key="open_draft", on_change="rerun"
    )
    with drafting:
        labelling_draft.offer(desk, specs, is_open=bool(drafting.open))
    with st.expander("Boxes as numbers", icon=":material/table:", key="open_table", expanded=True):
        labelling_table.edit_boxes(desk, picture.resolution_wh, names)
    history = st.expander("History", icon=":material/history:", key="open_history", on_change="rerun")
    with history:
        if history.open:
            labelling_history.show(desk, picture)


def _show_ways_in_and_out(herd: Herd, pictures: Sequence[HerdPicture]) -> None:
    widgets.section("Pictures and boxes, in and out", "")
    adding = st.expander("Add pictures", icon=":material/add_photo_alternate:", expanded=not pictures)
    with adding, widgets.errors_shown():
        herd_intake.panel(herd)
    imports = st.expander("Import boxes", icon=":material/upload_file:", key="open_import", on_change="rerun")
    with imports, widgets.errors_shown():
        if imports.open:
            herd_import.panel(herd)
    exports = st.expander("Export boxes", icon=":material/download:", key="open_export", on_change="rerun")
    with exports, widgets.errors_shown():
        if exports.open:
            herd_export.panel(herd, pictures)


label_page()
