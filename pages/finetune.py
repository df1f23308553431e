"""Fine-tune: teach a model your herd, watch it learn, and see whether it got better."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cowvision.models.catalog import ModelSpec, all_models
from cowvision.training.checkpoints import all_runs
from cowvision.ui import (
    cache,
    finetuning_begin,
    finetuning_cows,
    finetuning_jobs,
    finetuning_live,
    finetuning_news,
    finetuning_runs,
    frame,
    session,
    widgets,
)
from cowvision.workspace.herds import Herd, all_herds
from cowvision.workspace.jobs import Job, tend


def finetune_page() -> None:
    """The whole page, from top to bottom."""
    frame.ensure()
    session.ensure()
    widgets.page_style()
    specs = all_models(on_problem=widgets.show_error)
    lead = "A model that has seen your cows finds them better. Pictures it never learns from tell whether that is so."
    facts = [f"runs on {finetuning_jobs.runs_on(specs)}", "trainings begun here run one after the other"]
    widgets.header("Teach a model your herd", lead, facts)
    finetuning_news.show()
    with widgets.errors_shown():
        tend(cache.store())
        jobs, herds = finetuning_jobs.trainings(), all_herds(cache.store())
        finetuning_live.at_work()
        _choose(specs, herds, jobs)
        _show_runs(specs, herds, jobs)
    finetuning_news.shown()


def _choose(specs: Sequence[ModelSpec], herds: Sequence[Herd], jobs: Sequence[Job]) -> None:
    if not specs:
        st.info("There are no trained models here yet. `make weights` trains them.", icon=":material/explore:")
        return
    if finetuning_begin.has_nothing_to_learn_from(herds):
        finetuning_begin.welcome(herds)
    else:
        with widgets.errors_shown():
            finetuning_begin.panel(specs, herds, jobs)
    with widgets.errors_shown():
        finetuning_cows.offer()


def _show_runs(specs: Sequence[ModelSpec], herds: Sequence[Herd], jobs: Sequence[Job]) -> None:
    runs = all_runs()
    busy = finetuning_jobs.busy_runs(jobs, runs)
    told = [run for run in runs if run.has_model or run.name not in busy]  # of the others, all is told above
    if told:
        widgets.section("Your models", "Each can be chosen on Detect and Compare as soon as it is here.")
        finetuning_runs.listed(told, busy, specs, {herd.herd_id: herd.name for herd in herds})


finetune_page()
