"""Exact annotations from index maps: which objects are seen, where, and how much of each (no Blender needed)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

CATEGORY_IDS = {"person": 1, "dog": 18, "horse": 19, "sheep": 20, "cow": 21}
"""The categories' numbers in COCO (Lin et al., 2014)."""

MIN_VISIBLE_FRACTION = 0.15
MIN_LONG_SIDE_PX = 8
MIN_SHORT_SIDE_PX = 4


@dataclass(frozen=True)
class SeenObject:
    """One object of a picture, as far as it can be seen.

    ``bbox`` is (x, y, width, height) in whole pixels, ``x + width`` being one past the last visible column; ``area``
    counts visible pixels; ``visible_fraction`` (0..1) is ``area`` over the silhouette it would have without occluders,
    both inside the frame. ``mask_value`` is its value in the picture's index map.
    """

    kind: str
    mask_value: int
    bbox: tuple[int, int, int, int]
    area: int
    visible_fraction: float


def visible_box(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    """The tight (x, y, width, height) of a boolean mask (height, width); None if no pixel is set."""
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    if not len(columns):
        return None
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y


def seen_objects(index: np.ndarray, kinds: Mapping[int, str], amodal_px: Mapping[int, int]) -> list[SeenObject]:
    """Every object of ``kinds`` (index value -> kind) with a visible pixel in ``index`` (height, width), unfiltered.

    ``amodal_px`` gives each object's silhouette within the frame, in pixels, as if nothing stood before it.
    """
    objects = []
    for value, kind in kinds.items():
        mask = index == value
        box = visible_box(mask)
        if box is not None:
            area = int(mask.sum())
            fraction = min(1.0, area / max(area, amodal_px[value], 1))
            objects.append(SeenObject(kind, value, box, area, round(fraction, 3)))
    return objects


def is_annotated(seen: SeenObject) -> bool:
    """Whether enough of an object can be seen for a detector to be asked for it."""
    long_side, short_side = max(seen.bbox[2:]), min(seen.bbox[2:])
    enough = seen.visible_fraction >= MIN_VISIBLE_FRACTION
    return enough and long_side >= MIN_LONG_SIDE_PX and short_side >= MIN_SHORT_SIDE_PX


def to_record(seen: SeenObject) -> dict:
    """A SeenObject as plain values for JSON."""
    return asdict(seen) | {"bbox": list(seen.bbox)}


def from_record(record: Mapping) -> SeenObject:
    """The SeenObject that ``to_record`` described."""
    return SeenObject(**(dict(record) | {"bbox": tuple(record["bbox"])}))


def coco_document(pictures: Iterable[Mapping]) -> dict:
    """A COCO document of pictures given as {file_name, width, height, title, caption, objects: [SeenObject]}.

    Objects that cannot be seen well enough are left out; see ``is_annotated``. Identifiers count from 1.
    """
    images, annotations = [], []
    for image_id, picture in enumerate(pictures, start=1):
        images.append({"id": image_id} | {k: v for k, v in picture.items() if k != "objects"})
        for seen in filter(is_annotated, picture["objects"]):
            annotations.append(_coco_annotation(seen, len(annotations) + 1, image_id))
    categories = [{"id": number, "name": name} for name, number in CATEGORY_IDS.items()]
    return {"images": images, "annotations": annotations, "categories": categories}


def _coco_annotation(seen: SeenObject, annotation_id: int, image_id: int) -> dict:
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": CATEGORY_IDS[seen.kind],
        "bbox": list(seen.bbox),
        "area": seen.area,
        "iscrowd": 0,
        "visible_fraction": seen.visible_fraction,
        "mask_value": seen.mask_value,
    }


def mot_lines(frames: Iterable[Iterable[SeenObject]]) -> list[str]:
    """MOT ground-truth rows ``frame,id,x,y,w,h,1,category,visibility`` of a clip's frames in order, both from 1."""
    rows = []
    for frame, objects in enumerate(frames, start=1):
        for seen in filter(is_annotated, objects):
            box = ",".join(map(str, seen.bbox))
            rows.append(f"{frame},{seen.mask_value},{box},1,{CATEGORY_IDS[seen.kind]},{seen.visible_fraction:.3f}")
    return rows
