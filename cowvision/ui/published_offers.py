"""Published models that are not here yet, each with what is known of it and the button that gets it."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from cowvision.errors import CowVisionError
from cowvision.models.catalog import downloads_folder
from cowvision.models.fetching import source_url
from cowvision.models.partial_file import PartialFile
from cowvision.models.published import PublishedModel
from cowvision.ui import fetches, widgets


def offer(model: PublishedModel) -> None:
    """A model: whose it is, how good its authors say it is, and the way to get it."""
    st.markdown(f"**{model.title}**", help=model.notes)
    st.caption(f"mAP {model.published_map:.3f} on COCO val2017 as published, not measured here. {model.licence}.")
    kept = PartialFile(downloads_folder() / model.file_name).size
    words, told = f"Get it ({model.size_mib:.0f} MB)", f"From {_host(model)}. Nothing is asked before."
    with widgets.errors_shown():
        fetches.offer(fetches.Fetch(model.name, model.title, words, told, model.size_bytes, kept > 0, kept))


def _host(model: PublishedModel) -> str:
    try:
        return urlsplit(source_url(model)).hostname or "its authors' server"
    except CowVisionError:
        return "the address in COWVISION_WEIGHTS_URL"
