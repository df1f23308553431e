"""Home: what CowVision does, at one glance, and where to begin."""

from __future__ import annotations

import streamlit as st

from cowvision.models.catalog import ModelSpec, all_models, downloaded_models
from cowvision.models.published import published_models
from cowvision.ui import frame, gallery, machine, published_offers, session, story, widgets
from cowvision.ui.gallery import GalleryPicture

SHOWN_FIRST = "many_cows"
_OFFERS_IN_A_ROW = 3


def home_page() -> None:
    """The whole page, from top to bottom."""
    frame.ensure()
    session.ensure()
    widgets.page_style()
    specs = all_models(on_problem=widgets.show_error)
    words, picture = st.columns([5, 8], gap="large", vertical_alignment="center")
    with words:
        widgets.header(
            "Count your cows. Know how well.",
            "CowVision finds cows on pictures, shows what a detector gets right and wrong, and compares one that has "
            "seen too few cows with one that was taught.",
            ["works offline", "your pictures stay on this machine"],
        )
        with st.container(key="ways"):
            st.page_link("pages/detect.py", label="**Count cows on your own pictures**", icon=":material/upload:")
            example = {"picture": SHOWN_FIRST}
            st.page_link(
                "pages/detect.py", label="Look closer at this one", icon=":material/search:", query_params=example
            )
    with picture:
        _show_before_after(specs)
    widgets.section("The story in seven steps", "The tutorial's story, on a herd you can look at right away.")
    story.steps()
    widgets.section("What is here", "Models that are ready, where they run, and what can be added for real photos.")
    left, right = st.columns([3, 2], gap="large")
    with left, widgets.errors_shown():
        machine.models_table(specs)
    with right:
        machine.facts(specs)
    _offer_models()


def _show_before_after(specs: list[ModelSpec]) -> None:
    """The shipped picture of many cows, by the base model and by the fine-tuned one."""
    models = {spec.name: spec for spec in specs}
    with widgets.errors_shown():
        picture = next((one for one in gallery.shipped_stills() if one.key == SHOWN_FIRST), None)
        if picture is None or not {"herd-base", "herd-finetuned"} <= models.keys():
            st.info(
                "The shipped picture or models are missing here. `make weights` trains the models.",
                icon=":material/explore:",
            )
            return
        _compare(picture, models["herd-base"], models["herd-finetuned"])


def _compare(picture: GalleryPicture, base: ModelSpec, tuned: ModelSpec) -> None:
    with st.spinner("The two models look at their first picture; this machine is timed once …"):
        sides = [story.side(picture, spec) for spec in (base, tuned)]
    story.compare(picture, *sides)


def _offer_models() -> None:
    """Published models that are not here yet."""
    there = {spec.name for spec in downloaded_models()}
    missing = [model for model in published_models() if model.name not in there]
    if not missing:
        return
    widgets.section(
        "For real photos: get a COCO model",
        "Trained by the authors of torchvision and detectron2 on 118,000 photographs. The only thing on these pages "
        "that needs a network, and only when you press.",
    )
    columns = [column for _ in range(0, len(missing), _OFFERS_IN_A_ROW) for column in st.columns(_OFFERS_IN_A_ROW)]
    for column, model in zip(columns, missing, strict=False):
        with column, st.container(border=True, height="stretch"):
            published_offers.offer(model)


home_page()
