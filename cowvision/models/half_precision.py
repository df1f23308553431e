"""Whether bfloat16 is worth a try on a device: one small layer tells, before a whole network is run that way.

Processors without AVX-512 compute bfloat16 number by number. There a ResNet-50 would look at one picture for half an
hour, only to find out that float32 is faster.
"""

from __future__ import annotations

import time
from functools import cache

import torch
from torch.nn import functional as F

_HOPELESS = 4.0
"""So many times slower in one layer, it cannot win in a network; closer cases are decided by running the network."""

_CHANNELS, _CELLS = 64, 24
_RUNS = 3


@cache
def is_bfloat16_hopeless(device: str) -> bool:
    """Whether one layer takes many times as long in bfloat16 as in float32, or cannot be computed so; timed once.

    Args:
        device: "cpu", "cuda" or "mps".
    """
    usual = _seconds(torch.float32, device, float("inf"))
    try:
        return _seconds(torch.bfloat16, device, _HOPELESS * usual) > _HOPELESS * usual
    except RuntimeError:
        return True


def _seconds(dtype: torch.dtype, device: str, enough: float) -> float:
    """The shortest of some runs of a layer, after one to warm up; given up once the warm-up is beyond any doubt."""
    features = torch.ones(1, _CHANNELS, _CELLS, _CELLS, dtype=dtype, device=device)
    features = features.contiguous(memory_format=torch.channels_last)
    kernel = torch.ones(_CHANNELS, _CHANNELS, 3, 3, dtype=dtype, device=device)
    seconds = []
    with torch.inference_mode(), torch.autocast(device, enabled=False):
        for _ in range(_RUNS + 1):
            started = time.perf_counter()
            F.conv2d(features, kernel, padding=1).sum().item()  # asking for the sum waits for a graphics card
            seconds.append(time.perf_counter() - started)
            if seconds[0] > 20 * enough:
                return seconds[0]
    return min(seconds[1:])
