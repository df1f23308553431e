"""Batch normalisation folded into the convolution before it: the same answers with fewer passes over memory."""

from __future__ import annotations

import copy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.ops import FrozenBatchNorm2d

from cowvision.models.roi_pooling import with_quick_pooling


def fused_copy(network: nn.Module) -> nn.Module:
    """A copy for inference in which every BatchNorm that follows a convolution is part of it, and boxes pool quickly.

    In evaluation mode a BatchNorm is a fixed scale and offset a channel, which the kernel and bias can take over
    (Jacob et al. 2018, section 3.2). "Follows" is read from the order in which a module registers its children; all
    detectors that ``torchvision_engine`` builds keep to it, and the tests compare their answers.
    """
    copied = copy.deepcopy(network).eval()
    for module in list(copied.modules()):
        _fuse_children(module)
    return with_quick_pooling(copied)


def _fuse_children(module: nn.Module) -> None:
    children = list(module.named_children())
    for (name, convolution), (next_name, norm) in pairwise(children):
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d | FrozenBatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(convolution, _as_batch_norm(norm)))
            setattr(module, next_name, nn.Identity())


def _as_batch_norm(norm: nn.BatchNorm2d | FrozenBatchNorm2d) -> nn.BatchNorm2d:
    if isinstance(norm, nn.BatchNorm2d):
        return norm
    same = nn.BatchNorm2d(len(norm.weight), eps=norm.eps)
    same.load_state_dict(norm.state_dict(), strict=False)
    return same.eval()
