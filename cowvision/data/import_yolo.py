"""YOLO labels of other software, line by line: what is good is read, what is not is reported.

A label file without lines says that nothing is on its picture; a picture without a label file is unlabelled, which is
another thing. YOLO knows no crowd regions. Outlines (class, x, y, x, y, …) become their upright bounding boxes, and a
sixth number (a model's confidence) is passed over; both are noted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from cowvision.data.import_checks import TrueBox, annotated, fitted, is_cut, note_cuts, shortened
from cowvision.data.import_findings import YOLO, Claim, Findings, Imported, PictureAbsentError, without_twins
from cowvision.data.import_names import read_names
from cowvision.data.import_pictures import PictureFiles
from cowvision.errors import AnnotationError

NAMES_FILES = ("data.yaml", "data.yml", "dataset.yaml", "obj.names", "classes.txt")
_NO_LABELS = frozenset({"classes", "train", "val", "valid", "test", "requirements"})
"""Text files that come with labels and are none, unless a picture is called so."""


def read_yolo_truth(folder: Path, files: Sequence[Path], pictures: PictureFiles) -> Imported:
    """Read the label files of a folder.

    Args:
        folder: Where the class names are (or in the folder above, if this one is called labels).
        files: The text files under it.
        pictures: The pictures the labels may belong to.
    """
    findings = Findings()
    classes = _class_names(folder, findings)
    claims = _claims(folder, files if classes else (), pictures, findings)
    names = tuple(dict.fromkeys(classes[number] for number in sorted(classes)))
    read = []
    for claim in without_twins(claims, findings):
        with findings.catching(claim.file, "", claim.picture):
            boxes = _Label(claim, pictures.resolution_wh(claim.picture), classes, findings).read()
            read.append(annotated(claim.picture, pictures.path_of(claim.picture), boxes, names))
    return Imported(read, findings.problems, YOLO, names, pictures.not_among(claim.picture for claim in claims))


def _class_names(folder: Path, findings: Findings) -> dict[int, str]:
    """Class names by number; none where there are none or not one order of them, which is among the findings then."""
    places = (folder, folder.parent) if folder.name.lower() == "labels" else (folder,)
    paths = [path for place in places for name in NAMES_FILES if (path := place / name).is_file()]
    found: list[dict[int, str]] = []
    for path in paths:
        with findings.catching(path.name, ""):
            found.append(read_names(path))
            if found[-1] != found[0]:
                cause = f"it names the classes differently than {paths[0].name}"
                raise AnnotationError(path.name, cause, "Remove the file that is wrong")
    if not paths:
        remedy = "Put classes.txt, one class a line, or data.yaml beside the labels"
        findings.leave_out(NAMES_FILES[-1], "", "there is no file of class names", remedy)
    return found[0] if found and not findings.problems else {}


def _claims(folder: Path, files: Sequence[Path], pictures: PictureFiles, findings: Findings) -> list[Claim]:
    claims = []
    for path in files:
        place = PurePosixPath(path.relative_to(folder).as_posix())
        try:
            claims.append(Claim(str(place), "", pictures.with_stem(place), path))
        except AnnotationError as error:
            if place.stem.lower() not in _NO_LABELS and not place.stem.lower().startswith("readme"):
                absent = isinstance(error, PictureAbsentError)
                findings.leave_out(str(place), "", error.cause, error.remedy, absent=absent)
    return claims


@dataclass
class _Label:
    """One label file while it is read."""

    claim: Claim
    resolution_wh: tuple[int, int]
    classes: Mapping[int, str]
    findings: Findings
    boxes: list[TrueBox] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    outlines: list[str] = field(default_factory=list)
    scored: list[str] = field(default_factory=list)

    def read(self) -> list[TrueBox]:
        """Return the boxes of the good lines.

        Raises:
            AnnotationError: The file is not text.
        """
        for number, line in enumerate(_lines(self.claim.entry), 1):
            if words := line.split():
                with self.findings.catching(self.claim.file, f"line {number}", self.claim.picture):
                    self._add(words, f"line {number}")
        self._notes()
        return self.boxes

    def _add(self, words: Sequence[str], place: str) -> None:
        name = self._class_name(words[0])
        written = self._box([_number(word) for word in words[1:]])
        box = fitted(written, self.resolution_wh)
        self.boxes.append(TrueBox(box, name))
        self.cut += [place] if is_cut(written, box) else []
        self.scored += [place] if len(words) == 6 else []
        self.outlines += [place] if len(words) > 6 else []

    def _class_name(self, word: str) -> str:
        if not (word.isascii() and word.isdigit() and len(word) < 7):
            cause = f"the class is {shortened(word)}, not a whole number from 0"
            raise AnnotationError("class", cause, "Write the class as its place in the names, from 0")
        if (name := self.classes.get(int(word))) is None:
            cause = f"the class {int(word)} is not among the {len(self.classes)} class names"
            raise AnnotationError("class", cause, "Add its name, or correct the number")
        return name

    def _box(self, shares: Sequence[float]) -> tuple[float, float, float, float]:
        """Pixels of ``centre x, centre y, width, height`` with or without a score, or of an outline."""
        place = shares[:4] if len(shares) in {4, 5} else shares
        if len(place) < 4 or len(place) % 2:
            cause = f"the line has {len(shares) + 1} columns"
            raise AnnotationError("line", cause, "Write five: class, centre x, centre y, width, height")
        if not all(map(math.isfinite, place)):
            raise AnnotationError("line", "a number of the line is not finite", "Draw the box again")
        if max(map(abs, place)) > 2:  # a box that is only somewhat outside is told so instead
            cause = "its numbers are pixels or worse, not shares of the picture from 0 to 1"
            raise AnnotationError("line", cause, "Divide them by the picture's width and height")
        width, height = self.resolution_wh
        left, top, right, bottom = _sides(place)
        return left * width, top * height, right * width, bottom * height

    def _notes(self) -> None:
        file, picture = self.claim.file, self.claim.picture
        note_cuts(self.findings, file, self.cut, picture)
        if self.outlines:
            cause = f"{_lines_have(self.outlines)} an outline, of which its upright bounding box is taken"
            self.findings.note(file, self.outlines[0], cause, "Look whether the boxes fit", picture)
        if self.scored:
            cause = f"{_lines_have(self.scored)} a sixth column, which is passed over"
            self.findings.note(file, self.scored[0], cause, "Make sure these are truth, not a model's guesses", picture)


def _sides(shares: Sequence[float]) -> tuple[float, float, float, float]:
    if len(shares) > 4:
        return min(shares[::2]), min(shares[1::2]), max(shares[::2]), max(shares[1::2])
    x, y, width, height = shares
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        cause = f"cannot be read as text ({type(error).__name__})"
        raise AnnotationError(path.name, cause, "Export the labels again") from None


def _number(word: str) -> float:
    try:
        if "_" in word:
            raise ValueError(word)  # noqa: TRY301 - Python reads 1_0 as 10, no other reader does
        return float(word)
    except ValueError:
        cause = f"{shortened(word)} is not a number"
        raise AnnotationError("line", cause, "Write five columns: class, centre x, centre y, width, height") from None


def _lines_have(places: Sequence[str]) -> str:
    return "the line has" if len(places) == 1 else f"the line (and {len(places) - 1} more) has"
