"""The compact Faster R-CNN of the embedded models: half-width ResNet-18, 64-channel pyramid, 3.9 M parameters."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.rpn import AnchorGenerator, RPNHead
from torchvision.models.resnet import BasicBlock
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

PYRAMID_CHANNELS = 64
HEAD_CHANNELS = 256
ANCHOR_SIDES_PX = ((16, 28), (44, 68), (104, 160), (240, 380))
"""Anchor sides at strides 8, 16, 32 and 64; the smallest fits a cow far away."""

ASPECT_RATIOS = (0.6, 1.0, 1.7)
"""Height over width: cows from the side, from behind, people."""


class CompactTrunk(nn.Module):
    """ResNet-18's layout (He et al. 2016) at base width ``width``, its 7x7 stem replaced by two 3x3 convolutions.

    Maps (b, 3, h, w) to its four stages' outputs at strides 4, 8, 16, 32 with 1, 2, 4, 8 times ``width`` channels.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.channels = [width, 2 * width, 4 * width, 8 * width]
        self.stem = nn.Sequential(*_convolution(3, width // 2), *_convolution(width // 2, width))
        inputs = [width, *self.channels[:-1]]
        self.stages = nn.ModuleList(
            _stage(before, after, 1 if place == 0 else 2)
            for place, (before, after) in enumerate(zip(inputs, self.channels, strict=True))
        )
        self.apply(_initialise)

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """Run the trunk."""
        features, outputs = self.stem(pictures), []
        for stage in self.stages:
            features = stage(features)
            outputs.append(features)
        return outputs


class CompactPyramid(nn.Module):
    """The trunk's strides 8, 16 and 32 as a feature pyramid (Lin et al. 2017), one pooled level added."""

    def __init__(self, trunk: CompactTrunk) -> None:
        super().__init__()
        self.trunk, self.out_channels = trunk, PYRAMID_CHANNELS
        self.pyramid = FeaturePyramidNetwork(trunk.channels[1:], PYRAMID_CHANNELS, LastLevelMaxPool())

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """Levels "1", "2", "3" and "pool"."""
        levels = OrderedDict((str(i), level) for i, level in enumerate(self.trunk(pictures)) if i > 0)
        features: dict[str, torch.Tensor] = self.pyramid(levels)
        return features


def compact_faster_rcnn(num_classes: int) -> FasterRCNN:
    """A Faster R-CNN (Ren et al. 2015) of ``num_classes`` foreground classes with random weights."""
    anchors = AnchorGenerator(ANCHOR_SIDES_PX, (ASPECT_RATIOS,) * len(ANCHOR_SIDES_PX))
    return FasterRCNN(
        CompactPyramid(CompactTrunk()),
        rpn_anchor_generator=anchors,
        rpn_head=RPNHead(PYRAMID_CHANNELS, anchors.num_anchors_per_location()[0]),
        box_roi_pool=MultiScaleRoIAlign(["1", "2", "3"], output_size=7, sampling_ratio=2),
        box_head=TwoMLPHead(PYRAMID_CHANNELS * 7 * 7, HEAD_CHANNELS),
        box_predictor=FastRCNNPredictor(HEAD_CHANNELS, num_classes + 1),
        rpn_pre_nms_top_n_train=600,
        rpn_pre_nms_top_n_test=500,
        rpn_post_nms_top_n_train=250,
        rpn_post_nms_top_n_test=220,
        rpn_batch_size_per_image=128,
        box_batch_size_per_image=64,
        box_positive_fraction=0.3,
        box_score_thresh=0.05,
        box_nms_thresh=0.5,
        box_detections_per_img=100,
        min_size=480,
        max_size=1600,
        image_mean=[0.45] * 3,
        image_std=[0.25] * 3,
        _skip_resize=True,  # obeyed in training only, where pictures come in their final size
    )


def _convolution(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


def _stage(before: int, after: int, stride: int) -> nn.Sequential:
    shortcut = None
    if stride != 1 or before != after:
        shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
    return nn.Sequential(BasicBlock(before, after, stride, shortcut), BasicBlock(after, after))


def _initialise(module: nn.Module) -> None:
    """He initialisation; each block starts as the identity."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if isinstance(module, BasicBlock):
        nn.init.zeros_(module.bn2.weight)
