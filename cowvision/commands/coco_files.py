"""COCO ground truth and COCO results files, read for their figures alone: no picture is opened.

Both are strict: a figure from a part of a file would be taken for that of the whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv

from cowvision.data.annotations import truth_boxes
from cowvision.data.import_checks import json_number, shortened
from cowvision.data.import_coco_rows import (
    Id,
    area_of,
    as_entry,
    bbox_of,
    class_name_of,
    id_of,
    is_crowd,
    visible_fraction_of,
)
from cowvision.errors import AnnotationError

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class TruthFile:
    """Ground truth without pictures.

    Attributes:
        places: The place of each image id among the truths.
        classes: Name of each category id.
        truths: Truth per picture, in the order of the file's images; empty where nothing is on one.
    """

    places: dict[Id, int]
    classes: dict[Id, str]
    truths: list[sv.Detections]


def read_truth(path: Path) -> TruthFile:
    """Read COCO ground truth.

    Raises:
        AnnotationError: It cannot be read, or an entry of it is not as it should be; the first is named.
    """
    document = _read(path)
    remedy = "Give a JSON with images, annotations and categories"
    if not isinstance(document, dict):
        raise AnnotationError(str(path), "not ground truth but a list", remedy)
    for key in ("images", "annotations", "categories"):
        if not isinstance(document.get(key), list):
            raise AnnotationError(str(path), f"it has no list of {key}", remedy)
    places, classes = _ids(path, "image", document["images"]), _ids(path, "category", document["categories"])
    named = {key: _named(path, document["categories"][place]) for key, place in classes.items()}
    rows: list[list[Row]] = [[] for _ in places]
    for number, row in enumerate(document["annotations"], start=1):
        try:
            rows[_known(as_entry(row), "image_id", places)].append(row)
            _known(row, "category_id", named)
            _checked_box(row), area_of(row), is_crowd(row), visible_fraction_of(row)
        except AnnotationError as error:
            raise AnnotationError(f"{path}, annotation {number}", error.cause, error.remedy) from None
    return TruthFile(places, named, [_truth(path, one, named) for one in rows])


def class_names_of(path: Path) -> set[str]:
    """Names of the classes that ground truth knows, also of those without a box; errors as those of `read_truth`."""
    document = _read(path)
    rows = document.get("categories") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise AnnotationError(
            str(path), "it has no list of categories", "Give a JSON with images, annotations and categories"
        )
    return {_named(path, rows[place]) for place in _ids(path, "category", rows).values()}


def read_results(path: Path, truth: TruthFile) -> list[sv.Detections]:
    """Read a COCO results file: a list of image_id, category_id, bbox (x, y, width, height) and score.

    Returns:
        Detections per picture of the truth, in the order of the file; empty for a picture the file does not speak of.

    Raises:
        AnnotationError: It cannot be read, or an entry is not as it should be; the first is named. An empty list is
            the answer of a model that found nothing.
    """
    document = _read(path)
    if not isinstance(document, list):
        cause = f"it is no list of detections but a {type(document).__name__}"
        raise AnnotationError(str(path), cause, "Give a COCO results file; ground truth goes to --truth")
    rows: list[list[tuple[list[float], float, str]]] = [[] for _ in truth.truths]
    for number, row in enumerate(document, start=1):
        try:
            place = _known(as_entry(row), "image_id", truth.places)
            rows[place].append((_checked_box(row), _score(row), _known(row, "category_id", truth.classes)))
        except AnnotationError as error:
            raise AnnotationError(f"{path}, entry {number}", error.cause, error.remedy) from None
    return [_detections(one) for one in rows]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise AnnotationError(str(path), error.strerror or "cannot be opened", "Check the path") from None
    except (ValueError, RecursionError) as error:
        raise AnnotationError(str(path), f"not JSON ({error})", "Give a JSON file as COCO describes it") from None


def _ids(path: Path, kind: str, rows: list[Any]) -> dict[Id, int]:
    """Place of each entry by its id."""
    places: dict[Id, int] = {}
    for place, row in enumerate(rows):
        try:
            key = id_of(as_entry(row), "id")
        except AnnotationError as error:
            raise AnnotationError(f"{path}, {kind} {place + 1}", error.cause, error.remedy) from None
        if key in places:
            cause = f"an entry before it has the id {key!r} too"
            raise AnnotationError(f"{path}, {kind} {place + 1}", cause, "Give every entry an id of its own")
        places[key] = place
    return places


def _named(path: Path, row: Row) -> str:
    try:
        return class_name_of(row)
    except AnnotationError as error:
        raise AnnotationError(f"{path}, category {row['id']}", error.cause, error.remedy) from None


def _known(row: Row, key: str, known: Mapping[Id, Any]) -> Any:
    """What an id of an entry stands for."""
    found = known.get(id_of(row, key))
    if found is None:
        what = "images" if key == "image_id" else "categories"
        cause = f"its {key} {shortened(row[key])} is not among the {what} of the truth"
        raise AnnotationError(key, cause, "Give the truth that it was made for")
    return found


def _checked_box(row: Row) -> list[float]:
    """x_min, y_min, x_max, y_max."""
    x_min, y_min, width, height = bbox_of(row)
    if not np.isfinite([x_min, y_min, width, height]).all():
        raise AnnotationError("bbox", f"its bbox is {row['bbox']}", "Write four finite numbers")
    if width <= 0 or height <= 0:
        cause = f"its bbox has no width or no height: {row['bbox']}"
        raise AnnotationError("bbox", cause, "Write x, y, width and height, not two corners")
    return [x_min, y_min, x_min + width, y_min + height]


def _score(row: Row) -> float:
    score = json_number(row.get("score"), "its score")
    if not np.isfinite(score):
        raise AnnotationError("score", f"its score is {score}", "Write a finite number")
    return score


def _truth(path: Path, rows: list[Row], classes: Mapping[Id, str]) -> sv.Detections:
    boxes = [_checked_box(row) for row in rows]
    areas = [area_of(row) for row in rows]
    sides = [(box[2] - box[0]) * (box[3] - box[1]) for box in boxes]
    return truth_boxes(
        boxes,
        [classes[row["category_id"]] for row in rows],
        area=[side if area is None else area for area, side in zip(areas, sides, strict=True)],
        crowd=[is_crowd(row) for row in rows],
        visible_fraction=[visible_fraction_of(row) for row in rows],
        subject=str(path),
    )


def _detections(rows: list[tuple[list[float], float, str]]) -> sv.Detections:
    boxes, scores, names = zip(*rows, strict=True) if rows else ((), (), ())
    return sv.Detections(
        xyxy=np.array(boxes, np.float64).reshape(-1, 4),
        confidence=np.array(scores, np.float64),
        class_id=np.zeros(len(rows), np.int64),
        data={"class_name": np.array(names, np.str_)},
    )
