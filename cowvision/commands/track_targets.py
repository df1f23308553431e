"""Where `track` writes: checked before the work, written after it, each file whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cowvision.commands.reporting import write_json
from cowvision.data.mot import mot_text
from cowvision.errors import CowVisionError, SettingError
from cowvision.models.places import write_atomically

if TYPE_CHECKING:
    from cowvision.workspace.tracked_clips import TrackedClip

_REMEDY = "Choose a file in a folder you may write to"


@dataclass(frozen=True)
class Targets:
    """The files somebody wants; None where they do not: the drawn clip, MOT text, and JSON."""

    clip: Path | None = None
    mot: Path | None = None
    json: Path | None = None

    def check(self, sources: Sequence[Path | None]) -> None:
        """Refuse, before any work, what cannot be written; `sources` are read and must stay.

        Raises:
            SettingError: A target is a folder, in a folder that may not be written to, a file that is read, or the same
                as another; or the clip's name is not that of an MP4.
        """
        taken = {path.resolve() for path in sources if path is not None}
        for target in filter(None, (self.clip, self.mot, self.json)):
            if target.is_dir():
                raise SettingError(str(target), "it is a folder", "Give the name of a file")
            if target.resolve() in taken:
                cause = "it is read here, or written already, and would be overwritten"
                raise SettingError(str(target), cause, "Give another name")
            if target is self.clip and target.suffix.lower() != ".mp4":
                cause = "the drawn clip is an MP4, whatever its name says"
                raise SettingError(str(target), cause, f"Call it {target.with_suffix('.mp4').name}")
            with _explained(target):
                _try(target, in_place=target is self.json)
            taken.add(target.resolve())

    def write(self, tracked: TrackedClip) -> tuple[list[Path], list[CowVisionError]]:
        """Put everything where it was asked for; gives what was written, and what went wrong with the others."""
        written: list[Path] = []
        problems: list[CowVisionError] = []
        for target, write in ((self.clip, _write_clip), (self.mot, _write_mot), (self.json, _write_json)):
            if target is None:
                continue
            try:
                with _explained(target):
                    write(tracked, target)
                written.append(target)
            except CowVisionError as error:
                problems.append(error)
        return written, problems


def target_file(given: str) -> Path:
    """A path to write to, as somebody typed it.

    Raises:
        SettingError: It ends like a folder's.
    """
    if given.endswith(("/", os.sep)):
        raise SettingError(given, "that is the name of a folder", "Give the name of a file")
    return Path(given)


def _try(target: Path, *, in_place: bool) -> None:
    """See whether a file can be written, in place or by a new one that takes its place; errors are the system's own."""
    if in_place and target.exists():
        target.open("ab").close()
        return
    above = next(one for one in target.absolute().parents if one.exists() or one.is_symlink())
    trial = above / f".{target.name}.{os.getpid()}"
    trial.open("xb").close()
    trial.unlink()


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingError(str(target), error.strerror or "cannot be written", _REMEDY) from None


def _write_clip(tracked: TrackedClip, target: Path) -> None:
    """Copy a file of any size; it gets its name when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(tracked.video, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _write_mot(tracked: TrackedClip, target: Path) -> None:
    write_atomically(target, mot_text(tracked.table().by_frame()).encode())


def _write_json(tracked: TrackedClip, target: Path) -> None:
    write_json(target, tracked.as_dict())
