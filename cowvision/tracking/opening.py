"""Clips opened, and refused before a frame is decoded where they are none; what their headers state."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.stream import Disposition, Stream
from PIL import Image

from cowvision.errors import ClipError

MAX_SIDE = 8192
"""Pixels a side of the largest clip that is decoded."""

GIANT_PIXELS = 16_000_000
"""Of a picture that takes 50 MB: of larger ones as few as possible are held at once."""

EXPORT = "Export it as MP4 (H.264) or copy it again"
NO_FRAME = "there is not a single frame in it"
DECODER_OPTIONS = {"max_pixels": str(MAX_SIDE**2)}
_STILLS = ("png", "jpeg", "webp", "bmp", "tiff", "jpegxl", "jpegls", "j2k", "qoi", "psd", "exr", "dds", "ppm", "svg")
_STILL_BRANDS = frozenset({"heic", "heix", "heim", "heis", "mif1", "avif"})
# Playlists are left out: they name other files, and addresses. Sound is opened so that it can be said to be sound.
_FORMATS = (
    "mov,matroska,avi,gif,apng,mpegts,mpeg,mpegvideo,h264,hevc,m4v,mjpeg,flv,asf,ogg,ivf,dv,mxf,rm,nut,"
    "mp3,wav,w64,flac,aac,ac3,amr,aiff,caf," + ",".join(f"{one}_pipe" for one in _STILLS)
)
_CONTAINER_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
_UNKNOWN_RATE = Fraction(25)
_MOST_BETWEEN = 60  # a higher one is the tick of the container's clock


@dataclass(frozen=True, eq=False)
class OpenClip:
    """A clip that is open, its picture track, and the name it goes by."""

    container: av.container.InputContainer
    stream: av.VideoStream
    name: str

    @property
    def mean_rate(self) -> Fraction:
        """Frames a second as stated or estimated from the first ones; 25 if nothing tells.

        A mean below 1 comes of long pauses, so that the rate between them counts if it is known.
        """
        mean, between = self.stream.average_rate or self.stream.guessed_rate, self.stream.base_rate
        if mean and between and mean < 1 <= between <= _MOST_BETWEEN:
            return Fraction(between)
        return Fraction(mean) if mean else _UNKNOWN_RATE

    @property
    def stated_frames(self) -> int | None:
        """How many frames the header states; None if it states none."""
        return self.stream.frames or None

    @property
    def stated_seconds(self) -> float | None:
        """How long the header says that it is; None if it does not."""
        if self.container.format.name == "avi" and self.stated_frames:  # its length is guessed from the file's
            return float(self.stated_frames / self.mean_rate)
        if self.container.duration:
            return self.container.duration / av.time_base
        if self.stream.duration and self.stream.time_base:
            return float(self.stream.duration * self.stream.time_base)
        return None

    @property
    def stated_end(self) -> float | None:
        """When the last picture or sound ends by the clip's own clock, as far as its format states it reliably.

        Clocks need not begin at 0, and MP4 states lengths. Its whole length may count what goes before the first
        picture, and its tracks' lengths may be rounded: the smaller one holds.
        """
        kind, seconds = self.container.format.name, self.stated_seconds
        if seconds is None or not kind.startswith(("mov", "matroska", "avi")):
            return None
        if not kind.startswith("mov"):
            return seconds
        tracks = [*self.container.streams.video, *self.container.streams.audio]
        ends = [_end_of(one) for one in tracks if one.duration and one.time_base]
        return min((self.container.start_time or 0) / av.time_base + seconds, max(ends, default=math.inf))


@contextmanager
def open_clip(path: str | Path, name: str | None = None) -> Iterator[OpenClip]:
    """Open a clip; `name` is what it goes by in errors, else the file's own.

    Raises:
        ClipError: Missing, empty, not a video, a still picture, sound alone, of an unknown codec, or too large.
    """
    path = Path(path)
    label = name or path.name
    try:
        if path.stat().st_size == 0:
            raise ClipError(label, "the file is empty", "Copy it again")
        with av.open(f"file:{path}", options=DECODER_OPTIONS, container_options=_CONTAINER_OPTIONS) as container:
            yield OpenClip(container, _picture_track(container, label), label)
    except FileNotFoundError:
        raise ClipError(name or str(path), "no such file", "Check the path") from None
    except av.error.EOFError:
        raise ClipError(label, NO_FRAME, EXPORT) from None
    except (av.FFmpegError, OSError, ValueError) as error:
        _refuse_still(_kind_of_picture(path), label)
        cause = f"not a video that can be read ({getattr(error, 'strerror', None) or error})"
        raise ClipError(label, cause, EXPORT) from None


def refuse_large(width: int, height: int, name: str) -> None:
    """Refuse what takes too much memory to decode; FFmpeg tells a size beyond `DECODER_OPTIONS` as 0.

    Raises:
        ClipError: A side is longer than `MAX_SIDE` pixels.
    """
    if not 0 < min(width, height) <= max(width, height) <= MAX_SIDE:
        size = f"measure {width} × {height}: they are" if width and height else "state no size, or are"
        cause = f"its pictures {size} larger than {MAX_SIDE} pixels a side"
        raise ClipError(name, cause, "Export it smaller: 1920 × 1080 is plenty")


def _end_of(track: Stream) -> float:
    return float(((track.start_time or 0) + (track.duration or 0)) * (track.time_base or 0))


def _picture_track(container: av.container.InputContainer, name: str) -> av.VideoStream:
    tracks = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    _refuse_still(_still_kind(container, tracks), name)
    if not tracks and container.streams.audio:
        raise ClipError(name, "there is sound but no picture track", "Give a clip with pictures")
    if not tracks:
        raise ClipError(name, NO_FRAME, EXPORT)
    if tracks[0].codec_context is None:
        raise ClipError(name, "its pictures are packed by a codec that is not known here", "Export it as MP4 (H.264)")
    refuse_large(tracks[0].width, tracks[0].height, name)
    return tracks[0]


def _refuse_still(kind: str | None, name: str) -> None:
    if kind:
        cause = f"this is a still picture ({kind.upper()}), not a video"
        raise ClipError(name, cause, f"Let its name end in .{kind}, and open it on Detect")


def _kind_of_picture(path: Path) -> str | None:
    """Format of a picture that FFmpeg takes, by its ending, for the first of a numbered series; None of all else."""
    with suppress(OSError, ValueError, Image.DecompressionBombError), Image.open(path) as picture:
        return (picture.format or "").lower()
    return None


def _still_kind(container: av.container.InputContainer, tracks: list[av.VideoStream]) -> str | None:
    """Format of a still picture, whatever the file's name says; None of a clip."""
    kind, brand = container.format.name, container.metadata.get("major_brand", "")
    if kind.endswith("_pipe"):
        return kind.removesuffix("_pipe")
    if kind in {"gif", "apng"} and tracks and tracks[0].frames == 1:
        return kind
    return brand if brand in _STILL_BRANDS else None
