"""A training that failed, begun again with other settings: its own are filled in above, to be changed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cowvision.training.checkpoints import Run, RunState
from cowvision.training.plans import CUSTOM
from cowvision.ui.finetuning_choice import COWS, HERD, SCENES

BEGIN_OTHERWISE = "Begin again with other settings"
_LOWER = 0.1
"""What an exploded training's learning rate is multiplied by."""


def is_exploded(run: Run) -> bool:
    """Whether it failed because it learnt too fast: with the same settings it would fail again."""
    return run.state is RunState.FAILED and "Lower the learning rate" in run.problem


def offer(run: Run) -> None:
    """A button for a training that failed, if this page can ask for what it learnt from."""
    if run.state is not RunState.FAILED or not run.settings or _source(run) is None:
        return
    rate = " with a tenth of its learning rate" if is_exploded(run) else ""
    st.button(
        BEGIN_OTHERWISE, key=f"otherwise_{run.name}", icon=":material/tune:", on_click=_fill_in, args=(run,),
        help=f"Fills in its settings at the top of the page{rate}, to be changed; nothing begins yet.",
    )  # fmt: skip


def _source(run: Run) -> str | None:
    """What it learnt from, as the address names it; None for what only a command can name."""
    plan = run.plan
    if plan.images:
        return None
    if plan.herd_id is not None:
        return f"{HERD}{plan.herd_id}"
    return COWS if plan.coco_cows else SCENES


def _fill_in(run: Run) -> None:
    facts = run.settings
    factor = _LOWER if is_exploded(run) else 1.0
    st.query_params.update({"start": run.plan.start, "data": str(_source(run)), "profile": CUSTOM})
    filled: dict[str, Any] = {
        "iterations": int(facts["iterations"]),
        "batch": int(facts["batch"]["batch_size"]),
        "patience": int(facts.get("patience", 0)),
        "rate": float(facts["learning_rate"]) * factor,
        "schedule": facts["schedule"],
        "optimizer": facts["optimizer"],
        "frozen": int(facts["frozen_stages"]),
        "side": run.plan.short_side,
        "precision": run.plan.precision,
        "held": round(100 * run.plan.held_out),
        "seed": run.plan.seed,
        "mix": 0 < run.plan.scenes < 1,
    }
    for key, value in filled.items():
        st.session_state[key] = value
    st.toast("Its settings are filled in at the top of the page.", icon=":material/tune:")
