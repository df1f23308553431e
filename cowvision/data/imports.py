"""Ground truth of other software -> pictures with boxes, and a line about everything that is wrong with it.

Nothing is stored or applied here: whoever calls shows the problems and uses the good rest only if the person says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cowvision.data.import_coco import read_coco_truth
from cowvision.data.import_findings import COCO, FORMATS, VOC, YOLO, Imported, ImportProblem
from cowvision.data.import_pictures import PictureFiles
from cowvision.data.import_voc import read_voc_truth
from cowvision.data.import_yolo import NAMES_FILES, read_yolo_truth
from cowvision.errors import AnnotationError

__all__ = ["FORMATS", "ImportProblem", "Imported", "read_ground_truth"]

MOST_NAMED = 5
"""Files that a message names."""

_NOT_JSON = "not JSON"
_MOST_LOOKED_AT = 64 * 1024 * 1024  # bytes
_REMEDY = "Give a COCO JSON, a folder of YOLO labels with classes.txt or data.yaml, or Pascal VOC XML"


def read_ground_truth(path_or_folder: str | Path, images: str | Path | Mapping[str, Path]) -> Imported:
    """Read ground truth in whichever format it is.

    Args:
        path_or_folder: A COCO JSON, a Pascal VOC XML, YOLO's file of class names, or a folder with files of one format.
        images: The folder of the pictures, or file name -> picture file for pictures that lie elsewhere or are a
            selection.

    Raises:
        AnnotationError: There is no such file or folder, or it holds none of the formats, or several. Whatever is
            wrong inside the files is among the problems instead.
    """
    path, pictures = Path(path_or_folder), PictureFiles(images)
    if not path.exists():
        raise AnnotationError(str(path), "no such file or folder", "Check the path")
    folder = path if path.is_dir() else path.parent
    kind, files, broken = _in_folder(path) if path.is_dir() else (*_of_file(path), [])
    if kind == COCO:
        read = read_coco_truth(files[0], _name_in(folder, files[0]), pictures)
    else:
        read = (read_yolo_truth if kind == YOLO else read_voc_truth)(folder, files, pictures)
    return replace(read, problems=[*read.problems, *broken])


def _of_file(path: Path) -> tuple[str, list[Path]]:
    suffix = path.suffix.lower()
    if suffix in {".json", ".xml"}:
        return (COCO if suffix == ".json" else VOC), [path]
    if path.name in NAMES_FILES:
        return YOLO, _under(path.parent, ".txt")
    raise AnnotationError(path.name, "not ground truth in a known format", _REMEDY)


def _in_folder(folder: Path) -> tuple[str, list[Path], list[ImportProblem]]:
    """The format, its files, and what else is there that cannot be read."""
    json_files = _under(folder, ".json")
    faults = {path: fault for path in json_files if (fault := _why_no_coco(path))}
    found = {COCO: [path for path in json_files if path not in faults], VOC: _under(folder, ".xml")}
    found = {kind: files for kind, files in found.items() if files}
    labels = _under(folder, ".txt")
    if any((folder / name).is_file() for name in NAMES_FILES) or (labels and not found):
        found[YOLO] = labels  # without names of classes, a text file beside another format is a read-me
    if not found:
        raise _nothing_in(folder, faults)
    if len(found) > 1 or len(found.get(COCO, [])) > 1:
        raise _several_in(folder, found, faults)
    broken = [
        ImportProblem(_name_in(folder, path), "", fault, "Mend it, or leave it away if it is not meant")
        for path, fault in faults.items()
        if fault.startswith(_NOT_JSON)
    ]
    return *next(iter(found.items())), broken


def _nothing_in(folder: Path, faults: Mapping[Path, str]) -> AnnotationError:
    """What is wrong with each file that could have been meant."""
    told = [f"{_name_in(folder, path)} is {fault}" for path, fault in faults.items()]
    if len(faults) == 1:
        [(path, fault)] = faults.items()
        return AnnotationError(_name_in(folder, path), fault, _REMEDY)
    cause = "; ".join(told[:MOST_NAMED]) or "there is no ground truth in a known format"
    return AnnotationError(folder.name, cause, _REMEDY)


def _several_in(folder: Path, found: Mapping[str, list[Path]], faults: Mapping[Path, str]) -> AnnotationError:
    """All the files that could be meant, and those that are broken besides."""
    of_one_kind = len(found) == 1
    named = [path for files in found.values() for path in (files if of_one_kind else files[:1])]
    names = [_name_in(folder, path) for path in named]
    kinds = "" if of_one_kind else f" ({' and '.join(found)})"
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    cause = f"holds {' and '.join(names[:MOST_NAMED])}{more}{kinds}, of which only one can be meant"
    wrong = {path: _not_json(path) for path in found.get(COCO, [])} | dict(faults)
    broken = [f"{_name_in(folder, path)} is {fault}" for path, fault in wrong.items() if fault.startswith(_NOT_JSON)]
    cause = "; ".join([cause, *broken[:MOST_NAMED]])
    return AnnotationError(
        folder.name, cause, "Give the one file or folder that is meant, one after the other if all are"
    )


def _name_in(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _under(folder: Path, suffix: str) -> list[Path]:
    """Files of a suffix; hidden ones and what macOS puts into archives are left out."""
    files = (path for path in folder.rglob("*") if path.suffix.lower() == suffix and path.is_file())
    return sorted(
        path for path in files if not any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)
    )


def _why_no_coco(path: Path) -> str:
    """Why a JSON is no ground truth, in words; nothing if it speaks of annotations at all.

    Label tools put other JSON files beside them. One that speaks of annotations and is broken is told by its reader.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"not readable ({error.strerror or type(error).__name__})"
    if b'"annotations"' in data:
        return ""
    if data.lstrip()[:1] == b"[":
        return _not_json(path) or "a list, not ground truth"
    return _not_json(path) or "JSON without annotations"


def _not_json(path: Path) -> str:
    """Where a file stops being JSON, in words; nothing if it is, or is so large that looking would take too much."""
    try:
        if path.stat().st_size <= _MOST_LOOKED_AT:
            json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        return f"{_NOT_JSON} ({error})"
    return ""
