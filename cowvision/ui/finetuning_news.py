"""What a press has come to: said at the top of the page when it is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from cowvision.errors import CowVisionError
from cowvision.ui import widgets

_NOTES, _PROBLEMS = "_finetune_notes", "_finetune_problems"


def say(text: str) -> None:
    """Something that went well, as Markdown."""
    st.session_state.setdefault(_NOTES, []).append(text)


@contextmanager
def told() -> Iterator[None]:
    """Keep an error of what is inside for the page to show."""
    try:
        yield
    except CowVisionError as error:
        st.session_state.setdefault(_PROBLEMS, []).append(error)


def is_some() -> bool:
    """Whether there is anything to say: a part of the page then has the whole page made anew."""
    return bool(st.session_state.get(_NOTES) or st.session_state.get(_PROBLEMS))


def show() -> None:
    """Say all of it, once."""
    for text in st.session_state.pop(_NOTES, []):
        st.success(text, icon=":material/check:")
    for error in st.session_state.pop(_PROBLEMS, []):
        widgets.show_error(error)
