"""The pictures a visitor brought: kept through reload and restart, unseen by other visitors, forgotten later."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from cowvision.errors import WorkspaceError
from cowvision.workspace.files import drop_blob, keep_blob
from cowvision.workspace.store import Store

KEPT_DAYS = 7

_USED = (
    "SELECT picture_id FROM tray UNION ALL SELECT picture_id FROM herd_pictures "
    "UNION ALL SELECT clip_id AS picture_id FROM clips"  # a GIF may be both
)


@dataclass(frozen=True)
class TrayPicture:
    """A picture in a tray: sha256 of its bytes, its name for people, width and height in pixels once upright."""

    picture_id: str
    name: str
    resolution_wh: tuple[int, int]


def pictures_in(store: Store, visit: str) -> list[TrayPicture]:
    """A visitor's pictures, in the order in which they came.

    Raises:
        WorkspaceError: The workspace cannot be read.
    """
    sql = "SELECT picture_id, name, width, height FROM tray WHERE visit = ? ORDER BY added_at, rowid"
    rows = store.rows(sql, visit)
    return [TrayPicture(str(digest), str(name), (int(w), int(h))) for digest, name, w, h in rows]


def put_in(store: Store, visit: str, picture: TrayPicture, data: bytes) -> None:
    """Add a picture and keep its bytes; one that is there already keeps its place and name.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    values = (visit, picture.picture_id, picture.name, *picture.resolution_wh, time.time())
    with kept_with_its_row(store, data) as connection:
        connection.execute("INSERT OR IGNORE INTO tray VALUES (?, ?, ?, ?, ?, ?)", values)


@contextmanager
def kept_with_its_row(store: Store, data: bytes) -> Iterator[Any]:
    """Keep bytes in the transaction that writes their row; without the row (a full disk) the bytes do not stay either.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    try:
        with store.transaction() as connection:  # whoever removes the same bytes elsewhere waits for this, or is done
            yield connection
            keep_blob(data)
    except WorkspaceError:
        digest = hashlib.sha256(data).hexdigest()
        with suppress(WorkspaceError, OSError), store.transaction():
            if not is_used(store, digest):
                drop_blob(digest)
        raise


def is_used(store: Store, picture_id: str) -> bool:
    """Whether any tray, herd or list of clips has the bytes of that sha256.

    Raises:
        WorkspaceError: The workspace cannot be read.
    """
    return bool(store.rows(f"SELECT 1 FROM ({_USED}) WHERE picture_id = ? LIMIT 1", picture_id))  # noqa: S608 - no input


def take_out(store: Store, visit: str, picture_id: str | None = None) -> None:
    """Remove one picture, or all of a visitor's, and their bytes where no other visitor and no herd has the same.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    which, values = (
        ("visit = ?", (visit,)) if picture_id is None else ("visit = ? AND picture_id = ?", (visit, picture_id))
    )
    _remove(store, which, values)


def forget_old(store: Store, now: float | None = None) -> None:
    """Remove what came more than ``KEPT_DAYS`` ago (``now`` in seconds since 1970, the clock's by default).

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    now = time.time() if now is None else now
    _remove(store, "added_at < ?", (now - KEPT_DAYS * 86400,))


def release(store: Store, values: tuple[object, ...], *deletions: str) -> None:
    """Delete rows, then the bytes and predictions of those pictures that no tray and no herd has any more.

    Bytes go once the rows are gone for good: killed in between, there may be bytes too many, never a picture without
    its bytes, and the next call removes them.

    Args:
        store: The workspace.
        values: What every one of the deletions is given.
        deletions: DELETE statements, run in one transaction; what they return are ids of pictures.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    with store.transaction() as connection:
        for deletion in deletions:
            released = connection.execute(deletion, values).fetchall()
            connection.executemany("INSERT OR IGNORE INTO released VALUES (?)", released)
    with store.transaction() as connection:  # nobody can bring the same bytes back while this looks and removes
        unused = f"SELECT picture_id FROM released WHERE picture_id NOT IN ({_USED})"  # noqa: S608 - no input in it
        for (digest,) in connection.execute(unused).fetchall():
            connection.execute("DELETE FROM predictions WHERE picture_id = ?", (digest,))
            drop_blob(digest)
        connection.execute("DELETE FROM released")


def _remove(store: Store, which: str, values: tuple[object, ...]) -> None:
    release(store, values, f"DELETE FROM tray WHERE {which} RETURNING picture_id")  # noqa: S608 - written above
