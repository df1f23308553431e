"""The clips there are to track: those that ship, and those that somebody brought."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import supervision as sv

from cowvision.data.mot import read_mot
from cowvision.errors import ClipError, WorkspaceError
from cowvision.models.catalog import WEIGHTS_FOLDER
from cowvision.models.published import file_sha256
from cowvision.tracking.clip_info import probe
from cowvision.workspace.files import blob_path, drop_blob, keep_blob
from cowvision.workspace.store import Store
from cowvision.workspace.trays import is_used, release

CLIPS_FOLDER = WEIGHTS_FOLDER.parent / "clips"
MAX_CLIP_BYTES = 1024**3
_COW = 21  # COCO's number of cows, as the truth of the shipped clips writes it


@dataclass(frozen=True)
class Clip:
    """A clip to choose.

    Attributes:
        key: Its name in the address bar and on the command line: a shipped clip's file name without suffix, a sha256.
        title: A few words for people.
        caption: A sentence; empty for clips that somebody brought.
        path: Its file.
        truth_path: MOT text with its true tracks; None where nobody knows them.
        is_own: Whether somebody brought it.
    """

    key: str
    title: str
    caption: str
    path: Path
    truth_path: Path | None = None
    is_own: bool = False

    @property
    def sha256(self) -> str:
        """Of its bytes.

        Raises:
            ClipError: Its file is gone.
        """
        try:
            return self.key if self.is_own else file_sha256(self.path)
        except OSError:
            raise ClipError(self.title, "its file is gone", "Bring it again") from None

    @property
    def file_name(self) -> str:
        """What its file is called for people."""
        return self.title if self.is_own else self.path.name

    def truth(self) -> list[sv.Detections] | None:
        """The cows truly on it, by frame, with ``tracker_id``; None where nobody knows.

        Raises:
            AnnotationError: The truth cannot be read.
        """
        return None if self.truth_path is None else read_mot(self.truth_path, least_confidence=0.5, classes={_COW})


def shipped_clips() -> list[Clip]:
    """The clips that ship, by name.

    Raises:
        ClipError: What is written about one of them cannot be read.
    """
    return list(_shipped(CLIPS_FOLDER))


def own_clips(store: Store) -> list[Clip]:
    """The clips that were brought, the newest first.

    Raises:
        WorkspaceError: The workspace cannot be read.
    """
    rows = store.rows("SELECT clip_id, name FROM clips ORDER BY added_at DESC, rowid DESC")
    return [_own(str(digest), str(name)) for digest, name in rows]


def find_clip(store: Store, key: str) -> Clip:
    """The shipped or own clip of a key; a shipped one also by its title or file name, in capitals or not.

    Raises:
        ClipError: There is none (any more).
        WorkspaceError: The workspace cannot be read.
    """
    ships = shipped_clips()
    by_name = {name.casefold(): clip for clip in ships for name in (clip.key, clip.title, clip.path.name)}
    found = next((clip for clip in own_clips(store) if clip.key == key), by_name.get(key.casefold()))
    if found is None:
        known = ", ".join(clip.key for clip in ships)
        raise ClipError(key, "there is no such clip (any more)", f"Give a file, or one of: {known}")
    return found


def read_truth(path: Path, classes: Collection[int] | None = None) -> list[sv.Detections]:
    """True tracks that count, by frame, with ``tracker_id``.

    Args:
        path: MOT text.
        classes: Numbers of the classes that are wanted; without any, cows of the truth that ships, and all of others.

    Raises:
        AnnotationError: It cannot be read.
    """
    ships = path.resolve().parent == CLIPS_FOLDER.resolve()
    return read_mot(path, least_confidence=0.5, classes=classes or ({_COW} if ships else None))


def add_clip(store: Store, data: bytes, name: str) -> Clip:
    """Keep a clip; one that is there already keeps its name.

    Args:
        store: The workspace.
        data: The file's bytes, at most `MAX_CLIP_BYTES`.
        name: What it was called; never used as a path.

    Raises:
        ClipError: It is no clip that can be tracked.
        WorkspaceError: The workspace cannot be written.
    """
    if len(data) > MAX_CLIP_BYTES:
        cause = f"{len(data) / 1024**2:.0f} MB, {MAX_CLIP_BYTES // 1024**2} MB at most"
        raise ClipError(name, cause, "Cut it, or track it on the command line: `python -m cowvision track FILE`")
    digest = hashlib.sha256(data).hexdigest()
    was_there = blob_path(digest).is_file()
    keep_blob(data)  # before the transaction, which others wait for
    try:
        probe(blob_path(digest), name)
        with store.transaction() as connection:
            keep_blob(data)  # whoever removed the same bytes meanwhile is done
            connection.execute("INSERT OR IGNORE INTO clips VALUES (?, ?, ?)", (digest, name, time.time()))
    except BaseException:
        if not was_there:
            _drop_if_unused(store, digest)
        raise
    return _named(store, digest)


def remove_clip(store: Store, key: str) -> None:
    """Forget a clip that somebody brought; one that is gone already is no error.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    release(store, (key,), "DELETE FROM clips WHERE clip_id = ? RETURNING clip_id")


def _drop_if_unused(store: Store, digest: str) -> None:
    with suppress(WorkspaceError, OSError), store.transaction():
        if not is_used(store, digest):
            drop_blob(digest)


def _named(store: Store, digest: str) -> Clip:
    [(name,)] = store.rows("SELECT name FROM clips WHERE clip_id = ?", digest)
    return _own(digest, str(name))


def _own(digest: str, name: str) -> Clip:
    return Clip(digest, name, "", blob_path(digest), is_own=True)


@lru_cache(maxsize=4)
def _shipped(folder: Path) -> Sequence[Clip]:
    clips = []
    for path in sorted(folder.glob("*.mp4")):
        truth = path.with_suffix(".gt.txt")
        try:
            words = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            clips.append(Clip(path.stem, words["title"], words["caption"], path, truth if truth.is_file() else None))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ClipError(path.name, f"what is written about it cannot be read ({error})", "Get it anew") from None
    return clips
