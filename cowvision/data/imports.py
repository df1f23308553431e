"""Ground truth of other software -> pictures with boxes, and a line about everything that is wrong with it.

Nothing is stored or applied here: whoever calls shows the problems and uses the good rest only if the person says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cowvision.data.import_coco import read_coco_truth
from cowvision.data.import_findings import COCO, FORMATS, VOC, YOLO, Imported, ImportProblem
from cowvision.data.import_pictures import PictureFiles
from cowvision.data.import_voc import read_voc_truth
from cowvision.data.import_yolo import NAMES_FILES, read_yolo_truth
from cowvision.errors import AnnotationError

__all__ = ["FORMATS", "ImportProblem", "Imported", "read_ground_truth"]

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
    kind, files = _in_folder(path) if path.is_dir() else _of_file(path)
    if kind == COCO:
        return read_coco_truth(files[0], files[0].relative_to(folder).as_posix(), pictures)
    return (read_yolo_truth if kind == YOLO else read_voc_truth)(folder, files, pictures)


def _of_file(path: Path) -> tuple[str, list[Path]]:
    suffix = path.suffix.lower()
    if suffix in {".json", ".xml"}:
        return (COCO if suffix == ".json" else VOC), [path]
    if path.name in NAMES_FILES:
        return YOLO, _under(path.parent, ".txt")
    raise AnnotationError(path.name, "not ground truth in a known format", _REMEDY)


def _in_folder(folder: Path) -> tuple[str, list[Path]]:
    found = {COCO: [path for path in _under(folder, ".json") if _is_coco(path)], VOC: _under(folder, ".xml")}
    found = {kind: files for kind, files in found.items() if files}
    labels = _under(folder, ".txt")
    if any((folder / name).is_file() for name in NAMES_FILES) or (labels and not found):
        found[YOLO] = labels  # without names of classes, a text file beside another format is a read-me
    if not found:
        raise AnnotationError(folder.name, "no ground truth in a known format is in the folder", _REMEDY)
    several = list(found) if len(found) > 1 else [path.name for path in found.get(COCO, [])]
    if len(several) > 1:
        cause = f"the folder holds {' and '.join(several[:3])}"
        raise AnnotationError(folder.name, cause, "Give the one file or folder that is meant")
    return next(iter(found.items()))


def _under(folder: Path, suffix: str) -> list[Path]:
    """Files of a suffix; hidden ones and what macOS puts into archives are left out."""
    files = (path for path in folder.rglob("*") if path.suffix.lower() == suffix and path.is_file())
    return sorted(
        path for path in files if not any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)
    )


def _is_coco(path: Path) -> bool:
    """Whether a JSON speaks of annotations at all; label tools put other JSON files beside them."""
    try:
        return b'"annotations"' in path.read_bytes()
    except OSError:
        return False
