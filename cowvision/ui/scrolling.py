"""Bringing the chosen card of a row into view: the browser knows where it is, Python does not."""

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
  };
  const soon = setTimeout(show, 60);
  return () => clearTimeout(soon);
}
"""


def bring_into_view(key: str) -> None:
    """Scroll the gallery sideways, and nothing else, until the container of that key is seen."""
    with st.container(key="scrolling"):
        _component()(key=f"scroll_{key}", data={"key": key})


@once
def _component() -> Any:
    return st.components.v2.component("cowvision.bring_into_view", js=_SCRIPT)
