"""Detect: how many cows are on a picture, by each model, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cowvision.models.catalog import ModelSpec, all_models
from cowvision.ui import batch, cache, downloads, frame, gallery, intake, machine, results, scrolling, session, widgets
from cowvision.ui.gallery import GalleryPicture
from cowvision.ui.results import View
from cowvision.workspace.trays import KEPT_DAYS

LEAST_SCORE, USUAL_SCORE, MOST_SCORE = 0.05, 0.5, 0.95
CARD_WIDTH = 148  # pixels
FIRST = "many_cows"
"""Key of the picture that is shown when nobody asked for another."""

RESULTS = "results"
"""Key of the part of the page with the answers."""

MOST_CARDS = 40
"""Own pictures in the row of cards; the table lists them all."""


def detect_page() -> None:
    """The whole page, from top to bottom."""
    frame.ensure()
    session.ensure()
    widgets.page_style()
    specs = all_models(on_problem=widgets.show_error)
    left, right = st.columns([5, 4], gap="medium", vertical_alignment="center")
    with left:
        _show_header(specs)
    with right, widgets.errors_shown():
        intake.intake_panel()
    _show_problems()
    own: list[GalleryPicture] = []
    with widgets.errors_shown():
        own = gallery.own_pictures()
    session.name_in_address(has_tray=bool(own))
    choice = _choose_picture(own)
    if choice is None:
        st.info("There are no shipped pictures here. Upload one to begin.", icon=":material/image:")
    elif not specs:
        st.info("There are no trained models here yet. `make weights` trains them.", icon=":material/explore:")
        results.plain_card(choice)
    else:
        _show_results(choice, own, specs)


def _show_header(specs: Sequence[ModelSpec]) -> None:
    lead = "Choose a picture, or bring your own. Every model looks at it once and counts."
    widgets.header("How many cows?", lead, [f"runs on {machine.runs_on(specs)}"])


def _show_problems() -> None:
    """What is to be said about the files of the last intake, until it is dismissed."""
    visit = session.ensure()
    if visit.problems:
        widgets.show_errors(visit.problems)
    if visit.notes:
        st.info("  \n".join(visit.notes), icon=":material/info:")
    if visit.problems or visit.notes:
        st.button("Dismiss", key="dismiss", type="tertiary", on_click=session.dismiss)


def _choose_picture(own: Sequence[GalleryPicture]) -> GalleryPicture | None:
    """The picture the address names, the one looked at last, or the first, in a gallery that changes the address."""
    pictures = {picture.key: picture for picture in own}
    with widgets.errors_shown():
        pictures |= {picture.key: picture for picture in gallery.shipped_stills()}
    if not pictures:
        return None
    wanted = st.query_params.get("picture") or session.ensure().picture
    if wanted and wanted not in pictures:
        st.info(
            f"The picture this address names is not here. Your own are kept for {KEPT_DAYS} days, and the address of "
            "your page finds them again.",
            icon=":material/search:",
        )
    current = pictures.get(wanted) or pictures.get(FIRST) or next(iter(pictures.values()))
    shown = [*own[:MOST_CARDS], *list(pictures.values())[len(own) :]]
    with st.container(key="gallery", horizontal=True, wrap=False, gap="small"):
        for picture in shown:
            _gallery_card(picture, is_current=picture is current)
    visit = session.ensure()
    scrolling.bring_into_view(f"card_{current.key}", below=RESULTS if visit.chosen == current.key else "")
    visit.chosen = ""
    return current


def _gallery_card(picture: GalleryPicture, *, is_current: bool) -> None:
    with st.container(key=f"card_{picture.key}", width=CARD_WIDTH), widgets.errors_shown():
        st.image(picture.thumbnail(), width="stretch", alt="")
        st.button(
            widgets.plain(picture.title),
            key=f"choose_{picture.key}",
            type="primary" if is_current else "secondary",
            help=picture.caption or None,
            on_click=session.look_at,
            args=(picture.key,),
        )


@st.fragment
def _show_results(choice: GalleryPicture, own: Sequence[GalleryPicture], specs: Sequence[ModelSpec]) -> None:
    """Everything that follows from models, threshold and classes; moving one of them renews only this part."""
    session.renew_if_asked()
    tray = st.container()
    with st.container(key=RESULTS):
        widgets.section(choice.title, choice.caption)
    left, right = st.columns([5, 4], gap="medium", vertical_alignment="center")
    with left, st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        chosen_specs = _choose_models(specs)
        zoom, show_truth = _choose_looks(choice)
    with right:
        threshold, classes = _choose_boxes(chosen_specs)
    view = View(threshold, classes, show_truth, zoom)
    answers = {}
    for spec in chosen_specs:
        with widgets.errors_shown(), st.spinner(f"{spec.title} is looking …"):
            answers[spec] = choice.detections(spec)
    for column, (spec, detections) in zip(st.columns(max(1, len(answers))), answers.items(), strict=False):
        with column, widgets.errors_shown():
            results.result_card(choice, spec, detections, view)
    if choice.is_own and all(spec.own_map is not None for spec in answers):
        st.info(
            "These models have never seen a photograph. On pastures they do well; on everyday pictures they see cows "
            "where there are none. For real photos, Home offers models trained on photographs.",
            icon=":material/info:",
        )
    if answers:
        with widgets.errors_shown():
            _show_actions(choice, own, list(answers), view)
    with st.expander("What the model really returns"):
        for column, (spec, detections) in zip(st.columns(max(1, len(answers))), answers.items(), strict=False):
            with column:
                results.returned(spec, detections, threshold=view.threshold)
    if own:
        with tray, st.container(border=True, key="tray"), widgets.errors_shown():
            batch.tray(own, chosen_specs, view.threshold)


def _show_actions(choice: GalleryPicture, own: Sequence[GalleryPicture], specs: list[ModelSpec], view: View) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        downloads.downloads(choice, own, specs, view)
        frame.label_link(choice.key, specs[-1].name)
        if choice.is_own:
            st.button("Remove this picture", key="remove", on_click=intake.forget, args=(choice.id,))
        if len(own) > 1:
            with st.popover("Remove all of mine"):
                st.write(f"{len(own)} pictures, and what was found on them, are forgotten for good.")
                st.button("Remove them all", key="remove_all", type="primary", on_click=intake.forget)
        runs = cache.network_runs()
        widgets.note(
            f"The networks have looked {widgets.counted(runs, 'time')} since the start. "
            "Threshold and classes only choose among what they found.",
            network_runs=runs,
        )


def _choose_models(specs: Sequence[ModelSpec]) -> list[ModelSpec]:
    names = st.segmented_control(
        "Models",
        [spec.name for spec in specs],
        selection_mode="multi",
        default=[spec.name for spec in specs if spec.own_map is not None] or [specs[0].name],
        format_func={spec.name: spec.title for spec in specs}.__getitem__,
        key="models",
        label_visibility="collapsed",
        bind="query-params",
        persist_state="session",
    )
    return [spec for spec in specs if spec.name in names] or list(specs[:1])


def _choose_looks(choice: GalleryPicture) -> tuple[bool, bool]:
    """Whether the picture can be zoomed, and whether the truth is marked; both in the address."""
    zoom = st.toggle(
        "Zoom",
        key="zoom",
        bind="query-params",
        persist_state="session",
        help="Wheel or pinch to zoom, drag to move, double-click to see all. Point at a box for its class and score.",
    )
    knows = choice.truth is not None
    truth = knows and st.toggle("Mark the truth", key="truth", bind="query-params", persist_state="session")
    return zoom, truth


def _choose_boxes(specs: Sequence[ModelSpec]) -> tuple[float, tuple[str, ...]]:
    """The lowest score and the classes to show, none meaning all; both in the address."""
    names = results.known_names(specs)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        threshold = st.slider(
            "Threshold", LEAST_SCORE, MOST_SCORE, USUAL_SCORE, 0.05,
            key="threshold", bind="query-params", persist_state="session",
            help="Boxes with at least this score are drawn and counted. The networks do not look again.",
        )  # fmt: skip
        classes: list[str] = []
        if len(names) > 1:
            classes = st.multiselect(
                "Classes", names, key="classes", placeholder="All classes", bind="query-params", width=220,
                persist_state="session",
            )  # fmt: skip
    return threshold, tuple(classes)


detect_page()
