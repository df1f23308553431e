"""Keys that work on the canvas: it knows none itself, so they press the buttons of its toolbar.

And the toolbar itself where there is no mouse: it only comes up under one.
"""

from __future__ import annotations

from functools import cache as once
from typing import Any

import streamlit as st

_SCRIPT = """
export default function () {
  const roots = () => [...document.querySelectorAll(".st-key-label_canvas *")].flatMap((one) => one.shadowRoot ?? []);
  const show = () => {
    for (const root of roots().filter((one) => !one.querySelector("style.cv-touch"))) {
      const style = Object.assign(document.createElement("style"), { className: "cv-touch" });
      style.textContent = "@media (hover: none) { .dc-toolbar { opacity: 1; top: -2.65rem; } }";
      root.append(style);
    }
  };
  const watcher = new MutationObserver(show);
  for (const one of document.querySelectorAll(".st-key-label_canvas")) {
    watcher.observe(one, { childList: true, subtree: true });
  }
  show();
  const pressed = (event) => {
    if (!["Delete", "Backspace"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    const path = event.composedPath();
    const isTyping = path.some((one) => one.matches?.("input, textarea, select, [contenteditable=true]"));
    if (isTyping || path.some((one) => one.dataset?.testid === "stDataFrame")) return;
    for (const root of roots()) {
      const remove = root.querySelector('[title="Delete selected"]');
      if (remove && !remove.disabled) {
        event.preventDefault();
        remove.click();
      }
    }
  };
  document.addEventListener("keydown", pressed);
  return () => {
    watcher.disconnect();
    document.removeEventListener("keydown", pressed);
  };
}
"""


def delete_by_key() -> None:
    """Delete and Backspace delete the box that is selected on the canvas; not while somebody types, or in the table."""
    with st.container(key="label_keys"):
        _component()(key="label_keys_heard", height=1)


@once
def _component() -> Any:
    return st.components.v2.component("cowvision.keys", html="<div></div>", js=_SCRIPT)
