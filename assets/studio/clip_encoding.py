"""Frames to an MP4 that browsers play (PyAV, libx264)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np

BT709, BT601 = 1, 6
"""Numbers of H.264's colour descriptions. The matrix is BT.601's, which readers without colour management assume;
naming it lets browsers, which guess BT.709 for high definition, show the same colours."""


def write_mp4(path: Path, frames: Iterable[np.ndarray], fps: int, crf: int = 20) -> None:
    """Encode RGB uint8 frames (h, w, 3; even sides) as H.264 yuv420p, its index first so that it streams."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = None
        for pixels in frames:
            if stream is None:
                stream = _stream(container, pixels, fps, crf)
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(picture.reformat(format="yuv420p")))
        if stream is None:
            raise ValueError(f"no frames for {path.name}")
        container.mux(stream.encode())


def _stream(container: av.container.OutputContainer, first: np.ndarray, fps: int, crf: int) -> av.VideoStream:
    stream = container.add_stream("libx264", rate=fps, options={"crf": str(crf), "preset": "slow"})
    stream.height, stream.width = first.shape[:2]
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.color_primaries = context.color_trc = BT709
    context.colorspace = BT601
    return stream
