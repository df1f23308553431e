"""What reading ground truth of other software gives: good pictures, and a line about everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cowvision.data.annotations import AnnotatedPicture
from cowvision.errors import AnnotationError

COCO, YOLO, VOC = "COCO", "YOLO", "Pascal VOC"

FORMATS = (COCO, YOLO, VOC)
"""The formats of ground truth that are read and written."""


class PictureAbsentError(AnnotationError):
    """Truth names a picture that is not among those it is read for."""


@dataclass(frozen=True)
class ImportProblem:
    """One thing that is wrong with files of ground truth.

    Attributes:
        file: The file, as seen from the folder that was given.
        place: Where in it: a line, an id, an entry's number; empty for the file as a whole.
        cause: What is wrong, in plain words.
        remedy: What to do about it.
        left_out: True if what it is about is not among the pictures and boxes read; False for a note about something
            that was read, but not quite as it stands.
        picture: The picture whose truth is incomplete or altered by it; empty where it is about no single picture.
        absent: True if all that is wrong is that the picture is not among those that truth is read for: as it is to be
            where they are a selection.
    """

    file: str
    place: str
    cause: str
    remedy: str
    left_out: bool = True
    picture: str = ""
    absent: bool = False

    def __str__(self) -> str:
        """Return one line: file, place, cause, remedy."""
        return " ".join(f"{', '.join(filter(None, (self.file, self.place)))}: {self.cause}. {self.remedy}.".split())


@dataclass(frozen=True, eq=False)
class Imported:
    """Ground truth as read; nothing of it is stored or applied yet.

    Attributes:
        pictures: What is good: pictures with the boxes that passed. A picture whose boxes were all left out is here
            without boxes, so ask a person before using anything while `problems` has entries that are left out.
        problems: Everything that is not as it should be, in the order of the files.
        format: One of `FORMATS`.
        class_names: The classes that the files declare (Pascal VOC declares none: those in use), in their order.
        unlabelled: Pictures that the truth says nothing about. That is not the same as "nothing is on them".
    """

    pictures: list[AnnotatedPicture]
    problems: list[ImportProblem]
    format: str
    class_names: tuple[str, ...]
    unlabelled: tuple[str, ...] = ()


class Claim(NamedTuple):
    """That an entry of a file is the truth of a picture."""

    file: str
    place: str
    picture: str
    entry: Any


@dataclass
class Findings:
    """Collects what is wrong while files are read."""

    problems: list[ImportProblem] = field(default_factory=list)

    def note(self, file: str, place: str, cause: str, remedy: str, picture: str = "") -> None:
        """Say something about what is read all the same."""
        self.problems.append(ImportProblem(file, place, cause, remedy, left_out=False, picture=picture))

    def leave_out(
        self, file: str, place: str, cause: str, remedy: str, picture: str = "", *, absent: bool = False
    ) -> None:
        """Say why something is not read."""
        self.problems.append(ImportProblem(file, place, cause, remedy, picture=picture, absent=absent))

    def catching(self, file: str, place: str, picture: str = "") -> Catching:
        """Leave out what an AnnotationError is raised about, and go on behind the block."""
        return Catching(self, file, place, picture)


@dataclass(frozen=True)
class Catching:
    """A ``with`` block whose AnnotationError becomes a problem."""

    findings: Findings
    file: str
    place: str
    picture: str

    def __enter__(self) -> None:
        """Nothing needs preparing."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        """Swallow an AnnotationError, and only that."""
        if not isinstance(error, AnnotationError):
            return False
        absent = isinstance(error, PictureAbsentError)
        self.findings.leave_out(self.file, self.place, error.cause, error.remedy, self.picture, absent=absent)
        return True


def without_twins(claims: Sequence[Claim], findings: Findings) -> list[Claim]:
    """Leave out entries that name the same picture: which of them holds the truth, or whether all do, nobody knows."""
    times = Counter(claim.picture for claim in claims)
    for claim in claims:
        if times[claim.picture] > 1:
            cause = f"the picture {claim.picture} has {times[claim.picture]} entries"
            findings.leave_out(claim.file, claim.place, cause, "Bring its boxes together in one entry", claim.picture)
    return [claim for claim in claims if times[claim.picture] == 1]
