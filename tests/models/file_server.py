"""A web server of a file or several, on this machine only, with the faults that servers and lines have."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

PARCEL = 16 * 1024


@dataclass
class FileServer:
    """Serves `data` under any name; `with FileServer(...) as server` runs it on a free port of 127.0.0.1.

    With `files`, it serves these paths alone, each with faults of its own, and keeps all requests.

    `cuts` are the bytes after which the line breaks, one a request; later requests are served whole. `pause_seconds`
    pass after each parcel, `wait_seconds` before the answer. `status` and `location` answer otherwise than with the
    file. `told` is added to the length that is told; None tells none.
    """

    data: bytes
    tag: str = '"v1"'
    kind: str = "application/octet-stream"
    cuts: list[int] = field(default_factory=list)
    pause_seconds: float = 0.0
    wait_seconds: float = 0.0
    status: int = 200
    location: str = ""
    told: int | None = 0
    knows_ranges: bool = True
    heeds_if_range: bool = True
    shift: int = 0
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    files: dict[str, FileServer] = field(default_factory=dict)

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"file": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self, *self.files.values()):
            file.pause_seconds = file.wait_seconds = 0.0
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    @property
    def ranges(self) -> list[str | None]:
        return [asked for _, asked in self.requests]


class _Handler(BaseHTTPRequestHandler):
    file: FileServer

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.file.requests.append((self.path, asked))
        if self.file.files:
            self.file = self.file.files.get(self.path, FileServer(b"", status=404))
        file = self.file
        time.sleep(file.wait_seconds)
        cut = file.cuts.pop(0) if file.cuts else len(file.data)
        if file.location and self.path != "/moved":
            self.send_response(302)
            self.send_header("Location", file.location)
            self.end_headers()
        elif file.status != 200:
            self.send_error(file.status)
        else:
            self._send(self._start(asked), cut)

    def _start(self, asked: str | None) -> int | None:
        file, condition = self.file, self.headers.get("If-Range")
        stale = file.heeds_if_range and condition is not None and condition != file.tag
        if asked is None or not file.knows_ranges or stale:
            return None
        return int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) + file.shift

    def _send(self, start: int | None, cut: int) -> None:
        size = len(self.file.data)
        if start is not None and start >= size:
            self.send_error(416)
            return
        self.send_response(200 if start is None else 206)
        self.send_header("Content-Type", self.file.kind)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if self.file.tag:
            self.send_header("ETag", self.file.tag)
        if self.file.told is not None:
            self.send_header("Content-Length", str(size - (start or 0) + self.file.told))
        self.end_headers()
        self._drip(self.file.data[start or 0 :][:cut])

    def _drip(self, data: bytes) -> None:
        for place in range(0, len(data), PARCEL):
            try:
                self.wfile.write(data[place : place + PARCEL])
            except OSError:  # whoever asked has gone
                return
            time.sleep(self.file.pause_seconds)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
