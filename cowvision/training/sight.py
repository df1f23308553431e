"""How a detector looks at pictures, so that it learns from them at the size and sharpness at which it is used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torchvision.models.detection.transform import GeneralizedRCNNTransform

from cowvision.models.compact_fpn import CompactPyramid
from cowvision.models.engines import OwnEngine
from cowvision.training.settings import BatchSettings


def as_looked_at(batch: BatchSettings, network: Any, short_side: int | None = None) -> BatchSettings:
    """The batches' settings with the size and the scaling of the detector's own look.

    Args:
        batch: The rest of the settings.
        network: From ``engines.load_network``; one of another library varies the pictures itself.
        short_side: Shorter side in pixels at which it will look; None takes the detector's own.
    """
    if isinstance(network, OwnEngine):
        own_side, longest = network.sides_px
        return replace(batch, short_sides=(short_side or own_side,), long_side=longest, smooth=True, augment=False)
    transform = network.transform
    side, longest = short_side or int(transform.min_size[-1]), int(transform.max_size)
    # as in `torchvision_engine`: torchvision's own were trained on plainly sampled pictures, all others on smooth ones
    plain = type(transform) is GeneralizedRCNNTransform and not isinstance(network.backbone, CompactPyramid)
    return replace(batch, short_sides=(side,), long_side=longest, smooth=not plain)
