"""Compare: which of two models is better on a set of pictures, by how much, how sure that is, and why."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cowvision.models.catalog import ModelSpec, all_models
from cowvision.models.provenance import is_known, trained_on
from cowvision.ui import (
    compare_checks,
    compare_flips,
    compare_looks,
    compare_studio,
    compare_verdict,
    comparing,
    evaluation_sets,
    frame,
    machine,
    session,
    widgets,
)
from cowvision.ui.choosing import choose
from cowvision.ui.evaluation_sets import EvaluationSet

FIRST_SET, FIRST_BASELINE, FIRST_CANDIDATE = evaluation_sets.TEST_HERD, "herd-base", "herd-finetuned"
_SET_BEFORE, _BASELINE_BEFORE, _TWICE = "_compare_set", "_compare_baseline", "_compare_twice"
NOBODY = ""
"""Chosen instead of a second model: one is judged alone."""


def compare_page() -> None:
    """The whole page, from top to bottom."""
    frame.ensure()
    session.ensure()
    widgets.page_style()
    specs = all_models(on_problem=widgets.show_error)
    lead = "Two models, the same pictures, one honest answer: by how much, how sure, and where they differ."
    widgets.header("Which model is better?", lead, [f"runs on {machine.runs_on(specs)}"])
    titles = evaluation_sets.shipped_titles()
    with widgets.errors_shown():
        titles = evaluation_sets.set_titles()
    if not specs:
        st.info("There are no trained models here yet. `make weights` trains them.", icon=":material/explore:")
    elif not titles:
        st.info("There are no pictures with known truth here. Label some of yours first.", icon=":material/image:")
        compare_flips.label_link("Go to Label")
    else:
        _judge(titles, specs)


def _judge(titles: dict[str, str], specs: Sequence[ModelSpec]) -> None:
    """The choice, and what comes of it."""
    key, pair = _choose(titles, specs)
    with widgets.errors_shown():
        chosen = evaluation_sets.read_set(key)
        _show_set(chosen)
        if not chosen.pictures and chosen.herd_id is None:
            st.info("The pictures of this set are missing here.", icon=":material/image:")
            return
        if not chosen.pictures:
            st.info("Nothing of this herd is labelled yet, so it cannot judge anybody.", icon=":material/edit:")
            compare_flips.label_link("Go to Label", herd=str(chosen.herd_id))
            return
        chosen = _flag_training_pictures(chosen, pair)
        answers = compare_looks.answers(chosen, pair)
        judged = None if answers is None else comparing.judged(chosen, answers)
        if judged is not None:
            _show(chosen, judged, pair)
        elif answers is not None:
            st.info("No picture was looked at by every model yet.", icon=":material/hourglass_empty:")


def _choose(titles: dict[str, str], specs: Sequence[ModelSpec]) -> tuple[str, list[ModelSpec]]:
    """The set and the models, the baseline first; all in the address."""
    by_name = {spec.name: spec for spec in specs}
    names = {name: spec.title for name, spec in by_name.items()}
    left, middle, right = st.columns([5, 4, 4], gap="medium")
    with left:
        key = choose("Pictures", titles, "set", FIRST_SET)
        _forget_the_picture_of_another_set(key)
    with middle:
        baseline = choose("Baseline: compared with", names, "baseline", FIRST_BASELINE)
    with right:
        others = {name: title for name, title in names.items() if name != baseline} | {NOBODY: "no other model"}
        first = FIRST_CANDIDATE if FIRST_CANDIDATE in others else next(iter(others))
        first = _instead_of_itself(baseline, others) or first
        candidate = choose("Candidate: is it better?", others, "candidate", first)
    _say_it_was_named_twice(baseline, candidate, names)
    return key, [by_name[name] for name in (baseline, candidate) if name != NOBODY]


def _forget_the_picture_of_another_set(key: str) -> None:
    """A picture in the address belongs to the set it was looked at in."""
    before, told = st.session_state.get(_SET_BEFORE), st.query_params.get("set")
    st.session_state[_SET_BEFORE] = key
    if before not in {None, key} or told not in {None, key}:
        st.query_params.pop(compare_flips.ADDRESS, None)


def _instead_of_itself(baseline: str, others: dict[str, str]) -> str:
    """Another candidate where the address names the baseline as that too; empty where it does not.

    Whoever chose the candidate as the baseline exchanged the two; of an address that names one twice it is said.
    """
    before = str(st.session_state.get(_BASELINE_BEFORE, NOBODY))
    st.session_state[_BASELINE_BEFORE] = baseline
    if st.query_params.get("candidate") != baseline:
        return ""
    del st.query_params["candidate"]
    st.session_state.pop("chosen_candidate", None)
    if before in others and before != NOBODY:
        return before
    other = FIRST_CANDIDATE if FIRST_CANDIDATE in others else next(iter(others))
    st.session_state[_TWICE] = (baseline, other)
    return other


def _say_it_was_named_twice(baseline: str, candidate: str, titles: dict[str, str]) -> None:
    """As long as what is shown is what took the place of a model beside itself."""
    if st.session_state.get(_TWICE) != (baseline, candidate):
        return
    told = f"with {widgets.plain(titles[candidate])}" if candidate != NOBODY else "with no other"
    words = (
        f"The address names {widgets.plain(titles[baseline])} twice. A model is not compared with itself; here it is"
    )
    st.info(f"{words} {told}.", icon=":material/search:")


def _show_set(chosen: EvaluationSet) -> None:
    """What the pictures are, and what of them cannot be used."""
    left_out = f" {widgets.counted(chosen.left_out, 'picture')} without an answer yet left out." * bool(chosen.left_out)
    size = widgets.counted(len(chosen.pictures), "picture")
    widgets.note(f"{size}. {chosen.caption}{left_out}", pictures=len(chosen.pictures))


def _flag_training_pictures(chosen: EvaluationSet, specs: Sequence[ModelSpec]) -> EvaluationSet:
    """Say which pictures a model was trained on, and offer to judge without them."""
    ids = [one.id for one in chosen.pictures]
    known = {spec: trained_on(spec, ids) for spec in specs}
    for spec in specs:
        if not is_known(spec):
            widgets.note(f"What {spec.title} was trained on is not known here; these pictures may be among it.")
    if not any(known.values()):
        return chosen
    told = [f"{spec.title}: {len(seen)} of {len(ids)}" for spec, seen in known.items() if seen]
    st.warning(
        f"**Trained on these pictures**: {widgets.plain('; '.join(told))}. On them a model shows what it remembers, "
        "not what it can do.",
        icon=":material/school:",
    )
    seen = frozenset().union(*known.values())
    if len(seen) < len(ids) and st.toggle("Judge without them", key="unseen_only", bind="query-params"):
        return chosen.only(one for one in ids if one not in seen)
    return chosen


def _show(chosen: EvaluationSet, judged: comparing.Judged, pair: Sequence[ModelSpec]) -> None:
    """The verdict first, then what it rests on."""
    if len(judged.pictures.pictures) < len(chosen.pictures):
        st.info(
            f"Judged on {len(judged.pictures.pictures)} of {len(chosen.pictures)} pictures: those that were looked at.",
            icon=":material/info:",
        )
    if len(judged.specs) < len(pair):
        st.info("Only one of the models can be used, so its figures stand alone.", icon=":material/info:")
    compare_verdict.verdict(judged)
    compare_studio.studio(judged)
    compare_checks.costs(judged)
    compare_checks.verify(judged)


compare_page()
