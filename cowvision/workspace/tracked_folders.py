"""Folders of results: each gets its name when it is complete, and what was left unfinished goes."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cowvision.errors import ClipError
from cowvision.workspace.job_process import is_running
from cowvision.workspace.tracked_clips import TrackedClip, read_tracked, remove_tracked, tracked_clips, tracked_folder

_ABANDONED_SECONDS = 24 * 3600.0
_PART = "-part"  # after the name of a result that is not of the whole clip: it never takes a whole one's place


@contextmanager
def new_folder(name: str, parent: Path | None = None) -> Iterator[Path]:
    """A folder to write a result into; it gets its name, in place of an older one, when the block ends well.

    A part of a clip takes the place of an older part that is no longer, and goes when the whole is there.

    Raises:
        ClipError: It cannot be made.
    """
    parent = parent or tracked_folder()
    _forget_abandoned(parent)
    unfinished, aside = (parent / f".{name}.{kind}{os.getpid()}" for kind in ("", "old."))
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        yield unfinished
        frames = _frames_of_part(unfinished)
        final = parent / (name if frames is None else name + _PART)
        if frames is not None and (_frames_of_part(final) or 0) > frames:
            return
        if final.exists():
            final.replace(aside)
        unfinished.replace(final)
        if frames is None:
            shutil.rmtree(parent / (name + _PART), ignore_errors=True)
    except OSError as error:
        raise ClipError("result", error.strerror or "cannot be written", "Free some space and try again") from None
    finally:
        for rest in (unfinished, aside):
            shutil.rmtree(rest, ignore_errors=True)


def keep_tracked(name: str, make: Callable[[Path], TrackedClip], parent: Path | None = None) -> TrackedClip:
    """Make a result in a new folder; errors as of `make` and `new_folder`.

    Returns:
        What is kept: the result, or an older part that goes further and says the same as far as this one goes.
    """
    parent = parent or tracked_folder()
    with new_folder(name, parent) as folder:
        made = make(folder)
    return read_tracked(parent / (name if made.whole else name + _PART))


def forget_tracked(clip_sha256: str) -> None:
    """Delete all that was tracked of a clip on this machine, also what killed processes left unfinished.

    What ships stays, and so does what a living process works at: it ends that itself.
    """
    for tracked in tracked_clips():
        if tracked.clip_sha256 == clip_sha256:
            remove_tracked(tracked)
    for path in tracked_folder().glob(f".{clip_sha256[:16]}-*"):
        pid = path.name.rpartition(".")[2]
        if not pid.isdecimal() or not is_running(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


def _frames_of_part(folder: Path) -> int | None:
    """Frames of a result that is not of the whole clip; None if it is, or if none can be read."""
    with suppress(ClipError):
        tracked = read_tracked(folder)
        return None if tracked.whole else tracked.frames
    return None


def _forget_abandoned(parent: Path) -> None:
    """Remove what killed processes left unfinished."""
    for path in parent.glob(".*"):
        with suppress(OSError):
            newest = max(one.stat().st_mtime for one in (path, *path.iterdir()))  # files grow, and the folder's stays
            if time.time() - newest > _ABANDONED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
