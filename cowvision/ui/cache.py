"""What is worked out once and kept: detectors, raw detections, small pictures. Bounded, and keyed by content."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

import streamlit as st
import supervision as sv

from cowvision.data.pictures import Picture
from cowvision.detection_box import DetectionBox
from cowvision.errors import WorkspaceError
from cowvision.models.catalog import ModelSpec
from cowvision.viz.encoding import thumbnail_jpeg
from cowvision.workspace.files import store_path
from cowvision.workspace.predictions import keep_detections, kept_detections, kept_for_all
from cowvision.workspace.store import Store
from cowvision.workspace.trays import forget_old

THUMBNAIL_WH = (256, 172)
TIDY_SECONDS = 3600
Load = Callable[[], Picture]


class RunCounter:
    """How often a network has looked at a picture since the server started; shared by all sessions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = 0

    @property
    def runs(self) -> int:
        """Pictures that went through a network."""
        return self._runs

    def add(self) -> None:
        """Count one more."""
        with self._lock:
            self._runs += 1


def network_runs() -> int:
    """How often a network has looked at a picture since the server started; a threshold never adds to it."""
    return _counter().runs


def store() -> Store:
    """The workspace's database, opened once a server.

    Raises:
        WorkspaceError: It cannot be used.
    """
    opened = _store(str(store_path()))
    with suppress(WorkspaceError):  # what is too old can go an hour later
        _tidied(str(store_path()), opened)
    return opened


def detection_box(spec: ModelSpec) -> DetectionBox:
    """The loaded detector of a spec; errors as those of `DetectionBox`."""
    return _detection_box(spec.id, spec)


def raw_detections(picture_id: str, spec: ModelSpec, load: Load, *, is_own: bool = False) -> sv.Detections:
    """Everything a model sees on a picture, from score 0.05 up.

    The workspace answers first; only a picture that this model never saw is loaded and looked at. If the answer cannot
    be kept (a full disk), it costs another look later and nothing else.

    Raises:
        CowVisionError: The picture or the model's files cannot be used.
    """
    kept = known_detections(picture_id, spec)
    if kept is not None:
        return kept
    [detections] = detection_box(spec).predict([load()])
    _counter().add()
    with suppress(WorkspaceError):
        keep_detections(store(), picture_id, spec, detections, while_used=is_own)
    return detections


def known_detections(picture_id: str, spec: ModelSpec) -> sv.Detections | None:
    """What the workspace has of a model's answer for a picture; None if it never looked or there is no workspace."""
    try:
        return kept_detections(store(), picture_id, spec)
    except WorkspaceError:
        return None


def known_for_all(picture_ids: Iterable[str], spec: ModelSpec) -> dict[str, sv.Detections]:
    """``known_detections`` of many pictures at once; those the workspace knows nothing about are left out."""
    try:
        return kept_for_all(store(), picture_ids, spec)
    except WorkspaceError:
        return {}


def looker(spec: ModelSpec, *, are_own: bool = False) -> Callable[[str, Load], None]:
    """A call that has a model look at a picture and keeps the answer; it may be made in any thread.

    It looks only if the workspace has no answer (another tab may have been quicker), and raises a CowVisionError if the
    picture cannot be used or the answer cannot be kept.

    Args:
        spec: The model.
        are_own: Whether the pictures may be removed by a visitor meanwhile; then nothing is kept of those that were.

    Raises:
        ModelFileError: The model's files cannot be used.
        WorkspaceError: There is no workspace to keep the answers.
    """
    box, counter, workspace = detection_box(spec), _counter(), store()

    def look_and_keep(picture_id: str, load: Load) -> None:
        if kept_detections(workspace, picture_id, spec) is None:
            [detections] = box.predict([load()])
            counter.add()
            keep_detections(workspace, picture_id, spec, detections, while_used=are_own)

    return look_and_keep


def picture(picture_id: str, load: Load) -> Picture:
    """A decoded picture; only the last few are held, for a large one takes 180 MB. Errors as those of ``load``."""
    return _picture(picture_id, load)


def thumbnail(picture_id: str, load: Load) -> bytes:
    """The picture cut to the gallery's shape, as JPEG bytes; errors as those of ``load``."""
    return _thumbnail(picture_id, load)


def drop(picture_id: str) -> None:
    """Forget what is held of a picture in memory."""
    _picture.clear(picture_id, _nothing)
    _thumbnail.clear(picture_id, _nothing)


def _nothing() -> Picture:
    raise LookupError("only the key of the cache counts")


@st.cache_resource(show_spinner=False)
def _counter() -> RunCounter:
    return RunCounter()


@st.cache_resource(max_entries=2, show_spinner=False)
def _store(path: str) -> Store:
    return Store(path)


@st.cache_resource(max_entries=2, ttl=TIDY_SECONDS, show_spinner=False)
def _tidied(path: str, _store: Store) -> bool:
    del path  # the key of the cache
    forget_old(_store)
    return True


@st.cache_resource(max_entries=4, show_spinner=False)
def _detection_box(model_id: str, _spec: ModelSpec) -> DetectionBox:
    del model_id  # the key of the cache
    return DetectionBox(_spec)


@st.cache_resource(max_entries=3, show_spinner=False)
def _picture(picture_id: str, _load: Load) -> Picture:
    del picture_id
    return _load()


@st.cache_data(max_entries=600, show_spinner=False)
def _thumbnail(picture_id: str, _load: Load) -> bytes:
    del picture_id
    return thumbnail_jpeg(_load().rgb, THUMBNAIL_WH)
