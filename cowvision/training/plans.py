"""What a person asks of a training: where it starts, what it learns from, how long; and the profiles to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cowvision.errors import SettingError
from cowvision.training.settings import BatchSettings, FinetuneConfig

QUICK, TUTORIAL, CUSTOM = "quick", "tutorial", "custom"
FEWEST_PICTURES = 5
"""With fewer labelled pictures nothing that lasts is learnt; composed scenes can be learnt from without any."""

SCENES_HELD_OUT = 40
"""Composed scenes to be judged on, where there are no labelled pictures."""


@dataclass(frozen=True)
class Plan:
    """What was asked for.

    Attributes:
        start: Name of the model to start from.
        profile: "quick", "tutorial" or "custom".
        images: Folder of pictures, with ``truth``; empty without.
        truth: COCO JSON of their boxes.
        herd_id: A herd of the workspace; None without.
        coco_cows: Whether to learn from COCO's cows, which must have been fetched.
        scenes: Share of composed scenes among the pictures of a step, 0..1; 1 learns from nothing else.
        class_names: What the model shall know afterwards.
        short_side: Shorter side in pixels at which it looks at pictures afterwards; None keeps the start's.
        held_out: What part of the pictures is kept back to judge by.
        iterations: Steps, where they differ from the profile's.
        learning_rate: Likewise.
        batch_size: Likewise.
        frozen_stages: Likewise.
        optimizer: Likewise.
        schedule: Likewise.
        patience: Likewise.
        precision: "float32" or "bfloat16"; empty takes the one that is faster here.
        seed: Fixes split, order, augmentation and sampling.
    """

    start: str = "herd-base"
    profile: str = QUICK
    images: str = ""
    truth: str = ""
    herd_id: int | None = None
    coco_cows: bool = False
    scenes: float = 0.0
    class_names: tuple[str, ...] = ("cow",)
    short_side: int | None = None
    held_out: float = 0.3
    iterations: int | None = None
    learning_rate: float | None = None
    batch_size: int | None = None
    frozen_stages: int | None = None
    optimizer: str | None = None
    schedule: str | None = None
    patience: int | None = None
    precision: str = ""
    seed: int = 0

    @property
    def has_pictures(self) -> bool:
        """Whether anything but composed scenes is learnt from."""
        return bool(self.images) or self.herd_id is not None or self.coco_cows

    def config(self) -> FinetuneConfig:
        """The training's settings: those of the profile, with what was asked for otherwise.

        Raises:
            SettingError: Something asked for is out of its range.
        """
        asked = ("iterations", "learning_rate", "frozen_stages", "optimizer", "schedule", "patience")
        chosen = {key: getattr(self, key) for key in asked if getattr(self, key) is not None}
        profile = PROFILES[self.profile]
        batch = replace(profile.batch, seed=self.seed, batch_size=self.batch_size or profile.batch.batch_size)
        try:
            config = replace(profile, **chosen, seed=self.seed, batch=batch)
        except ValueError as error:
            raise SettingError("plan", str(error), "Choose other numbers") from None
        if self.iterations is not None and self.iterations != profile.iterations:
            warm_up = min(config.warm_up, max(1, self.iterations // 10))
            config = replace(config, judge_every=looks_every(self.iterations), warm_up=warm_up)
        return config


def looks_every(iterations: int) -> int:
    """Steps between two looks at the held-out pictures: about eight in all, never more often than every tenth step."""
    return max(10, -(-iterations // 8))


PROFILES: Mapping[str, FinetuneConfig] = {
    QUICK: FinetuneConfig(
        iterations=240, learning_rate=5e-4, warm_up=20, average_decay=0.98, frozen_stages=2,
        batch=BatchSettings(batch_size=4, workers=1), judge_every=60, checkpoint_every=60,
    ),
    TUTORIAL: FinetuneConfig(
        iterations=1000, learning_rate=5e-4, warm_up=50, average_decay=0.995, frozen_stages=1,
        batch=BatchSettings(batch_size=4, workers=1), judge_every=125, checkpoint_every=50,
    ),
    CUSTOM: FinetuneConfig(
        iterations=2000, learning_rate=5e-4, warm_up=100, average_decay=0.998, frozen_stages=1,
        batch=BatchSettings(batch_size=4, workers=1), judge_every=250, patience=4, checkpoint_every=50,
    ),
}  # fmt: skip
"""Settings by the name of the profile."""


def plan_from(facts: Mapping[str, Any]) -> Plan:
    """The plan that ``dataclasses.asdict`` made a dictionary of, also after a way through JSON.

    Raises:
        TypeError: It is none.
    """
    return Plan(**{**facts, "class_names": tuple(facts.get("class_names", ("cow",)))})
