"""Proposals as detectron2's RPN makes them: ranked by logits, the best of each level, rounded nowhere.

Written from the definitions in Faster R-CNN (Ren et al. 2015) and FPN (Lin et al. 2017) and detectron2's documented
configuration (`MODEL.RPN`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import batched_nms, clip_boxes_to_image

from cowvision.models.d2_parts import has_area


class _Best(NamedTuple):
    """The best anchors of one level of a picture, best first: logits (n,), deltas (n, 4), numbers in the level (n,)."""

    logits: torch.Tensor
    deltas: torch.Tensor
    places: torch.Tensor


class Proposals(RegionProposalNetwork):  # type: ignore[misc] # torchvision ships no types
    """The RPN, which ranks by logits: a score of 1.0 has many logits."""

    def forward(
        self,
        images: ImageList,
        features: Mapping[str, torch.Tensor],
        targets: list[dict[str, torch.Tensor]] | None = None,
    ) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
        """Proposals (n, 4) of each picture, best first, and the losses while it learns."""
        if self.training:
            found: tuple[list[torch.Tensor], dict[str, torch.Tensor]] = super().forward(images, features, targets)
            return found
        levels = list(features.values())
        count = self.head.cls_logits.out_channels
        anchors = self.anchor_generator(images, levels)[0].split([count * one.shape[2:].numel() for one in levels])
        best = [self._best(level) for level in levels]
        pictures = enumerate(images.image_sizes)
        return [self._of_best(anchors, [one[i] for one in best], shape) for i, shape in pictures], {}

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
            self._of_all(*one, num_anchors_per_level) for one in zip(proposals, logits, image_shapes, strict=True)
        ]
        return [boxes for boxes, _ in chosen], [scores for _, scores in chosen]

    def _of_all(
        self, boxes: torch.Tensor, logits: torch.Tensor, shape: tuple[int, int], sizes: list[int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        best = [level.topk(min(self.pre_nms_top_n(), len(level))) for level in torch.split(logits, sizes)]
        starts = [sum(sizes[:level]) for level in range(len(sizes))]
        places = torch.cat([one.indices + start for one, start in zip(best, starts, strict=True)])
        levels = torch.cat([torch.full_like(one.indices, level) for level, one in enumerate(best)])
        return self._chosen(boxes[places], logits[places], levels, shape)

    def _best(self, level: torch.Tensor) -> list[_Best]:
        """The best anchors of each picture of a level (n, channels, h, w)."""
        logits, deltas = (one[0].float().permute(0, 2, 3, 1).flatten(1) for one in self.head([level]))
        best = []
        for mine, moves in zip(logits, deltas, strict=True):
            top = mine.topk(min(self.pre_nms_top_n(), len(mine)))
            best.append(_Best(top.values, moves.view(-1, 4)[top.indices], top.indices))
        return best

    def _of_best(self, anchors: Sequence[torch.Tensor], best: Sequence[_Best], shape: tuple[int, int]) -> torch.Tensor:
        moved = torch.cat([level[one.places] for level, one in zip(anchors, best, strict=True)])
        boxes = self.box_coder.decode(torch.cat([one.deltas for one in best]), [moved])[:, 0]
        levels = torch.cat([torch.full_like(one.places, level) for level, one in enumerate(best)])
        return self._chosen(boxes, torch.cat([one.logits for one in best]), levels, shape)[0]

    def _chosen(
        self, boxes: torch.Tensor, logits: torch.Tensor, levels: torch.Tensor, shape: tuple[int, int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        boxes = clip_boxes_to_image(boxes, shape)
        there = has_area(boxes) & torch.isfinite(logits)
        boxes, logits, levels = boxes[there], logits[there], levels[there]
        kept = batched_nms(boxes, logits, levels, self.nms_thresh)[: self.post_nms_top_n()]
        return boxes[kept], logits[kept]
