"""Where everything of a workspace lies, and files kept by their content."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from cowvision.errors import WorkspaceError
from cowvision.models.places import home_folder, write_atomically


def store_path() -> Path:
    """The workspace's database."""
    return home_folder() / "workspace.sqlite3"


def blob_folder() -> Path:
    """Where files are kept by their content."""
    return home_folder() / "blobs"


def free_bytes() -> int | None:
    """Free space where the workspace lies; None where nobody can say."""
    folder = next((one for one in (home_folder(), *home_folder().parents) if one.exists()), None)
    try:
        return shutil.disk_usage(folder).free if folder else None
    except OSError:
        return None


def keep_blob(data: bytes) -> str:
    """Keep bytes and return their sha256; the same bytes are kept once, and names of uploads never become paths.

    Raises:
        WorkspaceError: They cannot be written.
    """
    digest = hashlib.sha256(data).hexdigest()
    path = blob_path(digest)
    try:
        if not path.is_file():
            write_atomically(path, data)
    except OSError as error:
        remedy = "Free some space, or set COWVISION_HOME to a folder that can be written"
        raise WorkspaceError(str(path.parent), error.strerror or "cannot be written", remedy) from None
    return digest


def read_blob(digest: str) -> bytes:
    """Bytes kept before.

    Raises:
        WorkspaceError: They are gone.
    """
    try:
        return blob_path(digest).read_bytes()
    except OSError:
        raise WorkspaceError("picture", "it is no longer in the workspace", "Upload it again") from None


def drop_blob(digest: str) -> None:
    """Forget bytes; it does not matter if they are gone already."""
    blob_path(digest).unlink(missing_ok=True)


def blob_path(digest: str) -> Path:
    """Where bytes of that sha256 lie.

    Raises:
        ValueError: It is not 64 hexadecimal digits.
    """
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise ValueError(f"not a sha256: {digest!r}")
    return blob_folder() / digest[:2] / digest
