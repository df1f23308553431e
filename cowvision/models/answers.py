"""How a server is asked for the rest of a file, and what its answer says: which bytes, which version, how many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO
from urllib.request import HTTPRedirectHandler, Request, build_opener

from cowvision.models.partial_file import PartialFile
from cowvision.models.remote_file import web_address

_PARCEL_BYTES = 256 * 1024


def ask(url: str, headers: dict[str, str], *, timeout_seconds: float, mirror_variable: str) -> HTTPResponse:
    """Ask a web server; redirects are followed to http and https addresses, and to no others.

    Args:
        url: A checked web address.
        headers: Sent along.
        timeout_seconds: Of silence: connecting, or between two parcels of bytes.
        mirror_variable: What an error says how to choose another server.

    Raises:
        HTTPError: The server refuses.
        URLError: It cannot be reached.
        OSError: The line was cut, or nobody stirs.
        HTTPException: What comes is not HTTP.
        DownloadError: It leads to an address that is not of the web.
    """
    request = Request(url, headers=headers)  # noqa: S310 - http and https only, see `web_address`
    opener = build_opener(_web_redirects(mirror_variable))
    answer: HTTPResponse = opener.open(request, timeout=timeout_seconds)
    return answer


def asking_for_the_rest(partial: PartialFile) -> dict[str, str]:
    """Headers that ask for what is missing, if the file is still of the same version."""
    headers = {"User-Agent": "cowvision"}
    if partial.size:
        headers |= {"Range": f"bytes={partial.size}-"} | ({"If-Range": partial.version} if partial.version else {})
    return headers


def continues(response: HTTPResponse, partial: PartialFile) -> bool:
    """Whether the answer is the rest of the same version of the file, from just after what is there."""
    span = _span(response)
    version = version_of(response)
    same_version = not version or partial.version in ("", version)
    return response.status == 206 and span is not None and int(span[1]) == partial.size and same_version


def version_of(response: HTTPResponse) -> str:
    """What the server calls this version, as If-Range takes it: the ETag unless it is a weak one, else the date."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def bytes_in_all(response: HTTPResponse, start: int) -> int | None:
    """Size of the whole file as the server tells it, when its answer begins at byte `start`; None where it does not."""
    span = _span(response)
    if span is not None and span[2].isdigit():
        return int(span[2])
    return None if response.length is None else start + response.length


def parcels(response: HTTPResponse, most: int) -> Iterator[bytes]:
    """Yield what the server sends, as it comes: until its end, `most` bytes, or a cut of the line."""
    while most > 0:
        try:
            parcel = response.read1(min(_PARCEL_BYTES, most))  # `read` would wait until all of it is there
        except (OSError, HTTPException):
            return
        if not parcel:
            return
        most -= len(parcel)
        yield parcel


def _web_redirects(mirror_variable: str) -> HTTPRedirectHandler:
    class WebRedirects(HTTPRedirectHandler):
        def redirect_request(  # noqa: PLR0917 - the signature is urllib's
            self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
        ) -> Request | None:
            checked = web_address(newurl, mirror_variable)
            return super().redirect_request(req, fp, code, msg, headers, checked)

    return WebRedirects()


def _span(response: HTTPResponse) -> re.Match[str] | None:
    """First byte and size of the whole file, of an answer that is a part of it."""
    told = response.headers.get("Content-Range", "") if response.status == 206 else ""
    return re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", told)
