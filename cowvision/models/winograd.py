"""3x3 convolutions with a quarter of the multiplications: Winograd's minimal filtering, F(4x4, 3x3).

Source: Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.3. Tiles of 6x6 cells, each
overlapping the next by two, are turned into 36 sums of their cells; there the convolution is one product of matrices a
sum; and from sums of those products come the 4x4 cells in the middle. Tiles are worked on in groups that fit a
processor's cache, by oneDNN: a wide convolution of float32 then takes half its time, or less, and the turned kernels
twice the memory of the plain ones besides.

The sums are values of polynomials at 0, 1, -1, 1/2, -2 and infinity. Points of that kind round less (Barabasz et al.
2020, "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks"): by two thirds of
what the paper's own, 0, 1, -1, 2, -2 and infinity, do (root mean square). In `tests/models/test_winograd.py` results
are wrong by 4e-5 of their spread at most, where a usual convolution's are by 2e-5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from cowvision.models.one_pass import GroupedProducts, added, convolved, is_last, is_quick

_Write = Callable[[torch.Tensor, torch.Tensor], object]
"""Writes what is convolved, the second tensor, to its place in the results, the first, of the same shape."""

_TILE, _STEP = 6, 4
_LEAST_CHANNELS = 128
"""Of narrower layers the sums take as long as is saved."""

_FEW_CELLS = 500
_TILES_AT_ONCE = 72
"""oneDNN lays matrices out for a number of rows, and other numbers of rows take it ten times as long. A picture scaled
to 800x1199 px has 70 tiles on the coarsest level of the trunk."""

_TILES_A_STRIP = 768
"""Tiles are taken from a picture in strips of whole rows; of 256 channels, so many take 28 MB."""

_TO_SUMS = torch.tensor(
    [
        [2, -3, -4, 3, 2, 0],
        [0, -2, 1, 5, 2, 0],
        [0, 2, -5, 1, 2, 0],
        [0, -4, -2, 4, 2, 0],
        [0, 2, -4, -2, 4, 0],
        [0, 2, -3, -4, 3, 2],
    ],
    dtype=torch.float64,
) / 4  # fmt: skip
_OF_KERNEL = torch.tensor(
    [[30, 0, 0], [10, 10, 10], [-10, 10, -10], [-32, -16, -8], [1, -2, 4], [0, 0, 30]], dtype=torch.float64
) / 15  # fmt: skip
_TO_CELLS = torch.tensor(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 1 / 2, -2, 0], [0, 1, 1, 1 / 4, 4, 0], [0, 1, -1, 1 / 8, -8, 1]],
    dtype=torch.float64,
)
_SUMS = torch.kron(_TO_SUMS, _TO_SUMS).float()
_CELLS = torch.kron(_TO_CELLS, _TO_CELLS).float()
_AT_ONES = 1 * _TILE + 1
"""The sum to which a number is added to be added to every cell: a constant's value at the point (1, 1)."""


