"""The training loop: plain PyTorch, from any weights, on annotated pictures; resumable, cancellable, exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from cowvision.errors import TrainingDataError
from cowvision.models.execution import preferred_device
from cowvision.training.batches import Batch, BatchSettings, batches
from cowvision.training.state import AveragedWeights, Checkpoint, cosine, run_fingerprint

if TYPE_CHECKING:
    from cowvision.data.annotations import AnnotatedPicture


@dataclass(frozen=True)
class FinetuneConfig:
    """How to train.

    Attributes:
        iterations: Steps in all; the learning rate's schedule spans them.
        learning_rate: AdamW's, at its peak.
        warm_up: Steps over which the learning rate rises.
        weight_decay: For matrices and kernels; biases and norms are not decayed.
        clip: Largest norm of the gradient.
        average_decay: Of the moving average that is returned.
        frozen_stages: The trunk's stem and this many of its stages stay as they are; 0 trains everything.
        train_norms: Let BatchNorm learn and measure; only sensible from scratch, for batches are small.
        bfloat16: Compute in bfloat16 under autocast where the device has it.
        seed: Fixes order, augmentation and sampling.
        batch: How batches are drawn.
        checkpoint: File to resume from and to write to; None keeps nothing.
        checkpoint_every: Steps between two checkpoints.
    """

    iterations: int = 240
    learning_rate: float = 5e-4
    warm_up: int = 20
    weight_decay: float = 0.02
    clip: float = 5.0
    average_decay: float = 0.99
    frozen_stages: int = 2
    train_norms: bool = False
    bfloat16: bool = True
    seed: int = 0
    batch: BatchSettings = field(default_factory=BatchSettings)
    checkpoint: Path | None = None
    checkpoint_every: int = 500


@dataclass(frozen=True)
class StepReport:
    """What ``on_step`` is told: the step just done (from 1), steps in all, the losses by name, and their sum."""

    step: int
    steps: int
    losses: dict[str, float]
    loss: float


def _silent(*_: object) -> None:
    """Report progress to nobody."""


def _never() -> bool:
    """Let the work go on to its end."""
    return False


def finetune(
    network: nn.Module,
    pictures: Sequence[AnnotatedPicture],
    config: FinetuneConfig,
    *,
    class_names: Sequence[str],
    on_step: Callable[..., None] = _silent,
    should_stop: Callable[[], bool] = _never,
) -> nn.Module:
    """Train a torchvision detector.

    Args:
        network: Trained in place; its labels must be ``class_names`` counted from 1.
        pictures: What to learn from; boxes of other classes are background.
        config: How.
        class_names: The network's foreground classes.
        on_step: Called with a ``StepReport`` after every step.
        should_stop: Asked before every step; True ends the training early with what is there.

    Returns:
        A network with the moving average of the weights, in evaluation mode on the CPU.

    Raises:
        TrainingDataError: There are no pictures, or the loss is no longer a number.
    """
    if len(pictures) == 0:
        raise TrainingDataError("training", "there are no pictures", "Add a few pictures with boxes")
    torch.manual_seed(config.seed)
    run = run_fingerprint(f"{_course(config)} {tuple(class_names)}", pictures, network)
    device = torch.device("cuda" if preferred_device() == "cuda" else "cpu")  # some of it has no gradient on Metal
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    _freeze(network, config)
    optimizer, average = _optimizer(network, config), AveragedWeights(network, config.average_decay)
    checkpoint = Checkpoint(config.checkpoint, network, average, optimizer, run)
    first = checkpoint.load()
    source = batches(pictures, class_names, config.batch, first)
    for step in range(first, config.iterations):
        if should_stop():
            break
        _set_mode(network, config)
        losses = _step(network, optimizer, _next_batch(source, device), config, step)
        average.update(network, step)
        on_step(StepReport(step + 1, config.iterations, losses, sum(losses.values())))
        if (step + 1) % config.checkpoint_every == 0:
            checkpoint.save(step + 1)
    trained: nn.Module = average.network.cpu().requires_grad_(requires_grad=True)
    return trained


def _step(
    network: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch, config: FinetuneConfig, step: int
) -> dict[str, float]:
    """One step of AdamW; returns the losses by name."""
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * cosine(step, config.iterations, config.warm_up)
    pictures, targets = batch
    with torch.autocast(pictures[0].device.type, torch.bfloat16, enabled=config.bfloat16):
        losses: dict[str, torch.Tensor] = network(pictures, targets)
    total = torch.stack(list(losses.values())).sum()
    if not torch.isfinite(total):
        cause = f"the loss is no longer a number after {step} steps"
        raise TrainingDataError("training", cause, "Lower the learning rate, or look for boxes without extent")
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(total)
    nn.utils.clip_grad_norm_([p for p in network.parameters() if p.requires_grad], config.clip)
    optimizer.step()
    return {name.removeprefix("loss_"): float(value.detach()) for name, value in losses.items()}


def _next_batch(source: Iterator[Batch], device: torch.device) -> Batch:
    pictures, targets = next(source)
    moved = [{key: value.to(device) for key, value in target.items()} for target in targets]
    return [picture.to(device).float() / 255 for picture in pictures], moved


def _optimizer(network: nn.Module, config: FinetuneConfig) -> torch.optim.Optimizer:
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, config.learning_rate, betas=(0.9, 0.99))


def _course(config: FinetuneConfig) -> FinetuneConfig:
    """What of the settings changes the course of a run; where and how often it is kept does not."""
    return replace(config, checkpoint=None, checkpoint_every=1, batch=replace(config.batch, workers=0))


def _freeze(network: Any, config: FinetuneConfig) -> None:
    network.requires_grad_(requires_grad=True)
    norms = [] if config.train_norms else [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    for module in _frozen_modules(network, config.frozen_stages) + norms:
        module.requires_grad_(requires_grad=False)


def _frozen_modules(network: Any, frozen_stages: int) -> list[nn.Module]:
    """The stem and the first stages of the trunk, whichever family the detector is of."""
    if frozen_stages <= 0:
        return []
    if hasattr(network.backbone, "trunk"):
        return [network.backbone.trunk.stem, *network.backbone.trunk.stages[:frozen_stages]]
    children = dict(network.backbone.body.named_children())
    stem = [module for name, module in children.items() if not name.startswith("layer")]
    return stem + [
        module for name, module in children.items() if name in [f"layer{i + 1}" for i in range(frozen_stages)]
    ]


def _set_mode(network: nn.Module, config: FinetuneConfig) -> None:
    """Training mode, but BatchNorm only where asked: statistics of four pictures would undo what it has learnt."""
    network.train()
    if not config.train_norms:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
