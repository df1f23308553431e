"""What is worked out once and kept: loaded detectors, raw detections, small pictures. Bounded, and keyed by content."""

from __future__ import annotations

import threading

import streamlit as st
import supervision as sv

from cowvision.data.pictures import Picture, decode_picture
from cowvision.detection_box import DetectionBox
from cowvision.models.catalog import ModelSpec
from cowvision.viz.encoding import thumbnail_jpeg

THUMBNAIL_WH = (256, 172)


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


def detection_box(spec: ModelSpec) -> DetectionBox:
    """The loaded detector of a spec; errors as those of `DetectionBox`."""
    return _detection_box(spec.id, spec)


def raw_detections(picture: Picture, spec: ModelSpec) -> sv.Detections:
    """Everything a model sees on a picture, from score 0.05 up; the network runs only the first time.

    Raises:
        ModelFileError: The model's files cannot be used.
    """
    return _raw_detections(picture.id, spec.id, picture, spec)


def uploaded_picture(data: bytes, name: str) -> Picture:
    """Decode an upload once; errors as those of `decode_picture`."""
    return _uploaded_picture(data, name)


def thumbnail(picture: Picture) -> bytes:
    """The picture cut to the gallery's shape, as JPEG bytes."""
    return _thumbnail(picture.id, picture)


@st.cache_resource(show_spinner=False)
def _counter() -> RunCounter:
    return RunCounter()


@st.cache_resource(max_entries=4, show_spinner=False)
def _detection_box(model_id: str, _spec: ModelSpec) -> DetectionBox:
    del model_id  # the key of the cache
    return DetectionBox(_spec)


@st.cache_data(max_entries=400, show_spinner=False)
def _raw_detections(picture_id: str, model_id: str, _picture: Picture, _spec: ModelSpec) -> sv.Detections:
    del picture_id, model_id  # they are the key of the cache
    [detections] = detection_box(_spec).predict([_picture])
    _counter().add()
    return detections


@st.cache_resource(max_entries=24, show_spinner=False)
def _uploaded_picture(data: bytes, name: str) -> Picture:
    return decode_picture(data, name)


@st.cache_data(max_entries=200, show_spinner=False)
def _thumbnail(picture_id: str, _picture: Picture) -> bytes:
    del picture_id
    return thumbnail_jpeg(_picture.rgb, THUMBNAIL_WH)