class WinogradConv2d(nn.Module):
    """A 3x3 convolution that looks quickly in float32 on a processor, and as it always did elsewhere.

    Args:
        convolution: Of stride 1 and padding 1; its weights must not change any more.
    """

    def __init__(self, convolution: Any) -> None:
        super().__init__()
        self.plain = convolution
        self._products: GroupedProducts | None = None

    def forget(self) -> None:
        """Let the turned kernels go; they are made anew when they are used again."""
        self._products = None

    def __getstate__(self) -> dict[str, Any]:
        """What a copy is made of: oneDNN's own memory can be neither copied nor stored, and is made anew."""
        return self.__dict__ | {"_products": None}

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Convolve (n, channels, h, w)."""
        if not self._is_of_use(features):
            return self.plain(features)  # type: ignore[no-any-return]
        return self._convolved(features, torch.Tensor.copy_)

    def rectified(self, features: torch.Tensor) -> torch.Tensor:
        """Convolve (n, channels, h, w), with negatives made 0."""
        if not self._is_of_use(features):
            return convolved(features, self.plain)
        return self._convolved(features, _write_rectified)

    def added(self, features: torch.Tensor, sums: torch.Tensor) -> torch.Tensor:
        """Convolve (n, channels, h, w) and add to ``sums``, with negatives made 0; it may be written where they lie.

        Args:
            features: They share no memory with ``sums``.
            sums: (n, outputs, h, w).
        """
        if not (self._is_of_use(features) and is_last(sums) and sums.dtype == torch.float32):
            return added(features, self.plain, sums)
        return self._convolved(features, _add_rectified, sums)

    def _is_of_use(self, features: torch.Tensor) -> bool:
        is_plain = features.dtype == self.plain.weight.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
        is_large = features.shape[2:].numel() >= _FEW_CELLS
        return is_plain and is_large and is_last(features) and is_quick(features, self.plain)

    def _convolved(self, features: torch.Tensor, write: _Write, into: torch.Tensor | None = None) -> torch.Tensor:
        pictures, _, height, width = features.shape
        down, across = -(-height // _STEP), -(-width // _STEP)
        strip = _rows_at_once(down, across)
        products = self._products or _products_of(self.plain)
        self._products = products
        if into is None:
            found = features.new_empty(pictures, height, width, products.outputs)
        else:
            found = into.permute(0, 2, 3, 1)
        room = _Room(features, products.outputs, strip, across)
        for cells, results in zip(features.permute(0, 2, 3, 1), found, strict=True):
            for first in range(0, height, _STEP * strip):
                _put(room.convolve(cells, first, products), results[first : first + _STEP * strip], write)
        return found.permute(0, 3, 1, 2)


class _Room:
    """Memory for one strip of tiles after the other: new memory would take longer than the work."""

    def __init__(self, features: torch.Tensor, outputs: int, strip: int, across: int) -> None:
        channels = features.shape[1]
        self.strip, self.across = strip, across
        self.padded = features.new_zeros(_STEP * strip + 2, _STEP * across + 2, channels)
        groups = -(-strip * across // _TILES_AT_ONCE)
        self.tiles = features.new_empty(groups, _TILES_AT_ONCE, _TILE * _TILE, channels)
        self.tiles[-1] = 0  # more than a strip has
        self.sums = torch.empty_like(self.tiles[0])
        self.inner = features.new_empty(groups, _TILES_AT_ONCE, _STEP * _STEP, outputs)

    def convolve(self, cells: torch.Tensor, first: int, products: GroupedProducts) -> torch.Tensor:
        """The convolution of ``cells`` (h, w, channels), from row ``first`` on: (down, across, 4, 4, outputs)."""
        down = min(self.strip, -(-(len(cells) - first) // _STEP))
        tiles = down * self.across
        self._pad(cells, first, _STEP * down + 2)
        row, column, channel = self.padded.stride()
        shape = (down, self.across, _TILE, _TILE, self.padded.shape[2])
        overlapping = self.padded.as_strided(shape, (_STEP * row, _STEP * column, row, column, channel))
        self.tiles.flatten(0, 1)[:tiles].view(shape).copy_(overlapping)
        groups = -(-tiles // _TILES_AT_ONCE)
        for some, inner in zip(self.tiles[:groups], self.inner[:groups], strict=True):
            sums = torch.matmul(_SUMS, some, out=self.sums)
            torch.matmul(_CELLS, products.of(sums), out=inner)
        return self.inner.flatten(0, 1)[:tiles].view(down, self.across, _STEP, _STEP, -1)

    def _pad(self, cells: torch.Tensor, first: int, height: int) -> None:
        """Put the rows from ``first`` - 1 on here, with zeros around the picture."""
        begin, end = max(first - 1, 0), min(first - 1 + height, len(cells))
        above = begin - (first - 1)
        self.padded[:above] = 0
        self.padded[above : above + end - begin, 1 : 1 + cells.shape[1]] = cells[begin:end]
        self.padded[above + end - begin :] = 0


def _rows_at_once(down: int, across: int) -> int:
    """How many of the ``down`` rows of ``across`` tiles to work on at once: so that few places stay empty."""

    def places(rows: int) -> int:
        strips = [rows] * (down // rows) + [down % rows]
        return sum(-(-strip * across // _TILES_AT_ONCE) for strip in strips)

    most = max(1, min(down, _TILES_A_STRIP // across))
    return min(range(1, most + 1), key=lambda rows: (places(rows), rows))


def _put(tiles: torch.Tensor, rows: torch.Tensor, write: _Write) -> None:
    """Write tiles (down, across, 4, 4, outputs) to ``rows`` (h, w, outputs), which may end within the last tiles."""
    for down, its_rows, high in _runs(rows.shape[0]):
        for across, its_columns, wide in _runs(rows.shape[1]):
            place = torch.unflatten(torch.unflatten(rows[its_rows, its_columns], 1, (-1, wide)), 0, (-1, high))
            write(place, tiles[down, across, :high, :wide].transpose(1, 2))


def _write_rectified(place: torch.Tensor, cells: torch.Tensor) -> None:
    torch.clamp_min(cells, 0, out=place)


def _add_rectified(place: torch.Tensor, cells: torch.Tensor) -> None:
    place.add_(cells).relu_()


def _runs(cells: int) -> list[tuple[slice, slice, int]]:
    """The whole tiles along one side, and the last if it is not whole: which, their cells, and how many each has."""
    whole, rest = divmod(cells, _STEP)
    runs = [
        (slice(0, whole), slice(0, _STEP * whole), _STEP),
        (slice(whole, whole + 1), slice(_STEP * whole, cells), rest),
    ]
    return [run for run in runs if run[1].start < run[1].stop]


def with_winograd(network: nn.Module) -> nn.Module:
    """Let a network's wide 3x3 convolutions be done so; changed in place and returned.

    Args:
        network: With its norms folded, for looking only.
    """
    for module in [one for one in network.modules() if not isinstance(one, WinogradConv2d)]:
        for name, child in list(module.named_children()):
            if _suits(child):
                setattr(module, name, WinogradConv2d(child))
    return network


def forget_kernels(network: nn.Module) -> None:
    """Let go what a network's convolutions keep to be quick, 35 to 380 MB: it looks in another way from now on."""
    for module in network.modules():
        if isinstance(module, WinogradConv2d):
            module.forget()


def _suits(layer: Any) -> bool:
    if type(layer) is not nn.Conv2d or layer.kernel_size != (3, 3) or layer.bias is None:
        return False
    is_usual = layer.stride == layer.padding == layer.dilation == (1, 1) and layer.groups == 1
    return is_usual and layer.padding_mode == "zeros" and min(layer.weight.shape[:2]) >= _LEAST_CHANNELS


def _products_of(layer: Any) -> GroupedProducts:
    """A matrix (outputs, inputs) for each of the 36 sums, of a kernel (outputs, inputs, 3, 3), and the bias."""
    turned = torch.einsum("ap,oipq,bq->aboi", _OF_KERNEL, layer.weight.detach().double(), _OF_KERNEL)
    biases = layer.bias.new_zeros(_TILE * _TILE, len(layer.bias))
    biases[_AT_ONES] = layer.bias.detach()
    return GroupedProducts(turned.flatten(0, 1).float(), biases, _TILES_AT_ONCE)
