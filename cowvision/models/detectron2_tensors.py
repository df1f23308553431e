"""What detectron2's engine does to numbers without detectron2: heads of classes, answers, pixels, random draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cowvision.models.execution import RawDetections


def copy_classes(old: Any, new: Any, pairs: Sequence[tuple[int, int]], *, one_box: bool) -> None:
    """Copy the background, which is last, and shared classes from one head to another.

    Args:
        old: With linear layers ``cls_score`` and ``bbox_pred``.
        new: The same of other classes, changed in place.
        pairs: Places of shared classes in the old one and in the new one.
        one_box: Whether the heads predict one box for all classes, instead of one for each.
    """
    with torch.no_grad():
        for before, after in [*pairs, (-1, -1)]:
            for part in ("weight", "bias"):
                getattr(new.cls_score, part)[after] = getattr(old.cls_score, part)[before]
        for before, after in [(0, 0)] if one_box else pairs:
            for part in ("weight", "bias"):
                getattr(new.bbox_pred, part)[4 * after :][:4] = getattr(old.bbox_pred, part)[4 * before :][:4]


def raw(instances: Any) -> RawDetections:
    """What a model of detectron2 found, with labels from 1."""
    fields = (instances.pred_boxes.tensor, instances.scores, instances.pred_classes + 1)
    xyxy, scores, labels = (one.cpu().numpy() for one in fields)
    return xyxy.astype(np.float32), scores.astype(np.float32), labels.astype(np.int64)


def as_tensor(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """Pixels (h, w, 3) as its models take them: (3, h, w) float32 in 0..255."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float32))


def with_rate_factors(optimizer: torch.optim.Optimizer, rate: float) -> torch.optim.Optimizer:
    """Note in every group of parameters how many times the learning rate it has, for the rate changes in each step."""
    for group in optimizer.param_groups:
        group["rate_factor"] = group["lr"] / rate
    return optimizer


@contextmanager
def diverging_is_a_loss(losses: dict[str, Any]) -> Iterator[None]:
    """Make a loss that is no number of how its models say that they diverge, for whoever teaches knows what to advise.

    Args:
        losses: Where to add it.

    Raises:
        FloatingPointError, AssertionError: What happened inside, if it is about anything else.
    """
    try:
        yield
    except (FloatingPointError, AssertionError) as error:
        if "NaN" not in str(error):
            raise
        losses["diverged"] = torch.tensor(torch.nan)


@contextmanager
def drawn_by_torch() -> Iterator[None]:
    """Its augmentation draws from numpy's one generator: here from torch's, seeded by step, and numpy's is put back."""
    before = np.random.get_state()  # noqa: NPY002 - the one that it draws from
    np.random.seed(int(torch.randint(2**31 - 1, ())))  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
