"""detectron2's Faster R-CNN R50-FPN and R101-FPN, built of torchvision's modules: they need no detectron2.

It is laid out as torchvision's own detectors are (background first, pictures in RGB), so that whatever trains, fuses
or saves those does the same with this one; `d2_checkpoint` turns detectron2's files round on the way in.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torchvision.models import resnet
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.models.detection.rpn import RPNHead
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from cowvision.models.d2_parts import BoxHeads, UnroundedAnchors
from cowvision.models.d2_pooling import AlignedPooler
from cowvision.models.d2_proposals import Proposals

TRUNKS = {"d2-r50-fpn": "resnet50", "d2-r101-fpn": "resnet101"}
"""Architectures built here, and the ResNet in each."""

RGB_MEANS = (123.675, 116.280, 103.530)
"""What is taken off red, green and blue (0..255); they are not divided by anything."""

_PYRAMID_CHANNELS = 256
_HEAD_CHANNELS = 1024
_SHORT_SIDE_PX = 800
_LONG_SIDE_PX = 1333


class ShortestEdge(GeneralizedRCNNTransform):  # type: ignore[misc] # torchvision ships no types
    """Pictures as detectron2 shows them to a network: resized as 8-bit pictures by Pillow, not divided by 255."""

    def __init__(self) -> None:
        super().__init__(_SHORT_SIDE_PX, _LONG_SIDE_PX, RGB_MEANS, (1.0, 1.0, 1.0), size_divisible=32)

    def normalize(self, image: torch.Tensor) -> torch.Tensor:
        """Center a (3, h, w) picture in 0..1, as training gives it."""
        normal: torch.Tensor = super().normalize(image * 255)
        return normal

    def scaled(self, rgb: NDArray[np.uint8], short_side: int | None = None) -> torch.Tensor:
        """The (h, w, 3) picture with the wanted shorter side, unless the longer grows too long: (3, h, w) in 0..1."""
        height, width = edge_hw((rgb.shape[0], rgb.shape[1]), short_side or _SHORT_SIDE_PX)
        resized = Image.fromarray(rgb).resize((width, height), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.array(resized)).permute(2, 0, 1).float() / 255


def build_detectron2(architecture: str, num_classes: int) -> nn.Module:
    """A detector with random weights.

    Args:
        architecture: One of ``TRUNKS``.
        num_classes: Foreground classes; the background comes on top.
    """
    trunk = getattr(resnet, TRUNKS[architecture])(norm_layer=FrozenBatchNorm2d)
    _stride_in_the_first(trunk)
    network = GeneralizedRCNN(_backbone(trunk), _proposals(), _heads(num_classes), ShortestEdge())
    return cast("nn.Module", network)


def is_detectron2(network: nn.Module) -> bool:
    """Whether a network is one of those built here."""
    return isinstance(getattr(network, "transform", None), ShortestEdge)


def edge_hw(size_hw: tuple[int, int], short_side: int, long_side: int = _LONG_SIDE_PX) -> tuple[int, int]:
    """Height and width of a picture whose shorter side becomes ``short_side``, or whose longer ``long_side``.

    Rounded as detectron2 rounds: halves up, after the shorter side was made exact and the longer then limited.
    """
    factor = short_side / min(size_hw)
    sides = [float(short_side) if side == min(size_hw) else factor * side for side in size_hw]
    if max(sides) > long_side:
        shrink = long_side / max(sides)
        sides = [side * shrink for side in sides]
    height, width = (max(1, int(side + 0.5)) for side in sides)
    return height, width


def _stride_in_the_first(trunk: resnet.ResNet) -> None:
    """Halve pictures in the first 1x1 convolution of a stage, as the weights of MSRA do that the zoo began with."""
    for block in (trunk.layer2[0], trunk.layer3[0], trunk.layer4[0]):
        block.conv1.stride, block.conv2.stride = (2, 2), (1, 1)


def _backbone(trunk: resnet.ResNet) -> BackboneWithFPN:
    levels = {f"layer{stage}": str(stage - 1) for stage in (1, 2, 3, 4)}
    channels = [256, 512, 1024, 2048]
    return BackboneWithFPN(trunk, levels, channels, _PYRAMID_CHANNELS, LastLevelMaxPool())


def _proposals() -> nn.Module:
    anchors = UnroundedAnchors()
    return Proposals(
        anchors,
        RPNHead(_PYRAMID_CHANNELS, anchors.num_anchors_per_location()[0]),
        fg_iou_thresh=0.7,
        bg_iou_thresh=0.3,
        batch_size_per_image=256,
        positive_fraction=0.5,
        pre_nms_top_n={"training": 2000, "testing": 1000},
        post_nms_top_n={"training": 1000, "testing": 1000},
        nms_thresh=0.7,
    )


def _heads(num_classes: int) -> nn.Module:
    return BoxHeads(
        AlignedPooler(),
        TwoMLPHead(_PYRAMID_CHANNELS * 7 * 7, _HEAD_CHANNELS),
        FastRCNNPredictor(_HEAD_CHANNELS, num_classes + 1),
        fg_iou_thresh=0.5,
        bg_iou_thresh=0.5,
        batch_size_per_image=512,
        positive_fraction=0.25,
        bbox_reg_weights=(10.0, 10.0, 5.0, 5.0),
        score_thresh=0.05,
        nms_thresh=0.5,
        detections_per_img=100,
    )
