"""The lists of a JSON file that is too large to be read at once, entry by entry.

Python's own decoder reads each entry, out of a buffer that rolls over the file; so a file of 450 MB takes a few MB.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

_CHUNK = 1024 * 1024  # characters
_AFTER_A_VALUE = tuple(",:]} \t\r\n")
_LONGEST = 64 * _CHUNK  # of one entry: more is damage, not data


def entries(stream: TextIO) -> Iterator[tuple[str, Any]]:
    """Yield (key, entry) for each entry of each list in the object that the file is; other values are left out.

    Raises:
        ValueError: Not such an object, cut off, or an entry without end (bytes that are no text included).
        RecursionError: Nested without end.
    """
    text = _Text(stream)
    for _ in _turns(text, "{", "}"):
        key = text.value()
        if not isinstance(key, str):
            raise ValueError(f"a key is no text: {str(key)[:40]}")  # noqa: TRY004 - the file is wrong, not a type here
        text.take(":")
        if text.next() == "[":
            for _ in _turns(text, "[", "]"):
                yield key, text.value()
        else:
            text.value()
    if text.next():
        raise ValueError("there is more after its end")


def _turns(text: _Text, opening: str, closing: str) -> Iterator[None]:
    """Stop before each member between the brackets, and go past everything around them."""
    text.take(opening)
    if text.next() != closing:
        yield
        while text.next() == ",":
            text.take(",")
            yield
    text.take(closing)


class _Text:
    """The part of a file that is looked at, and the place in it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._part = ""
        self._at = 0
        self._is_last = False
        self._decoder = json.JSONDecoder()

    def next(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            while self._at < len(self._part) and self._part[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._part) or not self._read_on():
                return self._part[self._at : self._at + 1]

    def take(self, expected: str) -> None:
        """Go past a character."""
        found = self.next()
        if found != expected:
            raise ValueError(f"{found or 'its end'} stands where {expected} was expected")
        self._at += 1

    def value(self) -> Any:
        """Go past a value, and return it."""
        self.next()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._part, self._at)
            except json.JSONDecodeError:
                if not self._read_on():
                    raise
                continue
            is_ended = self._part[end : end + 1] in _AFTER_A_VALUE  # a number may go on beyond the part
            if is_ended or not self._read_on():
                self._at = end
                return value

    def _read_on(self) -> bool:
        """Drop what is behind us and read as much again as is left, so that a long entry is not tried often."""
        self._part, self._at = self._part[self._at :], 0
        if len(self._part) > _LONGEST:
            raise ValueError("an entry has no end")
        more = "" if self._is_last else self._stream.read(max(_CHUNK, len(self._part)))
        self._part += more
        self._is_last = not more
        return bool(more)
