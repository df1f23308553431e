"""What a run must remember to go on exactly where it stopped: weights, their average, optimiser, step."""

from __future__ import annotations

import copy
import hashlib
import io
import math
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from cowvision.errors import ModelFileError
from cowvision.models.places import write_atomically

if TYPE_CHECKING:
    from cowvision.data.annotations import AnnotatedPicture


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


def run_fingerprint(settings: str, pictures: Sequence[AnnotatedPicture], network: nn.Module) -> str:
    """What makes a run this run and no other: its settings, what it learns from, and the weights it starts from.

    Args:
        settings: Everything else that changes its course, as text.
        pictures: A sequence that is a dataclass tells itself; of any other, names and boxes count.
        network: Before the first step.
    """
    digest = hashlib.sha256(settings.encode())
    if hasattr(pictures, "__dataclass_fields__"):
        digest.update(repr(pictures).encode())
    else:
        for picture in pictures:
            digest.update(picture.name.encode() + picture.truth.xyxy.tobytes())
    for name, value in network.state_dict().items():
        digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """Where and what a run keeps; ``path`` None keeps nothing, ``fingerprint`` is that of the run."""

    path: Path | None
    network: nn.Module
    average: AveragedWeights
    optimizer: Any
    fingerprint: str

    def save(self, step: int) -> None:
        """Write the state after so many steps; others see it whole or not at all."""
        if self.path is None:
            return
        state = {
            "fingerprint": self.fingerprint,
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": step,
            "random": torch.get_rng_state(),
        }
        data = io.BytesIO()
        torch.save(state, data)
        write_atomically(self.path, data.getvalue())

    def load(self) -> int:
        """Go on from what was kept, if anything was; returns the step to go on with.

        Raises:
            ModelFileError: The file is there and is not a checkpoint, or one of another run.
        """
        if self.path is None or not self.path.exists():
            return 0
        try:
            state = torch.load(self.path, weights_only=True, map_location="cpu")
            self._check(state["fingerprint"])
            self.network.load_state_dict(state["network"])
            self.average.network.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            torch.set_rng_state(state["random"])
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
            cause = f"not a checkpoint of this run ({error})"
            raise ModelFileError(str(self.path), cause, "Delete it to start again") from None
        return int(state["step"])

    def _check(self, fingerprint: str) -> None:
        if fingerprint != self.fingerprint:
            raise ValueError("its settings, pictures or first weights are others")
