"""Clips: their frames with true timestamps, turned upright. The only reader of videos."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from cowvision.errors import ClipError

CLIP_SUFFIXES = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v"})


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a clip.

    Attributes:
        index: Place in the clip, counted from 0.
        seconds: Presentation time, from the clip's own timestamps (never index / fps: rates vary).
        rgb: (height, width, 3) uint8, upright.
    """

    index: int
    seconds: float
    rgb: NDArray[np.uint8]


def frames(path: str | Path, every: int = 1) -> Iterator[Frame]:
    """Yield every `every`-th frame of a clip, beginning with frame 0.

    Raises:
        ClipError: The file is missing, not a video, has no picture track, or breaks off before its first frame. A clip
            that breaks off later yields what it holds and then raises.
    """
    path = Path(path)
    if every < 1:
        raise ClipError(path.name, f"every {every}. frame makes no sense", "Give 1 or more")
    try:
        with av.open(str(path)) as container:
            yield from _frames_of(container, path, every)
    except FileNotFoundError:
        raise ClipError(str(path), "no such file", "Check the path") from None
    except (av.FFmpegError, OSError, ValueError) as error:
        cause = f"not a video that can be read ({getattr(error, 'strerror', None) or error})"
        raise ClipError(path.name, cause, "Export it as MP4 (H.264) or copy it again") from None


def frame_count(path: str | Path) -> int | None:
    """Return the number of frames the clip states; None when it states none or cannot be read."""
    try:
        with av.open(str(path)) as container:
            return (container.streams.video[0].frames or None) if container.streams.video else None
    except (av.FFmpegError, OSError, ValueError):
        return None


def _frames_of(container: av.container.InputContainer, path: Path, every: int) -> Iterator[Frame]:
    if not container.streams.video:
        raise ClipError(path.name, "there is sound but no picture track", "Give a clip with pictures")
    container.streams.video[0].thread_type = "AUTO"
    index = -1
    for index, frame in enumerate(container.decode(video=0)):
        if index % every == 0:
            yield Frame(index, float(frame.time or 0.0), _upright(frame))
    if index < 0:
        raise ClipError(path.name, "no frame can be read", "Export it as MP4 (H.264) or copy it again")


def _upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Turn a frame by its display matrix, which PyAV reports in degrees anticlockwise and does not apply."""
    quarter_turns = (int(frame.rotation) % 360) // 90
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), quarter_turns))
