"""Detections or ground truth as files for other software: CSV, COCO JSON, YOLO, Pascal VOC, and all of them as one zip.

supervision's writers round Pascal VOC to whole pixels and YOLO to five digits, which moves a box by up to half a pixel;
these keep 0.01 px. Boxes without scores are ground truth, and written as such. Pictures are written anew from their
pixels, so no EXIF and no place leaves with them.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import supervision as sv

from cowvision.data.annotations import areas_of, crowds_of, names_of, scores_of
from cowvision.data.coco import category_ids

_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(10))}
"""Names that Windows keeps for devices, whatever their suffix."""

CSV_COLUMNS = ("image", "width", "height", "class", "score", "x_min", "y_min", "x_max", "y_max")


@dataclass(frozen=True, eq=False)
class ExportPicture:
    """One picture of an export.

    Attributes:
        name: File name for people; anything, it is made safe here.
        resolution_wh: Width and height in pixels, upright.
        detections: The boxes to write, already chosen by threshold and class; ground truth has no confidence.
    """

    name: str
    resolution_wh: tuple[int, int]
    detections: sv.Detections


def as_csv(pictures: Iterable[ExportPicture]) -> str:
    """One row a box; a picture without boxes has a row with empty cells, for that nothing was found is a result."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for picture in pictures:
        start = (_no_formula(picture.name), *picture.resolution_wh)
        for name, score, box in _rows(picture.detections):
            shown = "" if _is_truth(picture.detections) else f"{score:.4f}"
            writer.writerow((*start, name, shown, *(f"{side:.2f}" for side in box)))
        if not len(picture.detections):
            writer.writerow((*start, *[""] * 6))
    return text.getvalue()


def as_coco(pictures: Sequence[ExportPicture], file_names: Sequence[str] | None = None) -> str:
    """COCO JSON that pycocotools loads; ids count from 1, ``score`` stands with each annotation that is a detection.

    Args:
        pictures: What to write.
        file_names: Names of the picture files; safe ones made from the pictures' own by default.
    """
    names = file_names or [f"{stem}.jpg" for stem in safe_stems([picture.name for picture in pictures])]
    ids = category_ids(name for picture in pictures for name in names_of(picture.detections).tolist())
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, (picture, file_name) in enumerate(zip(pictures, names, strict=True), 1):
        width, height = picture.resolution_wh
        images.append({"id": image_id, "file_name": file_name, "width": width, "height": height})
        rows = zip(_rows(picture.detections), _coco_own(picture.detections), strict=True)
        for (name, _, (x_min, y_min, x_max, y_max)), own in rows:
            sides = (x_max - x_min, y_max - y_min)
            annotations.append({
                "id": len(annotations) + 1, "image_id": image_id, "category_id": ids[name],
                "bbox": [x_min, y_min, *sides], "area": sides[0] * sides[1], "iscrowd": 0, **own,
            })  # fmt: skip
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    return json.dumps({"images": images, "annotations": annotations, "categories": categories})


def as_yolo(picture: ExportPicture, class_names: Sequence[str]) -> str:
    """A line a box: place in ``class_names`` from 0, then centre and size as shares of the picture (0..1)."""
    width, height = picture.resolution_wh
    lines = []
    for name, _, (x_min, y_min, x_max, y_max) in _rows(picture.detections):
        centre = ((x_min + x_max) / 2 / width, (y_min + y_max) / 2 / height)
        numbers = (*centre, (x_max - x_min) / width, (y_max - y_min) / height)
        lines.append(" ".join([str(class_names.index(name)), *(f"{number:.7f}" for number in numbers)]))
    return "".join(f"{line}\n" for line in lines)


