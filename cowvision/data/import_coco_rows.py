"""The entries of a COCO file: what one of them says, checked key by key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cowvision.data.import_checks import json_number, shortened
from cowvision.errors import AnnotationError

Id = int | str
"""COCO's own ids are whole numbers; other tools write texts."""


def bbox_of(row: Mapping[str, Any]) -> list[float]:
    """Four numbers: x, y, width and height in pixels; they may still be impossible.

    Raises:
        AnnotationError: It has none, or one of another shape.
    """
    bbox = row.get("bbox")
    if bbox is None:
        cause = "it has an outline but no bbox" if row.get("segmentation") else "it has no bbox"
        raise AnnotationError("bbox", cause, "Write its box as bbox: x, y, width, height in pixels")
    if not isinstance(bbox, list) or len(bbox) != 4:
        cause = f"its bbox is {shortened(bbox)}, not four numbers"
        raise AnnotationError("bbox", cause, "Write its box as bbox: x, y, width, height in pixels")
    return [json_number(side, "a number of its bbox") for side in bbox]


def area_of(row: Mapping[str, Any]) -> float | None:
    """Visible pixels; None where the file does not say.

    Raises:
        AnnotationError: Not a number of pixels.
    """
    if row.get("area") is None:
        return None
    area = json_number(row["area"], "its area")
    if not 0 <= area < math.inf:
        raise AnnotationError("area", f"its area is {area:g}", "Write the visible pixels, or no area at all")
    return area


def visible_fraction_of(row: Mapping[str, Any]) -> float:
    """Visible share of the object, 0..1; 1 where the file does not say.

    Raises:
        AnnotationError: Not a share.
    """
    share = json_number(row.get("visible_fraction", 1), "its visible_fraction")
    if not 0 <= share <= 1:
        raise AnnotationError("visible_fraction", f"its visible_fraction is {share:g}", "Write a share from 0 to 1")
    return share


def is_crowd(row: Mapping[str, Any]) -> bool:
    """Whether it is a crowd region; none where the file does not say.

    Raises:
        AnnotationError: Neither 0 nor 1.
    """
    crowd = row.get("iscrowd")
    if crowd not in (None, 0, 1):
        raise AnnotationError("iscrowd", f"its iscrowd is {shortened(crowd)}", "Write 1 for a crowd, 0 for one object")
    return bool(crowd)


def class_name_of(row: Mapping[str, Any]) -> str:
    """The name of a category.

    Raises:
        AnnotationError: Not a text, or an empty one.
    """
    name = row.get("name")
    if not isinstance(name, str) or not name.strip():
        raise AnnotationError("name", f"the name of the class is {shortened(name)}", "Give the class a name")
    return name.strip()


def declared_wh(row: Mapping[str, Any]) -> tuple[float, float]:
    """Width and height of an image; 0 where the file does not say.

    Raises:
        AnnotationError: Not numbers.
    """
    sides = [json_number(row[key], f"its {key}") if row.get(key) is not None else 0 for key in ("width", "height")]
    return sides[0], sides[1]


def words_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Title and caption of an image, as our own files have them."""
    return {key: row[key] for key in ("title", "caption") if isinstance(row.get(key), str)}


def as_entry(row: Any) -> Mapping[str, Any]:
    """The entry as it is.

    Raises:
        AnnotationError: It is no object.
    """
    if not isinstance(row, dict):
        raise AnnotationError("entry", f"the entry is {shortened(row)}, not an object", "Remove it or write it anew")
    return row


def place_of(kind: str, row: Any, number: int) -> str:
    """How a problem speaks of an entry: by its id, else by its number in the list."""
    return f"{kind} {str(row['id'])[:40]}" if has_id(row, "id") else f"{kind} entry {number}"


def has_id(row: Any, key: str) -> bool:
    """Whether the entry has a usable id under the key."""
    return isinstance(row, dict) and isinstance(row.get(key), int | str) and not isinstance(row[key], bool)


def id_of(row: Mapping[str, Any], key: str) -> Id:
    """The id under the key.

    Raises:
        AnnotationError: Neither a whole number nor a text.
    """
    if not has_id(row, key):
        cause = f"its {key} is {shortened(row.get(key))}, neither a whole number nor a text"
        raise AnnotationError(key, cause, f"Write a whole number as {key}")
    return row[key]  # type: ignore[no-any-return]
