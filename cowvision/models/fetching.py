"""Fetching files when a person asks for it: resumed, stoppable, checked, never half there.

Nothing here asks another machine for anything until `fetch` or `fetch_file` is called. For the weights of models,
`COWVISION_WEIGHTS_URL` replaces everything before the file's name, e.g. by the address of a mirror.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError

from cowvision.errors import DownloadError, DownloadStopped
from cowvision.models.answers import ask, asking_for_the_rest, bytes_in_all, continues, parcels, version_of
from cowvision.models.callbacks import never, silent
from cowvision.models.partial_file import PartialFile
from cowvision.models.published import PublishedModel
from cowvision.models.remote_file import RemoteFile, refused, unreachable, web_address

WEIGHTS_URL = "COWVISION_WEIGHTS_URL"
TIMEOUT_SECONDS = 15.0  # of silence: connecting, or between two parcels of bytes
_PAUSE_SECONDS = 1.0
_TRIES = 5
_SPARE_BYTES = 32 * 1024**2  # a disk filled to its last byte helps nobody

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class _Job:
    """One download: what, into which file, and who is told."""

    file: RemoteFile
    partial: PartialFile
    on_progress: Progress
    should_stop: Callable[[], bool]

    @property
    def is_whole(self) -> bool:
        return self.file.is_whole(self.partial.path)

    @property
    def kept(self) -> str:
        size = self.partial.size
        return f"; {size / 1024**2:.0f} of {self.file.size_mib:.0f} MB are kept" if size else ""


def fetch(
    model: PublishedModel,
    folder: str | Path,
    *,
    on_progress: Progress = silent,
    should_stop: Callable[[], bool] = never,
    base_url: str | None = None,
) -> Path:
    """Download a model's weights into a folder, or go on with a download that was not finished.

    Args:
        model: What to fetch; returns at once when its file is there and whole.
        folder: Made when needed; while it goes on, `FILE.part` holds the bytes so far.
        on_progress: As for `fetch_file`.
        should_stop: As for `fetch_file`.
        base_url: Replaces everything before the file's name; by default COWVISION_WEIGHTS_URL, if that is set.

    Returns:
        The weights file, whose size and checksum are the published ones.

    Raises:
        DownloadStopped: `should_stop` said so; what came is kept.
        DownloadError: As for `fetch_file`.
    """
    target = Path(folder) / model.file_name
    if model.is_whole(target):
        return target
    url = source_url(model, base_url)
    known = (model.size_bytes, model.fits_size, model.is_whole)
    file = RemoteFile(model.name, url, *known, WEIGHTS_URL, "; meanwhile the embedded models work")
    return fetch_file(file, target, on_progress=on_progress, should_stop=should_stop)


def fetch_file(
    file: RemoteFile, target: Path, *, on_progress: Progress = silent, should_stop: Callable[[], bool] = never
) -> Path:
    """Download a file, or go on with a download that was not finished.

    Args:
        file: What to fetch.
        target: Where to; returns at once when it is there and whole. Its folder is made when needed; while it goes on,
            `TARGET.part` holds the bytes so far.
        on_progress: Called with (bytes done, bytes in all); the second is None while the server does not tell.
        should_stop: Asked before each request and after each parcel of bytes; only a silent server delays the answer,
            by `TIMEOUT_SECONDS` at most.

    Returns:
        The target.

    Raises:
        DownloadStopped: `should_stop` said so; what came is kept.
        DownloadError: Offline, refused, cut too often, other bytes than published, being fetched by somebody else, no
            space, or a folder that cannot be written. What came is kept unless it is wrong.
    """
    if file.is_whole(target):
        return target
    job = _Job(file, PartialFile(target), on_progress, should_stop)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with job.partial.held():
            if not file.is_whole(target):  # somebody else may have been quicker
                check_space(target.parent, file.size_bytes - job.partial.size)
                _receive_all(job)
                job.partial.finish()
    except OSError as error:
        raise not_written(target.parent, error) from None
    return target


def source_url(model: PublishedModel, base_url: str | None = None) -> str:
    """Return where a model is fetched from: below `base_url`, else COWVISION_WEIGHTS_URL, else its authors' server.

    Raises:
        DownloadError: That is no http or https address.
    """
    base = base_url or os.environ.get(WEIGHTS_URL, "").strip()
    return web_address(f"{base.rstrip('/')}/{model.file_name}" if base else model.url, WEIGHTS_URL)


def check_space(folder: Path, size_bytes: int) -> None:
    """Refuse to fill a disk.

    Raises:
        DownloadError: So many bytes, and a few to spare, do not fit there.
        OSError: Nobody can say.
    """
    needed = size_bytes + _SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        cause = f"{needed / 1024**2:.0f} MB are needed and {free / 1024**2:.0f} MB are free"
        raise DownloadError(str(folder), cause, "Free some space, or set COWVISION_HOME elsewhere")


def not_written(folder: Path, error: OSError) -> DownloadError:
    """What to say when a disk refuses."""
    remedy = "Free some space there, or set COWVISION_HOME to a folder that can be written"
    return DownloadError(str(folder), error.strerror or "cannot be written", remedy)


def _receive_all(job: _Job) -> None:
    """Ask until the partial file is whole; again after a cut, as long as each time brings more than was ever there."""
    furthest = job.partial.size
    for _ in range(_TRIES):
        complete = job.is_whole or _receive(job)
        if job.is_whole:
            return
        if complete:
            job.partial.remove()
            cause = f"{job.file.host} sent other bytes than were published (the checksum differs); they were removed"
            raise DownloadError(job.file.name, cause, f"Fetch it again; if that does not help: {job.file.elsewhere}")
        if job.partial.size <= furthest:
            break
        furthest = job.partial.size
        time.sleep(_PAUSE_SECONDS)
    cause = f"the connection to {job.file.host} broke off{job.kept}"
    raise DownloadError(job.file.name, cause, "Fetch it again to go on from there")


def _receive(job: _Job) -> bool:
    """Make one request and keep what it brings; True when the server has sent all there is."""
    _stop_if_asked(job)
    response = _ask(job)
    if response is None:
        return False
    with response:
        done = job.partial.size if response.status == 206 else 0
        total = bytes_in_all(response, done)
        _check_offer(job, response, total)
        if done == 0:
            job.partial.begin(version_of(response))
        job.on_progress(done, total)
        with job.partial.path.open("ab") as stream:
            for chunk in parcels(response, (total or job.file.size_bytes * 2) - done):
                stream.write(chunk)
                stream.flush()
                done += len(chunk)
                job.on_progress(done, total)
                _stop_if_asked(job)
    return done >= (total or job.file.size_bytes)


def _ask(job: _Job) -> HTTPResponse | None:
    """The answer to go on with: a whole file, or one that continues ours; None when the line was cut before."""
    for _ in range(2):
        response = _open(job)
        if response is None or response.status == 200 or continues(response, job.partial):
            return response
        response.close()
        job.partial.remove()  # our part is of another version, or of no use: begin again
    cause = f"{job.file.host} answers with parts of the file that nobody asked for"
    raise DownloadError(job.file.name, cause, f"Try again later; if that does not help: {job.file.elsewhere}")


def _open(job: _Job) -> HTTPResponse | None:
    headers, mirror = asking_for_the_rest(job.partial), job.file.mirror_variable
    try:
        return ask(job.file.url, headers, timeout_seconds=TIMEOUT_SECONDS, mirror_variable=mirror)
    except HTTPError as error:
        error.close()
        if error.code == 416 and job.partial.size:  # our part is longer than the file
            job.partial.remove()
            return _open(job)
        raise refused(job.file.name, job.file.url, error, job.file.mirror_variable) from None
    except URLError as error:
        raise unreachable(job.file.name, job.file.url, error, f"{job.file.meanwhile}{job.kept}") from None
    except (OSError, HTTPException):
        return None


def _check_offer(job: _Job, response: HTTPResponse, total: int | None) -> None:
    """Refuse what cannot be the file, before the bytes so far are given up for it."""
    if response.headers.get_content_type() == "text/html":
        cause = f"{job.file.host} sent a web page instead of the file"
    elif total is not None and not job.file.fits_size(total):
        cause = f"{job.file.host} offers {total / 1024**2:.3f} MB, and {job.file.size_mib:.3f} MB were published"
    else:
        return
    remedy = f"It may be a network's login page: log in there and fetch it again; or {job.file.elsewhere}"
    raise DownloadError(job.file.name, cause, remedy)


def _stop_if_asked(job: _Job) -> None:
    if job.should_stop():
        raise DownloadStopped(job.file.name, job.partial.size, job.file.size_bytes)
