"""What stands in the way of a training, and what somebody should know before it: in words, with the remedy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from cowvision.data.bursts import clip_of
from cowvision.data.splits import split
from cowvision.errors import CowVisionError, TrainingDataError
from cowvision.models.provenance import trained_on
from cowvision.training.plans import FEWEST_PICTURES, Plan
from cowvision.ui import cache, widgets
from cowvision.ui.finetuning_choice import Choice
from cowvision.workspace.herd_counts import herd_counts
from cowvision.workspace.herds import Herd, HerdPicture, pictures_of
from cowvision.workspace.training_sides import FEWEST_TO_JUDGE
from cowvision.workspace.training_space import check_space

LARGE_BYTES = 60 * 1024**2
"""Weights of this size are those of a model that takes seconds a step without a graphics card."""

HIGH_RATES = {"adamw": 0.01, "sgd": 0.05}
"""By the optimizer: above it few trainings come to their end (AdamW, Herd base: 0.03 explodes at the third step)."""


def hindrances(choice: Choice) -> list[CowVisionError]:
    """Why the training cannot begin; empty if it can. Errors as those of `Store.rows`."""
    return [*choice.refused, *_too_little_to_learn(choice.herd), *_too_little_space(choice)]


def cautions(choice: Choice) -> list[str]:
    """What is worth knowing, in sentences; nothing of it keeps the training from beginning. Errors as above."""
    told = []
    if choice.herd is not None:
        told += [*_too_few_to_judge(choice.herd, choice.plan), *_known_already(choice, choice.herd)]
    rate, most = choice.plan.learning_rate or 0.0, HIGH_RATES[choice.plan.config().optimizer]
    if rate > most:
        told.append(f"A learning rate of {rate:g} is very high: above {most:g} the loss often explodes.")
    weights = choice.start.weights
    if weights is not None and weights.stat().st_size > LARGE_BYTES:
        told.append(
            f"{choice.start.title} is a large model: without a graphics card a step takes seconds. Ask first how long "
            "it will take."
        )
    return told


def _too_little_to_learn(herd: Herd | None) -> Iterator[CowVisionError]:
    if herd is None:
        return
    if herd.labelled < FEWEST_PICTURES:
        count = widgets.counted(herd.labelled, "labelled picture")
        verb = "is" if herd.labelled == 1 else "are"
        remedy = (
            f"Label {FEWEST_PICTURES} or more (15 held-out ones tell how good it got), or learn from composed scenes"
        )
        yield TrainingDataError(herd.name, f"{count} {verb} too few to learn from", remedy)
    elif not sum(herd_counts(cache.store(), herd.herd_id).cows.values()):
        cause = f"none of its {herd.labelled} labelled pictures has a box around a cow"
        yield TrainingDataError(herd.name, cause, "Draw boxes around cows, and call them “cow”")


def _too_little_space(choice: Choice) -> Iterator[CowVisionError]:
    try:
        check_space(choice.start)
    except TrainingDataError as error:
        yield error


def _too_few_to_judge(herd: Herd, plan: Plan) -> Iterator[str]:
    cows = herd_counts(cache.store(), herd.herd_id).cows
    fruitful = [one for one in pictures_of(cache.store(), herd.herd_id) if cows.get(one.picture_id, 0) > 0]
    clips = {clip_of(one.name) for one in fruitful}
    if len(fruitful) > 1 and len(clips) == 1 and clips != {""}:
        yield (
            f"All {len(fruitful)} pictures with cows are frames of one clip, by their names. Its last stretch is held "
            "out; it shows the same cows at the same place, so the figures will flatter."
        )
    held_out = _held_out_by_names(fruitful, plan)
    if fruitful and held_out < FEWEST_TO_JUDGE:
        yield (
            f"About {held_out} of {len(fruitful)} pictures with cows will be held out, or fewer, for pictures of one "
            f"moment stay together: too few to tell whether the model got better. {FEWEST_TO_JUDGE} are needed, so "
            f"{needed_in_all(plan.held_out)} pictures with cows in all. It learns all the same."
        )


def _held_out_by_names(pictures: Sequence[HerdPicture], plan: Plan) -> int:
    """How many of pictures with cows will be held out, as far as their names tell of moments."""
    moments: dict[str, int] = {}
    numbers = [moments.setdefault(clip_of(one.name) or one.picture_id, len(moments)) for one in pictures]
    if len(moments) == 1:
        return round(plan.held_out * len(pictures))
    ids = [one.picture_id for one in pictures]
    return len(split(ids, numbers, share=plan.held_out, seed=plan.seed).held_out)


def needed_in_all(share: float) -> int:
    """Pictures with cows of which that share is enough to judge by."""
    return math.ceil(round(FEWEST_TO_JUDGE / share, 6))


def _known_already(choice: Choice, herd: Herd) -> Iterator[str]:
    """A start model that has learnt from some of the pictures, which therefore never judge it."""
    ids = herd_counts(cache.store(), herd.herd_id).cows
    known = trained_on(choice.start, ids)
    if known:
        yield (
            f"{choice.start.title} has learnt from {len(known)} of these pictures before. They are learnt again and "
            "never held out, with all that are of the same moment: a model cannot be judged by what it remembers."
        )
