"""PyTorch's files of weights: looked through before torch reads them, which then gets what was looked through alone.

torch itself refuses what would run a stranger's code. What it would do of its own is refused here: take all memory or
all time. Files are ambiguous (a zip archive can have two tables of contents, and torch's names know no case), so torch
reads a copy that can be read in one way only.
"""

from __future__ import annotations

import io
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from cowvision.models.d2_unfolding import UnreadablePickleError, looked_at
from cowvision.models.quoting import printable

_ZIP = b"PK\x03\x04"
_MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")  # the first number in PyTorch's older files
_OLDER_PICKLES = 5  # one after the other: that number, the format's release, the machine, what was saved, its storages
_NEEDED = re.compile(
    r"collections\.(OrderedDict|Counter)"
    r"|torch\.([A-Z][A-Za-z0-9]*Storage|Size|[a-z]+\d*)"  # storages are only named, and so are kinds of numbers
    r"|torch\._utils\._rebuild_(tensor|tensor_v2|parameter|meta_tensor_no_storage)"
    r"|torch\.nn\.parameter\.Parameter"
)
"""Names that files of weights have; of the others that torch allows, some make gigabytes of a few bytes."""


def is_from_torch(path: Path) -> bool:
    """Whether PyTorch wrote a file, now or before its release 1.6; else it is a plain pickle, whatever its ending.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        first = file.read(64)
    return first.startswith(_ZIP) or _MAGIC in first


def read_torch(path: Path, most_bytes: int) -> dict[Any, Any]:
    """What a PyTorch file holds, read as plain weights only.

    Args:
        path: For which ``is_from_torch``.
        most_bytes: That it may unpack to.

    Raises:
        UnreadablePickleError: It is damaged, too large, would run something, or holds no dict; nothing has run.
    """
    try:
        held = torch.load(_copy(path, most_bytes), map_location="cpu", weights_only=True)
    except UnreadablePickleError:
        raise
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        raise _asks_for(asked[1]) if asked else UnreadablePickleError("the file is truncated or damaged") from None
    except Exception as error:  # noqa: BLE001 - a damaged file can fail in any way
        raise UnreadablePickleError(f"the file is truncated or damaged ({type(error).__name__})") from None
    if not isinstance(held, dict):
        raise UnreadablePickleError("the file holds something else than named weights")
    return held


def _copy(path: Path, most_bytes: int) -> io.BytesIO:
    """The file as torch is to read it."""
    with path.open("rb") as file:
        is_zip = file.read(len(_ZIP)) == _ZIP
    if is_zip:
        return _plain_zip(path, most_bytes)
    copy = io.BytesIO(path.read_bytes())
    for _ in range(_OLDER_PICKLES):
        _check(copy)
    copy.seek(0)
    return copy


def _plain_zip(path: Path, most_bytes: int) -> io.BytesIO:
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as plain:
        entries = archive.infolist()
        if sum(one.file_size for one in entries) > most_bytes:
            raise UnreadablePickleError(f"the file unpacks to more than {most_bytes / 1024**3:.0f} GB")
        if len({one.filename.lower() for one in entries}) < len(entries):
            raise UnreadablePickleError("the file has two parts of one name")
        for one in entries:
            data = archive.read(one)
            if one.filename.lower().endswith("data.pkl"):
                _check(io.BytesIO(data))
            plain.writestr(one.filename, data)
    copy.seek(0)
    return copy


def _check(file: io.BytesIO) -> None:
    """Look through the next pickle in a file."""
    for name, argument in looked_at(file):
        asked = str(argument).replace(" ", ".")
        if name == "GLOBAL" and not _NEEDED.fullmatch(asked):
            raise _asks_for(asked)


def _asks_for(name: str) -> UnreadablePickleError:
    return UnreadablePickleError(f"the file asks to run {printable(name)}, which weights never need; nothing was run")
