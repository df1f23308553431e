"""What a press has come to: said at the top of the page when it is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from cowvision.errors import CowVisionError
from cowvision.ui import widgets

_NEW, _SHOWN = "_finetune_news", "_finetune_news_shown"


def say(text: str) -> None:
    """Something that went well, as Markdown."""
    st.session_state.setdefault(_NEW, []).append(text)


@contextmanager
def told() -> Iterator[None]:
    """Keep an error of what is inside for the page to show."""
    try:
        yield
    except CowVisionError as error:
        st.session_state.setdefault(_NEW, []).append(error)


def is_some() -> bool:
    """Whether there is anything to say: a part of the page then has the whole page made anew."""
    return bool(st.session_state.get(_NEW))


def show() -> None:
    """Say all of it, and again what a page was cut off from saying: the next press, or its own timer, interrupts it.

    It takes one place, however much there is: a part of the page that moves is another one to Streamlit, which drops
    the presses on buttons of the one before.
    """
    news = [*st.session_state.get(_SHOWN, []), *st.session_state.pop(_NEW, [])]
    st.session_state[_SHOWN] = news
    with st.container():
        for one in news:
            if isinstance(one, CowVisionError):
                widgets.show_error(one)
            else:
                st.success(one, icon=":material/check:")


def shown() -> None:
    """The page was made to its end, so all of it was said."""
    st.session_state.pop(_SHOWN, None)
