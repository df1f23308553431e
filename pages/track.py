"""Track: follow every cow through a clip, by one or two models in step, and see where ids are lost."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cowvision.errors import CowVisionError
from cowvision.models.catalog import ModelSpec, all_models
from cowvision.tracking.clip_info import steady_fps
from cowvision.ui import (
    cache,
    finetuning_news,
    frame,
    machine,
    session,
    tracking_begin,
    tracking_clips,
    tracking_jobs,
    tracking_live,
    tracking_results,
    tracking_settings,
    widgets,
)
from cowvision.ui.choosing import choose
from cowvision.workspace.clips import Clip
from cowvision.workspace.jobs import tend
from cowvision.workspace.tracked_clips import tracked_clips

FIRST_MODEL, FIRST_OTHER = "herd-base", "herd-finetuned"
NOBODY = ""
"""Chosen instead of a second model: one is looked at alone."""


def track_page() -> None:
    """The whole page, from top to bottom."""
    frame.ensure()
    session.ensure()
    widgets.page_style()
    specs = all_models(on_problem=widgets.show_error)
    left, right = st.columns([5, 4], gap="medium", vertical_alignment="center")
    with left:
        lead = "Every cow gets an id that stays. Play both models in step, and see where they lose one."
        facts = [f"runs on {machine.runs_on(specs)}", "one tracking at a time"]
        widgets.header("Follow every cow", lead, facts)
    with right, widgets.errors_shown():
        tracking_clips.intake()
    finetuning_news.show()
    with widgets.errors_shown():
        tracking_jobs.forget_removed()
        tend(cache.store())
        tracking_live.at_work()
    clip = tracking_clips.choose()
    if clip is None:
        st.info("There are no shipped clips here. Bring one to begin.", icon=":material/movie:")
        return
    if not specs:
        tracking_clips.about(clip)
        st.info("There are no trained models here yet. `make weights` trains them.", icon=":material/explore:")
        return
    with widgets.errors_shown():
        _follow(clip, specs)
    finetuning_news.shown()


def _follow(clip: Clip, specs: Sequence[ModelSpec]) -> None:
    """The choice of models and settings, and what comes of it."""
    left, middle, right = st.columns([6, 4, 4], gap="medium", vertical_alignment="top")
    with left:
        tracking_clips.about(clip)
    pair = _choose_models(specs, middle, right)
    settings = tracking_settings.choose(_rate(clip))
    done = tracked_clips(on_problem=widgets.show_error)
    known = tracking_begin.shown_of(clip, pair, settings, done)
    with widgets.errors_shown():
        tracking_begin.panel(clip, pair, settings, known, tracking_jobs.trackings())
    if clip.is_own and all(spec.own_map is not None for spec in pair):
        st.info(
            "These models have never seen a photograph: they learnt from rendered scenes. For real clips, Home offers "
            "models trained on photographs, and Fine-tune teaches them your herd.",
            icon=":material/info:",
        )
    if known:
        tracking_results.results(clip, tracking_results.titled(known))


def _choose_models(specs: Sequence[ModelSpec], left: DeltaGenerator, right: DeltaGenerator) -> list[ModelSpec]:
    """One or two models, the one that is compared with first; in the address."""
    by_name = {spec.name: spec for spec in specs}
    titles = {name: spec.title for name, spec in by_name.items()}
    with left:
        first = choose("Model", titles, "model", FIRST_MODEL)
    with right:
        others = {name: title for name, title in titles.items() if name != first} | {NOBODY: "no other model"}
        if st.query_params.get("other") == first:  # a model is not compared with itself
            del st.query_params["other"]
            st.session_state.pop("chosen_other", None)
        usual = FIRST_OTHER if FIRST_OTHER in others else next(iter(others))
        second = choose("Beside it", others, "other", usual)
    return [by_name[name] for name in (first, second) if name != NOBODY]


def _rate(clip: Clip) -> Fraction | None:
    try:
        return steady_fps(tracking_clips.info_of(clip))
    except CowVisionError:
        return None  # what is wrong with it was said above


track_page()
