"""What a clip is - its size, length and rate - told from its header and first picture."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from cowvision.tracking.decoding import moments
from cowvision.tracking.opening import open_clip

LONG_SECONDS = 3600
"""A clip longer than this is tracked only when asked for twice."""

MOST_FPS = Fraction(60)
"""Frames a second at which a clip is tracked at most: browsers drop what comes faster."""

_COMMON = tuple(
    Fraction(*one)
    for one in (
        (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (8, 1), (10, 1), (12, 1), (25, 2), (15, 1), (20, 1),
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1),
        (90, 1), (100, 1), (120000, 1001), (120, 1), (240000, 1001), (240, 1), (480, 1), (960, 1),
    )
)  # fmt: skip


@dataclass(frozen=True)
class ClipInfo:
    """What a clip states.

    Attributes:
        name: What it goes by.
        resolution_wh: Width and height in pixels, upright.
        frames: How many it states; None if it states none.
        seconds: How long it says that it is; None if it does not.
        fps: Frames a second, the mean as stated or estimated.
        codec: FFmpeg's name for how its pictures are packed.
    """

    name: str
    resolution_wh: tuple[int, int]
    frames: int | None
    seconds: float | None
    fps: Fraction
    codec: str


def probe(path: str | Path, name: str | None = None) -> ClipInfo:
    """Read what a clip states, and its first picture to see that it can be decoded.

    Raises:
        ClipError: Missing, empty, not a video, a still picture, sound alone, of an unknown codec, larger than 8,192
            pixels a side, or without a picture that can be decoded.
    """
    with open_clip(path, name) as clip:
        height, width, _ = next(moments(clip)).rgb().shape
        return ClipInfo(
            name=clip.name,
            resolution_wh=(width, height),
            frames=clip.stated_frames,
            seconds=clip.stated_seconds,
            fps=clip.mean_rate,
            codec=clip.stream.codec_context.name,
        )


def steady_fps(info: ClipInfo) -> Fraction:
    """The constant rate at which a clip is tracked, 1..60.

    Its own rate where it has one, so that every frame is its own; a varying one (a mean like 29.87) becomes the nearest
    common rate; of a faster clip every second, third, ... frame counts.
    """
    own = info.fps.denominator in {1, 2, 3, 4, 1001} or 100 % info.fps.numerator == 0  # GIF counts in 1/100 seconds
    rate = info.fps if own else min(_COMMON, key=lambda common: abs(common - info.fps))
    every = -(-rate // MOST_FPS)
    return max(rate / every, Fraction(1))
