"""Which models are looked at: those that are here, and those of which only what they tracked is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cowvision.models.catalog import ModelSpec
from cowvision.ui import widgets
from cowvision.ui.choosing import choose
from cowvision.workspace.clips import Clip
from cowvision.workspace.tracked_clips import TrackedClip, best

FIRST_MODEL, FIRST_OTHER = "herd-base", "herd-finetuned"
NOBODY = ""
"""Chosen instead of a second model: one is looked at alone."""

_ID_SHOWN = 8  # characters of a model's id that tell it from the one that has its name now


@dataclass(frozen=True)
class Candidate:
    """What can be chosen: its title, and the model itself or, where that is gone, what it tracked on this clip."""

    title: str
    spec: ModelSpec | None = None
    left: TrackedClip | None = None


Candidates = Mapping[str, Candidate]
"""By what they are called in the address."""


def candidates(clip: Clip, specs: Sequence[ModelSpec], done: Sequence[TrackedClip]) -> dict[str, Candidate]:
    """Every model, then those that are not here as they were when they tracked the clip."""
    found = {spec.name: Candidate(spec.title, spec) for spec in specs}
    names, ids = set(found), {spec.id for spec in specs}
    gone: dict[str, list[TrackedClip]] = {}
    for one in done:
        if one.clip_sha256 == clip.sha256 and one.model_id not in ids:
            gone.setdefault(one.model_id, []).append(one)
    for model_id, theirs in gone.items():
        name, left = theirs[-1].model, best(theirs)
        is_anew = name in names
        key = f"{name}@{model_id[:_ID_SHOWN]}" if is_anew or name in found else name
        now = "as it was before" if is_anew else "not here any more"
        found[key] = Candidate(f"{theirs[-1].model_title} ({now})", left=left)
    return found


def choose_two(known: Candidates, left: DeltaGenerator, right: DeltaGenerator) -> list[Candidate]:
    """One or two, the one that is compared with first; in the address."""
    titles = {name: one.title for name, one in known.items()}
    with left:
        first = choose("Model", titles, "model", FIRST_MODEL)
    with right:
        others = {name: title for name, title in titles.items() if name != first} | {NOBODY: "no other model"}
        if st.query_params.get("other") == first:  # a model is not compared with itself
            del st.query_params["other"]
            st.session_state.pop("chosen_other", None)
        here = [name for name in others if name == NOBODY or known[name].spec is not None]
        usual = FIRST_OTHER if FIRST_OTHER in here else here[0]
        second = choose("Beside it", others, "other", usual)
    return [known[name] for name in (first, second) if name != NOBODY]


def titled(chosen: Sequence[Candidate], tracked: Mapping[ModelSpec, TrackedClip]) -> dict[str, TrackedClip]:
    """What there is of each, by title; with the short name where two are called the same."""
    titles = [one.title for one in chosen]
    found = {}
    for one in chosen:
        result = one.left if one.spec is None else tracked.get(one.spec)
        if result is not None:
            found[one.title if titles.count(one.title) == 1 else f"{one.title} ({result.model})"] = result
    return found


def say_gone(chosen: Sequence[Candidate]) -> None:
    """Of which models only a result is left."""
    for one in chosen:
        if one.left is not None:
            words = "This is what it tracked. The model itself is not on this machine: it can track nothing more."
            st.info(f"**{widgets.plain(one.title)}**: {words}", icon=":material/inventory_2:")
