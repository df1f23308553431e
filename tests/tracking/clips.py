"""Clips for tests: every frame carries its number in sixteen black and white blocks, which survive any codec."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SIZE_WH = (64, 48)
_FAST = {
    "libx264": {"preset": "veryfast", "threads": "1"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "threads": "1"},
}
_BITS = 4  # blocks a row and a column


def numbered(number: int, size_wh: tuple[int, int] = SIZE_WH) -> np.ndarray:
    """A picture, (height, width, 3) uint8, that shows a number below 65,536; turned or shifted it shows another."""
    bits = (number >> np.arange(_BITS**2) & 1).reshape(_BITS, _BITS)
    rows = np.arange(size_wh[1]) * _BITS // size_wh[1]
    columns = np.arange(size_wh[0]) * _BITS // size_wh[0]
    return np.repeat((bits[rows][:, columns] * 255).astype(np.uint8)[:, :, None], 3, axis=2)


def number_of(rgb: np.ndarray) -> int:
    """The number that a picture shows."""
    rows, columns = ((np.arange(_BITS) + 0.5) * side / _BITS for side in rgb.shape[:2])
    bits = rgb[rows.astype(int)][:, columns.astype(int)].mean(axis=2) > 127
    return int((bits.reshape(-1) << np.arange(_BITS**2)).sum())


def write_clip(
    path: Path,
    count: int = 10,
    *,
    fps: Fraction | int = 10,
    times: Sequence[float] | None = None,
    size_wh: tuple[int, int] = SIZE_WH,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rotation: int = 0,
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    timecode: str = "",
) -> Path:
    """Write frames 0, 1, 2, ... of a clip.

    Args:
        path: Its suffix chooses the container.
        count: How many frames.
        fps: Their rate.
        times: When each frame begins, in seconds, instead of a constant rate; the last one lasts 0.1 seconds.
        size_wh: Width and height of the upright picture in pixels.
        codec: FFmpeg's name of it.
        pix_fmt: FFmpeg's name of it.
        rotation: Degrees anticlockwise that a player has to turn the stored picture by to make it upright.
        options: The codec's.
        muxer: The container's.
        timecode: Of the first frame, for a track of it as cameras write it; MP4 and MOV only.
    """
    tick = 1 / Fraction(fps) if times is None else Fraction(1, 1000)
    begins = [*range(count)] if times is None else [round(one * 1000) for one in times]
    lasts = dict(zip(begins, np.diff([*begins, begins[-1] + (1 if times is None else 100)]).tolist(), strict=True))
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=fps, options=_FAST.get(codec, {}) | (options or {}))
        stream.width, stream.height = size_wh if rotation % 180 == 0 else size_wh[::-1]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = tick
        if times is not None:
            stream.codec_context.max_b_frames = 0  # as phones write them
        if timecode:
            stream.metadata["timecode"] = timecode
        if rotation:
            stream.set_display_rotation(rotation)
        stored = (np.rot90(numbered(number, size_wh), -rotation // 90) for number in range(len(begins)))
        frames = (_frame(pts, tick, rgb, pix_fmt) for pts, rgb in zip(begins, stored, strict=True))
        for packet in (one for frame in (*frames, None) for one in stream.encode(frame)):
            packet.duration = lasts[packet.pts]
            container.mux(packet)
    return path


def write_sound(path: Path, *, cover: bool = False) -> Path:
    """Write a second of silence, with or without the picture of a record's sleeve."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le" if path.suffix == ".mkv" else "aac", rate=8000, layout="mono")
        if cover:
            sleeve = container.add_stream("mjpeg", rate=1)
            sleeve.width, sleeve.height, sleeve.pix_fmt = *SIZE_WH, "yuvj420p"
            sleeve.disposition = av.stream.Disposition.attached_pic
            container.mux(sleeve.encode(_frame(0, Fraction(1), numbered(1), "yuvj420p")))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_empty(path: Path, codec: str = "libx264") -> Path:
    """Write a clip without a frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height = SIZE_WH
        stream.pix_fmt = "yuv420p"
        container.start_encoding()
    return path


def cut_off(path: Path, share: float) -> Path:
    """Leave only the beginning of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def spoil(path: Path, count: int = 1500) -> Path:
    """Write zeros over some bytes in the middle of a file."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + count] = bytes(count)
    path.write_bytes(data)
    return path


def _frame(pts: int, tick: Fraction, stored: np.ndarray, pix_fmt: str) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(stored), format="rgb24").reformat(format=pix_fmt)
    frame.pts, frame.time_base = pts, tick
    return frame
