"""A clip's file that says of itself that it is a part: a player shows its title, wherever the file goes."""

from __future__ import annotations

import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av


def mark(path: str | Path, words: str) -> None:
    """Write a title and a comment into an MP4; its packets stay as they are. One that cannot be marked stays unmarked.

    Args:
        path: The clip.
        words: A short line.
    """
    path = Path(path)
    marked = path.with_name(f".{path.name}.{os.getpid()}.marked")
    try:
        with suppress(av.FFmpegError, OSError):  # a full disk takes a mark, and no clip
            _copy(path, marked, words)
            marked.replace(path)
    finally:
        marked.unlink(missing_ok=True)


def part_words(done: int, total: int | None, fps: Fraction, why: str) -> str:
    """How many frames of how many (None where nobody knows) are there and why no more, in a line."""
    whole = "" if total is None else f" of about {float(total / fps):.1f} s"
    return f"The first {float(done / fps):.1f} s{whole} ({why})"


def title_of(path: str | Path) -> str:
    """The title of a clip's file; empty without one."""
    with av.open(f"file:{path}") as container:
        return container.metadata.get("title", "")


def _copy(path: Path, marked: Path, words: str) -> None:
    with (
        av.open(f"file:{path}") as source,
        av.open(f"file:{marked}", "w", format="mp4", options={"movflags": "+faststart"}) as target,
    ):
        target.metadata.update({"title": words, "comment": words})
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:  # the last one is empty
                packet.stream = stream
                target.mux(packet)
    with marked.open("rb") as file:
        os.fsync(file.fileno())  # its name must not come before its bytes
