"""Ground truth of many pictures as one zip, laid out as each format's own tools expect it; `imports` reads it back."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np

from cowvision.data.annotations import areas_of, crowds_of, names_of
from cowvision.data.coco import category_ids
from cowvision.data.exports import ExportPicture, as_coco, as_voc, as_yolo, safe_stems
from cowvision.data.import_findings import COCO, FORMATS, YOLO
from cowvision.data.pictures import PICTURE_SUFFIXES
from cowvision.errors import AnnotationError


def truth_as_zip(
    pictures: Sequence[ExportPicture],
    kind: str,
    picture_jpeg: Callable[[int], bytes] | None = None,
    *,
    on_picture: Callable[[int], None] = lambda _: None,
) -> bytes:
    """Return ground truth as a zip: for COCO ``annotations.json``, for YOLO ``data.yaml``, ``classes.txt`` and
    ``labels/``, for Pascal VOC ``Annotations/``; beside it the pictures, if asked.

    Args:
        pictures: All pictures of a set, or a selection; their boxes have no confidence.
        kind: One of `FORMATS`.
        picture_jpeg: Gives picture n as JPEG. None leaves pictures out; the files then name the pictures as they are.
        on_picture: Called with the number of pictures done.

    Raises:
        AnnotationError: Another kind.
    """
    if kind not in FORMATS:
        raise AnnotationError("kind", f"expected one of {', '.join(FORMATS)}, got {kind!r}", "Choose one of them")
    files = _file_names(pictures, with_jpeg=picture_jpeg is not None)
    folder = "images" if kind in {COCO, YOLO} else "JPEGImages"
    names = class_names(pictures)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in _common(pictures, files, kind, names):
            archive.writestr(path, text)
        for number, file in enumerate(files):
            if kind != COCO:
                archive.writestr(*_label(pictures[number], file, kind, names))
            if picture_jpeg is not None:
                archive.writestr(f"{folder}/{file}", picture_jpeg(number), zipfile.ZIP_STORED)
            on_picture(number + 1)
    return stream.getvalue()


def class_names(pictures: Sequence[ExportPicture]) -> list[str]:
    """Classes in the order of their YOLO numbers; "cow" is always among them."""
    return list(category_ids(name for picture in pictures for name in names_of(picture.detections).tolist()))


def as_classes_txt(names: Sequence[str]) -> str:
    """One class a line, the class 0 first."""
    return "".join(f"{_one_line(name)}\n" for name in names)


def as_data_yaml(names: Sequence[str]) -> str:
    """The file that YOLO training starts from; a JSON text is a YAML text, so names are safely quoted."""
    lines = [f"  {number}: {json.dumps(_one_line(name), ensure_ascii=False)}" for number, name in enumerate(names)]
    advice = "# All pictures are in one folder: set some aside for val before training."
    return "\n".join([advice, "path: .", "train: images", "val: images", "names:", *lines, ""])


def what_is_lost(pictures: Sequence[ExportPicture], kind: str, *, with_jpeg: bool = False) -> list[str]:
    """Return one sentence for each thing about these pictures that the format cannot say; none if all is kept.

    Args:
        pictures: What would be written.
        kind: One of `FORMATS`.
        with_jpeg: Whether pictures are written too; then their names change with them and nothing is lost.
    """
    files = zip(pictures, _file_names(pictures, with_jpeg=with_jpeg), strict=True)
    renamed = [(picture.name, file) for picture, file in files if not with_jpeg and picture.name != file]
    lost = [(len(renamed), "pictures get other names", f"e.g. {renamed[0][1]} for {renamed[0][0]}")] if renamed else []
    if kind != COCO:
        truths = [picture.detections for picture in pictures]
        crowds = sum(int(crowds_of(truth).sum()) for truth in truths)
        shares = sum(int((np.asarray(truth.data.get("visible_fraction", ())) < 1).sum()) for truth in truths)
        areas = sum(int((~np.isclose(areas_of(truth), truth.box_area)).sum()) for truth in truths)
        lost += [
            (crowds, "crowd regions become ordinary boxes", f"{kind} has no such mark"),
            (shares, "boxes lose their visible share", f"{kind} has none"),
            (areas, "boxes lose their number of visible pixels", f"{kind} has none"),
        ]
    return [f"{count} {what}: {why}." for count, what, why in lost if count]


def _one_line(name: str) -> str:
    return " ".join(name.split())


def _file_names(pictures: Sequence[ExportPicture], *, with_jpeg: bool) -> list[str]:
    """Names of the picture files: their own as far as every system takes them, JPEG if they are written too."""
    names = [picture.name for picture in pictures]
    suffixes = [PurePosixPath(name).suffix for name in names]
    kept = [suffix if suffix.lower() in PICTURE_SUFFIXES and not with_jpeg else ".jpg" for suffix in suffixes]
    return [f"{stem}{suffix}" for stem, suffix in zip(safe_stems(names), kept, strict=True)]


def _common(
    pictures: Sequence[ExportPicture], files: Sequence[str], kind: str, names: Sequence[str]
) -> Iterator[tuple[str, str]]:
    if kind == COCO:
        yield "annotations.json", as_coco(pictures, files)
    elif kind == YOLO:
        yield "classes.txt", as_classes_txt(names)
        yield "data.yaml", as_data_yaml(names)


def _label(picture: ExportPicture, file: str, kind: str, names: Sequence[str]) -> tuple[str, str]:
    stem = PurePosixPath(file).stem
    if kind == YOLO:
        return f"labels/{stem}.txt", as_yolo(picture, names)
    return f"Annotations/{stem}.xml", as_voc(picture, file)
