"""One step of training: which weights move, how fast, and the losses that come of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from cowvision.models.engines import OwnEngine
from cowvision.training.settings import DROPS_AT, FLOOR, FinetuneConfig

if TYPE_CHECKING:
    from cowvision.training.batches import Batch


def rate_factor(step: int, config: FinetuneConfig) -> float:
    """Factor on the learning rate in a step (from 0): linear warm-up, then half a cosine or two drops."""
    rising = min(1.0, (step + 1) / max(1, config.warm_up))
    done = min(1.0, step / max(1, config.iterations))
    if config.schedule == "step":
        return rising * 0.1 ** sum(done >= drop for drop in DROPS_AT)
    return rising * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * done)))


def rate_factors(network: nn.Module, config: FinetuneConfig) -> Callable[[int], float]:
    """The same as a function of the step alone; a network of another library brings its own."""
    if isinstance(network, OwnEngine):
        return network.rate_factor(config.schedule, config.iterations, config.warm_up, DROPS_AT)
    return lambda step: rate_factor(step, config)


def make_optimizer(network: nn.Module, config: FinetuneConfig) -> torch.optim.Optimizer:
    """The optimizer over what is not frozen; biases and norms are not decayed."""
    if isinstance(network, OwnEngine):
        return network.optimizer(config.optimizer, config.learning_rate, config.weight_decay)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, config.learning_rate, momentum=0.9)
    return torch.optim.AdamW(groups, config.learning_rate, betas=(0.9, 0.99))


def seed_step(seed: int, step: int, rank: int) -> None:
    """Make what torch draws in a step depend on nothing before it; a resumed run then draws the same.

    Steps of neighbouring numbers get seeds that have nothing in common.
    """
    told = hashlib.sha256(f"{seed} {step} {rank}".encode()).digest()
    torch.manual_seed(int.from_bytes(told[:8], "little", signed=True))


def losses_of(network: nn.Module, batch: Batch, config: FinetuneConfig) -> dict[str, torch.Tensor]:
    """The detector's losses by name for a batch of uint8 pictures; gradients flow from them."""
    device = next(network.parameters()).device
    pictures = [picture.to(device).float() / 255 for picture in batch[0]]
    targets = [{key: value.to(device) for key, value in target.items()} for target in batch[1]]
    with torch.autocast(device.type, torch.bfloat16, enabled=config.bfloat16):
        losses: dict[str, torch.Tensor] = network(pictures, targets)
    return losses


def descend(
    network: nn.Module, optimizer: torch.optim.Optimizer, losses: dict[str, torch.Tensor], rate: float, clip: float
) -> bool:
    """Follow the gradient of the losses' sum once; returns whether it could: nothing moves if it is no number.

    Args:
        network: Its gradient's norm is clipped.
        optimizer: Takes the step.
        losses: From ``losses_of``.
        rate: The learning rate; a group of parameters with a ``rate_factor`` learns at so many times that.
        clip: Largest norm of the gradient.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("rate_factor", 1.0)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(torch.stack(list(losses.values())).sum())
    norm = nn.utils.clip_grad_norm_([p for p in network.parameters() if p.requires_grad], clip)
    if not torch.isfinite(norm):  # the same in all processes, for the gradient is
        return False
    optimizer.step()
    return True


def freeze(network: Any, config: FinetuneConfig) -> None:
    """Let move what shall move."""
    if isinstance(network, OwnEngine):
        network.freeze(config.frozen_stages)
        return
    network.requires_grad_(requires_grad=True)
    norms = [] if config.train_norms else [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    for module in _frozen_modules(network, config.frozen_stages) + norms:
        module.requires_grad_(requires_grad=False)


def set_mode(network: nn.Module, config: FinetuneConfig) -> None:
    """Training mode, but BatchNorm only where asked: statistics of four pictures would undo what it has learnt.

    Pictures come in the size in which they are learnt, so the detector's own rescaling is switched off.
    """
    network.train()
    for module in network.modules():
        if isinstance(module, GeneralizedRCNNTransform):
            module._skip_resize = True  # noqa: SLF001 - torchvision's own argument, which has no other name later
    if not config.train_norms:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()


def _frozen_modules(network: Any, frozen_stages: int) -> list[nn.Module]:
    """The stem and the first stages of the trunk, whichever family the detector is of."""
    if frozen_stages <= 0:
        return []
    if hasattr(network.backbone, "trunk"):
        return [network.backbone.trunk.stem, *network.backbone.trunk.stages[:frozen_stages]]
    children = dict(network.backbone.body.named_children())
    if "layer1" in children:  # ResNet
        stem = [module for name, module in children.items() if not name.startswith("layer")]
        return stem + [
            children[f"layer{stage}"] for stage in range(1, frozen_stages + 1) if f"layer{stage}" in children
        ]
    blocks = list(children.values())  # MobileNet: a stage begins with the block that halves the picture
    begins = [place for place, block in enumerate(blocks) if place == 0 or getattr(block, "_is_cn", False)]
    return blocks[: [*begins, len(blocks)][min(frozen_stages + 1, len(begins))]]
