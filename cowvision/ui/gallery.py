"""The pictures there are to choose from: the shipped stills, and what the visitor uploaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import streamlit as st
import supervision as sv

from cowvision.data.formats import read_coco
from cowvision.data.pictures import Picture
from cowvision.errors import CowVisionError, PictureError
from cowvision.models.catalog import WEIGHTS_FOLDER
from cowvision.ui.cache import uploaded_picture

STILLS_FOLDER = WEIGHTS_FOLDER.parent / "pictures"
MOST_UPLOADS = 20


@dataclass(frozen=True, eq=False)
class GalleryPicture:
    """A picture to choose.

    Attributes:
        key: Its name in the address bar: the file name of a still without suffix, a digest for an upload.
        title: A few words.
        caption: A sentence; empty for uploads.
        picture: The picture itself.
        truth: What is truly on it; None where nobody knows.
    """

    key: str
    title: str
    caption: str
    picture: Picture
    truth: sv.Detections | None = None


class Upload(Protocol):
    """What the gallery needs of an uploaded file."""

    name: str

    def getvalue(self) -> bytes:
        """Return all bytes of the file."""


def shipped_stills() -> Sequence[GalleryPicture]:
    """The shipped stills with their truth; none where the folder holds none.

    Raises:
        AnnotationError: The truth beside them cannot be read.
        PictureError: One of them cannot be read.
    """
    return _read_stills(STILLS_FOLDER) if (STILLS_FOLDER / "truth.json").is_file() else ()


def accept_uploads(files: Iterable[Upload]) -> tuple[list[GalleryPicture], list[CowVisionError]]:
    """The uploaded pictures that can be read, each once, and for each other file why it cannot."""
    accepted: dict[str, GalleryPicture] = {}
    refused: list[CowVisionError] = []
    for place, file in enumerate(files):
        try:
            picture = _read_upload(file, place)
        except PictureError as error:
            refused.append(error)
        else:
            key = picture.id[:12]
            accepted.setdefault(key, GalleryPicture(key, Path(file.name).stem, "", picture))
    return list(accepted.values()), refused


def _read_upload(file: Upload, place: int) -> Picture:
    if place >= MOST_UPLOADS:
        cause = f"the page takes {MOST_UPLOADS} pictures at a time"
        raise PictureError(file.name, cause, "Remove some of the others first")
    return uploaded_picture(file.getvalue(), file.name)


@st.cache_resource(max_entries=1, show_spinner=False)
def _read_stills(folder: Path) -> tuple[GalleryPicture, ...]:
    stills = read_coco(folder / "truth.json", folder)
    return tuple(
        GalleryPicture(
            key=Path(still.name).stem,
            title=still.title or Path(still.name).stem,
            caption=still.caption,
            picture=still.picture(),
            truth=still.truth,
        )
        for still in stills
    )
