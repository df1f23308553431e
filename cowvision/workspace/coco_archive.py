"""COCO's annotation archive: the ground truth of the pictures with cows, out of everything else that is in it.

Kept are all boxes of COCO's ten animals on those pictures, crowd regions included, so that a sheep beside a cow is
known not to be one. Outlines are left out, and the few boxes without extent, which say nothing. Nothing is unpacked to
disk, and the 450 MB inside are read entry by entry.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cowvision.data.coco import COCO_IDS
from cowvision.data.import_coco_rows import area_of, as_entry, bbox_of, is_crowd
from cowvision.data.json_stream import entries
from cowvision.errors import AnnotationError, DownloadError

SPLITS = ("train", "val")
ANIMALS = ("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe")
_IDS = {COCO_IDS[name]: name for name in ANIMALS}
_FILE_NAME = re.compile(r"[0-9]{12}\.jpg")
_INFO = {
    "description": "The pictures of COCO 2017 with cows, and the boxes of all animals on them",
    "annotations": "COCO Consortium, CC BY 4.0",
    "pictures": "Flickr; each under the licence that its entry names",
}
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, TypeError, NotImplementedError, RuntimeError,
    AnnotationError,
)  # fmt: skip


def cows_of(archive: Path, split: str, on_entry: Callable[[], None]) -> dict[str, Any]:
    """Return COCO ground truth of the pictures of a split that have cows, in the order of their ids.

    Args:
        archive: The zip as published.
        split: One of SPLITS.
        on_entry: Called after each entry; what it raises ends the reading.

    Raises:
        DownloadError: It is no zip, lacks the file of the split, or that holds something else than COCO published.
        OSError: It cannot be read.
    """
    member = f"annotations/instances_{split}2017.json"
    found = _Found()
    try:
        with zipfile.ZipFile(archive) as bundle, bundle.open(member) as stream:
            for key, entry in entries(io.TextIOWrapper(stream, encoding="utf-8")):
                found.take(key, entry)
                on_entry()
        return found.document()
    except _DAMAGE as error:
        cause = f"{member} cannot be used ({' '.join(str(error).split())[:200]})"
        raise DownloadError(archive.name, cause, "Fetch it again") from None


def checked_file_name(name: Any) -> str:
    """The name of a picture: twelve digits and ".jpg", so that it never leads to another folder.

    Raises:
        ValueError: It is anything else.
    """
    if not isinstance(name, str) or not _FILE_NAME.fullmatch(name):
        raise ValueError(f"a picture is called {str(name)[:60]!r}")
    return name


@dataclass
class _Found:
    """What was found so far, whatever the order it comes in."""

    licenses: list[Any] = field(default_factory=list)
    images: dict[int, dict[str, Any]] = field(default_factory=dict)
    boxes: list[dict[str, Any]] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)

    def take(self, key: str, entry: Any) -> None:
        """Keep what matters of an entry."""
        if key == "licenses":
            self.licenses.append(entry)
        elif key == "images":
            kept = ("id", "file_name", "width", "height", "license", "flickr_url")
            row = as_entry(entry)
            self.images[row["id"]] = {name: row[name] for name in kept if name in row}
        elif key == "annotations" and as_entry(entry)["category_id"] in _IDS:
            self.boxes += _box(entry)
        elif key == "categories":
            self.names[entry["id"]] = entry["name"]

    def document(self) -> dict[str, Any]:
        """The pictures with cows and their animals."""
        others = [name for number, name in _IDS.items() if self.names.get(number) != name]
        if others:
            raise ValueError(f"its classes are not COCO's: no {others[0]} at {COCO_IDS[others[0]]}")
        with_cows = sorted({box["image_id"] for box in self.boxes if _IDS[box["category_id"]] == "cow"})
        if not with_cows:
            raise ValueError("no picture in it has a cow")
        if lost := set(with_cows) - set(self.images):
            raise ValueError(f"it has boxes on a picture {min(lost)} that it does not have")
        images = [self.images[number] for number in with_cows]
        for image in images:
            checked_file_name(image["file_name"])
            if not all(isinstance(image[side], int) and image[side] > 0 for side in ("width", "height")):
                raise ValueError(f"{image['file_name']} has no size")
        chosen = set(with_cows)
        return {
            "info": _INFO,
            "licenses": self.licenses,
            "images": images,
            "annotations": [box for box in self.boxes if box["image_id"] in chosen],
            "categories": [{"id": number, "name": name} for number, name in _IDS.items()],
        }


def _box(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The box of an annotation; none where it has no extent."""
    x, y, width, height = bbox_of(row)
    if not (x < x + width < math.inf and y < y + height < math.inf):
        return []
    kept = {name: row[name] for name in ("id", "image_id", "category_id")}
    area = area_of(row)
    return [
        kept
        | {"bbox": [x, y, width, height], "area": width * height if area is None else area}
        | {"iscrowd": int(is_crowd(row))}
    ]
