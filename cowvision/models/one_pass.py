"""Layers with what follows them in one pass over memory, by oneDNN: torch's own library for processors.

torch's compiler calls these operations as well; without a compiler they are reached under their internal names, which
is safe because the release of torch is pinned. Where torch was built without oneDNN, several passes do the same.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F


def convolved(features: torch.Tensor, convolution: Any) -> torch.Tensor:
    """A convolution of (n, channels, h, w), with negatives made 0."""
    if not (is_quick(features, convolution) and is_last(features)):
        return F.relu_(convolution(features))
    fused: Any = torch.ops.mkldnn._convolution_pointwise  # noqa: SLF001
    return fused(*_given(features, convolution), "relu", [], None)  # type: ignore[no-any-return]


def added(features: torch.Tensor, convolution: Any, sums: torch.Tensor) -> torch.Tensor:
    """A convolution's results and ``sums``, with negatives made 0; it may be written where ``sums`` lie."""
    if not (is_quick(features, convolution) and is_last(features) and is_last(sums)):
        return F.relu_(convolution(features) + sums)
    return _added(features, convolution, sums)


def multiplied(features: torch.Tensor, linear: Any) -> torch.Tensor:
    """A linear layer's results (n, outputs) of (n, inputs), with negatives made 0."""
    if not is_quick(features, linear):
        return F.relu_(linear(features))
    return _multiplied(features, linear)


class GroupedProducts:
    """Products with matrices (groups, outputs, inputs) in float32, kept as oneDNN wants them.

    Args:
        matrices: They are copied.
        biases: (groups, outputs), added to every product.
        rows: How many rows there will mostly be.

    Attributes:
        outputs: Of each group.
    """

    def __init__(self, matrices: torch.Tensor, biases: torch.Tensor, rows: int) -> None:
        self._groups, self.outputs, inputs = matrices.shape
        self._biases = biases.flatten()
        kernel = matrices.reshape(-1, inputs, 1, 1).contiguous()
        shape = [1, self._groups * inputs, 1, rows]
        self._packed = torch.ops.mkldnn._reorder_convolution_weight(  # noqa: SLF001
            kernel, [0, 0], [1, 1], [1, 1], self._groups, shape
        )

    def of(self, rows: torch.Tensor) -> torch.Tensor:
        """Multiply rows (n, groups, inputs), contiguous: (n, groups, outputs)."""
        fused: Any = torch.ops.mkldnn._convolution_pointwise  # noqa: SLF001
        along = rows.view(1, 1, len(rows), -1).permute(0, 3, 1, 2)
        found = fused(along, self._packed, self._biases, [0, 0], [1, 1], [1, 1], self._groups, "none", [], None)
        return found.permute(0, 2, 3, 1).reshape(len(rows), self._groups, self.outputs)  # type: ignore[no-any-return]


def linear_of(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    """A linear layer of the given weights (outputs, inputs), copied; none is drawn at random before."""
    linear = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    for name, values in (("weight", weight), ("bias", bias)):
        setattr(linear, name, nn.Parameter(values.detach().clone(memory_format=torch.contiguous_format), False))
    return linear


def is_quick(features: torch.Tensor, layer: Any) -> bool:
    """Whether oneDNN's operations can be used for a look at ``features`` by ``layer``."""
    return features.device.type == "cpu" and not torch.is_grad_enabled() and _is_built_in(_dtype(layer))


def is_last(features: torch.Tensor) -> bool:
    """Whether channels lie last in memory: of other layouts some fail in bfloat16, and none is quicker so."""
    return features.is_contiguous(memory_format=torch.channels_last)


def _added(features: torch.Tensor, convolution: Any, sums: torch.Tensor) -> torch.Tensor:
    given = _given(features, convolution)
    fused: Any = torch.ops.mkldnn._convolution_pointwise_.binary
    return fused(sums.to(given[0].dtype), *given, "add", 1.0, "relu", [], None)  # type: ignore[no-any-return]


def _multiplied(features: torch.Tensor, linear: Any) -> torch.Tensor:
    dtype = _dtype(linear)
    fused: Any = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001
    given = (features.to(dtype), linear.weight.to(dtype), linear.bias.to(dtype))
    return fused(*given, "relu", [], None)  # type: ignore[no-any-return]


def _given(features: torch.Tensor, convolution: Any) -> tuple[Any, ...]:
    dtype = _dtype(convolution)
    shape = (convolution.padding, convolution.stride, convolution.dilation, convolution.groups)
    return features.to(dtype), convolution.weight.to(dtype), convolution.bias.to(dtype), *shape


def _dtype(layer: Any) -> torch.dtype:
    """What a layer computes in: autocast does not know of these operations."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else layer.weight.dtype


@cache
def _is_built_in(dtype: torch.dtype) -> bool:
    """Whether the operations are there and answer as they should.

    Args:
        dtype: What is computed in; processors without AVX-512 refuse bfloat16 here, while torch's plain layers take it.
    """
    near = 1e-5 if dtype == torch.float32 else 0.05
    with torch.random.fork_rng(devices=[]):  # a training goes on with the random numbers it had
        convolution, linear = nn.Conv2d(16, 16, 3, padding=1).to(dtype), nn.Linear(16, 16).to(dtype)
        features = torch.rand(1, 16, 4, 4).to(dtype, memory_format=torch.channels_last)
        biases = torch.rand(4, 36)
    rows = features.permute(0, 2, 3, 1).reshape(-1, 16)
    try:
        with torch.inference_mode(), torch.autocast("cpu", enabled=False):
            pairs = [
                (_added(features, convolution, features.clone()), F.relu(convolution(features) + features)),
                (_multiplied(rows, linear), F.relu(linear(rows))),
            ]
            if dtype == torch.float32:
                groups, matrices = rows.view(4, 4, 16), convolution.weight.view(4, -1, 16)
                wanted = torch.einsum("ngi,goi->ngo", groups, matrices) + biases
                pairs.append((GroupedProducts(matrices, biases, 4).of(groups), wanted))
            return all(torch.allclose(fused, plain, atol=near) for fused, plain in pairs)
    except (AttributeError, RuntimeError):
        return False
