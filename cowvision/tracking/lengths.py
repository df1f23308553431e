"""How long a clip is that does not say it: told by its packets, without a picture decoded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av

from cowvision.tracking.opening import OpenClip, open_clip


def read_seconds(path: str | Path, name: str | None = None, *, most: float = math.inf) -> float:
    """Read a clip's file for the time of its last picture; those without times count as long as a mean frame.

    Args:
        path: The clip.
        name: What it goes by in errors; else the file's own name.
        most: Seconds after which it is read no further.

    Raises:
        ClipError: It cannot be opened.
    """
    seconds, begins = 0.0, None
    with open_clip(path, name) as clip:
        step = 1 / float(clip.mean_rate)
        for packet in _packets(clip):
            told = packet.dts if packet.pts is None else packet.pts
            if told is None or not packet.time_base:
                seconds += step
            else:
                shown = float(told * packet.time_base)
                begins = shown if begins is None else begins
                seconds = max(seconds, shown - begins + step)
            if seconds > most:
                break
    return seconds


def _packets(clip: OpenClip) -> Iterator[av.Packet[Any]]:
    with suppress(av.FFmpegError):  # what cannot be read is not there
        yield from (packet for packet in clip.container.demux(clip.stream) if packet.size)
