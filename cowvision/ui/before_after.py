"""Two pictures under one another and a line to draw across them: before | after."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Side:
    """One of the two: a JPEG, a few words over it, a number with its noun, and what a screen reader says."""

    jpeg: bytes
    title: str
    number: int
    noun: str
    alt: str


def before_after(before: Side, after: Side, *, key: str) -> None:
    """Show both with a handle between them: mouse, finger, and arrow keys move it. Both must have one size."""
    sides = {name: _as_data(side) for name, side in (("before", before), ("after", after))}
    _component()(key=key, data=sides)


def _as_data(side: Side) -> dict[str, Any]:
    source = f"data:image/jpeg;base64,{base64.b64encode(side.jpeg).decode()}"
    return {"src": source, "title": side.title, "number": side.number, "noun": side.noun, "alt": side.alt}


@once
def _component() -> Any:
    """Registered once a server: a second registration of the name would be a warning in the log."""
    html, css, js = ((_FOLDER / f"before_after.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("cowvision.before_after", html=html, css=css, js=js)
