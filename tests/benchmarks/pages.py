"""How quick the pages are, measured on the pages themselves (Streamlit's AppTest, and Chromium for the start)."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
import streamlit as st
import supervision as sv
from PIL import Image
from streamlit.testing.v1 import AppTest

from cowvision.data.pictures import Picture
from cowvision.models.catalog import ModelSpec, find_model
from cowvision.workspace.files import store_path
from cowvision.workspace.predictions import keep_detections, kept_detections
from cowvision.workspace.store import Store
from tests.browser import chromium
from tests.browser.server import ROOT, dashboard

Row = tuple[str, str, str]
DETECT = ROOT / "pages" / "detect.py"
STILLS = ROOT / "assets" / "pictures"


class HundredBoxes:
    """Stands in for a detector: a hundred boxes on every picture, at once."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec

    def predict(self, pictures: list[Picture]) -> list[sv.Detections]:
        """The same boxes for each."""
        rng = np.random.default_rng(1)
        corners = rng.uniform(0, 700, (100, 2))
        label = self.spec.class_names.index("cow") + 1
        found = sv.Detections(
            xyxy=np.hstack([corners, corners + rng.uniform(20, 140, (100, 2))]).astype(np.float32),
            confidence=np.sort(rng.uniform(0.05, 1, 100).astype(np.float32))[::-1].copy(),
            class_id=np.full(100, label, np.int64),
            data={"class_name": np.full(100, "cow")},
        )
        return [found for _ in pictures]


def slider() -> Iterator[Row]:
    """Moving the threshold on Detect: the whole page run again, both models, a hundred raw boxes each."""
    for count, wanted in ((0, "150 ms or less"), (20, "500 ms or less")):
        with detect_page(HundredBoxes) as page:
            if count:
                page.file_uploader(key="uploads_0").set_value(uploads(count))
                page.run()
            seconds = []
            for step in range(8):
                started = time.perf_counter()
                page.slider(key="threshold").set_value(0.1 + step * 0.1).run()
                seconds.append(time.perf_counter() - started)
            what = "one still" if not count else f"{count} uploads"
            yield f"threshold moved, {what}, 2 x 100 boxes", f"{statistics.median(seconds) * 1000:.0f} ms", wanted


def again() -> Iterator[Row]:
    """The same picture after a restart: from the file of the workspace."""
    with home_folder():
        spec = find_model("herd-finetuned")
        [found] = HundredBoxes(spec).predict([None])
        for number in range(500):
            keep_detections(Store(store_path()), f"{number}", spec, found)
        started = time.perf_counter()
        kept_detections(Store(store_path()), "250", spec)
        seconds = time.perf_counter() - started
    yield "the same picture after a restart, from the store", f"{seconds * 1000:.1f} ms", "50 ms or less"


def second_start() -> Iterator[Row]:
    """From starting the server a second time to a Home that answers, in Chromium."""
    path = chromium.find()
    if path is None:
        yield "second start to Home", "no Chromium here", "4 s or less"
        return
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.switches())
        for _ in range(2):
            started = time.perf_counter()
            with dashboard(Path(home)) as address:
                page = browser.new_page()
                page.goto(address)
                page.get_by_role("slider").wait_for(state="attached", timeout=300_000)
                seconds = time.perf_counter() - started
                page.close()
        browser.close()
    yield "second start to a Home that answers", f"{seconds:.1f} s", "4 s or less"


def memory() -> Iterator[Row]:
    """A tray of 200 pictures counted by both models, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.pages"]
    with home_folder():
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    yield "200 pictures counted, memory above the loaded models", done.stdout.strip(), "600 MB or less"


def count_two_hundred() -> str:
    """How far memory rises while 200 uploads are counted, how long it takes, and how many answers came of it."""
    with detect_page() as page:
        files = uploads(200)
        before, started, highest = megabytes(), time.perf_counter(), Highest()
        page.file_uploader(key="uploads_0").set_value(files)
        page.run()
        answers = 0
        while answers < 2 * len(files):  # they are counted in the background
            assert time.perf_counter() - started < 1800, f"only {answers} answers came"
            time.sleep(2)
            page.run()  # a page that nobody looks at stops counting
            [(answers,)] = Store(store_path()).rows("SELECT count(*) FROM predictions")
        seconds = time.perf_counter() - started
        return f"{highest.stop() - before:.0f} MB; {answers} answers in {seconds:.0f} s"


class Highest(threading.Thread):
    """Looks ten times a second at how much memory the process has."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._done, self._most = threading.Event(), 0.0
        self.start()

    def run(self) -> None:
        """Look until told to stop."""
        while not self._done.wait(0.1):
            self._most = max(self._most, megabytes())

    def stop(self) -> float:
        """The most there was."""
        self._done.set()
        self.join()
        return self._most


def megabytes() -> float:
    """Memory of the process now; on systems without /proc the most it ever had."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return pages * resource.getpagesize() / 1024**2


@contextmanager
def detect_page(detector: type | None = None) -> Iterator[AppTest]:
    """Detect, opened once, with an empty workspace."""
    st.cache_data.clear()
    st.cache_resource.clear()
    page = AppTest.from_file(str(DETECT), default_timeout=600)
    page.session_state["_framed"] = True
    swapped = patch("cowvision.ui.cache.DetectionBox", detector) if detector else patch.dict({})
    with home_folder(), swapped:
        page.run()
        yield page


@contextmanager
def home_folder() -> Iterator[None]:
    """A workspace that is empty and goes away."""
    with tempfile.TemporaryDirectory() as home, patch.dict(os.environ, {"COWVISION_HOME": home}):
        yield


def uploads(count: int) -> list[tuple[str, bytes, str]]:
    """Different pictures: the shipped stills, each time with another corner."""
    stills, files = sorted(STILLS.glob("*.jpg")), []
    for number in range(count):
        with Image.open(stills[number % len(stills)]) as still:
            still.paste((number, 0, 255 - number), (0, 0, 8, 8))
            stream = BytesIO()
            still.save(stream, format="JPEG", quality=88)
        files.append((f"cow {number:03d}.jpg", stream.getvalue(), "image/jpeg"))
    return files


if __name__ == "__main__":
    print(count_two_hundred())
