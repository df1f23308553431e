"""COCO's pictures, fetched one by one over a few connections; COCO publishes no checksums of them.

So a picture is taken when all of it came, it can be read, and it has the size that the ground truth says. What is wrong
is asked for again, then named and left out; the others go on.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError

from cowvision.data.pictures import MAX_BYTES, decode_picture
from cowvision.errors import DownloadError, PictureError
from cowvision.models import fetching
from cowvision.models.answers import ask, parcels
from cowvision.models.places import write_atomically
from cowvision.models.remote_file import elsewhere, host_of, unreachable
from cowvision.workspace.coco_truth import CocoPicture

CONNECTIONS = 4
_TRIES = 3
_PAUSE_SECONDS = 1.0
_LOOK_SECONDS = 0.1
_MOST_LOST_IN_A_ROW = 25  # then it is the server, or a login page before it, and not the pictures
_OLD_SECONDS = 600.0
_PASSING = {408, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class _Source:
    """Where pictures come from and go to."""

    name: str
    base_url: str
    mirror_variable: str
    folder: Path
    halt: threading.Event = field(default_factory=threading.Event)
    reading: threading.Lock = field(default_factory=threading.Lock)


def fetch_pictures(
    wanted: Sequence[CocoPicture],
    folder: Path,
    *,
    name: str,
    base_url: str,
    mirror_variable: str,
    on_turn: Callable[[int], None],
) -> tuple[str, ...]:
    """Fetch pictures; each is there whole or not at all.

    Args:
        wanted: Pictures that are not there yet.
        folder: Where to; their places are made below it.
        name: What a person calls all of them.
        base_url: A checked web address without a slash at its end.
        mirror_variable: Environment variable that names another server.
        on_turn: Called several times a second with the number of pictures that were dealt with; what it raises ends
            the fetching once the connections have let go, which a silent server delays by 15 seconds at most.

    Returns:
        What could not be fetched and why, one sentence each: "val2017/000000000139.jpg: answered 404 (Not Found)".

    Raises:
        DownloadError: The server cannot be reached, or gives nothing but refusals.
        OSError: A picture cannot be written.
    """
    source = _Source(name, base_url, mirror_variable, folder)
    _sweep(folder)
    ended: queue.SimpleQueue[Future[str]] = queue.SimpleQueue()
    pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix=name)
    try:
        for picture in wanted:
            pool.submit(_fetched, source, picture).add_done_callback(ended.put)
        return _gathered(source, ended, len(wanted), on_turn)
    finally:
        source.halt.set()
        pool.shutdown(cancel_futures=True)


def _gathered(
    source: _Source, ended: queue.SimpleQueue[Future[str]], count: int, on_turn: Callable[[int], None]
) -> tuple[str, ...]:
    lost: list[str] = []
    done = in_a_row = 0
    while done < count:
        on_turn(done)
        with suppress(queue.Empty):
            problem = ended.get(timeout=_LOOK_SECONDS).result()
            done += 1
            lost += [problem] * bool(problem)
            in_a_row = in_a_row + 1 if problem else 0
        if in_a_row >= _MOST_LOST_IN_A_ROW:
            cause = f"{host_of(source.base_url)} gave none of {in_a_row} pictures in a row (the last: {lost[-1]})"
            raise DownloadError(source.name, cause, f"Try again later, or {elsewhere(source.mirror_variable)}")
    on_turn(done)
    return tuple(lost)


def _fetched(source: _Source, picture: CocoPicture) -> str:
    """Fetch one picture; returns what is wrong with it, or nothing."""
    problem, is_final = "", False
    for turn in range(_TRIES):
        if not is_final and not source.halt.wait(_PAUSE_SECONDS if turn else 0):
            problem, is_final = _tried(source, picture)
    return f"{picture.place}: {problem}" if problem else ""


def _tried(source: _Source, picture: CocoPicture) -> tuple[str, bool]:
    """What is wrong with a picture, or nothing; and whether that is final."""
    try:
        data = _received(source, picture.place)
        with source.reading:  # reading is quick, and Pillow's warnings are the whole process's
            found = decode_picture(data, picture.place).resolution_wh
    except HTTPError as error:
        error.close()
        return f"answered {error.code} ({error.reason})", error.code not in _PASSING
    except PictureError as error:
        return error.cause, False
    except (OSError, HTTPException) as error:
        return f"the connection broke off ({error})", False
    if found != picture.resolution_wh:
        return "{} x {} pixels came, and {} x {} were published".format(*found, *picture.resolution_wh), False
    write_atomically(source.folder / picture.place, data)
    return "", True


def _received(source: _Source, place: str) -> bytes:
    """The bytes that the server sends for a picture."""
    data = bytearray()
    with _answer(source, f"{source.base_url}/{place}") as response:
        told = response.length
        if response.headers.get_content_type() == "text/html":
            raise PictureError(place, "a web page came instead of it", "Fetch it again")
        for parcel in parcels(response, MAX_BYTES + 1):
            data += parcel
            if source.halt.is_set():
                raise ConnectionAbortedError("stopped")
    if told is not None and len(data) < min(told, MAX_BYTES + 1):
        raise ConnectionAbortedError(f"{len(data)} of {told} bytes came")
    return bytes(data)


def _answer(source: _Source, url: str, turns_left: int = _TRIES) -> HTTPResponse:
    """The server's answer; a server that cannot be reached again and again ends everything."""
    headers, seconds = {"User-Agent": "cowvision"}, fetching.TIMEOUT_SECONDS
    try:
        return ask(url, headers, timeout_seconds=seconds, mirror_variable=source.mirror_variable)
    except HTTPError:
        raise
    except URLError as error:
        if turns_left == 1 or source.halt.wait(_PAUSE_SECONDS):
            raise unreachable(source.name, url, error, "; what came is kept") from None
    return _answer(source, url, turns_left - 1)


def _sweep(folder: Path) -> None:
    """Remove what a killed process left half written, and nothing that another one may be writing."""
    for left in folder.glob("*/.*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _OLD_SECONDS:
                left.unlink()
