"""What was trained here, the newest first: how it came out, how it went, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from cowvision.errors import TrainingDataError
from cowvision.models.catalog import ModelSpec
from cowvision.training.checkpoints import Run, RunState
from cowvision.ui import finetuning_actions, widgets
from cowvision.ui.compare_verdict import score
from cowvision.ui.finetuning_curves import curves

SHOWN = 6
"""Runs shown at once; the older ones open on a press."""


def listed(runs: Sequence[Run], busy: set[str], specs: Sequence[ModelSpec], herds: Mapping[int, str]) -> None:
    """All runs.

    Args:
        runs: The newest first.
        busy: Names of those that a process works on.
        specs: The models there are, for their titles.
        herds: Names of the herds there are, by their numbers.
    """
    titles = {spec.name: spec.title for spec in specs}
    for run in runs[:SHOWN]:
        _card(run, titles, herds, is_busy=run.name in busy)
    if runs[SHOWN:]:
        older = st.expander(f"{len(runs) - SHOWN} older", key="older_runs", on_change="rerun")
        with older:
            for run in runs[SHOWN:] if older.open else ():
                _card(run, titles, herds, is_busy=run.name in busy)


def _card(run: Run, titles: Mapping[str, str], herds: Mapping[int, str], *, is_busy: bool) -> None:
    with st.container(border=True, key=f"run_{run.name}"):
        left, right = st.columns([3, 2], gap="medium", vertical_alignment="center")
        with left:
            st.html(_head(run, titles, herds, is_busy=is_busy))
        with right:
            st.html(_figures(run, titles))
        if run.problem and not is_busy:
            widgets.show_error(TrainingDataError(run.title, run.problem.rstrip("."), _remedy(run)))
        elif is_cut_off(run) and not is_busy:
            cause = f"its process ended without a word after step {run.steps:,}; nothing that was kept is lost"
            widgets.show_error(TrainingDataError(run.title, cause, _remedy(run)))
        if run.verdict:
            st.html(f'<p class="cv-run-verdict">{escape(run.verdict)}</p>')
        finetuning_actions.actions(run, titles, herds, is_busy=is_busy)
        _details(run)


def is_cut_off(run: Run) -> bool:
    """Whether a run's own files say that it works; if no process does, it was killed."""
    return run.state is RunState.BEGUN


def _remedy(run: Run) -> str:
    return "Press Go on: it continues where it was" if run.state_file.is_file() else "Press Begin again"


def _head(run: Run, titles: Mapping[str, str], herds: Mapping[int, str], *, is_busy: bool) -> str:
    chip, kind = _state(run, is_busy=is_busy)
    steps = int(run.settings.get("iterations", run.steps))
    ended_early = run.state is RunState.DONE and run.steps < steps and not is_busy
    facts = (
        f"from {titles.get(run.plan.start, run.plan.start)}",
        f"on {what_it_learnt(run, herds)}",
        f"{run.steps:,} of {steps:,} steps{', for it got no better' * ended_early}",
        f"{run.seconds / 60:.1f} minutes",
    )
    items = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    return (
        f'<div class="cv-run" data-run="{escape(run.name)}" data-state="{escape("busy" if is_busy else run.state)}">'
        f'<p class="cv-run-title"><b>{escape(run.title)}</b>'
        f'<span class="cv-run-chip cv-{kind}">{escape(chip)}</span></p><ul>{items}</ul></div>'
    )


def _state(run: Run, *, is_busy: bool) -> tuple[str, str]:
    """A word on how it stands, and how that is coloured."""
    if is_busy:
        return "at work, or waiting", "open"
    if run.state is RunState.FAILED:
        return "failed", "worse"
    if run.state is RunState.BEGUN:
        return "cut off", "worse"
    kind = {"better": "better", "worse": "worse"}.get(str(run.gain.get("verdict", "")), "open")
    chip = {"better": "better", "worse": "worse", "too few pictures": "too few to tell", "no truth": "nobody can tell"}
    word = chip.get(str(run.gain.get("verdict", "")), "no clear difference") if run.verdict else "no verdict"
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
        curves(run.losses, looks, steps, run.best_step, key=f"curve_{run.name}")
        for note in run.notes:
            st.info(widgets.plain(note), icon=":material/info:")
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
        f"{facts['learning_rate']:g} ({facts['schedule']}), {facts['frozen_stages']} stages frozen, {precision}, seed "
        f"{run.plan.seed}; profile {run.plan.profile}, short name {run.name}."
    )
