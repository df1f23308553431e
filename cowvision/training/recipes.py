"""The recipes of the two embedded models: everything that `make weights` does follows from the values here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cowvision.data.herd import CLOSE, FEW, HERD, HERD_FOLDER, MANY, SOME, SceneSettings
from cowvision.data.herd_pictures import HerdPictures
from cowvision.data.layout import Crowd
from cowvision.training.settings import BatchSettings, FinetuneConfig

BASE_BREEDS = ("jersey", "angus")
BASE_SPRITES_EACH = 6
"""The base model knows two breeds of cow by a dozen pictures: like the tutorial's model it has seen too few cows."""

BASE_SEED, FINETUNED_SEED = 101, 202
SCENE_WH = (480, 320)
SCENE_SIZES_WH = ((360, 240), (360, 240), SCENE_WH, (640, 427))
"""Scenes are composed smaller and larger than they are learnt: at use most pictures are enlarged or reduced too."""

_APART = 1_000_003
"""Between the seeds of scenes to learn from and of scenes to judge by."""

BASE_STEPS, FINETUNED_STEPS, CONTROL_STEPS = 2000, 24000, 240

_BASE_SCENES = SceneSettings(
    resolution_wh=SCENE_WH,
    kinds=(("cow", 0.30), ("horse", 0.175), ("sheep", 0.175), ("dog", 0.175), ("person", 0.175)),
    strong=0.2,
    largest_overlap=0.25,
)
_NEAR = Crowd((1, 4), (130, 520))
_COW_SCENES = SceneSettings(
    resolution_wh=SCENE_WH,
    crowds=((FEW, 0.14), (_NEAR, 0.18), (SOME, 0.28), (MANY, 0.17), (HERD, 0.18), (CLOSE, 0.05)),
    strong=0.27,
)
"""Pictures are looked at half as large again as they are learnt, or twice: near cows must be learnt larger than they
stand in a scene."""
_COMPOSED = BatchSettings(batch_size=4, augment=False, short_sides=(SCENE_WH[1],), workers=1)


def base_pictures(steps: int = BASE_STEPS, folder: Path = HERD_FOLDER) -> HerdPictures:
    """What the base model learns from: five kinds of animal, few breeds of cow, hardly any of them hidden."""
    count = steps * _COMPOSED.batch_size
    breeds = (BASE_BREEDS, BASE_SPRITES_EACH)
    return HerdPictures(count, BASE_SEED, _BASE_SCENES, SCENE_SIZES_WH, breeds, folder)


def base_config(steps: int = BASE_STEPS, checkpoint: Path | None = None) -> FinetuneConfig:
    """How the base model is trained: from scratch, everything learns."""
    return FinetuneConfig(
        iterations=steps, learning_rate=1.5e-3, warm_up=100, weight_decay=0.05, average_decay=0.999, frozen_stages=0,
        train_norms=True, seed=BASE_SEED, batch=replace(_COMPOSED, seed=BASE_SEED), checkpoint=checkpoint,
    )  # fmt: skip


def finetuned_pictures(steps: int = FINETUNED_STEPS, folder: Path = HERD_FOLDER) -> HerdPictures:
    """What the fine-tuned model learns from: cows of all breeds in crowds, other animals as what is not a cow."""
    return HerdPictures(steps * _COMPOSED.batch_size, FINETUNED_SEED, _COW_SCENES, SCENE_SIZES_WH, folder=folder)


def finetuned_config(steps: int = FINETUNED_STEPS, checkpoint: Path | None = None) -> FinetuneConfig:
    """How it is fine-tuned: nothing frozen, for the base's trunk has seen too little."""
    return FinetuneConfig(
        iterations=steps, learning_rate=1.2e-3, warm_up=200, weight_decay=0.05, average_decay=0.999, frozen_stages=0,
        train_norms=True, seed=FINETUNED_SEED, batch=replace(_COMPOSED, seed=FINETUNED_SEED), checkpoint=checkpoint,
    )  # fmt: skip


def scenes_to_learn(count: int, seed: int, folder: Path = HERD_FOLDER) -> HerdPictures:
    """Scenes with cows of all breeds for a person's own fine-tuning, another one each time."""
    return HerdPictures(count, seed, _COW_SCENES, SCENE_SIZES_WH, folder=folder)


def scenes_to_judge_by(count: int, seed: int, folder: Path = HERD_FOLDER) -> HerdPictures:
    """Scenes that are not among those learnt from with that seed."""
    return HerdPictures(count, seed + _APART, _COW_SCENES, (SCENE_SIZES_WH[-1],), folder=folder)


def control_pictures(*, all_breeds: bool, steps: int = CONTROL_STEPS, folder: Path = HERD_FOLDER) -> HerdPictures:
    """Scenes of a short fine-tuning with all breeds, or with the base's own: how much do new cows add?"""
    breeds = None if all_breeds else (BASE_BREEDS, BASE_SPRITES_EACH)
    return HerdPictures(steps * _COMPOSED.batch_size, FINETUNED_SEED, _COW_SCENES, SCENE_SIZES_WH, breeds, folder)


def control_config(steps: int = CONTROL_STEPS) -> FinetuneConfig:
    """How the short fine-tuning goes: the page's quick profile."""
    return FinetuneConfig(iterations=steps, seed=FINETUNED_SEED, batch=replace(_COMPOSED, seed=FINETUNED_SEED))
