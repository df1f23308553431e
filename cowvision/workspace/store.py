"""The one SQLite file of a workspace: opening, upgrading, and transactions."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cowvision.errors import WorkspaceError

_SWITCH_SECONDS = 15.0

MIGRATIONS = (
    """
    CREATE TABLE predictions (
        picture_id TEXT NOT NULL, model_id TEXT NOT NULL, made_at REAL NOT NULL,
        xyxy BLOB NOT NULL, scores BLOB NOT NULL, class_ids BLOB NOT NULL,
        PRIMARY KEY (picture_id, model_id)
    ) WITHOUT ROWID;
    CREATE TABLE tray (
        visit TEXT NOT NULL, picture_id TEXT NOT NULL, name TEXT NOT NULL,
        width INTEGER NOT NULL, height INTEGER NOT NULL, added_at REAL NOT NULL,
        PRIMARY KEY (visit, picture_id)
    );
    CREATE INDEX tray_by_picture ON tray (picture_id);
    """,
    """
    CREATE TABLE herds (
        herd_id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
        rule TEXT CHECK (rule IN ('head', 'whole')), made_at REAL NOT NULL
    );
    CREATE TABLE herd_pictures (
        herd_id INTEGER NOT NULL REFERENCES herds ON DELETE CASCADE,
        picture_id TEXT NOT NULL, name TEXT NOT NULL,
        width INTEGER NOT NULL, height INTEGER NOT NULL, added_at REAL NOT NULL,
        PRIMARY KEY (herd_id, picture_id)
    );
    CREATE INDEX herd_pictures_by_picture ON herd_pictures (picture_id);
    CREATE TABLE revisions (
        revision INTEGER PRIMARY KEY AUTOINCREMENT, herd_id INTEGER NOT NULL, picture_id TEXT NOT NULL,
        state TEXT NOT NULL, saved_at REAL NOT NULL, note TEXT NOT NULL,
        draft INTEGER REFERENCES revisions, model_id TEXT NOT NULL, removed INTEGER NOT NULL,
        FOREIGN KEY (herd_id, picture_id) REFERENCES herd_pictures ON DELETE CASCADE
    );
    CREATE INDEX revisions_by_picture ON revisions (herd_id, picture_id);
    CREATE INDEX revisions_by_draft ON revisions (draft);
    CREATE TABLE boxes (
        revision INTEGER NOT NULL REFERENCES revisions ON DELETE CASCADE, place INTEGER NOT NULL,
        x_min REAL NOT NULL, y_min REAL NOT NULL, x_max REAL NOT NULL, y_max REAL NOT NULL,
        class_name TEXT NOT NULL, area REAL NOT NULL, crowd INTEGER NOT NULL, visible_fraction REAL NOT NULL,
        origin TEXT NOT NULL, PRIMARY KEY (revision, place)
    ) WITHOUT ROWID;
    CREATE VIEW current_revisions AS SELECT * FROM revisions AS one WHERE revision = (
        SELECT max(revision) FROM revisions WHERE herd_id = one.herd_id AND picture_id = one.picture_id
    );
    CREATE TABLE released (picture_id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
    """,
    """
    CREATE TABLE jobs (
        job_id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, title TEXT NOT NULL, arguments TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'stopped')),
        asked_at REAL NOT NULL, started_at REAL, ended_at REAL, stop_asked_at REAL,
        pid INTEGER, pid_born REAL, problem TEXT NOT NULL DEFAULT '', result TEXT NOT NULL DEFAULT 'null'
    );
    CREATE INDEX jobs_by_state ON jobs (state, kind);
    """,
    """
    ALTER TABLE jobs ADD COLUMN pid_mark TEXT NOT NULL DEFAULT '';
    """,
    """
    CREATE TABLE clips (clip_id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, added_at REAL NOT NULL);
    """,
)
"""One script a version; a published script is never changed, the next version is a new one at the end."""


class Store:
    """A workspace's database; safe to share between threads, and between processes.

    Write-ahead logging keeps readers and one writer out of each other's way, and a process killed in the middle of a
    transaction leaves the file as it was before it (SQLite's own guarantee).

    Args:
        path: The file; made, with its folder, when missing.

    Raises:
        WorkspaceError: It cannot be opened, is no database, or was written by a newer CowVision.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._local = threading.local()
        with _explained(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._upgrade()

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with _explained(self.path):
            return self._connection().execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write everything inside the block, or, if it raises, nothing of it."""
        with _explained(self.path):
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.commit()
            except BaseException:  # a commit that failed leaves the transaction open too
                connection.rollback()
                raise

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=15, isolation_level=None)
            # NORMAL survives a killed process; FULL also a power cut: what a person was told is saved, is saved.
            for pragma in ("synchronous = FULL", "foreign_keys = ON"):
                connection.execute(f"PRAGMA {pragma}")
            _write_ahead(connection)
            self._local.connection = connection
        return connection

    def _upgrade(self) -> None:
        """Bring the file to the newest version; whoever comes second finds it done."""
        with self.transaction() as connection:
            [version] = connection.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                cause = f"it was written by a newer CowVision (version {version}, this one knows {len(MIGRATIONS)})"
                raise WorkspaceError(str(self.path), cause, "Update CowVision, or set COWVISION_HOME to another folder")
            for script in MIGRATIONS[version:]:
                for statement in filter(str.strip, script.split(";")):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL; of two who do so at once SQLite refuses one without waiting."""
    deadline = time.monotonic() + _SWITCH_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system complain about into the one error a person can act on."""
    remedy = "Check that the folder can be written and has space, or set COWVISION_HOME to another one"
    try:
        yield
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error) or "malformed" in str(error):
            remedy = "Move the file away; CowVision makes a new one"
        raise WorkspaceError(str(path), f"the workspace cannot be used ({error})", remedy) from None
    except OSError as error:
        raise WorkspaceError(str(path), error.strerror or "it cannot be opened", remedy) from None
