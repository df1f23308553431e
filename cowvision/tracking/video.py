"""Clips: their frames with true timestamps, turned upright."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cowvision.errors import ClipError
from cowvision.tracking.decoding import decoded
from cowvision.tracking.opening import open_clip

CLIP_SUFFIXES = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v"})
"""Of files that hold a clip and nothing else: what Detect takes for one."""

TRACKED_SUFFIXES = CLIP_SUFFIXES | {".gif"}
"""Of files that Track takes. To Detect a GIF is a picture, of which the first frame counts."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a clip.

    Attributes:
        index: Place in the clip, counted from 0.
        seconds: When it is shown, counted from the first frame: by the clip's own timestamps (never index / fps: rates
            vary) unless the clip was re-timed.
        rgb: (height, width, 3) uint8, upright.
        repeats: It is the very picture of the frame before, shown for longer.
        skips: Pictures of the clip that come before it were left out.
    """

    index: int
    seconds: float
    rgb: NDArray[np.uint8]
    repeats: bool = False
    skips: bool = False


def frames(path: str | Path, every: int = 1) -> Iterator[Frame]:
    """Yield every `every`-th frame of a clip, beginning with frame 0.

    Raises:
        ClipError: The file is missing, not a video, has no picture track, or breaks off before its first frame. A clip
            that breaks off later, or is damaged, yields what it holds and then raises.
    """
    if every < 1:
        raise ClipError(Path(path).name, f"every {every}. frame makes no sense", "Give 1 or more")
    for index, moment in enumerate(decoded(path)):
        if index % every == 0:
            yield Frame(index, moment.seconds, moment.rgb())


def frame_count(path: str | Path) -> int | None:
    """Return the number of frames the clip states; None when it states none or cannot be read."""
    try:
        with open_clip(path) as clip:
            return clip.stated_frames
    except ClipError:
        return None
