"""The settings of a custom training, each with a sentence on what it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import streamlit as st

from cowvision.errors import SettingError
from cowvision.models.catalog import ModelSpec
from cowvision.training.plans import CUSTOM, PROFILES
from cowvision.training.settings import OPTIMIZERS, SCHEDULES, USUAL_BATCH

PRECISIONS = {"": "the faster one here", "float32": "float32", "bfloat16": "bfloat16"}
LIMITS: Mapping[str, tuple[str, float, float]] = {
    "iterations": ("Steps", 1, 200_000),
    "batch_size": ("Pictures a step", 1, 64),
    "patience": ("Patience", 0, 100),
    "learning_rate": ("Learning rate", 1e-6, 0.5),
    "frozen_stages": ("Frozen stages", 0, 4),
    "short_side": ("Short side", 128, 1600),
    "seed": ("Seed", 0, 2**31 - 1),
}
"""By the field of a plan: what the field is called on the page, the least and the most it may be."""

_USUAL = PROFILES[CUSTOM]
_BOUND: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}


def custom(start: ModelSpec) -> dict[str, Any]:
    """The settings as fields of a plan; all of them stand in the address when they differ from the usual."""
    with st.expander("Settings", icon=":material/tune:", key="custom_settings", expanded=True):
        columns = st.columns(4, gap="medium")
        with columns[0]:
            chosen = _how_long()
        with columns[1]:
            chosen |= _how_fast()
        with columns[2]:
            chosen |= _what_learns(start)
        with columns[3]:
            chosen |= _what_is_fixed()
    return chosen


def refused(asked: Mapping[str, Any]) -> Iterator[SettingError]:
    """What of the settings no training can have, each with its field.

    The fields themselves have no limits: one that has goes on with its last good value when another stands in it.
    """
    for name, (label, least, most) in LIMITS.items():
        value = asked.get(name)
        if value is not None and not least <= value <= most:
            yield SettingError(label, f"{value:,} is not between {least:,} and {most:,}", "Choose another number")


def _how_long() -> dict[str, Any]:
    steps = st.number_input(
        "Steps (iterations)", None, None, _USUAL.iterations, 100, key="iterations", **_BOUND,
        help="In each step the model looks at one batch of pictures and is corrected once. Too few: it has not learnt "
        "yet. Too many: it learns the pictures by heart; the held-out curve then falls, and the best is kept.",
    )  # fmt: skip
    batch = st.number_input(
        "Pictures a step (batch)", None, None, _USUAL.batch.batch_size, 1, key="batch", **_BOUND,
        help="More make each correction steadier and each step slower, and need more memory.",
    )  # fmt: skip
    patience = st.number_input(
        "Patience", None, None, _USUAL.patience, 1, key="patience", **_BOUND,
        help="Ends the training early after so many looks at the held-out pictures without a better one. 0: never.",
    )  # fmt: skip
    return {"iterations": int(steps), "batch_size": int(batch), "patience": int(patience)}


def _how_fast() -> dict[str, Any]:
    rate = st.number_input(
        "Learning rate", None, None, _USUAL.learning_rate, 1e-4, "%.6f", key="rate", **_BOUND,
        help=f"How far one correction goes, for a batch of {USUAL_BATCH}; it is scaled to yours. Too high: the loss "
        "jumps or explodes. Too low: hardly anything changes. Ten times higher suits SGD.",
    )  # fmt: skip
    schedule = st.selectbox(
        "Schedule", SCHEDULES, SCHEDULES.index(_USUAL.schedule), key="schedule", **_BOUND,
        help="How the learning rate falls after the warm-up: smoothly (cosine), or tenfold at two thirds and at eight "
        "ninths (step).",
    )  # fmt: skip
    optimizer = st.selectbox(
        "Optimizer", OPTIMIZERS, OPTIMIZERS.index(_USUAL.optimizer), key="optimizer", **_BOUND,
        help="How corrections are made of errors. AdamW fits its step to each weight; SGD is the classic of detectors.",
    )  # fmt: skip
    return {"learning_rate": float(rate), "schedule": schedule, "optimizer": optimizer}


def _what_learns(start: ModelSpec) -> dict[str, Any]:
    frozen = st.number_input(
        "Frozen stages", None, None, _USUAL.frozen_stages, 1, key="frozen", **_BOUND,
        help="The stem and this many stages of the trunk stay as they are: what edges and fur look like is known "
        "already. More suits few pictures and is faster; with 0 everything learns.",
    )  # fmt: skip
    side = st.number_input(
        "Short side (px)", None, None, None, 32, key="side", placeholder=f"{start.short_side or 'its own'}", **_BOUND,
        help="Pictures are scaled so that their shorter side has this many pixels. Larger finds smaller cows and is "
        "slower, in training and ever after. Empty keeps the start model's.",
    )  # fmt: skip
    precision = st.selectbox(
        "Precision", list(PRECISIONS), format_func=PRECISIONS.__getitem__, key="precision", **_BOUND,
        help="bfloat16 computes with fewer digits: faster where the processor has it, slower elsewhere.",
    )  # fmt: skip
    return {"frozen_stages": int(frozen), "short_side": None if side is None else int(side), "precision": precision}


def _what_is_fixed() -> dict[str, Any]:
    held_out = st.slider(
        "Held out to judge by (%)", 10, 50, 30, 5, key="held", **_BOUND,
        help="Pictures the model never learns from. Without them nobody could tell learning from remembering. "
        "Pictures of one moment stay on one side.",
    )  # fmt: skip
    seed = st.number_input(
        "Seed", None, None, 0, 1, key="seed", **_BOUND,
        help="Fixes the split, the order and all chance: the same seed gives the same training. Another seed tells "
        "how much was luck.",
    )  # fmt: skip
    return {"held_out": held_out / 100, "seed": int(seed)}
