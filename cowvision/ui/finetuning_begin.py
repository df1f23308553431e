"""Before a training: the choice, what stands in its way, how long it would take, and the button that begins it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from cowvision.models.catalog import ModelSpec
from cowvision.training.checkpoints import all_runs
from cowvision.training.plans import Plan
from cowvision.training.run_names import LONGEST_NAME
from cowvision.ui import finetuning_estimate, finetuning_guards, finetuning_jobs, finetuning_news, frame, widgets
from cowvision.ui.finetuning_choice import SCENES, Choice, choice
from cowvision.workspace.coco_cows import coco_cows_are_there
from cowvision.workspace.herds import Herd
from cowvision.workspace.jobs import Job

DOUBLE_CLICK_SECONDS = 1.5
"""A second press that comes so soon is not meant."""


def has_nothing_to_learn_from(herds: Sequence[Herd]) -> bool:
    """Whether there is nothing but composed scenes, and nobody has asked for those yet."""
    return "data" not in st.query_params and not coco_cows_are_there() and not any(herd.labelled for herd in herds)


def welcome(herds: Sequence[Herd]) -> None:
    """What there is to do before the first labelled picture."""
    with st.container(border=True):
        widgets.section("No labelled herd yet", "A model learns from pictures on which every cow has its box.")
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown(
                "**Your own pictures**  \nFive labelled ones are enough to begin with, 50 with cows also to tell "
                "whether it helped. A model's boxes are a good first draft."
            )
            frame.page_link("label.py", "Label pictures" if herds else "Make a herd and label it", ":material/edit:")
        with right:
            st.markdown(
                "**Composed scenes**  \nMade on this machine without end, with exact boxes. The quickest way to see "
                "how fine-tuning works."
            )
            st.button("Begin with composed scenes", key="use_scenes", type="primary", on_click=_use_scenes)


def panel(specs: Sequence[ModelSpec], herds: Sequence[Herd], jobs: Sequence[Job]) -> None:
    """Everything up to the start; errors as those of `choice` and of the workspace."""
    is_busy = any(finetuning_jobs.is_open(job) for job in jobs)
    with st.container(border=True, key="begin"):
        widgets.section("Teach another one" if is_busy else "What shall it learn?", "")
        chosen = choice(specs, herds)
        hindrances = finetuning_guards.hindrances(chosen)
        for error in hindrances:
            widgets.show_error(error)
        if len(hindrances) > len(chosen.refused) and chosen.herd is not None:
            frame.page_link("label.py", "Go to Label", ":material/edit:", herd=str(chosen.herd.herd_id))
        for sentence in [] if hindrances else finetuning_guards.cautions(chosen):
            st.info(widgets.plain(sentence), icon=":material/info:")
        _begin(chosen, specs, jobs, disabled=bool(hindrances), is_busy=is_busy)


def _begin(chosen: Choice, specs: Sequence[ModelSpec], jobs: Sequence[Job], *, disabled: bool, is_busy: bool) -> None:
    """The name, the start and the time it would take, in one row."""
    runs = all_runs()
    taken = finetuning_jobs.taken_titles(jobs, runs, specs)
    suggested = finetuning_jobs.free_title(chosen.source[: LONGEST_NAME - 4], taken)  # room for a number
    key = f"title_{suggested}"  # suggested anew for every source, and after every training that was begun
    naming, starting, timing = st.columns(3, gap="medium", vertical_alignment="bottom")
    with naming:
        st.text_input(
            "Name of the new model", suggested, max_chars=LONGEST_NAME, key=key,
            help="It appears by this name wherever models are chosen. You can rename it later.",
        )  # fmt: skip
        title = finetuning_jobs.free_title(_typed(key, suggested), taken)
    with starting:
        st.button(
            "Start when the other is done" if is_busy else "Start the fine-tuning",
            key="start", type="primary", icon=":material/school:", disabled=disabled, width="stretch",
            on_click=_start, args=(chosen.plan, key, suggested, specs),
        )  # fmt: skip
    with timing:
        finetuning_estimate.offer(chosen, disabled=disabled)
    waits = " Another one computes now: this one waits its turn, and so does timing it." if is_busy else ""
    if finetuning_jobs.is_one_elsewhere(jobs, runs):
        waits += " A training begun in a terminal computes on this machine too: both are slower."
    typed = _typed(key, suggested)
    why = f" There is a model called {typed} already." if title != typed else ""
    name = finetuning_jobs.free_name(title, jobs)
    widgets.note(f"It will be called {title}; on the command line and in addresses, {name}.{why}{waits}")


def _start(plan: Plan, key: str, suggested: str, specs: Sequence[ModelSpec]) -> None:
    with finetuning_news.told():
        jobs = finetuning_jobs.trainings()
        if jobs and 0 <= time.time() - jobs[-1].asked_at < DOUBLE_CLICK_SECONDS:
            asked = widgets.plain(finetuning_jobs.title_of(jobs[-1]))
            st.toast(f"{asked} was asked for just now. Press again for another one.", icon=":material/school:")
            return
        taken = finetuning_jobs.taken_titles(jobs, all_runs(), specs)
        title = finetuning_jobs.free_title(_typed(key, suggested), taken)
        finetuning_jobs.start(plan, finetuning_jobs.free_name(title, jobs), title)
        st.session_state[key] = suggested  # what was typed is this one's name: the next one gets its own
        st.toast(f"{widgets.plain(title)} is asked for: see the top of this page.", icon=":material/school:")


def _typed(key: str, suggested: str) -> str:
    """The name as it stands in its field, in one line."""
    return " ".join(str(st.session_state.get(key, "")).split()) or suggested


def _use_scenes() -> None:
    st.query_params["data"] = SCENES
