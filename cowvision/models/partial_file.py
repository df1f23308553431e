"""A download that is not finished: its bytes, the version of the file they are of, and who is at it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cowvision.errors import DownloadError

_SILENCE_SECONDS = 120.0  # several times what a download waits for a server that does not stir


@dataclass(frozen=True)
class PartialFile:
    """What lies beside the file it will become; all methods raise OSError where the disk refuses.

    Attributes:
        target: The file once it is whole.
    """

    target: Path

    @property
    def path(self) -> Path:
        """The bytes so far."""
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def size(self) -> int:
        """Bytes so far; 0 when there is no file."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def version(self) -> str:
        """What the server calls this version of the file (ETag or date); empty when it did not say."""
        return self._version_path.read_text(encoding="utf-8") if self._version_path.exists() else ""

    def begin(self, version: str) -> None:
        """Forget the bytes so far and begin again with this version."""
        self.path.write_bytes(b"")
        self._version_path.write_text(version, encoding="utf-8")

    def finish(self) -> None:
        """Become the target, all at once."""
        self.path.replace(self.target)
        self._version_path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Forget everything."""
        self.path.unlink(missing_ok=True)
        self._version_path.unlink(missing_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from this file meanwhile, by a lock file with our process id.

        Raises:
            DownloadError: Another process, or another thread of this one, is at it.
        """
        self._take_lock()
        try:
            yield
        finally:
            self._lock_path.unlink(missing_ok=True)

    @property
    def _version_path(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part.version")

    @property
    def _lock_path(self) -> Path:
        return self.target.with_name(f"{self.target.name}.lock")

    def _take_lock(self) -> None:
        if self._is_abandoned():  # two that find this out at once may both go on: the checksum finds their mixture
            self._lock_path.unlink(missing_ok=True)
        try:
            handle = os.open(self._lock_path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            remedy = "Wait until that is done, or stop it"
            raise DownloadError(self.target.name, "it is being fetched already", remedy) from None
        with os.fdopen(handle, "w") as stream:
            stream.write(str(os.getpid()))

    def _is_abandoned(self) -> bool:
        """Whether whoever locked it is gone: no such process, or (a number may be used again) long without a byte."""
        try:
            owner, locked = self._lock_path.read_text(encoding="utf-8"), self._lock_path.stat().st_mtime
        except FileNotFoundError:
            return False
        last_sign = max(locked, self.path.stat().st_mtime if self.path.exists() else 0.0)
        return time.time() - last_sign > _SILENCE_SECONDS or (owner.isdigit() and not _is_alive(int(owner)))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
