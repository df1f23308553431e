"""Where detectron2's Faster R-CNN differs from torchvision's: anchors and the choice of boxes.

Written from the definitions in Faster R-CNN (Ren et al. 2015), FPN (Lin et al. 2017) and detectron2's documented
configuration (`MODEL.ROI_HEADS`, `MODEL.ANCHOR_GENERATOR`); `d2_proposals` has the proposals, and
everything else is torchvision's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import RoIHeads
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
        whole = boxes[:, 1:].isfinite().flatten(1).all(dim=1) & scores.isfinite().all(dim=1)
        boxes, scores = boxes[whole], scores[whole]  # before any takes a place among the best
        rows, classes = (scores[:, 1:] > self.score_thresh).nonzero().unbind(1)
        labels = classes + 1
        boxes, scores = clip_boxes_to_image(boxes[rows, labels], shape), scores[rows, labels]
        kept = batched_nms(boxes, scores, labels, self.nms_thresh)[: self.detections_per_img]
        kept = kept[has_area(boxes[kept])]
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


def has_area(boxes: torch.Tensor) -> torch.Tensor:
    """Which boxes (n, 4) are wider and higher than nothing: (n,)."""
    return (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
