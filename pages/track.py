"""Track: follow every cow through a clip, by one or two models in step, and see where ids are lost."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import streamlit as st

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
    tracking_failures,
    tracking_jobs,
    tracking_live,
    tracking_models,
    tracking_results,
    tracking_settings,
    widgets,
)
from cowvision.workspace.clips import Clip
from cowvision.workspace.jobs import tend
from cowvision.workspace.tracked_clips import tracked_clips


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
    done = tracked_clips(on_problem=widgets.show_error)
    left, middle, right = st.columns([6, 4, 4], gap="medium", vertical_alignment="top")
    with left:
        tracking_clips.about(clip)
    chosen = tracking_models.choose_two(tracking_models.candidates(clip, specs, done), middle, right)
    pair = [one.spec for one in chosen if one.spec is not None]
    settings = tracking_settings.choose(_rate(clip))
    tracking_models.say_gone(chosen)
    known = tracking_begin.shown_of(clip, pair, settings, done)
    with widgets.errors_shown():
        jobs = tracking_jobs.trackings()
        tracking_failures.failures(clip, pair, settings, done, jobs)
        tracking_begin.panel(clip, pair, settings, known, jobs)
    if clip.is_own and pair and all(spec.own_map is not None for spec in pair):
        st.info(
            "These models have never seen a photograph: they learnt from rendered scenes. For real clips, Home offers "
            "models trained on photographs, and Fine-tune teaches them your herd.",
            icon=":material/info:",
        )
    if found := tracking_models.titled(chosen, known):
        tracking_results.results(clip, found)


def _rate(clip: Clip) -> Fraction | None:
    try:
        return steady_fps(tracking_clips.info_of(clip))
    except CowVisionError:
        return None  # what is wrong with it was said above


track_page()
