"""How a training goes, as values; reading them needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

USUAL_BATCH = 4
"""Pictures a step for which learning rates are given."""

OPTIMIZERS = ("adamw", "sgd")
SCHEDULES = ("cosine", "step")
DROPS_AT = (2 / 3, 8 / 9)
"""Where the step schedule takes the learning rate down tenfold, as shares of the run (detectron2's 1x schedule)."""

FLOOR = 0.02
"""What is left of the learning rate at the end of a cosine."""


@dataclass(frozen=True)
class BatchSettings:
    """How batches are drawn.

    Attributes:
        batch_size: Pictures a step, of one process.
        seed: Fixes order and augmentation.
        augment: Vary scale, section, side and light at random; off for composed scenes, which vary by themselves.
        short_sides: Shorter sides in pixels to scale pictures to, one drawn for each; empty keeps their sizes.
        long_side: No longer side becomes longer than this many pixels, whatever that makes of the shorter; 0: no limit.
        smooth: Reduce pictures without aliasing, or sample them plainly as torchvision's published detectors do.
        workers: Processes that prepare batches ahead; 0 prepares them in the training process.
    """

    batch_size: int = USUAL_BATCH
    seed: int = 0
    augment: bool = True
    short_sides: tuple[int, ...] = ()
    long_side: int = field(default=0, repr=False)  # both follow from the weights, which a checkpoint tells apart by,
    smooth: bool = field(default=True, repr=False)  # so checkpoints from before there were these are gone on with
    workers: int = 0


@dataclass(frozen=True)
class FinetuneConfig:
    """How to train.

    Attributes:
        iterations: Steps in all; the learning rate's schedule spans them.
        optimizer: "adamw" or "sgd" (momentum 0.9).
        learning_rate: At its peak, for a batch of ``USUAL_BATCH``; see ``peak_rate``.
        schedule: "cosine" or "step" (see ``DROPS_AT``), after the warm-up.
        warm_up: Steps over which the learning rate rises.
        weight_decay: For matrices and kernels; biases and norms are not decayed.
        clip: Largest norm of the gradient.
        average_decay: Of the moving average (EMA) that is judged and returned.
        frozen_stages: The trunk's stem and this many of its stages stay as they are; 0 trains everything.
        train_norms: Let BatchNorm learn and measure; only sensible from scratch, for batches are small.
        bfloat16: Compute in bfloat16 under autocast.
        seed: Fixes order, augmentation and sampling.
        batch: How batches are drawn.
        judge_every: Steps between two looks at the held-out pictures; 0 never looks.
        patience: Looks without a better one after which training ends early; 0 goes on to the end.
        checkpoint: File to resume from and to write to; None keeps nothing.
        checkpoint_every: Steps between two checkpoints.
    """

    iterations: int = 240
    optimizer: str = "adamw"
    learning_rate: float = 5e-4
    schedule: str = "cosine"
    warm_up: int = 20
    weight_decay: float = 0.02
    clip: float = 5.0
    average_decay: float = 0.99
    frozen_stages: int = 2
    train_norms: bool = False
    bfloat16: bool = True
    seed: int = 0
    batch: BatchSettings = field(default_factory=BatchSettings)
    judge_every: int = 0
    patience: int = 0
    checkpoint: Path | None = None
    checkpoint_every: int = 500

    def __post_init__(self) -> None:
        """Refuse what no training can be made of.

        Raises:
            ValueError: A number is out of its range, or a name is none of those above.
        """
        if self.optimizer not in OPTIMIZERS or self.schedule not in SCHEDULES:
            raise ValueError(f"optimizer {self.optimizer!r} or schedule {self.schedule!r} is not known")
        if self.iterations < 1 or self.batch.batch_size < 1 or not self.learning_rate > 0:
            raise ValueError("steps, pictures a step and learning rate must be more than 0")

    def course(self) -> FinetuneConfig:
        """What of the settings changes the course of a run; where and how often it is kept does not."""
        return replace(self, checkpoint=None, checkpoint_every=1, batch=replace(self.batch, workers=0))

    def peak_rate(self, batch_size: int) -> float:
        """The learning rate's peak for a step of so many pictures, those of all processes together.

        SGD's grows with the batch (Goyal et al. 2017), AdamW's with its square root (Krizhevsky 2014; Malladi et al.
        2022), for AdamW already divides by the size of the gradient.
        """
        factor = batch_size / USUAL_BATCH
        return self.learning_rate * (factor if self.optimizer == "sgd" else factor**0.5)


def config_from(facts: dict[str, Any]) -> FinetuneConfig:
    """The settings that ``dataclasses.asdict`` made a dictionary of, also after a way through JSON.

    Raises:
        ValueError: They are none.
    """
    try:
        batch = dict(facts["batch"])
        kept = facts | {
            "batch": BatchSettings(**batch | {"short_sides": tuple(batch["short_sides"])}),
            "checkpoint": Path(facts["checkpoint"]) if facts.get("checkpoint") else None,
        }
        return FinetuneConfig(**kept)
    except (KeyError, TypeError) as error:
        raise ValueError(f"these are no settings of a training ({error})") from None
