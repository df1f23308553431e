"""What a run must remember to go on exactly where it stopped: weights, their average, optimiser, step, best so far."""

from __future__ import annotations

import copy
import hashlib
import io
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

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
        pairs = list(zip(self.network.state_dict().values(), network.state_dict().values(), strict=True))
        floating = [pair for pair in pairs if pair[0].is_floating_point()]
        update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call] # all tensors in one call
        update([average for average, _ in floating], [value for _, value in floating], 0)
        for average, value in pairs:
            if not average.is_floating_point():
                average.copy_(value)


@dataclass
class Standing:
    """How far a run is, and the best weights it had.

    Attributes:
        step: Steps done.
        best_step: Steps that were done when the held-out pictures liked it best; 0 if nobody looked.
        best_map: What they said then, mAP@[.50:.95]; None if nobody looked.
        best: Its averaged weights; None if nobody looked.
        looks_since: Looks since then.
        lowest_loss: Of the smoothed losses, for noticing when they explode.
        smooth_loss: The losses' moving average; None before the first.
    """

    step: int = 0
    best_step: int = 0
    best_map: float | None = None
    best: dict[str, torch.Tensor] | None = field(default=None, repr=False)
    looks_since: int = 0
    lowest_loss: float = float("inf")
    smooth_loss: float | None = None


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
    """Where and what a run keeps; ``path`` None keeps nothing, ``fingerprint`` is that of the run.

    There is no state of a random generator in it: order, augmentation and sampling of a step are drawn from the run's
    seed and the step's number, so that the step is the state.
    """

    path: Path | None
    network: nn.Module
    average: AveragedWeights
    optimizer: Any
    fingerprint: str

    def save(self, standing: Standing) -> None:
        """Write the state; others see it whole or not at all.

        Raises:
            OSError: It cannot be written; the one before is still there.
        """
        if self.path is None:
            return
        state = {
            "fingerprint": self.fingerprint,
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "standing": vars(standing),
        }
        data = io.BytesIO()
        torch.save(state, data)
        write_atomically(self.path, data.getvalue())

    def load(self) -> Standing:
        """Go on from what was kept, if anything was.

        Raises:
            ModelFileError: The file is there and is not a checkpoint, or one of another run.
        """
        if self.path is None or not self.path.exists():
            return Standing()
        try:
            state = torch.load(self.path, weights_only=True, map_location="cpu")
            self._check(state["fingerprint"])
            self.network.load_state_dict(state["network"])
            self.average.network.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            return Standing(**state["standing"])
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
            cause = f"not a checkpoint of this run ({error})"
            raise ModelFileError(str(self.path), cause, "Delete it to start again") from None

    def _check(self, fingerprint: str) -> None:
        if fingerprint != self.fingerprint:
            raise ValueError("its settings, pictures or first weights are others")
