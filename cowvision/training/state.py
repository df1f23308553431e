"""What a run must remember to go on exactly where it stopped: weights, their average, optimiser, step."""

from __future__ import annotations

import copy
import io
import math
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cowvision.errors import ModelFileError
from cowvision.models.places import write_atomically


class AveragedWeights:
    """An exponential moving average of a network's weights and buffers, quick at first.

    After step n the average takes in ``1 - min(decay, (1 + n) / (20 + n))`` of the network.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the network as it is after ``step`` steps."""
        decay = min(self.decay, (1 + step) / (20 + step))
        for average, value in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if average.is_floating_point():
                average.lerp_(value, 1 - decay)
            else:
                average.copy_(value)


def cosine(step: int, steps: int, warm_up: int) -> float:
    """Factor on the learning rate: linear warm-up, then half a cosine down to 2 %."""
    rising = min(1.0, (step + 1) / max(1, warm_up))
    return rising * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, steps)))))


def save_state(path: Path, network: nn.Module, average: AveragedWeights, optimizer: Any, step: int) -> None:
    """Write a checkpoint that is whole or absent."""
    state = {
        "network": network.state_dict(),
        "average": average.network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "random": torch.get_rng_state(),
    }
    data = io.BytesIO()
    torch.save(state, data)
    write_atomically(path, data.getvalue())


def load_state(path: Path | None, network: nn.Module, average: AveragedWeights, optimizer: Any) -> int:
    """Go on from a checkpoint if there is one; returns the step to go on with.

    Raises:
        ModelFileError: The file is there and is not a checkpoint of this network.
    """
    if path is None or not path.exists():
        return 0
    try:
        state = torch.load(path, weights_only=True)
        network.load_state_dict(state["network"])
        average.network.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelFileError(str(path), f"not a checkpoint of this run ({error})", "Delete it to start again") from None
    return int(state["step"])
