"""What a training is put together from: the start's network with other classes, the pictures, the model to come."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from cowvision.data.annotations import AnnotatedPicture
from cowvision.detection_box import DetectionBox
from cowvision.models.catalog import OWN_WEIGHTS, ModelSpec
from cowvision.models.torchvision_engine import with_classes
from cowvision.training.checkpoints import Run
from cowvision.training.mixing import Mixed
from cowvision.training.plans import Plan
from cowvision.training.recipes import scenes_to_learn
from cowvision.training.settings import FinetuneConfig

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


def pictures_to_learn(plan: Plan, config: FinetuneConfig, labelled: Sequence[AnnotatedPicture]) -> Any:
    """The labelled pictures, composed scenes, or both in the plan's proportion."""
    if plan.scenes <= 0:
        return labelled
    length = config.iterations * config.batch.batch_size * 64  # of up to 64 processes
    scenes = scenes_to_learn(length, plan.seed)
    return Mixed(labelled, scenes, plan.scenes, length, plan.seed) if labelled else scenes


def own_short_side(box: DetectionBox) -> int:
    """Shorter side in pixels at which a detector looks at pictures where its spec names none."""
    transform: Any = box.network.transform
    return int(transform.min_size[-1])
