"""The pieces every page is made of: style, header, errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path

import streamlit as st

from cowvision.data import words
from cowvision.errors import CowVisionError

SHOWN_ERRORS = 3
_STYLE = Path(__file__).with_name("style.css")


def page_style() -> None:
    """Give the page the look the theme alone cannot."""
    st.html(_STYLE)


def header(title: str, lead: str, facts: Sequence[str]) -> None:
    """The top of a page: what it answers, one sentence, and facts such as models and device."""
    items = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    st.html(
        f'<div class="cv-brand"><h1>{escape(title)}</h1></div><p class="cv-lead">{escape(lead)}</p>'
        f'<ul class="cv-facts" aria-label="Models and device">{items}</ul>'
    )


def section(title: str, caption: str) -> None:
    """A heading with a sentence below it; no sentence, no line."""
    below = f"<p>{escape(caption)}</p>" if caption else ""
    st.html(f'<div class="cv-title"><h2>{escape(title)}</h2>{below}</div>')


def note(text: str, **data: int) -> None:
    """Small print; the numbers stand in the page as `data-` attributes too, for whoever reads it by machine."""
    attributes = " ".join(f'data-{name.replace("_", "-")}="{value}"' for name, value in data.items())
    st.html(f'<p class="cv-note" {attributes}>{escape(text)}</p>')


def show_error(error: CowVisionError) -> None:
    """Say what cannot be used, why, and what to do: the one way errors reach a visitor."""
    st.error(_in_words(error), icon=":material/warning:")


def show_errors(errors: Sequence[CowVisionError], head: str = "") -> None:
    """Several errors in one box under a heading: the first few in full, the others behind a line that opens."""
    if len(errors) == 1:
        show_error(errors[0])
        return
    lines = [f"- {_in_words(error)}" for error in errors]
    head = head or f"{len(errors)} files were left out; the others are there."
    st.error("\n".join([head, *lines[:SHOWN_ERRORS]]), icon=":material/warning:")
    if len(lines) > SHOWN_ERRORS:
        with st.expander(f"The other {len(lines) - SHOWN_ERRORS}"):
            st.markdown("\n".join(lines[SHOWN_ERRORS:]))


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an error of what is inside instead of a traceback; the rest of the page goes on."""
    try:
        yield
    except CowVisionError as error:
        show_error(error)


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 cow", "7 cows", "7 boxes"."""
    return words.counted(number, noun)


def _in_words(error: CowVisionError) -> str:
    place = Path(error.subject)
    named = f"{place.parent.name}/{place.name}" if place.name == "config.yaml" else place.name  # all have one name
    subject, cause, remedy = (plain(part) for part in (named, error.cause, error.remedy))
    return f"**{subject}**: {cause}. {remedy}."


def plain(text: str) -> str:
    """Markdown that shows the text as it is, in one line."""
    marked = "".join(f"\\{sign}" if sign in r"\`*_{}[]<>()#+-.!|~$:" else sign for sign in text)
    return " ".join(marked.split())
