"""The pictures there are to choose from: the shipped stills, and what the visitor brought."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
import supervision as sv

from cowvision.data.formats import read_coco
from cowvision.data.pictures import Picture, decode_picture, read_picture
from cowvision.models.catalog import WEIGHTS_FOLDER, ModelSpec
from cowvision.ui import cache, session
from cowvision.workspace.files import read_blob
from cowvision.workspace.trays import TrayPicture, pictures_in

STILLS_FOLDER = WEIGHTS_FOLDER.parent / "pictures"


@dataclass(frozen=True, eq=False)
class GalleryPicture:
    """A picture to choose, decoded only when it is looked at.

    Attributes:
        key: Its name in the address bar: the file name of a still without suffix, a digest for an upload.
        title: A few words.
        caption: A sentence; empty for uploads.
        name: File name for people.
        id: sha256 of its bytes.
        file: A still's file; None for what lies in the workspace.
        truth: What is truly on it; None where nobody knows.
        resolution_wh: Width and height in pixels, where they are known without reading it.
    """

    key: str
    title: str
    caption: str
    name: str
    id: str
    file: Path | None = None
    truth: sv.Detections | None = None
    resolution_wh: tuple[int, int] | None = None

    @property
    def is_own(self) -> bool:
        """Whether the visitor brought it."""
        return self.file is None

    def load(self) -> Picture:
        """Read and decode it, past every cache.

        Raises:
            PictureError: It cannot be read.
            WorkspaceError: It is no longer in the workspace.
        """
        return decode_picture(read_blob(self.id), self.name) if self.file is None else read_picture(self.file)

    def picture(self) -> Picture:
        """The decoded picture, from a cache of the last few; errors as ``load``."""
        return cache.picture(self.id, self.load)

    def thumbnail(self) -> bytes:
        """A small JPEG; errors as ``load``."""
        return cache.thumbnail(self.id, self.load)

    def detections(self, spec: ModelSpec) -> sv.Detections:
        """What a model sees on it, from score 0.05 up; errors as ``cache.raw_detections``."""
        return cache.raw_detections(self.id, spec, self.load, is_own=self.is_own)


def shipped_stills() -> Sequence[GalleryPicture]:
    """The shipped stills with their truth; none where the folder holds none.

    Raises:
        AnnotationError: The truth beside them cannot be read.
    """
    return _read_stills(STILLS_FOLDER) if (STILLS_FOLDER / "truth.json").is_file() else ()


def own_pictures() -> list[GalleryPicture]:
    """What this visitor brought, also before a reload.

    Raises:
        WorkspaceError: The workspace cannot be used.
    """
    return [_of_tray(picture) for picture in pictures_in(cache.store(), session.ensure().token)]


def _of_tray(picture: TrayPicture) -> GalleryPicture:
    title = Path(picture.name).stem or picture.name
    return GalleryPicture(
        picture.picture_id[:16], title, "", picture.name, picture.picture_id, resolution_wh=picture.resolution_wh
    )


@st.cache_resource(max_entries=1, show_spinner=False)
def _read_stills(folder: Path) -> tuple[GalleryPicture, ...]:
    return tuple(
        GalleryPicture(
            key=Path(still.name).stem,
            title=still.title or Path(still.name).stem,
            caption=still.caption,
            name=still.name,
            id=hashlib.sha256((folder / still.name).read_bytes()).hexdigest(),
            file=folder / still.name,
            truth=still.truth,
        )
        for still in read_coco(folder / "truth.json", folder)
    )
