"""Residual blocks and pyramids that look quickly on a processor: fewer passes over memory, and less of it.

A feature map of a large picture takes 60 MB. Memory that is new to the process is handed over page by page, which takes
longer than to compute what goes into it: adding two such maps took 32 ms into new memory and 2 ms in place (two cores).
So a block's last convolution adds its results to the shortcut where that lies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.ops import FeaturePyramidNetwork

from cowvision.models.one_pass import added, convolved
from cowvision.models.winograd import WinogradConv2d

_STRIP_ROWS = 25


class QuickBlock(nn.Module):
    """A BasicBlock or Bottleneck (He et al. 2016) whose norms are part of its convolutions.

    Args:
        block: torchvision's; its convolutions are taken over.
        may_overwrite: Nothing else reads what the block is given, so that the sum may be written there.
    """

    def __init__(self, block: Any, *, may_overwrite: bool) -> None:
        super().__init__()
        convolutions = [module for name, module in block.named_children() if name.startswith("conv")]
        self.inner, self.last, self.shortcut = nn.ModuleList(convolutions[:-1]), convolutions[-1], block.downsample
        self.may_overwrite = may_overwrite or block.downsample is not None

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Run the block."""
        sums = features if self.shortcut is None else self.shortcut(features)
        for convolution in self.inner:
            if isinstance(convolution, WinogradConv2d):
                features = convolution.rectified(features)
            else:
                features = convolved(features, convolution)
        sums = sums if self.may_overwrite else sums.clone()
        if isinstance(self.last, WinogradConv2d):
            return self.last.added(features, sums)
        return added(features, self.last, sums)


class QuickPyramid(FeaturePyramidNetwork):  # type: ignore[misc] # torchvision ships no types
    """A feature pyramid (Lin et al. 2017) that adds the coarser level where the finer one lies."""

    @classmethod
    def like(cls, pyramid: Any) -> QuickPyramid:
        """The same pyramid, with its very modules."""
        quick = cls.__new__(cls)
        nn.Module.__init__(quick)
        quick.__dict__.update(pyramid.__dict__)
        return quick

    def forward(self, x: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Levels (n, channels, h, w) by name, finest first, and those that the extra blocks add."""
        names, levels = list(x), list(x.values())
        coarser = self.inner_blocks[-1](levels[-1])
        found = [self.layer_blocks[-1](coarser)]
        for place in reversed(range(len(levels) - 1)):
            coarser = _with_coarser(_lateral(levels[place], self.inner_blocks[place]), coarser)
            found.insert(0, self.layer_blocks[place](coarser))
        if self.extra_blocks is not None:
            found, names = self.extra_blocks(found, levels, names)
        return dict(zip(names, found, strict=True))


def with_quick_blocks(network: nn.Module) -> nn.Module:
    """Put quick blocks and pyramids in the place of torchvision's; changed in place and returned.

    Args:
        network: With its norms folded, for looking only.
    """
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if type(child) in {BasicBlock, Bottleneck}:
                follows = isinstance(module, nn.Sequential) and name != "0"  # an earlier stage's results are read twice
                setattr(module, name, QuickBlock(child, may_overwrite=follows))
            elif type(child) is FeaturePyramidNetwork:
                setattr(module, name, QuickPyramid.like(child))
    return network


def _lateral(level: torch.Tensor, block: Any) -> torch.Tensor:
    """A 1x1 convolution of a level, in its place where that has room: nothing else reads what the trunk gave."""
    weight = block[0].weight
    is_square = weight.shape == (level.shape[1], level.shape[1], 1, 1) and block[0].stride == (1, 1)
    if not is_square or torch.is_grad_enabled() or level.device.type != "cpu":
        return block(level)  # type: ignore[no-any-return]
    for strip in torch.split(level, _STRIP_ROWS, dim=2):
        strip.copy_(block(strip))
    return level


def _with_coarser(fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
    """Add to each cell its cell of the coarser level."""
    n, channels, height, width = coarse.shape
    if fine.shape[-2:] != (2 * height, 2 * width) or torch.is_grad_enabled():
        return fine + F.interpolate(coarse, size=fine.shape[-2:], mode="nearest")
    fine.view(n, channels, height, 2, width, 2).add_(coarse[:, :, :, None, :, None])
    return fine
