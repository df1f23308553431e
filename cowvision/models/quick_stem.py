"""A ResNet's first layers, strip by strip: what lies between them is the largest there is, and is never kept whole."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models._utils import IntermediateLayerGetter

_STRIP_ROWS = 50
"""Rows of results at a time; of a large picture they need 15 MB, which stays with the process when it is freed."""


class QuickStem(nn.Module):
    """The 7x7 convolution, its rectifier and the 3x3 pooling (He et al. 2016), each of stride 2.

    Whole, a picture of 1216x800 takes 30 ms (two cores), half of them for 60 MB of new memory; in strips, 15 ms.

    Args:
        convolution: The first layer, its norm folded in.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Features (n, channels, h / 4, w / 4) of pictures (n, 3, h, w)."""
        padded = F.pad(pictures, (3, 3, 3, 3))
        rows = (pictures.shape[2] + 3) // 4
        starts = range(0, rows, _STRIP_ROWS)
        return torch.cat([self._strip(padded, start, min(start + _STRIP_ROWS, rows)) for start in starts], dim=2)

    def _strip(self, padded: torch.Tensor, start: int, end: int) -> torch.Tensor:
        """Rows of the results: each is the largest of three rows of the convolution, which see seven rows each."""
        above = 1 if start else 0  # a row more than is wanted, because pooling pads what it is given
        first, last = 2 * (start - above), 2 * end
        seen = padded[:, :, 2 * first : 2 * last + 5]
        features = F.relu_(F.conv2d(seen, self.convolution.weight, self.convolution.bias, stride=2))
        return F.max_pool2d(features, 3, 2, 1)[:, :, above : above + end - start]


def with_quick_stem(network: nn.Module) -> nn.Module:
    """Let a detector on a ResNet begin so; changed in place and returned."""
    trunk: Any = getattr(getattr(network, "backbone", None), "body", None)
    if isinstance(trunk, IntermediateLayerGetter) and _is_usual(trunk):
        trunk["conv1"] = QuickStem(trunk["conv1"])
        trunk["relu"] = trunk["maxpool"] = nn.Identity()
    return network


def _is_usual(trunk: Any) -> bool:
    """Whether it begins as a ResNet does."""
    if list(trunk)[:4] != ["conv1", "bn1", "relu", "maxpool"] or not isinstance(trunk["bn1"], nn.Identity):
        return False
    convolution, pool = trunk["conv1"], trunk["maxpool"]
    is_usual = (convolution.kernel_size, convolution.stride, convolution.padding) == ((7, 7), (2, 2), (3, 3))
    return is_usual and (pool.kernel_size, pool.stride, pool.padding) == (3, 2, 1)
