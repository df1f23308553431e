"""How quick Compare's threshold studio is, measured on the page itself (Streamlit's AppTest) at 200 pictures."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import streamlit as st
import supervision as sv
from streamlit.testing.v1 import AppTest

from cowvision.data.annotations import truth_boxes
from cowvision.data.formats import write_coco
from cowvision.data.pictures import Picture, save_jpeg
from cowvision.models.catalog import ModelSpec
from tests.benchmarks.pages import ROOT, home_folder

Row = tuple[str, str, str]
COMPARE = ROOT / "pages" / "compare.py"
PICTURES, COWS = 200, 8
WH = (640, 360)


class NearTheCows:
    """Stands in for a detector: a box near each cow and as many elsewhere, of any score, the same every time."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec

    def predict(self, pictures: list[Picture]) -> list[sv.Detections]:
        """Boxes for each picture."""
        return [self._look(int(picture.id[:8], 16)) for picture in pictures]

    def _look(self, seed: int) -> sv.Detections:
        rng = np.random.default_rng([seed, len(self.spec.class_names)])
        near = cows(0) + rng.normal(0, 4, (COWS, 4))
        corners = rng.uniform(0, 250, (COWS, 2))
        xyxy = np.vstack([near, np.hstack([corners, corners + rng.uniform(20, 90, (COWS, 2))])])
        label = self.spec.class_names.index("cow") + 1
        return sv.Detections(
            xyxy=xyxy.astype(np.float32),
            confidence=np.sort(rng.uniform(0.05, 1, 2 * COWS).astype(np.float32))[::-1].copy(),
            class_id=np.full(2 * COWS, label, np.int64),
            data={"class_name": np.full(2 * COWS, "cow")},
        )


def studio() -> Iterator[Row]:
    """Moving the threshold: figures, curves, the shown picture's boxes, all figures again, and the flip list last."""
    with compare_page() as page:
        whole, quick = [], []
        for step in range(8):
            parts: list[float] = []
            started = time.perf_counter()
            with patch("cowvision.ui.compare_studio.compare_flips.flips", _noting(parts)):
                page.slider(key="cutoff").set_value(0.1 + step * 0.1).run()
            whole.append(time.perf_counter() - started)
            quick.append(parts[0] - started)
    what = f"threshold studio, {PICTURES} pictures x {COWS} cows, both models"
    yield f"{what}: figures, curves, boxes", f"{statistics.median(quick) * 1000:.0f} ms", "200 ms or less"
    yield f"{what}: with the flip list too", f"{statistics.median(whole) * 1000:.0f} ms", "200 ms or less"


def _noting(parts: list[float]) -> object:
    """The flip list, which notes when it is reached: until then the page has answered the slider."""
    from cowvision.ui.compare_flips import flips

    def noted(*args: object) -> None:
        parts.append(time.perf_counter())
        flips(*args)

    return noted


def cows(seed: int) -> np.ndarray:
    """The same places of cows on every picture, (COWS, 4) pixels."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 260, (COWS, 2))
    return np.hstack([corners, corners + rng.uniform(30, 90, (COWS, 2))])


@contextmanager
def compare_page() -> Iterator[AppTest]:
    """Compare on 200 drawn pictures, once both models have looked at all of them."""
    st.cache_data.clear()
    st.cache_resource.clear()
    page = AppTest.from_file(str(COMPARE), default_timeout=600)
    page.session_state["_framed"] = True
    with (
        home_folder(),
        tempfile.TemporaryDirectory() as folder,
        patch("cowvision.ui.cache.DetectionBox", NearTheCows),
        patch("cowvision.ui.evaluation_sets.TEST_HERD_FOLDER", _draw(Path(folder))),
    ):
        page.run()
        page.session_state["_compare_looks"].counting.finish(300)
        page.run()
        yield page


def _draw(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(PICTURES):
        blocks = rng.integers(0, 256, (9, 16, 3), dtype=np.uint8)
        save_jpeg(np.kron(blocks, np.ones((40, 40, 1), np.uint8)), folder / f"{number:03d}.jpg")
        rows.append((f"{number:03d}.jpg", WH, truth_boxes(cows(0), ["cow"] * COWS)))
    write_coco(folder / "truth.json", rows)
    return folder
