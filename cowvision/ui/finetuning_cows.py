"""COCO's photographs of cows, to learn from: what they are, and the way to get them."""

from __future__ import annotations

import streamlit as st

from cowvision.ui import fetches
from cowvision.workspace.coco_cows import NAME, TOTAL_BYTES, coco_cows_are_there, coco_cows_were_begun

TITLE = "COCO's cows"


def offer() -> None:
    """What they are and how to get them; nothing once they are there. Errors as those of `fetches.offer`."""
    if coco_cows_are_there():
        return
    is_told = fetches.is_told(fetches.newest_job(NAME))  # why, somebody is to see
    with st.expander(f"No pictures of your own? {TITLE}", icon=":material/photo_library:", expanded=is_told):
        st.markdown(
            f"About 2,055 photographs of cows with their boxes, **{TOTAL_BYTES / 1e9:.1f} GB** to download from "
            "COCO's own server, once. Boxes: COCO Consortium, CC BY 4.0. Photographs: Flickr, each under the licence "
            "that its entry names."
        )
        words, told = f"Get {TITLE}", "The only thing on this page that needs a network."
        is_begun = coco_cows_were_begun()
        fetches.offer(fetches.Fetch(NAME, TITLE, words, told, TOTAL_BYTES, is_begun, key="cows"))
