"""3x3 convolutions with a quarter of the multiplications: Winograd's minimal filtering, F(4x4, 3x3).

Source: Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.3. Tiles of 6x6 cells, each
overlapping the next by two, are turned into 36 sums of their cells; there the convolution is one product of matrices a
sum; and from sums of those products come the 4x4 cells in the middle. Tiles are worked on in strips that fit a
processor's cache, by oneDNN: a wide convolution of float32 then takes half its time, or less. What it gives is wrong
by 1e-4 of the results' spread at most, where a usual convolution's is by 2e-5 (`tests/models/test_winograd.py`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cowvision.models.one_pass import GroupedProducts, convolved, is_last, is_quick

_TILE, _STEP = 6, 4
_LEAST_CHANNELS = 128
"""Of narrower layers the sums take as long as is saved."""

_FEW_CELLS = 500
_TILES_A_THREAD = 200
_TILES_AT_ONCE = 96
"""oneDNN lays matrices out for a number of rows, and other numbers of rows take it ten times as long."""

_TO_SUMS = torch.tensor(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    dtype=torch.float64,
)
_OF_KERNEL = torch.tensor(
    [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], dtype=torch.float64
) / 24  # fmt: skip
_TO_CELLS = torch.tensor(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], dtype=torch.float64
)
_SUMS = torch.kron(_TO_SUMS, _TO_SUMS).float()
_CELLS = torch.kron(_TO_CELLS, _TO_CELLS).float()


class WinogradConv2d(nn.Module):
    """A 3x3 convolution that looks quickly in float32 on a processor, and as it always did elsewhere.

    Args:
        convolution: Of stride 1 and padding 1; its weights must not change any more.
    """

    def __init__(self, convolution: Any) -> None:
        super().__init__()
        self.plain = convolution
        self._products: GroupedProducts | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What a copy is made of: oneDNN's own memory can be neither copied nor stored, and is made anew."""
        return self.__dict__ | {"_products": None}

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Convolve (n, channels, h, w)."""
        if not self._is_of_use(features):
            return self.plain(features)  # type: ignore[no-any-return]
        return self._convolved(features, is_rectified=False)

    def rectified(self, features: torch.Tensor) -> torch.Tensor:
        """Convolve (n, channels, h, w), with negatives made 0."""
        if not self._is_of_use(features):
            return convolved(features, self.plain)
        return self._convolved(features, is_rectified=True)

    def _is_of_use(self, features: torch.Tensor) -> bool:
        is_plain = features.dtype == self.plain.weight.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
        is_large = features.shape[2:].numel() >= _FEW_CELLS
        return is_plain and is_large and is_last(features) and is_quick(features, self.plain)

    def _convolved(self, features: torch.Tensor, *, is_rectified: bool) -> torch.Tensor:
        pictures, _, height, width = features.shape
        down, across = -(-height // _STEP), -(-width // _STEP)
        strip = max(1, min(down, _TILES_A_THREAD * torch.get_num_threads() // across))
        products = self._products or _products_of(self.plain.weight)
        self._products = products
        found = features.new_empty(pictures, height, width, products.outputs)
        room = _Room(features, products.outputs, strip, across)
        for cells, results in zip(features.permute(0, 2, 3, 1), found, strict=True):
            for first in range(0, height, _STEP * strip):
                rows = results[first : first + _STEP * strip]
                room.convolve(cells, first, rows, products, self.plain.bias)
                if is_rectified:
                    rows.relu_()
        return found.permute(0, 3, 1, 2)


class _Room:
    """Memory for one strip of tiles after the other: new memory would take longer than the work."""

    def __init__(self, features: torch.Tensor, outputs: int, strip: int, across: int) -> None:
        channels = features.shape[1]
        self.across = across
        self.padded = features.new_zeros(_STEP * strip + 2, _STEP * across + 2, channels)
        groups = -(-strip * across // _TILES_AT_ONCE)
        self.tiles = features.new_zeros(groups, _TILES_AT_ONCE, _TILE * _TILE, channels)  # more than a strip has
        self.sums = torch.empty_like(self.tiles[0])
        self.inner = features.new_empty(groups, _TILES_AT_ONCE, _STEP * _STEP, outputs)

    def convolve(
        self, cells: torch.Tensor, first: int, rows: torch.Tensor, products: GroupedProducts, bias: Any
    ) -> None:
        """Write the convolution of ``cells`` (h, w, channels), from row ``first`` on, to ``rows`` (n, w, outputs)."""
        (count, width), across = rows.shape[:2], self.across
        down = -(-count // _STEP)
        tiles = down * across
        self._pad(cells, first, _STEP * down + 2)
        row, column, channel = self.padded.stride()
        shape = (down, across, _TILE, _TILE, self.padded.shape[2])
        overlapping = self.padded.as_strided(shape, (_STEP * row, _STEP * column, row, column, channel))
        self.tiles.flatten(0, 1)[:tiles].view(shape).copy_(overlapping)
        for some, inner in zip(self.tiles, self.inner, strict=True):
            sums = torch.matmul(_SUMS, some, out=self.sums)
            torch.matmul(_CELLS, products.of(sums), out=inner)
        in_rows = self.inner.flatten(0, 1)[:tiles].view(down, across, _STEP, _STEP, -1).transpose(1, 2)
        if rows.shape[:2] == (_STEP * down, _STEP * across):
            torch.add(in_rows, bias, out=rows.view(in_rows.shape))
        else:
            torch.add(in_rows.reshape(_STEP * down, _STEP * across, -1)[:count, :width], bias, out=rows)

    def _pad(self, cells: torch.Tensor, first: int, height: int) -> None:
        """Put the rows from ``first`` - 1 on here, with zeros around the picture."""
        begin, end = max(first - 1, 0), min(first - 1 + height, len(cells))
        above = begin - (first - 1)
        self.padded[:above] = 0
        self.padded[above : above + end - begin, 1 : 1 + cells.shape[1]] = cells[begin:end]
        self.padded[above + end - begin :] = 0


def with_winograd(network: nn.Module) -> nn.Module:
    """Let a network's wide 3x3 convolutions be done so; changed in place and returned.

    Args:
        network: With its norms folded, for looking only.
    """
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if _suits(child):
                setattr(module, name, WinogradConv2d(child))
    return network


def _suits(layer: Any) -> bool:
    if type(layer) is not nn.Conv2d or layer.kernel_size != (3, 3) or layer.bias is None:
        return False
    is_usual = layer.stride == layer.padding == layer.dilation == (1, 1) and layer.groups == 1
    return is_usual and layer.padding_mode == "zeros" and min(layer.weight.shape[:2]) >= _LEAST_CHANNELS


def _products_of(kernel: torch.Tensor) -> GroupedProducts:
    """A matrix (outputs, inputs) for each of the 36 sums, of a kernel (outputs, inputs, 3, 3)."""
    turned = torch.einsum("ap,oipq,bq->aboi", _OF_KERNEL, kernel.detach().double(), _OF_KERNEL)
    return GroupedProducts(turned.flatten(0, 1).float(), _TILES_AT_ONCE)
