"""COCO ground truth of other software, entry by entry: what is good is read, what is not is reported.

`formats.read_coco` is the strict reader of our own files. Here ids may be whole numbers or texts; annotations may lack
one, for nothing refers to them. Where an id or a picture stands for two things, neither is guessed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cowvision.data.import_checks import TrueBox, annotated, fitted, is_cut, note_cuts
from cowvision.data.import_coco_rows import (
    Id,
    area_of,
    as_entry,
    bbox_of,
    class_name_of,
    declared_wh,
    has_id,
    id_of,
    is_crowd,
    place_of,
    visible_fraction_of,
    words_of,
)
from cowvision.data.import_findings import COCO, Claim, Findings, Imported, without_twins
from cowvision.data.import_pictures import PictureFiles
from cowvision.errors import AnnotationError


def read_coco_truth(path: Path, file: str, pictures: PictureFiles) -> Imported:
    """Read one COCO JSON.

    Args:
        path: The file.
        file: What problems call it.
        pictures: The pictures it may speak of.
    """
    findings = Findings()
    document: dict[str, list[Any]] = {"images": [], "annotations": [], "categories": []}
    with findings.catching(file, ""):
        document = _document(path)
    classes = _categories(document["categories"], file, findings)
    images = _Images(document, file, pictures, findings)
    images.add_boxes(document["annotations"], classes)
    names = tuple(dict.fromkeys(classes.values()))
    read = []
    for image in images.good.values():
        source = pictures.path_of(image.claim.picture)
        read.append(annotated(image.claim.picture, source, image.boxes, names, **words_of(image.claim.entry)))
    return Imported(read, findings.problems, COCO, names, pictures.not_among(images.mentioned))


@dataclass
class _Image:
    """A picture of the file that was found, and its boxes so far."""

    claim: Claim
    resolution_wh: tuple[int, int]
    boxes: list[TrueBox] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)


class _Images:
    """The images of a document: which are good, and what its annotations say of them."""

    def __init__(
        self, document: Mapping[str, list[Any]], file: str, pictures: PictureFiles, findings: Findings
    ) -> None:
        self.file, self.findings = file, findings
        rows = [(number, row) for number, row in enumerate(document["images"], 1)]
        self._times = Counter(row["id"] for _, row in rows if has_id(row, "id"))
        self._boxes = Counter(row["image_id"] for row in document["annotations"] if has_id(row, "image_id"))
        claims = [claim for number, row in rows if (claim := self._claim(row, number, pictures))]
        self.mentioned = {claim.picture for claim in claims}
        self.good: dict[Id, _Image] = {}
        for claim in without_twins(claims, findings):
            with findings.catching(file, claim.place, claim.picture):
                declared = declared_wh(claim.entry)
                self.good[claim.entry["id"]] = _Image(claim, pictures.resolution_wh(claim.picture, declared))

    def _claim(self, row: Any, number: int, pictures: PictureFiles) -> Claim | None:
        place = self._place(row, number)
        with self.findings.catching(self.file, place):
            key = id_of(as_entry(row), "id")
            if self._times[key] > 1:
                cause = f"{self._times[key]} images have the id {key!r}, so whose its boxes are is unknown"
                raise AnnotationError(self.file, cause, "Give every image an id of its own")
            return Claim(self.file, place, pictures.named(row.get("file_name")), row)
        return None

    def _place(self, row: Any, number: int) -> str:
        if not has_id(row, "id"):
            return place_of("image", row, number)
        count = self._boxes[row["id"]]
        return f"{place_of('image', row, number)} with {count} {'box' if count == 1 else 'boxes'}"

    def add_boxes(self, rows: Sequence[Any], classes: Mapping[Id, str]) -> None:
        """Give every good annotation to its image; those of an image that was left out are left out with it."""
        seen: set[Id] = set()
        for number, row in enumerate(rows, 1):
            place = place_of("annotation", row, number)
            image = self.good.get(row["image_id"]) if has_id(row, "image_id") else None
            with self.findings.catching(self.file, place, image.claim.picture if image else ""):
                _check_ids(as_entry(row), seen, self._times)
                if image:
                    _add_box(image, row, place, classes)
        for image in self.good.values():
            note_cuts(self.findings, self.file, image.cut, image.claim.picture)


def _check_ids(row: Mapping[str, Any], seen: set[Id], images: Mapping[Id, int]) -> None:
    if row.get("id") is not None:
        if (key := id_of(row, "id")) in seen:
            raise AnnotationError("id", f"an annotation before it has the id {key!r} too", "Give it an id of its own")
        seen.add(key)
    if id_of(row, "image_id") not in images:
        cause = f"the image id {row['image_id']!r} is not among the images"
        raise AnnotationError("image_id", cause, "Add the image or remove the annotation")


def _add_box(image: _Image, row: Mapping[str, Any], place: str, classes: Mapping[Id, str]) -> None:
    if (name := classes.get(id_of(row, "category_id"))) is None:
        cause = f"the class id {row['category_id']!r} is not among the categories"
        raise AnnotationError("category_id", cause, "Add the class to the categories")
    x_min, y_min, width, height = bbox_of(row)
    written = (x_min, y_min, x_min + width, y_min + height)
    box = fitted(written, image.resolution_wh)
    image.boxes.append(TrueBox(box, name, area_of(row), is_crowd(row), visible_fraction_of(row)))
    if is_cut(written, box):
        image.cut.append(place)


def _categories(rows: Sequence[Any], file: str, findings: Findings) -> dict[Id, str]:
    """Class names by id, without the ids that stand for two names."""
    names: dict[Id, set[str]] = {}
    for number, row in enumerate(rows, 1):
        with findings.catching(file, place_of("category", row, number)):
            names.setdefault(id_of(as_entry(row), "id"), set()).add(class_name_of(row))
    for key, several in names.items():
        if len(several) > 1:
            cause = f"the class id {key!r} stands for {' and '.join(sorted(several))}"
            findings.leave_out(file, f"category {key}", cause, "Give every class an id of its own")
    return {key: next(iter(several)) for key, several in names.items() if len(several) == 1}


def _document(path: Path) -> dict[str, list[Any]]:
    remedy = "Give a JSON with images, annotations and categories"
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise AnnotationError(path.name, error.strerror or "cannot be opened", "Check the path") from None
    except (ValueError, RecursionError) as error:
        raise AnnotationError(path.name, f"not JSON ({error})", remedy) from None
    if not isinstance(document, dict):
        raise AnnotationError(path.name, f"not ground truth but a {type(document).__name__}", remedy)
    for key in ("images", "annotations", "categories"):
        if not isinstance(document.get(key), list):
            raise AnnotationError(path.name, f"it has no list of {key}", remedy)
    return document
