"""A file on somebody else's server: where it lies, and how it is known again once it is here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from cowvision.errors import DownloadError


@dataclass(frozen=True)
class RemoteFile:
    """A file to be fetched.

    Attributes:
        name: What a person calls it, as on the command line.
        url: A checked web address, see `web_address`.
        size_bytes: How large it is; a published size may be rounded.
        fits_size: Whether a number of bytes can be its size.
        is_whole: Whether a file here is, by size and checksum, this one; False where there is none.
        mirror_variable: Environment variable that names another server.
        meanwhile: What works without it, as the end of a sentence ("; meanwhile ..."); may be empty.
    """

    name: str
    url: str
    size_bytes: int
    fits_size: Callable[[int], bool]
    is_whole: Callable[[Path], bool]
    mirror_variable: str
    meanwhile: str = ""

    @property
    def size_mib(self) -> float:
        """Its size in MiB."""
        return self.size_bytes / 1024**2

    @property
    def host(self) -> str:
        """The server, for people."""
        return host_of(self.url)

    @property
    def elsewhere(self) -> str:
        """The advice to try another server."""
        return elsewhere(self.mirror_variable)


def web_address(url: str, mirror_variable: str) -> str:
    """Return the address as it is.

    Raises:
        DownloadError: It is no http or https address.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is no number
        usable = False
    if not usable or not re.fullmatch(r"[!-~]+", url):
        remedy = f"Set {mirror_variable} to the http or https address of a folder, or unset it"
        raise DownloadError(url, "files are fetched from http and https addresses only", remedy)
    return url


def host_of(url: str) -> str:
    """The server of an address, without what may log somebody in."""
    return urlsplit(url).netloc.rpartition("@")[2]


def elsewhere(mirror_variable: str) -> str:
    """The advice to try another server, as the rest of a sentence."""
    verb = "check" if os.environ.get(mirror_variable) else "set"
    return f"{verb} {mirror_variable}, the address of another server"


def refused(name: str, url: str, error: HTTPError, mirror_variable: str) -> DownloadError:
    """What to say when a server answers with a number instead of a file."""
    cause = f"{host_of(url)} answered {error.code} ({error.reason})"
    return DownloadError(name, cause, f"Try again later; if that does not help: {elsewhere(mirror_variable)}")


def unreachable(name: str, url: str, error: URLError, besides: str = "") -> DownloadError:
    """What to say when there is no way to a server; `besides` ends the sentence."""
    reason = getattr(error.reason, "strerror", None) or str(error.reason)
    cause = f"{host_of(url)} cannot be reached ({reason}); this machine may be offline"
    return DownloadError(name, cause, f"Connect to the internet and fetch it again{besides}")
