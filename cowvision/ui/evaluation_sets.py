"""The sets of pictures with known truth that models can be judged on: what ships, and the herds of the workspace."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import streamlit as st
import supervision as sv

from cowvision.data.annotations import areas_of, crowds_of, names_of
from cowvision.data.formats import read_coco
from cowvision.models.catalog import WEIGHTS_FOLDER
from cowvision.ui import cache, gallery
from cowvision.ui.gallery import GalleryPicture
from cowvision.workspace.herds import Herd, all_herds, pictures_of, read_herd
from cowvision.workspace.truths import newest_revision, truths_of

TEST_HERD_FOLDER = WEIGHTS_FOLDER.parent / "herd" / "test"
TEST_HERD, STILLS, TUTORIAL = "test-herd", "stills", "tutorial"
TUTORIAL_PICTURES = ("farmer_and_cows", "many_cows")
_HERD = "herd-"


@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """Pictures with their truth.

    Attributes:
        key: Its name in the address bar.
        title: Its name for people.
        caption: A sentence on what it is.
        pictures: Each with its ``truth`` (never None) and its ``id``, decoded only when it is looked at.
        left_out: Pictures of the herd that nobody has labelled, which therefore cannot judge anybody.
        herd_id: The herd of the workspace; None for what ships.
    """

    key: str
    title: str
    caption: str
    pictures: Sequence[GalleryPicture]
    left_out: int = 0
    herd_id: int | None = None

    @cached_property
    def truths(self) -> list[sv.Detections]:
        """True boxes of each picture."""
        return [sv.Detections.empty() if one.truth is None else one.truth for one in self.pictures]

    @cached_property
    def id(self) -> str:
        """Sha256 of the pictures and their truth, in order: the key of whatever is worked out from them."""
        digest = hashlib.sha256()
        for picture, truth in zip(self.pictures, self.truths, strict=True):
            digest.update(picture.id.encode())
            for part in (truth.xyxy, areas_of(truth), crowds_of(truth)):
                digest.update(part.tobytes())
            digest.update("\n".join(names_of(truth)).encode())
        return digest.hexdigest()

    def only(self, picture_ids: Iterable[str]) -> EvaluationSet:
        """The set with these pictures alone; itself if that is all of them."""
        wanted = set(picture_ids)
        kept = [one for one in self.pictures if one.id in wanted]
        if len(kept) == len(self.pictures):
            return self
        return EvaluationSet(self.key, self.title, self.caption, kept, self.left_out, self.herd_id)


def set_titles() -> dict[str, str]:
    """The sets there are, by their keys, each with its title; nothing of them is read yet.

    Raises:
        WorkspaceError: The workspace cannot be read; what ships can still be asked for with ``shipped_titles``.
    """
    return shipped_titles() | {f"{_HERD}{herd.herd_id}": _herd_title(herd) for herd in all_herds(cache.store())}


def shipped_titles() -> dict[str, str]:
    """The sets that ship, by their keys; those whose files are missing are left out."""
    titles = {TEST_HERD: "Test herd"} if (TEST_HERD_FOLDER / "truth.json").is_file() else {}
    if (gallery.STILLS_FOLDER / "truth.json").is_file():
        titles |= {STILLS: "Shipped stills", TUTORIAL: "The tutorial's two pictures"}
    return titles


def read_set(key: str) -> EvaluationSet:
    """The set of a key that ``set_titles`` gave.

    Raises:
        AnnotationError: The truth of a shipped set cannot be read.
        WorkspaceError: The herd was deleted meanwhile, or the workspace cannot be read.
    """
    if key == TEST_HERD:
        caption = (
            "Rendered, with exact truth, and kept for testing: no landscape and no animal on them was in training."
        )
        return EvaluationSet(key, "Test herd", caption, _read_folder(TEST_HERD_FOLDER))
    if key == STILLS:
        caption = "The pictures of the gallery, rendered, with exact truth."
        return EvaluationSet(key, "Shipped stills", caption, gallery.shipped_stills())
    if key == TUTORIAL:
        two = [one for one in gallery.shipped_stills() if one.key in TUTORIAL_PICTURES]
        caption = (
            "The tutorial, Tryolabs' hands-on guide to object detection and tracking, judged its models on two "
            "pictures. These two show what two can prove, and what not."
        )
        return EvaluationSet(key, "The tutorial's two pictures", caption, two)
    return _read_herd(int(key.removeprefix(_HERD)))


def herd_key(herd_id: int) -> str:
    """The key of a herd's set."""
    return f"{_HERD}{herd_id}"


def _herd_title(herd: Herd) -> str:
    return f"Your herd: {herd.name} ({herd.labelled} of {herd.pictures} labelled)"


def _read_herd(herd_id: int) -> EvaluationSet:
    store = cache.store()
    herd = read_herd(store, herd_id)
    return _herd_set(herd, newest_revision(store, herd_id), str(store.path))


@st.cache_resource(max_entries=4, show_spinner=False)
def _herd_set(herd: Herd, revision: int, workspace: str) -> EvaluationSet:
    """A herd as it was at a revision: with its counts, its newest revision and its workspace it is known for good."""
    del revision, workspace
    store = cache.store()
    truths = truths_of(store, herd.herd_id)
    pictures = [
        GalleryPicture(
            key=one.picture_id[:16],
            title=Path(one.name).stem or one.name,
            caption="",
            name=one.name,
            id=one.picture_id,
            truth=truths[one.picture_id],
            resolution_wh=one.resolution_wh,
        )
        for one in pictures_of(store, herd.herd_id)
        if one.picture_id in truths
    ]
    rule = "" if herd.rule is None else f" Its rule where a part of a cow is hidden: {herd.rule.words}."
    caption = f"Your herd, as you labelled it.{rule}"
    left_out = herd.pictures - len(pictures)
    return EvaluationSet(herd_key(herd.herd_id), herd.name, caption, pictures, left_out, herd.herd_id)


@st.cache_resource(max_entries=2, show_spinner=False)
def _read_folder(folder: Path) -> tuple[GalleryPicture, ...]:
    return tuple(
        GalleryPicture(
            key=Path(one.name).stem,
            title=(one.title or Path(one.name).stem).replace("_", " ").capitalize(),
            caption=one.caption,
            name=one.name,
            id=hashlib.sha256((folder / one.name).read_bytes()).hexdigest(),
            file=folder / one.name,
            truth=one.truth,
        )
        for one in read_coco(folder / "truth.json", folder)
    )
