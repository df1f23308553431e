"""How quick labelling is: saving a box, and a herd of 5,000 pictures on the page itself (Streamlit's AppTest)."""

from __future__ import annotations

import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import streamlit as st
from streamlit.testing.v1 import AppTest

from cowvision.data.annotations import truth_boxes
from cowvision.workspace.files import keep_blob, store_path
from cowvision.workspace.herds import LabelState, add_picture, create_herd
from cowvision.workspace.labels import save
from cowvision.workspace.store import Store
from tests.browser.server import ROOT

Row = tuple[str, str, str]
LABEL = ROOT / "pages" / "label.py"
STILL = ROOT / "assets" / "pictures" / "many_cows.jpg"
PICTURES, BOXES = 5000, 20


def saving() -> Iterator[Row]:
    """One more box on a picture of thirty, a hundred times: until the disk has it."""
    with home_folder():
        store = Store(store_path())
        herd = create_herd(store, "Meadow").herd_id
        picture = add_picture(store, herd, b"picture", "a.jpg", (1600, 1200))
        seconds, last = [], 0
        for number in range(100):
            boxes = many_boxes(30, number)
            started = time.perf_counter()
            last = save(store, herd, picture, boxes, based_on=last, state=LabelState.DRAFT).revision
            seconds.append(time.perf_counter() - started)
    high = sorted(seconds)[94]
    words = f"{statistics.median(seconds) * 1000:.1f} ms in the middle, {high * 1000:.1f} ms for 95 of 100"
    yield "saving a box beside thirty", words, "20 ms or less"


def large_herd() -> Iterator[Row]:
    """A herd of 5,000 pictures with 20 boxes each: the page opened, the next picture, the list filtered, a page on."""
    with home_folder():
        fill(Store(store_path()))
        st.cache_data.clear()
        st.cache_resource.clear()
        page = AppTest.from_file(str(LABEL), default_timeout=600)
        page.session_state["_framed"] = True
        page.run()  # models and pictures are read once
        again = timed(page.run)
        steps = (
            ("opened", again),
            ("next picture, 0.3 s of it waiting for the canvas", timed(lambda: page.button(key="next").click().run())),
            ("filtered", timed(lambda: page.selectbox(key="list_state_1").set_value(LabelState.LABELLED).run())),
            ("a page on", timed(lambda: page.number_input(key="list_page_1").set_value(100).run())),
        )
        for what, seconds in steps:
            yield f"Label, {PICTURES} pictures: {what}", f"{seconds * 1000:.0f} ms", "500 ms or less"


def fill(store: Store) -> None:
    """One herd of many pictures, two thirds of them labelled; all but their first bytes are the same still."""
    herd = create_herd(store, "Large").herd_id
    still = STILL.read_bytes()
    first = [hashlib.sha256(still).hexdigest(), hashlib.sha256(still + b" ").hexdigest()]
    keep_blob(still)
    keep_blob(still + b" ")
    others = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(PICTURES - 2)]
    with store.transaction() as connection:
        for number, digest in enumerate([*first, *others]):
            row = (herd, digest, f"cow {number:04d}.jpg", 1280, 853, 0.0)
            connection.execute("INSERT INTO herd_pictures VALUES (?, ?, ?, ?, ?, ?)", row)
            state = LabelState.LABELLED if number % 3 else LabelState.DRAFT
            kept = (herd, digest, state.value, 0.0, "", None, "", 0)
            revision = connection.execute("INSERT INTO revisions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", kept).lastrowid
            rows = [
                (revision, n, n * 50.0, 5.0, n * 50.0 + 40, 90.0, "cow", 3400.0, 0, 1.0, "drawn") for n in range(BOXES)
            ]
            connection.executemany("INSERT INTO boxes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def many_boxes(count: int, shift: int) -> object:
    """So many boxes that only this shift has."""
    corners = np.arange(count)[:, None] * [30.0, 20.0, 30.0, 20.0] + [shift, 0, shift + 25, 18]
    return truth_boxes(corners, ["cow"] * count)


def timed(call: object) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


@contextmanager
def home_folder() -> Iterator[None]:
    """A workspace that is empty and goes away."""
    with tempfile.TemporaryDirectory() as home, patch.dict(os.environ, {"COWVISION_HOME": home}):
        yield


if __name__ == "__main__":
    for part in (saving, large_herd):
        for row in part():
            print(" | ".join(row))
