"""Which labelled pictures are learnt from and which judge: what the model knows, or learns the like of, never does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cowvision.data.annotations import AnnotatedPicture, crowds_of, names_of
from cowvision.data.bursts import Trace, bursts
from cowvision.data.splits import is_like_any, last_stretch, split
from cowvision.evaluation import trust
from cowvision.models.catalog import find_model
from cowvision.models.provenance import trained_on
from cowvision.training.plans import Plan

FEWEST_TO_JUDGE = trust.FEWEST_PICTURES
"""Below so many held-out pictures with something to find, no verdict is given."""

TRAIN, HELD_OUT = "train", "held out"


@dataclass(frozen=True, eq=False)
class Labelled:
    """A picture with the sha256 of its file; ``side`` where its origin has split it already: "train" or "held out"."""

    id: str
    picture: AnnotatedPicture
    side: str = ""


@dataclass(frozen=True, eq=False)
class Sides:
    """To learn from, to judge by, and what a person should know about it, sentences."""

    train: list[Labelled]
    held_out: list[Labelled]
    notes: list[str]


def sides_of(labelled: Sequence[Labelled], traces: Sequence[Trace], plan: Plan) -> Sides:
    """Train and held out. What came split stays so, but judges only where nothing of the person's own is there.

    What the start model has learnt from already, with everything of the same moment, cannot judge. Where all that may
    judge are frames of one clip, its last stretch does, which is said.

    Args:
        labelled: The pictures.
        traces: What tells their moments, one each.
        plan: What was asked for.
    """
    own = [(one, trace) for one, trace in zip(labelled, traces, strict=True) if not one.side]
    given = [one for one in labelled if one.side == TRAIN]
    if not own:
        judging = [one for one in labelled if one.side == HELD_OUT]
        return Sides(given, judging, _notes_on(judging, plan))
    free = _free(own, plan)
    held_out, left_out, notes = _drawn(free, plan)
    away = {one.id for one in (*held_out, *left_out)}
    train = [one for one, _ in own if one.id not in away]
    return Sides([*train, *given], held_out, [*notes, *_notes_on(held_out, plan)])


def _free(own: Sequence[tuple[Labelled, Trace]], plan: Plan) -> list[tuple[Labelled, Trace, int]]:
    """What the start model knows nothing of, each with the number of its burst."""
    numbers = bursts([trace for _, trace in own]).tolist()
    learnt = trained_on(find_model(plan.start), [one.id for one, _ in own])
    told = {number for (one, _), number in zip(own, numbers, strict=True) if one.id in learnt}
    free = [(*pair, number) for pair, number in zip(own, numbers, strict=True) if number not in told]
    if told and not any(_has_boxes(one.picture, plan) for one, _, _ in free) and _clip(own, plan):
        known = [trace.looks for one, trace in own if one.id in learnt]  # of a clip, the rest may judge
        free = [
            (one, trace, number)
            for (one, trace), number in zip(own, numbers, strict=True)
            if one.id not in learnt and not is_like_any(trace.looks, known)
        ]
    return free


def _clip(pictures: Sequence[tuple[Labelled, Trace]], plan: Plan) -> str:
    """The one clip that all pictures with something to find are frames of; empty if there is none."""
    clips = {trace.clip for one, trace in pictures if _has_boxes(one.picture, plan)}
    return clips.pop() if len(clips) == 1 else ""


def _drawn(free: Sequence[tuple[Labelled, Trace, int]], plan: Plan) -> tuple[list[Labelled], list[Labelled], list[str]]:
    """Who judges, who is neither learnt from nor judges, and what is to be said of it."""
    fruitful = [_has_boxes(one.picture, plan) for one, _, _ in free]
    frozen = split(
        [one.id for one, _, _ in free],
        [number for _, _, number in free],
        has_boxes=fruitful,
        share=plan.held_out,
        seed=plan.seed,
    )
    ids = set(frozen.held_out)
    held_out = [one for one, _, _ in free if one.id in ids]
    if any(_has_boxes(one.picture, plan) for one in held_out):
        return held_out, [], []
    pairs = [(one, trace) for one, trace, _ in free]
    judging = [pair for pair, has in zip(pairs, fruitful, strict=True) if has] if _clip(pairs, plan) else []
    names, looks = [one.picture.name for one, _ in judging], [trace.looks for _, trace in judging]
    last, _ = last_stretch(names, looks, plan.held_out)
    if not last:
        return [], [], []  # pictures without anything to find judge nothing by themselves: they are learnt from
    seen, away = [looks[place] for place in last], {judging[place][0].id for place in last}
    left_out = [one for one, trace in pairs if one.id not in away and is_like_any(trace.looks, seen)]
    return [judging[place][0] for place in last], left_out, [_on_clip(len(last), len(left_out))]


def _on_clip(held_out: int, left_out: int) -> str:
    kept = "last one is held out" if held_out == 1 else f"last {held_out} are held out"
    told = f"{left_out} that looks" if left_out == 1 else f"{left_out} that look"
    also = f", and {told} like {'it' if held_out == 1 else 'them'} {'is' if left_out == 1 else 'are'} not learnt from"
    same = "It shows" if held_out == 1 else "They show"
    return (
        f"All pictures are frames of one clip: its {kept}{also if left_out else ''}. {same} the same animals at the "
        "same place, so the figures flatter."
    )


def _has_boxes(picture: AnnotatedPicture, plan: Plan) -> bool:
    wanted = np.isin(names_of(picture.truth), list(plan.class_names)) & ~crowds_of(picture.truth)
    return bool(wanted.any())


def _notes_on(held_out: Sequence[Labelled], plan: Plan) -> list[str]:
    count = sum(_has_boxes(one.picture, plan) for one in held_out)
    if count == 0:
        why = "all pictures with something to find are of one moment, or known to the start model"
        then = "All are learnt from, and nobody will be able to say whether the model got better."
        return [f"Nothing could be held out to judge by: {why}. {then}"]
    if count < FEWEST_TO_JUDGE:
        few = "picture has" if count == 1 else "pictures have"
        words = f"Only {count} held-out {few} something to find: too few to tell whether the model got better"
        return [f"{words} ({FEWEST_TO_JUDGE} are needed). Label more to know."]
    return []
