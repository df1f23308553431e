"""How wide the canvas may be: the browser knows, Python does not, and the canvas does not shrink by itself."""

from __future__ import annotations

from functools import cache as once
from typing import Any

import streamlit as st

from cowvision.ui.canvas import NARROW_ROOM

USUAL_WIDTH = 780
"""Canvas pixels, until the browser has told."""

STEP, NARROW_STEP = 20, 6
"""Canvas pixels that the width changes by; finer where there are few, for a canvas of another size begins anew."""

MOST_HEIGHT = 600
_SCRIPT = """
export default function ({ data, parentElement, setStateValue }) {
  const box = parentElement.host ?? parentElement;
  let told = data.told, soon;
  const tell = () => {
    const room = box.getBoundingClientRect().width;
    const step = room < data.narrow ? data.narrowStep : data.step;
    const width = Math.floor(room / step) * step;
    if (width > 0 && Math.abs(width - told) >= step) setStateValue("width", (told = width));
  };
  const watcher = new ResizeObserver(() => { clearTimeout(soon); soon = setTimeout(tell, 150); });
  watcher.observe(box);
  return () => { clearTimeout(soon); watcher.disconnect(); };
}
"""


def room_wh() -> tuple[int, int]:
    """Width and height there is for the canvas, in canvas pixels; stands where the canvas is to stand."""
    told = st.session_state.get("_room") or USUAL_WIDTH
    steps = {"step": STEP, "narrow": NARROW_ROOM, "narrowStep": NARROW_STEP}
    with st.container(key="label_room"):
        answer = _component()(
            key="label_room_width", data=steps | {"told": told}, width="stretch", on_width_change=lambda: None
        )
    width = int(answer.get("width") or told)
    st.session_state["_room"] = width
    return max(240, width), MOST_HEIGHT


def whole_width() -> int:
    """Width of the column with the canvas, in canvas pixels, as the browser told it last."""
    return int(st.session_state.get("_room") or USUAL_WIDTH)


def half_width() -> int:
    """Width for one of two pictures beside each other; below each other on a phone."""
    width = whole_width()
    return width // 2 - 10 if width > 600 else width


@once
def _component() -> Any:
    return st.components.v2.component("cowvision.room", html='<div style="height: 1px"></div>', js=_SCRIPT)
