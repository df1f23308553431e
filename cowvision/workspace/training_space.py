"""How much of the disk a training takes; known before it begins, without torch."""

from __future__ import annotations

from cowvision.errors import TrainingDataError
from cowvision.models.catalog import ModelSpec
from cowvision.workspace.files import free_bytes

_FREE_BYTES = 300 * 1024**2
_STATES = (
    11  # a checkpoint holds weights, their average, two moments and the best, and there are two while one is written
)


def check_space(start: ModelSpec) -> None:
    """Refuse a training that would fill the disk.

    Raises:
        TrainingDataError: Less is free than it may take.
    """
    free, needed = free_bytes(), needed_bytes(start)
    if free is not None and free < needed:
        cause = f"{free / 1024**2:.0f} MB are free on the disk, and a training needs {needed / 1024**2:.0f}"
        raise TrainingDataError("training", cause, "Free some space, or set COWVISION_HOME to another disk")


def needed_bytes(start: ModelSpec) -> int:
    """What a training from that model takes at most, and some to spare; embedded weights are kept by half."""
    if start.weights is None:
        return _FREE_BYTES
    weights = start.weights.stat().st_size * (2 if start.weights.suffix == ".safetensors" else 1)
    return weights * _STATES + _FREE_BYTES
