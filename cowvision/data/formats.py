"""Ground truth in and out of files: COCO JSON."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv

from cowvision.data.annotations import AnnotatedPicture, truth_boxes
from cowvision.data.coco import COCO_IDS
from cowvision.errors import AnnotationError

TRUTH_IDS = {name: COCO_IDS[name] for name in ("person", "dog", "horse", "sheep", "cow")}
"""The classes of the rendered herd."""


def read_coco(truth: str | Path, images: str | Path) -> list[AnnotatedPicture]:
    """Read COCO ground truth and pair it with the pictures of a folder, in the order of the image ids.

    Pictures without annotations are kept: that nothing is on them is truth as well.

    Raises:
        AnnotationError: The file is missing, not COCO JSON, holds a box without extent, or names a picture
            that the folder lacks.
    """
    path, folder = Path(truth), Path(images)
    document = _read_document(path)
    try:
        names = {int(category["id"]): str(category["name"]) for category in document["categories"]}
        rows = _rows_by_image(document["annotations"])
        images_by_id = sorted(document["images"], key=lambda image: image["id"])
        return [_annotated(image, rows.get(image["id"], []), names, folder, path) for image in images_by_id]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        cause = f"not the COCO ground truth of objects ({type(error).__name__}: {error})"
        raise AnnotationError(str(path), cause, "Give a JSON with images, annotations and categories") from None


def coco_document(pictures: Iterable[tuple[str, tuple[int, int], sv.Detections]]) -> dict[str, Any]:
    """Return COCO ground truth; ids count from 1, for an id of 0 is never matched by the COCO tools.

    Args:
        pictures: File name, width and height, and truth (as from `truth_boxes`) of each picture.

    Raises:
        AnnotationError: A class has no COCO id.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, (name, (width, height), truth) in enumerate(pictures, start=1):
        images.append({"id": image_id, "file_name": name, "width": width, "height": height})
        annotations += _rows(truth, image_id, len(annotations) + 1, name)
    categories = [{"id": number, "name": name} for name, number in TRUTH_IDS.items()]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_coco(path: str | Path, pictures: Iterable[tuple[str, tuple[int, int], sv.Detections]]) -> None:
    """Write COCO ground truth; arguments and errors as `coco_document`."""
    Path(path).write_text(json.dumps(coco_document(pictures)), encoding="utf-8")


def _read_document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AnnotationError(str(path), error.strerror or "cannot be opened", "Check the path") from None
    except ValueError as error:
        raise AnnotationError(str(path), f"not JSON ({error})", "Export the ground truth as COCO JSON") from None
    if not isinstance(document, dict):
        raise AnnotationError(str(path), "not COCO ground truth but a list", "Give the truth, not the detections")
    return document


def _rows_by_image(annotations: Sequence[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in annotations:
        rows.setdefault(row["image_id"], []).append(row)
    return rows


def _annotated(
    image: dict[str, Any], rows: list[dict[str, Any]], names: dict[int, str], folder: Path, path: Path
) -> AnnotatedPicture:
    source = folder / image["file_name"]
    if not source.is_file():
        raise AnnotationError(str(path), f"its picture {source} does not exist", "Check the folder given as images")
    boxes = np.array([row["bbox"] for row in rows], dtype=np.float64).reshape(-1, 4)
    truth = truth_boxes(
        np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]),
        [names[row["category_id"]] for row in rows],
        class_ids=[row["category_id"] for row in rows],
        area=[row.get("area", width * height) for row, (width, height) in zip(rows, boxes[:, 2:], strict=True)],
        crowd=[bool(row.get("iscrowd", 0)) for row in rows],
        visible_fraction=[row.get("visible_fraction", 1.0) for row in rows],
        subject=image["file_name"],
    )
    return AnnotatedPicture(
        image["file_name"], truth, source, title=image.get("title", ""), caption=image.get("caption", "")
    )


def _rows(truth: sv.Detections, image_id: int, first_id: int, name: str) -> list[dict[str, Any]]:
    columns = [np.asarray(truth.data[key]).tolist() for key in ("class_name", "area", "crowd", "visible_fraction")]
    rows = []
    for offset, (box, label, area, crowd, visible) in enumerate(zip(truth.xyxy.tolist(), *columns, strict=True)):
        if label not in TRUTH_IDS:
            raise AnnotationError(name, f"the class '{label}' has no COCO id", f"Use one of: {', '.join(TRUTH_IDS)}")
        x_min, y_min, x_max, y_max = box
        rows.append(
            {
                "id": first_id + offset,
                "image_id": image_id,
                "category_id": TRUTH_IDS[label],
                "bbox": [x_min, y_min, x_max - x_min, y_max - y_min],
                "area": area,
                "iscrowd": int(crowd),
                "visible_fraction": round(visible, 4),
            }
        )
    return rows
