"""What was trained here, the newest first: how it came out, how it went, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from cowvision.errors import TrainingDataError
from cowvision.models.catalog import ModelSpec
from cowvision.training.checkpoints import Run, RunState
from cowvision.ui import finetuning_actions, finetuning_again, widgets
from cowvision.ui.figures import score
from cowvision.ui.finetuning_curves import curves
from cowvision.workspace.training_cards import NOT_JUDGED

SHOWN = 6
"""Runs shown at once; the older ones open on a press."""


def listed(runs: Sequence[Run], busy: Mapping[str, str], specs: Sequence[ModelSpec], herds: Mapping[int, str]) -> None:
    """All runs.

    Args:
        runs: The newest first.
        busy: How those stand that a process works on, or will, in words, by their names.
        specs: The models there are, for their titles.
        herds: Names of the herds there are, by their numbers.
    """
    titles = {spec.name: spec.title for spec in specs}
    for run in runs[:SHOWN]:
        _card(run, titles, herds, busy.get(run.name, ""))
    if runs[SHOWN:]:
        older = st.expander(f"{len(runs) - SHOWN} older", key="older_runs", on_change="rerun")
        with older:
            for run in runs[SHOWN:] if older.open else ():
                _card(run, titles, herds, busy.get(run.name, ""))


def _card(run: Run, titles: Mapping[str, str], herds: Mapping[int, str], busy: str) -> None:
    is_busy = bool(busy)
    with st.container(border=True, key=f"run_{run.name}"):
        left, right = st.columns([3, 2], gap="medium", vertical_alignment="center")
        with left:
            st.html(_head(run, titles, herds, busy))
        with right:
            if figures := _figures(run, titles):
                st.html(figures)
        if run.problem and not is_busy:
            problem = run.problem.removeprefix("training: ").rstrip(".")
            widgets.show_error(TrainingDataError(run.title, problem, _remedy(run)))
        elif is_cut_off(run) and not is_busy:
            cause = f"its process ended without a word after step {run.steps:,}; nothing that was kept is lost"
            widgets.show_error(TrainingDataError(run.title, cause, _remedy(run)))
        if words := _verdict(run):
            st.html(f'<p class="cv-run-verdict">{escape(words)}</p>')
        finetuning_actions.actions(run, titles, herds, is_busy=is_busy)
        _details(run)


def _verdict(run: Run) -> str:
    """How it came out, in a sentence; empty while it has no model, or is not done."""
    if not run.has_model or run.state is RunState.BEGUN:
        return ""
    if not run.held_out or run.gain.get("verdict") == "no truth":
        return NOT_JUDGED
    unseen = "It ended before the held-out pictures were looked at, so nobody can say whether it got better."
    return run.verdict or unseen


def is_cut_off(run: Run) -> bool:
    """Whether a run's own files say that it works; if no process does, it was killed."""
    return run.state is RunState.BEGUN


def _remedy(run: Run) -> str:
    if run.state_file.is_file():
        return "Press Go on: it continues where it was"
    return f"Press {finetuning_again.BEGIN_OTHERWISE}" if finetuning_again.is_exploded(run) else "Press Begin again"


def _head(run: Run, titles: Mapping[str, str], herds: Mapping[int, str], busy: str) -> str:
    chip, kind = (busy, "open") if busy else _state(run)
    steps = int(run.settings.get("iterations", run.steps))
    ended_early = run.state is RunState.DONE and run.steps < steps and not busy
    facts = (
        f"from {titles.get(run.plan.start, run.plan.start)}",
        f"on {what_it_learnt(run, herds)}",
        f"{run.steps:,} of {steps:,} steps{', for it got no better' * ended_early}",
        f"{run.seconds / 60:.1f} minutes",
        f"on the command line: {run.name}",
    )
    items = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    return (
        f'<div class="cv-run" data-run="{escape(run.name)}" data-state="{escape("busy" if busy else run.state)}">'
        f'<p class="cv-run-title"><b>{escape(run.title)}</b>'
        f'<span class="cv-run-chip cv-{kind}">{escape(chip)}</span>{_caveat(run, kind)}</p><ul>{items}</ul></div>'
    )


