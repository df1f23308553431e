"""What a training is put together from: the start's network with other classes, the pictures, the model to come."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from cowvision.data.annotations import AnnotatedPicture
from cowvision.detection_box import DetectionBox
from cowvision.models.catalog import OWN_WEIGHTS, ModelSpec
from cowvision.models.engines import with_classes
from cowvision.models.processes import Processes
from cowvision.training.augment import SCALES
from cowvision.training.checkpoints import Run
from cowvision.training.mixing import Mixed
from cowvision.training.plans import Plan
from cowvision.training.recipes import scenes_to_learn
from cowvision.training.settings import BatchSettings, FinetuneConfig
from cowvision.workspace.reduced_pictures import reduced
from cowvision.workspace.training_sets import TrainingSet

if TYPE_CHECKING:
    from torch import nn


def tuned_spec(run: Run, start: ModelSpec) -> ModelSpec:
    """What the model of a run is, before it has weights; its folder gives it its name."""
    pictures = f"{len(run.train)} labelled pictures" if run.train else ""
    scenes = "composed scenes" if run.plan.scenes > 0 else ""
    return replace(
        start,
        name=OWN_WEIGHTS.removesuffix(".safetensors"),
        title=run.title,
        class_names=run.plan.class_names,
        short_side=run.plan.short_side or start.short_side,
        own_map=None,
        published_map=None,
        notes=f"Fine-tuned here from {start.title} on {' and '.join(filter(None, (pictures, scenes)))}.",
        weights=None,
        weights_sha256="",
    )


def start_network(box: DetectionBox, plan: Plan) -> nn.Module:
    """The start model's network with the plan's classes; those new to it begin with random weights of the seed."""
    torch.manual_seed(plan.seed)
    return with_classes(copy.deepcopy(box.network), box.spec.class_names, plan.class_names)


def prepared_pictures(
    data: TrainingSet, batch: BatchSettings, folder: Path, processes: Processes, should_stop: Callable[[], bool]
) -> list[AnnotatedPicture]:
    """The labelled pictures, large ones as smaller copies; each process makes its part of them for all.

    Args:
        data: With all pictures.
        batch: How large and how sharp they are looked at.
        folder: The run's.
        processes: Those of torchrun.
        should_stop: Asked before every picture.

    Raises:
        WorkStopped: It was asked to stop.
        PictureError: A picture cannot be read any more, or a copy cannot be written.
    """
    most = round(max(batch.short_sides) * max(SCALES))
    pictures, ids = processes.part(data.train), processes.part(data.train_ids)
    with processes.as_one():
        mine = reduced(pictures, ids, most, folder / "pictures", smooth=batch.smooth, should_stop=should_stop)
    return processes.together(mine)


def pictures_to_learn(plan: Plan, config: FinetuneConfig, labelled: Sequence[AnnotatedPicture]) -> Any:
    """The labelled pictures, composed scenes, or both in the plan's proportion."""
    if plan.scenes <= 0:
        return labelled
    length = config.iterations * config.batch.batch_size * 64  # of up to 64 processes
    scenes = scenes_to_learn(length, plan.seed)
    return Mixed(labelled, scenes, plan.scenes, length, plan.seed) if labelled else scenes
