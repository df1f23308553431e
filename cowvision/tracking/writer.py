"""Clips written as MP4 (H.264) that every browser plays, whole or not at all."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from cowvision.errors import ClipError
from cowvision.tracking.opening import GIANT_PIXELS

_SETTINGS = {"crf": "23", "preset": "veryfast"}
_GIANT_SETTINGS = {**_SETTINGS, "tune": "zerolatency"}  # without it x264 holds a dozen pictures to look ahead
_THREADS = 2  # the detector needs the rest of the machine
_BT709, _BT601 = 1, 6  # FFmpeg's AVCOL_SPC_BT709 and AVCOL_SPC_SMPTE170M
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ClipWriter:
    """Writes a clip frame by frame; used as a context.

    Frame n is shown at exactly n / fps, and every second holds a frame that players can jump to at once. The clip has
    even sides: the last column or row of an odd one is repeated. It gets its name when the context ends well; an
    exception in it leaves nothing.

    Args:
        path: Where the clip goes, in a folder that exists.
        fps: Frames a second.
        resolution_wh: Width and height of the frames in pixels.
    """

    def __init__(self, path: str | Path, *, fps: Fraction, resolution_wh: tuple[int, int]) -> None:
        if fps <= 0 or min(resolution_wh) < 1:
            raise ValueError(f"expected a rate and sides above 0, got {fps} and {resolution_wh}")
        self.path = Path(path)
        self.frames = 0
        self._fps = Fraction(fps)
        self._shape = (resolution_wh[1], resolution_wh[0], 3)
        self._partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.{threading.get_ident()}")
        self._hd = resolution_wh[1] >= 720

    def __enter__(self) -> Self:
        """Begin the clip under a name of its own.

        Raises:
            ClipError: The folder is missing or may not be written to, or nothing here packs pictures as H.264.
        """
        try:
            self._container = av.open(f"file:{self._partial}", "w", format="mp4", options={"movflags": "+faststart"})
            self._stream = self._new_stream()
        except BaseException as error:
            self._leave_nothing()
            if isinstance(error, av.FFmpegError | OSError):
                raise self._refused(error) from None
            raise
        return self

    def write(self, rgb: NDArray[np.uint8]) -> None:
        """Add a frame, (height, width, 3) uint8.

        Raises:
            ValueError: It is of another shape or type.
            ClipError: It cannot be written, as when the disk is full.
        """
        if rgb.shape != self._shape or rgb.dtype != np.uint8:
            raise ValueError(f"expected frames of shape {self._shape} and uint8, got {rgb.shape} and {rgb.dtype}")
        frame = self._as_yuv(rgb)
        frame.pts, frame.time_base = self.frames, 1 / self._fps
        self._encode(frame)
        self.frames += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the clip its name, or leave nothing.

        Raises:
            ClipError: No frame was written, or the end of the clip cannot be written.
        """
        try:
            if kind is None:
                self._finish()
        finally:
            self._leave_nothing()

    def _leave_nothing(self) -> None:
        with suppress(av.FFmpegError, OSError, AttributeError):  # none was opened
            self._container.close()
        self._partial.unlink(missing_ok=True)

    def _finish(self) -> None:
        if not self.frames:
            raise ClipError(self.path.name, "there is no frame to write", "Give a clip with pictures")
        self._encode(None)
        try:
            self._container.close()
            with self._partial.open("rb") as file:
                os.fsync(file.fileno())  # its name must not come before its bytes
            self._partial.replace(self.path)
        except (av.FFmpegError, OSError) as error:
            raise self._refused(error) from None

    def _encode(self, frame: av.VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            raise self._refused(error) from None

    def _new_stream(self) -> av.VideoStream:
        height, width, _ = self._shape
        settings = _GIANT_SETTINGS if width * height > GIANT_PIXELS else _SETTINGS
        stream = self._container.add_stream("libx264", rate=self._fps, options=settings)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = 1 / self._fps
        context.gop_size = max(1, int(self._fps))
        context.thread_count = _THREADS
        context.color_range = ColorRange.MPEG
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        context.colorspace = _BT709 if self._hd else _BT601
        return stream

    def _as_yuv(self, rgb: NDArray[np.uint8]) -> av.VideoFrame:
        height, width, _ = self._shape
        if height % 2 or width % 2:
            rgb = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        matrix = Colorspace.ITU709 if self._hd else Colorspace.ITU601
        return av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(rgb), format="rgb24").reformat(
            format="yuv420p", dst_colorspace=matrix, dst_color_range=ColorRange.MPEG, threads=1
        )

    def _refused(self, error: Exception) -> ClipError:
        number = getattr(error, "errno", None)
        if number in _NO_SPACE:
            return ClipError(self.path.name, "it cannot be written: the disk is full", "Free some space and try again")
        cause = f"it cannot be written ({getattr(error, 'strerror', None) or error})"
        return ClipError(self.path.name, cause, "Choose a folder that may be written to")
