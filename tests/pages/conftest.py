"""A page with three invented stills and two invented models, so that its tests need neither assets nor a network."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pytest
import streamlit as st
import supervision as sv
from streamlit.testing.v1 import AppTest

from cowvision.data.formats import write_coco
from cowvision.data.pictures import Picture, save_jpeg
from cowvision.models.catalog import ModelSpec
from cowvision.models.choices import Execution
from cowvision.workspace import jobs
from cowvision.workspace.job_process import Known
from tests.samples import boxes, noise, truth

DETECT = Path(__file__).resolve().parents[2] / "pages" / "detect.py"
SPECS = [
    ModelSpec("herd-base", "Herd base", "compact-fpn-w32", ("person", "dog", "cow"), own_map=0.2, weights_sha256="a"),
    ModelSpec("herd-finetuned", "Herd fine-tuned", "compact-fpn-w32", ("cow",), own_map=0.5, weights_sha256="b"),
]
SCORES = {"herd-base": [0.9, 0.3], "herd-finetuned": [0.9, 0.8, 0.6, 0.2]}


@dataclass
class FakeBox:
    """Finds as many cows as SCORES says, on every picture, and keeps a list of what it was asked."""

    spec: ModelSpec
    execution: Execution = field(default_factory=Execution)
    seen: list[str] = field(default_factory=list)

    def predict(self, pictures: list[Picture]) -> list[sv.Detections]:
        self.seen.extend(picture.name for picture in pictures)
        scores = SCORES[self.spec.name]
        found = boxes([[10 * n, 10, 10 * n + 8, 30] for n in range(len(scores))], scores)
        found.class_id[:] = self.spec.class_names.index("cow") + 1
        return [found for _ in pictures]


@pytest.fixture(autouse=True)
def own_main():
    """AppTest leaves the page behind as `__main__`, and a process started by a later test would run the page first."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def stills(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "pictures"
    rows = []
    for seed, (name, cows) in enumerate({"many": 3, "one": 1, "none": 0}.items()):
        save_jpeg(noise(160, 96, seed), folder / f"{name}.jpg")
        rows.append((f"{name}.jpg", (160, 96), truth([[20 * n, 5, 20 * n + 9, 30] for n in range(cows)])))
    write_coco(folder / "truth.json", rows)
    monkeypatch.setattr("cowvision.ui.gallery.STILLS_FOLDER", folder)
    return folder


@pytest.fixture
def fake_boxes(monkeypatch) -> dict[str, FakeBox]:
    made: dict[str, FakeBox] = {}

    def make(spec: ModelSpec) -> FakeBox:
        return made.setdefault(spec.name, FakeBox(spec))

    monkeypatch.setattr("cowvision.ui.cache.DetectionBox", make)
    monkeypatch.setattr("cowvision.models.catalog.all_models", lambda **_: SPECS)
    return made


@pytest.fixture
def page(stills, fake_boxes, tmp_path, monkeypatch):
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    st.cache_data.clear()
    st.cache_resource.clear()
    test = AppTest.from_file(str(DETECT), default_timeout=30)
    test.session_state["_framed"] = True  # the router has run
    yield test
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def a_png() -> bytes:
    from io import BytesIO

    from PIL import Image

    stream = BytesIO()
    Image.fromarray(np.full((50, 70, 3), 90, np.uint8)).save(stream, format="PNG")
    return stream.getvalue()


@pytest.fixture
def begun(monkeypatch) -> list[tuple[str, ...]]:
    """Arguments of the processes that were begun; this one stands in for them, so they seem alive."""
    asked: list[tuple[str, ...]] = []
    me = Known(os.getpid(), psutil.Process().create_time())

    def begin(job_id: int, arguments) -> Known:
        asked.append(tuple(arguments))
        return me

    monkeypatch.setattr(jobs, "begin", begin)
    return asked
