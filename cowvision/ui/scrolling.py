"""Bringing what was just chosen into view: the browser knows where it is, Python does not."""

from __future__ import annotations

from functools import cache as once
from typing import Any

import streamlit as st

_SCRIPT = """
export default function ({ data, parentElement }) {
  const page = parentElement.ownerDocument;
  const show = () => {
    const card = page.querySelector(`.st-key-${CSS.escape(data.key)}`);
    const row = card?.closest(".st-key-gallery");
    if (!row) return;
    const [inner, outer] = [card.getBoundingClientRect(), row.getBoundingClientRect()];
    if (inner.left < outer.left || inner.right > outer.right)
      row.scrollBy({ left: inner.left - outer.left - (outer.width - inner.width) / 2 });
    if (data.below && page.defaultView.innerWidth <= 640)
      page.querySelector(`.st-key-${CSS.escape(data.below)}`)?.scrollIntoView({ behavior: "smooth" });
  };
  const soon = setTimeout(show, 60);
  return () => clearTimeout(soon);
}
"""


def bring_into_view(key: str, *, below: str = "") -> None:
    """Scroll the gallery sideways until the container of that key is seen.

    Args:
        key: The container's.
        below: Key of the container to go down to where the page is one narrow column; nothing by default.
    """
    with st.container(key="scrolling"):
        _component()(key=f"scroll_{key}", data={"key": key, "below": below})


@once
def _component() -> Any:
    return st.components.v2.component("cowvision.bring_into_view", js=_SCRIPT)
