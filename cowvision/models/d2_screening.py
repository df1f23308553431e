"""The best anchors of a level, sought roughly and judged exactly, for half the work.

On a large picture two thirds of an RPN's work is one convolution over the finest level, to rank 180,000 anchors of
which 1,000 are kept. Here that convolution is done in bfloat16, in less than half the time, and done again in float32
where it matters: around the anchors that seem best, and around every other that could be as good as the last of them,
for all that is known of the error. The error is known from the anchors for which both are there, which include a sample
from all over the level; twice the largest of it is allowed for. So they are the same ones unless a rough value is wrong
by more than that, which no network or picture that was tried has shown.
"""

from __future__ import annotations

import math
import time
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from cowvision.models.one_pass import linear_of, multiplied

_FEW_CELLS = 10_000
"""A level of fewer cells is computed whole: picking cells would take as long."""

_MOST_JUDGED = 0.25
"""Share of a level's cells above which it is computed whole as well: then all are much alike."""

_SAFETY = 2.0
"""How many times the largest error seen may be wrong an anchor for which only the rough value is there."""


_SAMPLED = 1 / 64
"""Share of a level's cells that are judged whatever is there, spread evenly, ..."""

_MOST_SAMPLED = 256
"""... and no more of them than this: that takes 3 ms (two cores)."""


class Best(NamedTuple):
    """The best anchors of one level of a picture, best first.

    Attributes:
        logits: (n,).
        deltas: (n, 4), how the anchors are to be moved.
        places: (n,), their numbers in the level, row by row and cell by cell.
    """

    logits: torch.Tensor
    deltas: torch.Tensor
    places: torch.Tensor


class Screen(nn.Module):
    """Finds the best anchors of a level for an RPN head.

    Args:
        head: torchvision's RPNHead, of one 3x3 convolution before the two 1x1.
    """

    def __init__(self, head: Any) -> None:
        super().__init__()
        convolution, logits, deltas = head.conv[0][0], head.cls_logits, head.bbox_pred
        last = torch.channels_last
        self.kernel = nn.Buffer(convolution.weight.detach().to(torch.bfloat16, memory_format=last))
        self.offset = nn.Buffer(convolution.bias.detach().to(torch.bfloat16))
        self.rough_logits = nn.Buffer(logits.weight.detach().flatten(1).to(torch.bfloat16))
        self.around = _as_linear(convolution)
        self.logits, self.deltas = _as_linear(logits), _as_linear(deltas)

    def is_of_use(self) -> bool:
        """Whether this is a look in float32 on a processor that is quick in bfloat16."""
        is_plain = not (torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"))
        return is_plain and self.kernel.device.type == "cpu" and _is_bfloat16_quicker()

    def best(self, head: Any, level: torch.Tensor, count: int) -> list[Best]:
        """The best anchors of each picture of a level (n, channels, h, w), at most ``count`` of each.

        Args:
            head: What the screen was made of, for levels that are computed whole.
            level: Features in float32.
            count: Anchors wanted.
        """
        cells = level.shape[2:].numel()
        if cells < _FEW_CELLS or not 0 < count <= _MOST_JUDGED * cells:
            return _computed(head, level, count)
        rough = self._rough(level)
        return [
            self._settled(level[i : i + 1], logits, count) or _computed(head, level[i : i + 1], count)[0]
            for i, logits in enumerate(rough)
        ]

    def _rough(self, level: torch.Tensor) -> torch.Tensor:
        """Logits (n, cells, anchors a cell), nearly."""
        hidden = F.relu_(F.conv2d(level.to(torch.bfloat16), self.kernel, self.offset, padding=1))
        return F.linear(hidden.permute(0, 2, 3, 1).flatten(1, 2), self.rough_logits).float() + self.logits.bias

    def _settled(self, level: torch.Tensor, rough: torch.Tensor, count: int) -> Best | None:
        """The best of a level (1, channels, h, w), by rough logits (cells, anchors a cell); None if too many may be."""
        anchors = rough.shape[1]
        is_known = torch.zeros(len(rough), dtype=torch.bool)
        sample = torch.linspace(0, len(rough) - 1, min(_MOST_SAMPLED, math.ceil(_SAMPLED * len(rough)))).long()
        wanted = torch.unique(torch.cat([sample, rough.flatten().topk(count).indices // anchors]))
        found: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        error = rough.new_zeros(())
        while len(wanted):
            if is_known.sum() + len(wanted) > _MOST_JUDGED * len(rough):
                return None
            is_known[wanted] = True
            found.append((*self._judged(level, wanted), wanted))
            error = torch.maximum(error, (found[-1][0] - rough[wanted]).abs().max())
            if not torch.isfinite(error):
                return None
            logits = torch.cat([one[0] for one in found])
            least = logits.flatten().topk(count).values[-1] - _SAFETY * error
            wanted = ((rough.amax(dim=1) >= least) & ~is_known).nonzero()[:, 0]
        top = logits.flatten().topk(count)
        deltas, cells = (torch.cat([one[i] for one in found]) for i in (1, 2))
        places = cells[top.indices // anchors] * anchors + top.indices % anchors
        return Best(top.values, deltas.view(-1, 4)[top.indices], places)

    def _judged(self, level: torch.Tensor, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Exact logits (n, anchors) and deltas (n, anchors x 4) of some cells, from the 3x3 cells around each."""
        _, channels, height, width = level.shape
        around = torch.arange(-1, 2)
        rows, columns = (cells // width)[:, None, None] + around[:, None], (cells % width)[:, None, None] + around
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        places = rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1)
        table = level.permute(0, 2, 3, 1).reshape(-1, channels)  # no copy where channels come last
        patches = table[places.flatten()].view(len(cells), 3, 3, channels) * inside[..., None]
        hidden = multiplied(patches.flatten(1), self.around)
        return self.logits(hidden), self.deltas(hidden)


def with_screens(network: nn.Module) -> nn.Module:
    """Give an RPN of detectron2's kind a screen, for looks in float32; changed in place and returned."""
    proposals: Any = getattr(network, "rpn", None)
    if hasattr(proposals, "screen"):
        proposals.screen = Screen(proposals.head)
    return network


def _as_linear(convolution: Any) -> nn.Linear:
    """A convolution as a layer of rows (n, height x width x channels) as large as its kernel."""
    return linear_of(convolution.weight.permute(0, 2, 3, 1).flatten(1), convolution.bias)


def _computed(head: Any, level: torch.Tensor, count: int) -> list[Best]:
    """The best anchors of each picture of a level, all of which is computed."""
    logits, deltas = (one[0].permute(0, 2, 3, 1).flatten(1) for one in head([level]))
    best = []
    for mine, moves in zip(logits, deltas, strict=True):
        top = mine.topk(min(count, len(mine)))
        best.append(Best(top.values, moves.view(-1, 4)[top.indices], top.indices))
    return best


@cache
def _is_bfloat16_quicker() -> bool:
    """Whether a convolution of the RPN's kind is; tried on a small level, which takes 20 ms."""
    level, kernel = torch.ones(1, 256, 32, 32), torch.ones(256, 256, 3, 3)
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        features, weight = (one.to(dtype, memory_format=torch.channels_last) for one in (level, kernel))
        runs = []
        for _ in range(4):
            started = time.perf_counter()
            F.conv2d(features, weight, padding=1)
            runs.append(time.perf_counter() - started)
        seconds[dtype] = min(runs)
    return seconds[torch.bfloat16] < 0.75 * seconds[torch.float32]
