"""Clips decoded picture by picture: when each is shown, upright in RGB, and whether the clip was whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from cowvision.errors import ClipError, SpoiltClipError
from cowvision.tracking.opening import (
    DECODER_OPTIONS,
    EXPORT,
    GIANT_PIXELS,
    NO_FRAME,
    OpenClip,
    open_clip,
    refuse_large,
)

_UNSTATED_MATRIX = 2  # FFmpeg's AVCOL_SPC_UNSPECIFIED
_PATIENCE = 300  # packets without a picture at the beginning
_BEGINS_ANEW = 1.0  # seconds back in a clip's clock
_SPARE_SECONDS = 0.5  # stated lengths are rounded


@dataclass(frozen=True)
class _View:
    """Width and height in pixels of a stored picture, and by how many quarters it is turned anticlockwise."""

    width: int
    height: int
    quarters: int


@dataclass(frozen=True, eq=False)
class Moment:
    """A decoded picture and when it is shown.

    Attributes:
        seconds: From when, counted from the clip's first picture; larger from moment to moment.
        lasts: For how long as far as the clip states it, else for one mean frame.
    """

    seconds: float
    lasts: float
    _frame: av.VideoFrame
    _first: _View

    def rgb(self) -> NDArray[np.uint8]:
        """(height, width, 3) uint8, upright, as large as the clip's first picture; a new array each time."""
        first, frame = self._first, self._frame
        pixels = frame.to_ndarray(
            format="rgb24", width=first.width, height=first.height, src_colorspace=_matrix(frame), threads=1
        )
        # PyAV tells the display matrix in degrees anticlockwise and does not apply it.
        turned = np.rot90(pixels, first.quarters)
        return np.array(turned) if frame.format.name == "rgb24" else np.ascontiguousarray(turned)


def decoded(path: str | Path, name: str | None = None) -> Iterator[Moment]:
    """Yield the pictures of a clip in the order they are shown; see `moments`.

    Raises:
        ClipError: It cannot be opened, holds no picture, or (after its last) is not whole.
    """
    with open_clip(path, name) as clip:
        is_giant = clip.stream.width * clip.stream.height > GIANT_PIXELS
        clip.stream.thread_type = "SLICE" if is_giant else "AUTO"  # the other holds a picture a thread
        yield from moments(clip)


def moments(clip: OpenClip) -> Iterator[Moment]:
    """Yield the pictures of an open clip in the order they are shown, decoding one at a time.

    Pictures that cannot be decoded are left out: the one before stays. A picture without a time, or with one that is
    not later than the one before, comes one mean frame after it; a clock that begins anew goes on from where it was.

    Raises:
        ClipError: There is no picture at all; or, after the last one, that there should have been more.
        SpoiltClipError: After the last one, of a clip that was read to its end, that others could not be decoded.
    """
    tally, clock = _Tally(clip), _Clock(1 / float(clip.mean_rate))
    tick = clip.stream.time_base or Fraction(1, av.time_base)
    first: _View | None = None
    for frame in tally.frames():
        refuse_large(frame.width, frame.height, clip.name)
        first = first or _View(frame.width, frame.height, (int(frame.rotation) % 360) // 90)
        seconds = clock.place(None if frame.pts is None else float(frame.pts * tick))
        lasts = float((frame.duration or 0) * tick) or clock.step
        tally.seconds = seconds + lasts
        yield Moment(seconds, lasts, frame, first)
    if first is None:
        raise ClipError(clip.name, tally.nothing(), EXPORT)
    if not tally.is_whole():
        raise tally.shortfall()


def _matrix(frame: av.VideoFrame) -> Colorspace | None:
    """What YUV means: as stated, else BT.709 for HD and larger, as players take it."""
    unstated = frame.colorspace == _UNSTATED_MATRIX and not frame.format.is_rgb
    return Colorspace.ITU709 if unstated and frame.height >= 720 else None


class _Clock:
    """Times of a clip, from 0 and rising, whatever it states."""

    def __init__(self, step: float) -> None:
        self.step = step
        self._now: float | None = None
        self._offset = 0.0

    def place(self, stated: float | None) -> float:
        """When the next picture is shown."""
        if self._now is None:
            self._now, self._offset = 0.0, -(stated or 0.0)
            return 0.0
        due = self._now + self.step
        told = due if stated is None else stated + self._offset
        if told <= self._now - _BEGINS_ANEW:
            self._offset += due - told
            told = due
        self._now = told if told > self._now else due
        return self._now


class _Tally:
    """Decodes a clip and counts what came, to be held against what the clip states."""

    def __init__(self, clip: OpenClip) -> None:
        self.seconds = 0.0
        self._clip = clip
        self._shown = self._packets = self._spoilt = 0
        self._end = 0.0  # of the last picture or sound, by the clip's own clock

    def frames(self) -> Iterator[av.VideoFrame]:
        """All pictures that can be decoded."""
        stream = self._clip.stream
        stream.codec_context.options = DECODER_OPTIONS
        for packet in self._packets_of_all():
            if packet is not None and packet.stream.index != stream.index:
                continue
            for frame in self._decoded(packet):
                self._shown += 1
                yield frame
            if not self._shown and self._packets > _PATIENCE:
                return

    def _packets_of_all(self) -> Iterator[av.Packet[Any] | None]:
        """Packets of all tracks, since sound may go on to the end; at last None, which empties the decoder."""
        with suppress(av.FFmpegError):  # what cannot be read is missing in the end
            for packet in self._clip.container.demux():
                if packet.size:
                    self._see(packet)
                    yield packet
        yield None

    def _see(self, packet: av.Packet[Any]) -> None:
        self._packets += packet.stream.index == self._clip.stream.index
        begins = packet.dts if packet.pts is None else packet.pts
        if begins is not None and packet.time_base and packet.stream.type in {"video", "audio"}:
            self._end = max(self._end, float((begins + (packet.duration or 0)) * packet.time_base))

    def _decoded(self, packet: av.Packet[Any] | None) -> list[av.VideoFrame]:
        try:
            return self._clip.stream.decode(packet)
        except av.FFmpegError:
            self._spoilt += 1
            return []

    def is_whole(self) -> bool:
        """Whether everything came that the clip states, as far as its format states it reliably."""
        is_at_end = self._is_past(self._clip.stated_end or 0.0)
        return (
            not self._spoilt and is_at_end and (self._clip.container.format.name != "gif" or _ends_as_gif(self._clip))
        )

    def _is_past(self, seconds: float) -> bool:
        return self._end >= seconds - max(_SPARE_SECONDS, 2 / float(self._clip.mean_rate))

    def nothing(self) -> str:
        """Why no picture came, in words."""
        return "no frame can be read" if self._packets else NO_FRAME

    def shortfall(self) -> ClipError:
        """What came, in words."""
        stated, end = self._clip.stated_seconds or 0.0, self._clip.stated_end
        if end is not None and self._is_past(end):
            cause = f"it is damaged: {self._shown} frames could be read, and {self._spoilt} or more could not"
            return SpoiltClipError(self._clip.name, cause, "Copy or export it again for all of them")
        whole = f" of {stated:.1f}" if stated > self.seconds else ""
        cause = f"it is cut off or damaged: {self._shown} frames ({self.seconds:.1f}{whole} seconds) could be read"
        return ClipError(self._clip.name, cause, "Copy or export it again for the rest")


def _ends_as_gif(clip: OpenClip) -> bool:
    with Path(clip.container.name.removeprefix("file:")).open("rb") as file:
        file.seek(-min(64, file.seek(0, 2)), 2)
        return file.read().rstrip(b"\0").endswith(b"\x3b")