def as_voc(picture: ExportPicture, file_name: str) -> str:
    """Pascal VOC XML; its pixels count from 1 and its ends are inclusive, so that only the beginnings move by one."""
    root = ET.Element("annotation")
    ET.SubElement(root, "filename").text = file_name
    _children(ET.SubElement(root, "size"), dict(zip(("width", "height"), picture.resolution_wh, strict=True)))
    ET.SubElement(root[-1], "depth").text = "3"
    for name, score, (x_min, y_min, x_max, y_max) in _rows(picture.detections):
        entry = ET.SubElement(root, "object")
        own = {"truncated": 0, "difficult": 0} if _is_truth(picture.detections) else {"score": f"{score:.4f}"}
        _children(entry, {"name": name, **own})
        ends = {"xmin": x_min + 1, "ymin": y_min + 1, "xmax": x_max, "ymax": y_max}
        _children(ET.SubElement(entry, "bndbox"), {key: f"{value:.2f}" for key, value in ends.items()})
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def as_zip(
    pictures: Sequence[ExportPicture],
    annotated_jpeg: Callable[[int], bytes] | None = None,
    *,
    on_picture: Callable[[int], None] = lambda _: None,
) -> bytes:
    """Everything of many pictures: ``detections.csv``, ``coco.json``, ``yolo/``, ``voc/`` and, if asked, ``pictures/``.

    Args:
        pictures: What to write.
        annotated_jpeg: Gives the bytes of picture n with its boxes drawn; None leaves pictures out.
        on_picture: Called with the number of pictures done.
    """
    stems = safe_stems([picture.name for picture in pictures])
    files = [f"{stem}.jpg" for stem in stems]
    classes = list(category_ids(name for one in pictures for name in names_of(one.detections).tolist()))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("detections.csv", as_csv(pictures))
        archive.writestr("coco.json", as_coco(pictures, files))
        archive.writestr("yolo/classes.txt", "".join(f"{name}\n" for name in classes))
        for number, (picture, stem, file) in enumerate(zip(pictures, stems, files, strict=True)):
            archive.writestr(f"yolo/{stem}.txt", as_yolo(picture, classes))
            archive.writestr(f"voc/{stem}.xml", as_voc(picture, file))
            if annotated_jpeg is not None:
                archive.writestr(f"pictures/{file}", annotated_jpeg(number), zipfile.ZIP_STORED)
            on_picture(number + 1)
    return stream.getvalue()


def safe_stems(names: Sequence[str]) -> list[str]:
    """File names without suffix that every system takes, each different from the others even where case is ignored."""
    taken: set[str] = set()
    stems = []
    for name in names:
        stem = wanted = _safe_stem(name)
        number = 2
        while stem.lower() in taken:
            stem, number = f"{wanted}-{number}", number + 1
        taken.add(stem.lower())
        stems.append(stem)
    return stems


def _safe_stem(name: str) -> str:
    stem = PurePosixPath(PureWindowsPath(name).name).stem
    kept = "".join(sign if sign.isalnum() or sign in " -_.()" else "_" for sign in stem).strip(" .")
    while len(kept.encode()) > 120:  # file systems count bytes, and two more suffixes must fit
        kept = kept[:-1]
    kept = kept.strip(" .") or "picture"
    return f"{kept}_" if kept.split(".")[0].upper() in _RESERVED else kept


def _no_formula(name: str) -> str:
    """A cell that a spreadsheet shows instead of computing."""
    return f"'{name}" if name[:1] in "=+-@\t\r" and name else name


def _rows(detections: sv.Detections) -> list[tuple[str, float, tuple[float, float, float, float]]]:
    names, scores = names_of(detections).tolist(), scores_of(detections).tolist()
    boxes = [tuple(round(side, 4) for side in box) for box in detections.xyxy.tolist()]
    return list(zip(names, [round(score, 4) for score in scores], boxes, strict=True))


def _is_truth(boxes: sv.Detections) -> bool:
    return boxes.confidence is None


def _coco_own(boxes: sv.Detections) -> list[dict[str, Any]]:
    """What a COCO annotation says of a box beside its place: a detection's score, or what is known of truth."""
    if not _is_truth(boxes):
        return [{"score": round(score, 4)} for score in scores_of(boxes).tolist()]
    columns = {"area": areas_of(boxes).tolist(), "iscrowd": crowds_of(boxes).astype(int).tolist()}
    shares = np.asarray(boxes.data.get("visible_fraction", np.ones(len(boxes))))
    columns["visible_fraction"] = [round(share, 4) for share in shares.tolist()]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _children(parent: ET.Element, values: dict[str, Any]) -> None:
    for key, value in values.items():
        ET.SubElement(parent, key).text = str(value)
