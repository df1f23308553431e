"""What a model is to be taught: where it starts, what it learns from, and how long; all of it in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from cowvision.errors import CowVisionError
from cowvision.models.catalog import ModelSpec
from cowvision.training.plans import CUSTOM, FEWEST_PICTURES, PROFILES, QUICK, TUTORIAL, Plan
from cowvision.ui import finetuning_settings, widgets
from cowvision.ui.choosing import choose
from cowvision.workspace.coco_cows import coco_cows_are_there
from cowvision.workspace.herds import Herd

FIRST_START = "herd-base"
SCENES, COWS, HERD = "scenes", "coco-cows", "herd-"
HALF = 0.5
"""Share of composed scenes where they are mixed in."""

TITLES = {SCENES: "Composed scenes alone", COWS: "COCO's cows (photographs)"}
NAMES = {SCENES: "Composed scenes", COWS: "COCO's cows"}
"""What a model is called that learns from them."""

PROFILE_TITLES = {
    QUICK: f"Quick: {PROFILES[QUICK].iterations} steps (a minute or so on two free cores)",
    TUTORIAL: "Tutorial: 1,000 steps",
    CUSTOM: "Custom: your own settings",
}


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes:
        plan: For the command.
        start: The model to start from.
        source: What it learns from, for people: a herd's name, say.
        herd: The herd to learn from; None for anything else.
        refused: What no training can have, in words.
    """

    plan: Plan
    start: ModelSpec
    source: str
    herd: Herd | None = None
    refused: tuple[CowVisionError, ...] = ()


def choice(specs: Sequence[ModelSpec], herds: Sequence[Herd]) -> Choice:
    """The choice, as the address and the visitor make it."""
    by_name = {spec.name: spec for spec in specs}
    columns = st.columns(3, gap="medium")
    with columns[0]:
        titles = {name: spec.title for name, spec in by_name.items()}
        start = by_name[choose("Start from", titles, "start", FIRST_START)]
        widgets.note(_what_it_is(start))
    with columns[1]:
        data, scenes, herd = _choose_data(herds)
    with columns[2]:
        profile = choose("How long", PROFILE_TITLES, "profile", QUICK)
        widgets.note(_what_it_does(profile))
    asked = finetuning_settings.custom(start) if profile == CUSTOM else {}
    plan = Plan(
        start=start.name,
        profile=profile,
        scenes=scenes,
        herd_id=None if herd is None else herd.herd_id,
        coco_cows=data == COWS,
        **asked,
    )
    refused = tuple(finetuning_settings.refused(asked))
    return Choice(plan, start, NAMES[data] if herd is None else herd.name, herd, refused)


def sources(herds: Sequence[Herd]) -> dict[str, str]:
    """What there is to learn from, by keys as in the address."""
    titles = {f"{HERD}{herd.herd_id}": f"{herd.name} ({herd.labelled} of {herd.pictures} labelled)" for herd in herds}
    if coco_cows_are_there():
        titles[COWS] = TITLES[COWS]
    return titles | {SCENES: TITLES[SCENES]}


def _choose_data(herds: Sequence[Herd]) -> tuple[str, float, Herd | None]:
    """The source's key, the share of composed scenes, and the herd if it is one."""
    by_key = {f"{HERD}{herd.herd_id}": herd for herd in herds}
    best = max(by_key, key=lambda key: by_key[key].labelled, default=SCENES)
    data = choose("Learn from", sources(herds), "data", best)
    _tell_of_one_to_come([herd for key, herd in by_key.items() if key != data])
    if data == SCENES:
        widgets.note("Made on this machine, another one each time; nothing is to be labelled.")
        return data, 1.0, None
    mixed = st.toggle(
        "Mix in composed scenes, half and half", key="mix", bind="query-params", persist_state="session",
        help="Every second picture of a step is a freshly composed scene: cows the model has never seen, so that it "
        "learns your pictures less by heart. Helps most with few pictures.",
    )  # fmt: skip
    return data, HALF if mixed else 0.0, by_key.get(data)


def _tell_of_one_to_come(herds: Sequence[Herd]) -> None:
    """The newest herd that has too few labelled pictures by now."""
    coming = [herd for herd in herds if herd.pictures and herd.labelled < FEWEST_PICTURES]
    if coming:
        herd, are = coming[-1], "is" if coming[-1].labelled == 1 else "are"
        pictures = widgets.counted(herd.pictures, "picture")
        told = f"{herd.labelled} of its {pictures} {are} labelled, and {FEWEST_PICTURES} are needed"
        widgets.note(f"{herd.name} is not ready yet: {told}.")


def _what_it_is(start: ModelSpec) -> str:
    known = ", ".join(start.class_names) if len(start.class_names) <= 6 else f"{len(start.class_names)} kinds of things"
    measured = "" if start.own_map is None else f" mAP {start.own_map:.2f} on the test herd."
    return f"Knows: {known}.{measured}"


def _what_it_does(profile: str) -> str:
    config = PROFILES[profile]
    size = f"{config.batch.batch_size} pictures each"
    words: Mapping[str, str] = {
        QUICK: f"{config.iterations} steps of {size}; the large models take far longer. To see whether it helps.",
        TUTORIAL: f"The tutorial's own {config.iterations:,} steps of {size}. Time enough to learn a herd.",
        CUSTOM: f"Everything can be set below; {config.iterations:,} steps if you change nothing.",
    }
    return words[profile]
