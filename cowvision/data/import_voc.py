"""Pascal VOC of other software, object by object: what is good is read, what is not is reported.

VOC counts pixels from 1 and its ends are inclusive. Files that count from 0 are read too: their boxes at the edge lie
up to one pixel beyond the picture, are cut there, and that is noted. VOC knows no crowd regions; its marks "difficult"
and "truncated" have no place in CowVision, which is noted where they are set.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

from cowvision.data.import_checks import Box, TrueBox, annotated, fitted, is_cut, note_cuts, shortened
from cowvision.data.import_findings import VOC, Claim, Findings, Imported, without_twins
from cowvision.data.import_pictures import PictureFiles
from cowvision.data.pictures import PICTURE_SUFFIXES
from cowvision.errors import AnnotationError


def read_voc_truth(folder: Path, files: Sequence[Path], pictures: PictureFiles) -> Imported:
    """Read XML files, one a picture.

    Args:
        folder: Problems name files as seen from here.
        files: The XML files.
        pictures: The pictures they may speak of.
    """
    findings = Findings()
    claims: list[Claim] = []
    for path in files:
        file = path.relative_to(folder).as_posix()
        with findings.catching(file, ""):
            root = _root(path)
            claims.append(Claim(file, "", _picture(root, PurePosixPath(file), pictures), root))
    boxes: dict[str, list[TrueBox]] = {}
    for claim in without_twins(claims, findings):
        with findings.catching(claim.file, "", claim.picture):
            size_wh = pictures.resolution_wh(claim.picture, _declared_wh(claim.entry))
            boxes[claim.picture] = _boxes(claim, size_wh, findings)
    names = tuple(sorted({box.name for several in boxes.values() for box in several}))
    read = [annotated(name, pictures.path_of(name), several, names) for name, several in boxes.items()]
    return Imported(read, findings.problems, VOC, names, pictures.not_among(claim.picture for claim in claims))


class _NoDoctype(ET.TreeBuilder):
    """Builds the tree, but no entities: a file of a few bytes could stand for gigabytes."""

    def doctype(self, *_: object) -> None:
        raise AnnotationError("DOCTYPE", "it declares a DOCTYPE, which is not read", "Remove the line <!DOCTYPE …>")


def _root(path: Path) -> ET.Element:
    try:
        parser = ET.XMLParser(target=_NoDoctype())  # noqa: S314 - without a DOCTYPE there is nothing to expand
        root = ET.fromstring(path.read_bytes(), parser)  # noqa: S314
    except OSError as error:
        raise AnnotationError(path.name, error.strerror or "cannot be opened", "Check the path") from None
    except (ET.ParseError, ValueError, LookupError) as error:
        raise AnnotationError(path.name, f"not XML ({error})", "Export it as Pascal VOC again") from None
    if root.tag != "annotation":
        raise AnnotationError(path.name, f"not Pascal VOC but a <{root.tag}>", "Export it as Pascal VOC")
    return root


def _picture(root: ET.Element, file: PurePosixPath, pictures: PictureFiles) -> str:
    """The picture named inside; else, where that name has no suffix or is left empty, the one named like the file."""
    wanted = _text(root, "filename")
    return (
        pictures.named(wanted) if PurePosixPath(wanted).suffix.lower() in PICTURE_SUFFIXES else pictures.with_stem(file)
    )


def _boxes(claim: Claim, resolution_wh: tuple[int, int], findings: Findings) -> list[TrueBox]:
    boxes: list[TrueBox] = []
    cut: list[str] = []
    marked: dict[str, list[str]] = {"difficult": [], "truncated": []}
    for number, entry in enumerate(claim.entry.findall("object"), 1):
        place = f"object {number}"
        with findings.catching(claim.file, place, claim.picture):
            written = _box(entry)
            box = fitted(written, resolution_wh)
            boxes.append(TrueBox(box, _class_name(entry)))
            cut += [place] if is_cut(written, box) else []
            for mark in marked:
                marked[mark] += [place] if _text(entry, mark) not in {"", "0"} else []
    note_cuts(findings, claim.file, cut, claim.picture)
    for mark, places in marked.items():
        if places:
            cause = f"{len(places)} marked as {mark}, which is not kept"
            findings.note(claim.file, places[0], cause, "Look whether the boxes should count", claim.picture)
    return boxes


def _class_name(entry: ET.Element) -> str:
    if not (name := _text(entry, "name")):
        raise AnnotationError("name", "the object has no class name", "Write its class as <name>")
    return name


def _box(entry: ET.Element) -> Box:
    if (ends := entry.find("bndbox")) is None:
        raise AnnotationError("bndbox", "the object has no bndbox", "Write xmin, ymin, xmax and ymax in a <bndbox>")
    x_min, y_min, x_max, y_max = (_number(ends, side) for side in ("xmin", "ymin", "xmax", "ymax"))
    return x_min - 1, y_min - 1, x_max, y_max


def _declared_wh(root: ET.Element) -> tuple[float, float]:
    size = root.find("size")
    return (0, 0) if size is None else (_number(size, "width"), _number(size, "height"))


def _number(parent: ET.Element, tag: str) -> float:
    text = _text(parent, tag)
    try:
        if "_" in text:
            raise ValueError(text)  # noqa: TRY301 - Python reads 1_0 as 10, no other reader does
        return float(text)
    except ValueError:
        cause = f"its {tag} is {shortened(text) if text else 'missing'}"
        raise AnnotationError(tag, cause, "Write it as a number of pixels") from None


def _text(parent: ET.Element, tag: str) -> str:
    return " ".join((parent.findtext(tag) or "").split())
