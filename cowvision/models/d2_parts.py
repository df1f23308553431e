"""Where detectron2's Faster R-CNN differs from torchvision's: anchors, proposals and the choice of boxes.

Written from the definitions in Faster R-CNN (Ren et al. 2015), FPN (Lin et al. 2017) and detectron2's documented
configuration (`MODEL.RPN`, `MODEL.ROI_HEADS`, `MODEL.ANCHOR_GENERATOR`); everything else is torchvision's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import batched_nms, clip_boxes_to_image

ANCHOR_SIDES_PX = (32, 64, 128, 256, 512)
ASPECT_RATIOS = (0.5, 1.0, 2.0)
"""Height over width."""

STRIDES = (4, 8, 16, 32, 64)
"""Pixels between the cells of the pyramid's levels."""


class UnroundedAnchors(nn.Module):
    """Anchors around every cell's corner, in fractions of pixels; torchvision's are rounded to whole ones."""

    def num_anchors_per_location(self) -> list[int]:
        """Anchors a cell, for each level."""
        return [len(ASPECT_RATIOS)] * len(STRIDES)

    def forward(self, pictures: ImageList, features: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Anchors (n, 4) of all levels, one after the other, the same for each picture."""
        levels = [
            _grid(one.shape[-2:], stride, cell_anchors(side).to(one.device))
            for one, stride, side in zip(features, STRIDES, ANCHOR_SIDES_PX, strict=True)
        ]
        return [torch.cat(levels)] * len(pictures.image_sizes)


class Proposals(RegionProposalNetwork):  # type: ignore[misc] # torchvision ships no types
    """The RPN, which ranks by logits: a score of 1.0 has many logits."""

    def filter_proposals(
        self,
        proposals: torch.Tensor,
        objectness: torch.Tensor,
        image_shapes: list[tuple[int, int]],
        num_anchors_per_level: list[int],
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """The best of each level, without those of no area or that others of the level cover; best first."""
        logits = objectness.detach().reshape(len(image_shapes), -1)
        chosen = [
            self._chosen(*one, num_anchors_per_level) for one in zip(proposals, logits, image_shapes, strict=True)
        ]
        return [boxes for boxes, _ in chosen], [scores for _, scores in chosen]

    def _chosen(
        self, boxes: torch.Tensor, logits: torch.Tensor, shape: tuple[int, int], sizes: list[int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        best = [level.topk(min(self.pre_nms_top_n(), len(level))) for level in torch.split(logits, sizes)]
        starts = [sum(sizes[:level]) for level in range(len(sizes))]
        places = torch.cat([one.indices + start for one, start in zip(best, starts, strict=True)])
        levels = torch.cat([torch.full_like(one.indices, level) for level, one in enumerate(best)])
        boxes, scores = clip_boxes_to_image(boxes[places], shape), logits[places]
        there = _has_area(boxes) & torch.isfinite(scores)
        boxes, scores, levels = boxes[there], scores[there], levels[there]
        kept = batched_nms(boxes, scores, levels, self.nms_thresh)[: self.post_nms_top_n()]
        return boxes[kept], scores[kept]


class BoxFeatures(TwoMLPHead):  # type: ignore[misc] # torchvision ships no types
    """The box head; its first layer, over all of a box, is run as a convolution, which takes half the time on a CPU."""

    def forward(self, pooled: torch.Tensor) -> torch.Tensor:
        """Features (n, channels) of pooled boxes (n, channels, 7, 7)."""
        kernel = self.fc6.weight.view(-1, *pooled.shape[1:])
        features = F.relu(F.conv2d(pooled, kernel, self.fc6.bias).flatten(1))
        return F.relu(self.fc7(features))


class BoxHeads(RoIHeads):  # type: ignore[misc] # torchvision ships no types
    """The second stage; its label 0 is the background, as in torchvision."""

    def postprocess_detections(
        self,
        class_logits: torch.Tensor,
        box_regression: torch.Tensor,
        proposals: list[torch.Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> tuple[list[torch.Tensor], list[torch.Tensor], list[torch.Tensor]]:
        """Boxes (n, 4), scores (n,) and labels (n,) of each picture, best first."""
        counts = [len(one) for one in proposals]
        decoded = self.box_coder.decode(box_regression, proposals)
        boxes = torch.split(decoded.reshape(sum(counts), class_logits.shape[1], 4), counts)
        scores = torch.split(F.softmax(class_logits, -1), counts)
        found = [self._found(*one) for one in zip(boxes, scores, image_shapes, strict=True)]
        return [one[0] for one in found], [one[1] for one in found], [one[2] for one in found]

    def _found(
        self, boxes: torch.Tensor, scores: torch.Tensor, shape: tuple[int, int]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rows, classes = (scores[:, 1:] > self.score_thresh).nonzero().unbind(1)
        labels = classes + 1
        boxes, scores = clip_boxes_to_image(boxes[rows, labels], shape), scores[rows, labels]
        kept = batched_nms(boxes, scores, labels, self.nms_thresh)[: self.detections_per_img]
        kept = kept[_has_area(boxes[kept])]
        return boxes[kept], scores[kept], labels[kept]


def cell_anchors(side_px: float) -> torch.Tensor:
    """Boxes (3, 4) of one area around the origin, one for each aspect ratio."""
    widths = [(side_px**2 / ratio) ** 0.5 for ratio in ASPECT_RATIOS]
    halves = [(width / 2, ratio * width / 2) for width, ratio in zip(widths, ASPECT_RATIOS, strict=True)]
    return torch.tensor([(-x, -y, x, y) for x, y in halves])


def _grid(cells: Sequence[int], stride: int, anchors: torch.Tensor) -> torch.Tensor:
    rows, columns = (torch.arange(count, device=anchors.device, dtype=torch.float32) * stride for count in cells)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    corners = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
    return (corners + anchors).reshape(-1, 4)


def _has_area(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
