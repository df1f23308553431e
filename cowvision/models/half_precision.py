"""Whether bfloat16 is worth a try on a device: one small layer tells, before a whole network is run that way.

Processors without AVX-512 compute bfloat16 number by number. There a ResNet-50 would look at one picture for half an
hour, only to find out that float32 is faster.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache

import torch
from torch.nn import functional as F

_HOPELESS = 3.0
"""So many times slower in one layer, it cannot win in a network; closer cases are decided by running the network."""

_CHANNELS, _CELLS = 128, 24
_ROUNDS = 5


@cache
def is_bfloat16_hopeless(device: str) -> bool:
    """Whether one layer takes many times as long in bfloat16 as in float32, or cannot be computed so; timed once.

    Args:
        device: "cpu", "cuda" or "mps".
    """
    try:
        usual, half = _fewest_seconds((torch.float32, torch.bfloat16), device)
    except RuntimeError:
        return True
    return half > _HOPELESS * usual


def _fewest_seconds(dtypes: Sequence[torch.dtype], device: str) -> list[float]:
    """The shortest run of a layer in each precision, turn by turn and by one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rounds = [[_seconds(dtype, device) for dtype in dtypes] for _ in range(_ROUNDS + 1)]
    finally:
        torch.set_num_threads(threads)
    return [min(seconds) for seconds in zip(*rounds[1:], strict=True)]


@torch.inference_mode()
def _seconds(dtype: torch.dtype, device: str) -> float:
    features = torch.ones(1, _CHANNELS, _CELLS, _CELLS, dtype=dtype, device=device)
    features = features.contiguous(memory_format=torch.channels_last)
    kernel = torch.ones(_CHANNELS, _CHANNELS, 3, 3, dtype=dtype, device=device)
    clock = time.thread_time if device == "cpu" else time.perf_counter  # other work on the machine does not count
    with torch.autocast(device, enabled=False):
        started = clock()
        F.conv2d(features, kernel, padding=1).sum().item()  # asking for the sum waits for a graphics card
        return clock() - started
