"""Small files that would take all memory, all time or the whole process are refused in one short sentence."""

import io
import pickle
import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from cowvision.errors import ModelFileError
from cowvision.models import d2_pickle
from cowvision.models.d2_checkpoint import described, stored_weights, their_layout
from cowvision.models.d2_pickle import read_arrays
from cowvision.models.d2_unfolding import UnreadablePickleError

DOUBLED = b"q\x00h\x00\x86"  # a tuple of what was last made, twice; torch knows these steps
ENDLESS = b"\x80\x02})" + DOUBLED * 200 + b"K\x01s."
DEEP = b"\x80\x02})" + b"\x85" * 300_000 + b"K\x01s."
BOTTOM_UP = b"\x80\x02]" + b"q\x00](h\x00h\x00e" * 200 + b"."
TOP_DOWN = b"\x80\x02" + b"".join(b"]q%c" % n for n in range(200)) + b"".join(
    b"h%c(h%ch%ce" % (n, n + 1, n + 1) for n in range(199)) + b"."  # fmt: skip
SCORES = "roi_heads.box_predictor.cls_score.bias"


def text(value: str) -> bytes:
    """How a pickle has a text."""
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def array(shape: bytes, numbers: bytes = b"\0" * 4) -> bytes:
    """How a pickle has an array of float32."""
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01"
    kind = b"cnumpy\ndtype\n" + text("f4") + b"\x89\x88\x87R(K\x03" + text("<") + b"NNNK\x00K\x00K\x00tb"
    return made + shape + kind + b"\x89C" + bytes([len(numbers)]) + numbers + b"tb"


def peak_bytes(data: bytes) -> int:
    """The most memory that reading a pickle took beyond the pickle."""
    tracemalloc.start()
    try:
        read_arrays(data)
    except UnreadablePickleError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


def zipped(path: Path, changed: dict[str, bytes]) -> Path:
    """A torch file with other bytes as some of its parts, or with more parts, written in the order given."""
    whole = io.BytesIO()
    torch.save({"model": {"a": torch.ones(2)}}, whole)
    with zipfile.ZipFile(whole) as read, zipfile.ZipFile(path, "w") as made:
        parts = {name.split("/", 1)[1]: read.read(name) for name in read.namelist()}
        for name, data in (parts | changed).items():
            if data:
                made.writestr(f"archive/{name}", data)
    return path


def older(path: Path, saved: bytes = b"", keys: bytes = b"", after: bytes = b"") -> Path:
    """A torch file as before release 1.6, with other bytes for what was saved or for the list of its storages."""
    file = io.BytesIO()
    torch.save({"model": {"a": 2}}, file, _use_new_zipfile_serialization=False)
    begin, held, end = file.getvalue().partition(pickle.dumps({"model": {"a": 2}}, protocol=2))
    assert held and end == b"\x80\x02]q\x00."
    path.write_bytes(begin + (saved or held) + (keys or end) + after)
    return path


