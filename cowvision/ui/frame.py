"""The frame around every page: which pages there are, and that it is there however a page was opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from cowvision.ui import addresses

PAGES = {
    "home.py": "Home",
    "detect.py": "Detect",
    "label.py": "Label",
    "compare.py": "Compare",
    "finetune.py": "Fine-tune",
    "track.py": "Track",
}
_FOLDER = Path(__file__).resolve().parents[2] / "pages"
_FRAMED, _SENT_BACK = "_framed", "_sent_back"


def navigation() -> Any:
    """The page that the address asks for, with the row of pages above it."""
    st.session_state[_FRAMED] = True
    page = _navigation()
    addresses.one_entry_each()
    return page


def ensure() -> None:
    """Send a page that runs without the router back through it, once.

    Streamlit takes a folder named ``pages`` for its older kind of navigation until ``st.navigation`` was called for the
    first time, so the first address asked for after a restart would show a page without its frame.
    """
    if _FRAMED in st.session_state or _SENT_BACK in st.session_state:
        return
    st.session_state[_SENT_BACK] = True
    _navigation()
    st.rerun()


def is_there(file: str) -> bool:
    """Whether a page of that file is part of this version."""
    return file in PAGES and (_FOLDER / file).is_file()


def page_link(file: str, words: str, icon: str, **where: str | Iterable[str]) -> None:
    """A way to a page, opened with these words in its address; nothing where that page is not here."""
    if is_there(file):
        page = st.Page(_FOLDER / file, title=PAGES[file])  # as an object it is found without the router too
        st.page_link(page, label=words, icon=icon, query_params=where or None)


def label_link(picture: str, model: str) -> None:
    """The way from a picture to labelling it, with the model's boxes as the first draft."""
    if is_there("label.py"):
        page = st.Page(_FOLDER / "label.py", title=PAGES["label.py"])  # as an object it is found without the router too
        st.page_link(page, label="Send to Label", query_params={"picture": picture, "model": model})
    else:
        st.button("Send to Label", key="to_label", disabled=True, help="The page to draw boxes on is not here yet.")


def _navigation() -> Any:
    return st.navigation(_pages(), position="top")


def _pages() -> Sequence[Any]:
    return [
        st.Page(_FOLDER / file, title=title, default=file == "home.py")
        for file, title in PAGES.items()
        if is_there(file)
    ]
