"""The truth files of COCO's cows: written by `coco_cows`, read and checked here."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv

from cowvision.data.annotations import truth_boxes
from cowvision.errors import AnnotationError
from cowvision.workspace.coco_archive import checked_file_name

_REMEDY = "Fetch them again: `python -m cowvision fetch coco-cows`"


@dataclass(frozen=True, eq=False)
class CocoPicture:
    """A picture as the ground truth speaks of it; its file may not be there.

    Attributes:
        place: Its split's folder and its file name, on the server as here: "val2017/000000000139.jpg".
        resolution_wh: Width and height in pixels.
        truth: Boxes of animals, from `truth_boxes`.
    """

    place: str
    resolution_wh: tuple[int, int]
    truth: sv.Detections


def truth_path(folder: Path, split: str) -> Path:
    """Where the ground truth of a split lies."""
    return folder / f"truth-{split}.json"


def read_truth(folder: Path, split: str) -> list[CocoPicture]:
    """The pictures of a split, whether or not their files are there.

    Raises:
        AnnotationError: The truth file is not there, or damaged.
    """
    path = truth_path(folder, split)
    try:
        return _pictures(json.loads(path.read_bytes()), split)
    except OSError as error:
        raise AnnotationError(str(path), error.strerror or "cannot be read", _REMEDY) from None
    except AnnotationError as error:
        raise AnnotationError(str(path), f"it is damaged ({error.subject}: {error.cause})", _REMEDY) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        cause = f"it is damaged ({type(error).__name__}: {str(error)[:200]})"
        raise AnnotationError(str(path), cause, _REMEDY) from None


def _pictures(truth: dict[str, Any], split: str) -> list[CocoPicture]:
    if not truth["images"]:
        raise ValueError("no pictures")
    names = {int(row["id"]): str(row["name"]) for row in truth["categories"]}
    rows = defaultdict(list)
    for row in truth["annotations"]:
        rows[row["image_id"]].append(row)
    return [_picture(image, rows[image["id"]], names, split) for image in truth["images"]]


def _picture(image: dict[str, Any], rows: list[dict[str, Any]], names: dict[int, str], split: str) -> CocoPicture:
    file_name = checked_file_name(image["file_name"])
    xywh = np.array([row["bbox"] for row in rows], dtype=np.float64).reshape(-1, 4)
    truth = truth_boxes(
        np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]),
        [names[row["category_id"]] for row in rows],
        class_ids=[row["category_id"] for row in rows],
        area=[row["area"] for row in rows],
        crowd=[bool(row["iscrowd"]) for row in rows],
        subject=file_name,
    )
    return CocoPicture(f"{split}2017/{file_name}", (int(image["width"]), int(image["height"])), truth)