@pytest.mark.parametrize(
    ("data", "cause"),
    [(ENDLESS, "more parts"), (DEEP, "deeper"), (BOTTOM_UP, "more parts"), (TOP_DOWN, "part of another value already")],
    ids=["endless", "deep", "lists", "lists filled later"],
)
def test_values_that_kill_who_hashes_or_shows_them_are_not_begun(tmp_path, data, cause) -> None:
    with pytest.raises(UnreadablePickleError, match=cause):
        read_arrays(data)
    end = io.BytesIO()
    with zipfile.ZipFile(end, "w") as archive:
        archive.writestr("x", b"")
    for path in (
        zipped(tmp_path / "zip.pth", {"data.pkl": data}),
        zipped(tmp_path / "case.pth", {"data.pkl": b"", "DATA.PKL": data}),
        older(tmp_path / "older.pth", saved=data),
        older(tmp_path / "keys.pth", keys=data),
        older(tmp_path / "both.pth", saved=data, after=end.getvalue()),
    ):
        with pytest.raises(ModelFileError, match=cause):
            described(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused_for_nobody_knows_which_is_read(tmp_path) -> None:
    path = zipped(tmp_path / "twice.pth", {"data.PKL": ENDLESS})
    with pytest.raises(ModelFileError, match="two parts of one name"):
        described(path)


def test_torch_reads_what_was_looked_at_and_no_second_table_of_contents(tmp_path) -> None:
    bad = zipped(tmp_path / "bad.pth", {"data.pkl": ENDLESS, "padding": bytes(9000)}).read_bytes()
    good = zipped(tmp_path / "good.pth", {"padding": bytes(1)}).read_bytes()
    size, bad_at = struct.unpack_from("<II", bad, len(bad) - 10)
    good_size, good_at = struct.unpack_from("<II", good, len(good) - 10)
    assert size == good_size
    shift = size + good_at  # how far the second table lies behind the first, which the archive's end points to
    table = bytearray(good[good_at : good_at + size])
    place = 0
    while place < size:
        name, extra, comment = struct.unpack_from("<HHH", table, place + 28)
        [begins] = struct.unpack_from("<I", table, place + 42)
        struct.pack_into("<I", table, place + 42, begins + bad_at + size - shift)
        place += 46 + name + extra + comment
    path = tmp_path / "model.pth"
    path.write_bytes(bad[: bad_at + size] + good[:good_at] + table + bad[bad_at + size :])
    with suppress(ModelFileError):  # a newer Python refuses it
        assert list(stored_weights(path)) == ["a"]


def test_what_makes_gigabytes_of_a_few_bytes_is_refused_by_name(tmp_path) -> None:
    makes = {
        "builtins.bytearray": b"\x80\x02cbuiltins\nbytearray\nJ\x00\x00\x00\x7f\x85R.",
        "_codecs.encode": b"\x80\x02c_codecs\nencode\n" + text("x") + text("latin1") + b"\x86R.",
        "torch._utils._rebuild_device_tensor_from_cpu_tensor":
            b"\x80\x02ctorch._utils\n_rebuild_device_tensor_from_cpu_tensor\n.",
    }  # fmt: skip
    for name, data in makes.items():
        for path in (zipped(tmp_path / "zip.pth", {"data.pkl": data}), older(tmp_path / "older.pth", saved=data)):
            with pytest.raises(ModelFileError, match=f"asks to run {name}, which weights never need; nothing was run"):
                described(path)


@pytest.mark.parametrize(
    "shape",
    [
        text("x") + b"J" + struct.pack("<i", 200_000_000) + b"\x86",
        b"J" + struct.pack("<i", -1) + b"J" + struct.pack("<i", -1) + b"\x86",
        b"(" + b"K\x01" * 33 + b"t",
        b"(" + b"\x8a\x05\x00\x00\x00\x00\x01" * 30 + b"K\x00t",
        b"\x88\x85",
        b"]K\x01a",
    ],
    ids=["text", "negative", "many sides", "long sides", "true", "list"],
)
def test_a_shape_is_a_few_whole_numbers(shape) -> None:
    data = b"\x80\x03}" + text("a") + array(shape) + b"s."
    with pytest.raises(UnreadablePickleError, match="shape and numbers do not fit"):
        read_arrays(data)
    assert peak_bytes(data) < 1e6
    assert read_arrays(b"\x80\x03}" + text("a") + array(b"K\x01\x85") + b"s.")["a"].tolist() == [0]


def test_what_a_file_says_once_is_unpacked_once(monkeypatch) -> None:
    part = {f"{n}": n for n in range(1000)}
    held = read_arrays(pickle.dumps({f"{n}": part for n in range(1000)}, protocol=2))
    assert held["1"] is held["2"]
    letters = b"\x80\x02}" + text("a") + text("x" * 100_000) + b"q\x00s" + text("b") + b"]("
    assert peak_bytes(letters + b"c_codecs\nencode\nh\x00\x85R" * 1000 + b"es.") < 3e6
    monkeypatch.setattr(d2_pickle, "_MOST_BYTES", 1000)
    one = np.ones(100, np.float32)
    with pytest.raises(UnreadablePickleError, match="unfolds to more numbers"):
        read_arrays(pickle.dumps({"model": {"a": one, "b": one, "c": one}}, protocol=2))


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_the_ordered_dicts_of_torch_are_read_in_a_pickle_too(protocol) -> None:
    weights = OrderedDict(a=np.ones(2, np.float32), b=np.zeros(3))
    weights._metadata = OrderedDict({"": {"version": 1}})
    read = read_arrays(pickle.dumps({"model": weights}, protocol=protocol))["model"]
    assert isinstance(read, dict) and not isinstance(read, OrderedDict)
    assert [(name, value.tolist()) for name, value in read.items()] == [("a", [1, 1]), ("b", [0, 0, 0])]
    assert not hasattr(read, "_metadata")


def test_an_ordered_dict_is_made_of_nothing_for_it_would_copy_a_large_one_again_and_again() -> None:
    with pytest.raises(UnreadablePickleError, match="damaged"):
        read_arrays(b"\x80\x02ccollections\nOrderedDict\n}\x85R.")


@pytest.mark.parametrize("name", [10**5000, ("a",), None], ids=["number", "tuple", "none"])
def test_names_of_weights_are_texts(tmp_path, name) -> None:
    torch.save({"model": {name: torch.ones(2)}}, tmp_path / "model.pth")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps({"model": {name: np.ones(2)}}))
    for ending in ("pth", "pkl"):
        with pytest.raises(ModelFileError, match=r"something else than named weights|damaged"):
            described(tmp_path / f"model.{ending}")


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize(
    ("name", "made", "cause"),
    [
        (SCORES, lambda: torch.ones(1).expand(10**17), r"4 of another shape \("),
        ("pixel_mean", lambda: torch.ones(1).expand(5 * 10**9), r"settings of its own \(pixel_mean\)"),
        (SCORES, lambda: torch.ones(2, dtype=torch.complex64), rf"1 missing \({SCORES}\)"),
        (SCORES, lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), "asks to run"),
    ],
    ids=["endless classes", "endless mean", "complex", "nested"],
)
def test_tensors_that_are_no_weights_are_one_sentence(tmp_path, name, made, cause) -> None:
    weights = {name: torch.ones(1).expand(shape) for name, shape in their_layout("d2-r50-fpn", 1).items()}
    torch.save({"model": weights | {name: made()}}, tmp_path / "model.pth")
    with pytest.raises(ModelFileError, match=cause):
        described(tmp_path / "model.pth")


def test_attributes_of_a_files_dict_are_not_called(tmp_path) -> None:
    held = OrderedDict(a=torch.ones(2))
    held.gEt = held.itEms = held.kEys = 1
    file = io.BytesIO()
    torch.save(held, file, _use_new_zipfile_serialization=False)
    data = file.getvalue().replace(b"gEt", b"get").replace(b"itEms", b"items").replace(b"kEys", b"keys")
    (tmp_path / "model.pth").write_bytes(data)
    assert list(stored_weights(tmp_path / "model.pth")) == ["a"]


@pytest.mark.parametrize(
    "data",
    [b"\x80\x02}N}" + text("a\nb" * 5000) + b"K\x01s\x86b.", b"S" + b"x" * 20_000 + b"\n."],
    ids=["name", "text"],
)
def test_messages_are_one_short_line_whatever_a_file_says(data) -> None:
    with pytest.raises(UnreadablePickleError, match="damaged") as refused:
        read_arrays(data)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 200