def _caveat(run: Run, kind: str) -> str:
    """What takes a little off a good verdict."""
    chosen = kind == "better" and sum(step > 0 for step, _, _ in run.looks) > 1
    return "<small>the step was chosen by these very pictures: a little too good</small>" if chosen else ""


def _state(run: Run) -> tuple[str, str]:
    """A word on how it stands, and how that is coloured."""
    if run.state is RunState.FAILED:
        return "failed", "worse"
    if run.state is RunState.BEGUN:
        return "cut off", "worse"
    kind = {"better": "better", "worse": "worse"}.get(str(run.gain.get("verdict", "")), "open")
    chip = {"better": "better", "worse": "worse", "too few pictures": "too few to tell", "no truth": "no verdict"}
    word = chip.get(str(run.gain.get("verdict", "")), "no clear difference") if run.gain else "no verdict"
    if word == "better" and not run.plan.has_pictures:
        word = "better on composed scenes"
    return (f"{word}, stopped early" if run.state is RunState.STOPPED else word), kind


def what_it_learnt(run: Run, herds: Mapping[int, str]) -> str:
    """What a run learns from, in words."""
    parts = []
    if run.plan.herd_id is not None:
        parts.append(f"{herds.get(run.plan.herd_id, 'a herd that is gone')} ({len(run.train)} pictures)")
    elif run.plan.coco_cows:
        parts.append(f"COCO's cows ({len(run.train):,} pictures)")
    elif run.plan.images:
        parts.append(f"{len(run.train)} labelled pictures of a folder")
    if run.plan.scenes > 0:
        parts.append("composed scenes")
    return " and ".join(parts) or "nothing"


def _figures(run: Run, titles: Mapping[str, str]) -> str:
    if not run.held_out:
        return ""
    scores = {step: value for step, value, _ in run.looks}
    before, after = scores.get(0), None if run.best_step is None else scores.get(run.best_step)
    pictures = widgets.counted(len(run.held_out), "held-out picture")
    start = escape(titles.get(run.plan.start, run.plan.start))
    return (
        f'<p class="cv-verdict-figures"><span>{start} <b>{score(before)}</b></span><i aria-hidden="true">→</i>'
        f"<span>this model <b>{score(after)}</b></span><em>mAP on {pictures}</em></p>"
    )


def _details(run: Run) -> None:
    """Curves and notes; made only while they are open."""
    details = st.expander("How it went", icon=":material/show_chart:", key=f"went_{run.name}", on_change="rerun")
    with details:
        if not details.open:
            return
        looks = [(step, value) for step, value, _ in run.looks]
        steps = int(run.settings.get("iterations", run.steps))
        judged = bool(run.held_out)
        curves(run.losses, looks, steps, run.best_step, key=f"curve_{run.name}", is_judged=judged)
        for note in run.notes:
            st.info(widgets.plain(note), icon=":material/info:")
        if trust := str(run.gain.get("trust", "")):
            widgets.note(trust)
        kept = "" if run.best_step is None else f"The model kept is that of step {run.best_step:,}. "
        widgets.note(f"{kept}{_settings(run)}")


def _settings(run: Run) -> str:
    facts = run.settings
    if not facts:
        return ""
    precision = "bfloat16" if facts.get("bfloat16") else "float32"
    sides = ", ".join(str(side) for side in facts["batch"]["short_sides"])
    return (
        f"Batch {facts['batch']['batch_size']}, short side {sides} px, {facts['optimizer']}, learning rate "
        f"{facts['learning_rate']:g} ({facts['schedule']}), "
        f"{widgets.counted(facts['frozen_stages'], 'stage')} frozen, {precision}, seed "
        f"{run.plan.seed}; profile {run.plan.profile}, short name {run.name}."
    )
