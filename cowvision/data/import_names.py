"""The class names that go with YOLO labels: ``classes.txt``, or ``names:`` of a YAML file.

YAML's own reader is not among the requirements. What is read here is a top-level ``names`` as a list or as numbers with
names, in either of YAML's styles; anything cleverer is refused rather than misread, for a wrong order swaps classes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from cowvision.data.import_checks import shortened
from cowvision.errors import AnnotationError

_REMEDY = "Write one class a line into classes.txt, the class 0 first"
_SPACE = r"(?:\s|#[^\n]*(?:\n|$))*"
_QUOTED = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\n]|'')*'"
_NUMBER = re.compile(rf"{_SPACE}(['\"]?)(\d{{1,6}})\1\s*:\s+")
_IN_FLOW = re.compile(rf"{_SPACE}({_QUOTED}|[^\s,\[\]{{}}\"'#][^,\[\]{{}}\"'\n]*){_SPACE}([,\]}}])")
_IN_BLOCK = re.compile(rf"\s*({_QUOTED}|[^\s\[\]{{}}\"'#&*!|>%@`](?:[^#\n]|(?<!\s)#)*?)\s*(?:\s#.*)?$")


def read_names(path: Path) -> dict[int, str]:
    """Class names by the number that label files use.

    Raises:
        AnnotationError: Not text, no names in it, or names in a form that is not understood.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError(path.name, f"cannot be read as text ({type(error).__name__})", _REMEDY) from None
    pairs = list(_from_yaml(text)) if path.suffix.lower() in {".yaml", ".yml"} else _from_lines(text)
    names = dict(pairs)
    if not names:
        raise AnnotationError(path.name, "there are no class names in it", _REMEDY)
    if len(names) < len(pairs):
        raise AnnotationError(path.name, "a number stands for two classes", "Give every class a number of its own")
    return names


def _from_lines(text: str) -> list[tuple[int, str]]:
    return [(number, line.strip()) for number, line in enumerate(text.splitlines()) if line.strip()]


def _from_yaml(text: str) -> Iterator[tuple[int, str]]:
    start = re.search(r"^(['\"]?)names\1[ \t]*:(?=\s|$)", text, re.MULTILINE)
    if start is None:
        return
    rest = text[start.end() :]
    first = re.compile(rf"{_SPACE}([\[{{])").match(rest)
    yield from _flow(rest[first.end() :], first.group(1) == "{") if first else _block(rest)


def _flow(text: str, numbered: bool) -> Iterator[tuple[int, str]]:  # noqa: FBT001 - the two brackets of YAML
    """Pairs of ``[cow, 'dog']`` or ``{0: cow}``, from behind the bracket."""
    place, count, end = 0, 0, "}" if numbered else "]"
    while not re.compile(rf"{_SPACE}{re.escape(end)}").match(text, place):
        number = _NUMBER.match(text, place) if numbered else None
        value = _IN_FLOW.match(text, number.end() if number else place)
        if value is None or (numbered and number is None) or value.group(2) not in {",", end}:
            raise _not_understood(text[place:])
        yield int(number.group(2)) if number else count, _scalar(value.group(1))
        place, count = value.end(), count + 1
        if value.group(2) == end:
            return


def _block(text: str) -> Iterator[tuple[int, str]]:
    """Pairs of lines ``- cow`` or ``0: cow``, up to the next key at the left."""
    dashes = 0
    rest, *lines = [*text.splitlines(), ""]
    if not re.fullmatch(r"\s*(#.*)?", rest):
        raise _not_understood(rest)
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line.startswith((" ", "\t", "- ")):
            return
        dash, number = re.match(r"\s*-\s+", line), _NUMBER.match(line)
        start = dash or number
        value = _IN_BLOCK.match(line, start.end()) if start else None
        if value is None or (dash is None and dashes):
            raise _not_understood(line)
        yield dashes if dash or number is None else int(number.group(2)), _scalar(value.group(1))
        dashes += dash is not None


def _scalar(text: str) -> str:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if not text.startswith('"'):
        return text.strip()
    try:
        return str(json.loads(text))
    except ValueError:
        raise _not_understood(text) from None


def _not_understood(text: str) -> AnnotationError:
    return AnnotationError("names", f"its names are not understood at {shortened(text.strip()[:60])}", _REMEDY)
