"""Detect: how many cows are on a picture, by each model, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cowvision.data.pictures import MAX_BYTES, PICTURE_SUFFIXES
from cowvision.models.catalog import ModelSpec, embedded_models
from cowvision.ui import cache, gallery, results, session, widgets
from cowvision.ui.gallery import GalleryPicture

LEAST_SCORE, USUAL_SCORE, MOST_SCORE = 0.05, 0.5, 0.95
CARD_WIDTH = 148  # pixels


def detect_page() -> None:
    """The whole page, from top to bottom."""
    session.ensure()
    widgets.page_style()
    specs: list[ModelSpec] = []
    with widgets.errors_shown():
        specs = embedded_models()
    left, right = st.columns([5, 4], gap="medium", vertical_alignment="center")
    with left:
        _show_header(specs)
    with right:
        uploads = _take_uploads()
    choice = _choose_picture(uploads)
    if choice is None:
        st.info("There are no shipped pictures here. Upload one to begin.", icon="🖼️")
        return
    if not specs:
        st.info("There are no trained models here yet. `make weights` trains them.", icon="🧭")
        results.plain_card(choice)
        return
    _show_results(choice, specs)


def _show_header(specs: Sequence[ModelSpec]) -> None:
    facts = [spec.title for spec in specs]
    with widgets.errors_shown(), st.spinner("Getting the models ready, and timing this machine once …"):
        for words in dict.fromkeys(cache.detection_box(spec).execution.describe() for spec in specs):
            facts += words.split(", ")
    lead = "Two detectors that never saw a photograph in training look at a picture and count."
    widgets.header("How many cows?", lead, facts)


def _take_uploads() -> list[GalleryPicture]:
    """Uploaded pictures; a new one is chosen at once, and a bad one is named."""
    files = st.file_uploader(
        f"Your own pictures: up to {gallery.MOST_UPLOADS}, each up to {MAX_BYTES // 1024**2} MB and 60 megapixels",
        type=sorted(suffix.removeprefix(".") for suffix in PICTURE_SUFFIXES),
        accept_multiple_files=True,
        max_upload_size=MAX_BYTES // 1024**2,
        key="uploads",
        help="They stay on this machine, and are forgotten when this browser tab is closed.",
    )
    uploads, refused = gallery.accept_uploads(files)
    for error in refused:
        widgets.show_error(error)
    visit = session.ensure()
    keys = [upload.key for upload in uploads]
    fresh = [key for key in keys if key not in visit.seen_uploads]
    visit.seen_uploads = frozenset(keys)
    if fresh:
        _remember(fresh[0])
    return uploads


def _choose_picture(uploads: Sequence[GalleryPicture]) -> GalleryPicture | None:
    """The picture the address names, or the first one, in a gallery that changes the address."""
    pictures: dict[str, GalleryPicture] = {}
    with widgets.errors_shown():
        pictures = {picture.key: picture for picture in (*uploads, *gallery.shipped_stills())}
    if not pictures:
        return None
    wanted = st.query_params.get("picture")
    if wanted is not None and wanted not in pictures:
        st.info("The picture this address names is not here: upload it again, or choose another.", icon="🔎")
    current = pictures.get(wanted or "", next(iter(pictures.values())))
    with st.container(key="gallery", horizontal=True, wrap=False, gap="small"):
        for picture in pictures.values():
            _gallery_card(picture, is_current=picture is current)
    return current


def _gallery_card(picture: GalleryPicture, *, is_current: bool) -> None:
    with st.container(key=f"card_{picture.key}", width=CARD_WIDTH):
        st.image(cache.thumbnail(picture.picture), width="stretch", alt="")
        st.button(
            picture.title,
            key=f"choose_{picture.key}",
            type="primary" if is_current else "secondary",
            help=picture.caption or None,
            on_click=_remember,
            args=(picture.key,),
        )


def _remember(key: str) -> None:
    st.query_params["picture"] = key


def _show_results(choice: GalleryPicture, specs: Sequence[ModelSpec]) -> None:
    about, controls = st.columns([5, 4], gap="medium", vertical_alignment="bottom")
    with about:
        widgets.section(choice.title, choice.caption)
        chosen_specs, show_truth = _choose_view(choice, specs)
    with controls:
        threshold = st.slider(
            "Threshold: draw and count boxes with at least this score",
            LEAST_SCORE,
            MOST_SCORE,
            USUAL_SCORE,
            0.05,
            key="threshold",
            bind="query-params",
        )
    if not chosen_specs:
        st.info("Choose at least one model above.", icon="☝️")
        return
    answers = {}
    with widgets.errors_shown(), st.spinner("The network is looking …"):
        answers = {spec: cache.raw_detections(choice.picture, spec) for spec in chosen_specs}
    for column, (spec, detections) in zip(st.columns(max(1, len(answers))), answers.items(), strict=False):
        with column:
            results.result_card(choice, spec, detections, threshold=threshold, show_truth=show_truth)
    widgets.note(
        f"The network has looked at {widgets.counted(cache.network_runs(), 'picture')} since the start. "
        "The threshold only chooses among what it found.",
        network_runs=cache.network_runs(),
    )
    with st.expander("What the model really returns"):
        for column, (spec, detections) in zip(st.columns(max(1, len(answers))), answers.items(), strict=False):
            with column:
                results.returned(spec, detections, threshold=threshold)


def _choose_view(choice: GalleryPicture, specs: Sequence[ModelSpec]) -> tuple[list[ModelSpec], bool]:
    """Which models to show, and whether to mark the truth."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        names = st.segmented_control(
            "Models",
            [spec.name for spec in specs],
            selection_mode="multi",
            default=[spec.name for spec in specs],
            format_func={spec.name: spec.title for spec in specs}.__getitem__,
            key="models",
            label_visibility="collapsed",
            bind="query-params",
        )
        show_truth = choice.truth is not None and st.toggle("Mark the truth", key="truth", bind="query-params")
    return [spec for spec in specs if spec.name in names], show_truth


detect_page()
