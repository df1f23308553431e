"""Downloads of published weights: begun by a press, going on while people look at other pages, one for all of them."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import streamlit as st

from cowvision.errors import CowVisionError, DownloadStopped, unforeseen
from cowvision.models.catalog import downloads_folder
from cowvision.models.fetching import fetch, source_url
from cowvision.models.partial_file import PartialFile
from cowvision.models.published import PublishedModel
from cowvision.ui import widgets

REFRESH_SECONDS = 0.5


@dataclass
class Download:
    """One model's download; written by its thread, read by every page."""

    model: PublishedModel
    done: int = 0
    problem: CowVisionError | None = None
    thread: threading.Thread | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    _starting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_running(self) -> bool:
        """Whether bytes are being fetched."""
        return self.thread is not None and self.thread.is_alive()

    def start(self) -> None:
        """Begin, or go on where it was; a second press while it runs does nothing."""
        with self._starting:  # two visitors may press at once
            if self.is_running:
                return
            self.problem = None
            self.stop.clear()
            self.thread = threading.Thread(target=self._run, name=f"fetch {self.model.name}", daemon=True)
            self.thread.start()

    def _run(self) -> None:
        try:
            fetch(self.model, downloads_folder(), on_progress=self._note, should_stop=self.stop.is_set)
        except CowVisionError as error:
            self.problem = error
        except Exception as error:
            logging.getLogger(__name__).exception("A download failed")
            self.problem = unforeseen(self.model.name, error)

    def _note(self, done: int, _total: int | None) -> None:
        self.done = done


def offer(model: PublishedModel) -> None:
    """A model that can be fetched: what it is, its size, and the buttons to get it."""
    download = _download(model.name, model)
    is_running = download.is_running
    # one fragment at work and at rest: the browser's timer may ask once more for one that is gone, and that is logged
    st.fragment(_offer, run_every=REFRESH_SECONDS if is_running else None)(model, download, is_running)


def _offer(model: PublishedModel, download: Download, was_running: bool) -> None:  # noqa: FBT001 - the fragment's state
    if was_running and not download.is_running:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if download.is_running:
            _progress(model, download)
        elif st.button(_label(model), key=f"get_{model.name}", help=f"From {_host(model)}. Nothing is asked before."):
            download.start()
            st.rerun()
    if isinstance(download.problem, DownloadStopped):
        st.caption("Stopped. What came is kept; a press goes on from there.")
    elif download.problem is not None and not download.is_running:
        widgets.show_error(download.problem)


def _progress(model: PublishedModel, download: Download) -> None:
    st.progress(min(1.0, download.done / model.size_bytes), _of(model, download.done))
    if st.button("Stop", key=f"stop_{model.name}", help="What came is kept; a later press goes on from there."):
        download.stop.set()


def _label(model: PublishedModel) -> str:
    kept = PartialFile(downloads_folder() / model.file_name).size
    return f"Go on: {_of(model, kept)}" if kept else f"Get it ({model.size_mib:.0f} MB)"


def _of(model: PublishedModel, done: int) -> str:
    return f"{done / 1024**2:.0f} of {model.size_mib:.0f} MB"


def _host(model: PublishedModel) -> str:
    try:
        return urlsplit(source_url(model)).hostname or "its authors' server"
    except CowVisionError:
        return "the address in COWVISION_WEIGHTS_URL"


@st.cache_resource(show_spinner=False)
def _download(name: str, _model: PublishedModel) -> Download:
    del name
    return Download(_model)
