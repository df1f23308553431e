"""Where things lie on this machine, and how files are written whole; needs no torch."""

from __future__ import annotations

import os
import threading
from pathlib import Path


def home_folder() -> Path:
    """Where CowVision keeps what belongs to this person and machine: COWVISION_HOME, else ~/.cowvision."""
    return Path(os.environ.get("COWVISION_HOME") or Path.home() / ".cowvision")


def runs_folder() -> Path:
    """Where what people trained is kept, a folder each."""
    return home_folder() / "runs"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that others see whole or not at all, also after a power cut, making its folder when needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # its name must not come before its bytes
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)  # half of it would keep a full disk full
        raise
