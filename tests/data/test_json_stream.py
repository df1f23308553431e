"""Lists of a large JSON file: entry by entry the same as read at once, whatever is damaged."""

import io
import json

import pytest

from cowvision.data import json_stream
from cowvision.data.json_stream import entries

DOCUMENT = {
    "info": {"lists": [1, 2], "empty": {}},
    "none": [],
    "year": 2017,
    "numbers": [1, -20, 3.25, 4e5, 123456789],
    "texts": ["a ] and a }", 'a "quoted" one, \\ and é 🐄', ""],
    "rows": [{"bbox": [1.5, 2, 3, 4], "rle": {"counts": [5] * 40}}, {}, [[1], [2, [3]]], None, True],
    "last": "value",
}


def read(text: str) -> dict[str, list]:
    found: dict[str, list] = {}
    for key, entry in entries(io.StringIO(text)):
        found.setdefault(key, []).append(entry)
    return found


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 10_000])
@pytest.mark.parametrize("indent", [None, 2])
def test_the_same_as_read_at_once(monkeypatch, chunk, indent) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", chunk)
    wanted = {key: value for key, value in DOCUMENT.items() if isinstance(value, list) and value}
    assert read(json.dumps(DOCUMENT, indent=indent, ensure_ascii=False)) == wanted


@pytest.mark.parametrize("text", ["{}", ' { "a" : [ ] } \n', '{"a": 1}'])
def test_nothing_in_it(text) -> None:
    assert read(text) == {}


def test_cut_off_anywhere_it_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", 16)
    text = json.dumps(DOCUMENT)
    for length in range(len(text)):
        with pytest.raises(ValueError, match=r".+"):
            read(text[:length])


@pytest.mark.parametrize(
    "text",
    ["[1]", "null", '{"a": [1 2]}', '{"a": [1,]}', '{"a": [1],}', '{"a" [1]}', "{1: [1]}", '{"a": [1]} {}', "<html>"],
)
def test_what_is_no_object_of_lists_is_refused(text) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(text)


def test_an_entry_without_end_is_not_read_for_ever(monkeypatch) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", 100)
    monkeypatch.setattr(json_stream, "_LONGEST", 1_000)
    stream = io.StringIO('{"a": ["' + "moo " * 10_000)
    with pytest.raises(ValueError, match="no end"):
        list(entries(stream))
    assert stream.tell() < 5_000


def test_a_long_list_is_never_held_whole(monkeypatch) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", 100)
    stream = io.StringIO('{"a": [' + ", ".join(['{"b": 1}'] * 10_000) + "]}")
    found = entries(stream)
    assert next(found) == ("a", {"b": 1})
    assert stream.tell() <= 200
    assert sum(1 for _ in found) == 9_999
