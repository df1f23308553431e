"""What one visitor's session holds, in one typed place."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

import streamlit as st

from cowvision.errors import CowVisionError
from cowvision.ui.counting import Counting

_KEY = "_visit"
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass
class Visit:
    """One visitor's session.

    Attributes:
        token: Names the visitor's tray of pictures; nobody can guess it. In the address once there is a tray, so that
            a reload finds it again.
        picture: Key of the picture looked at last, for coming back from another page.
        chosen: Key of a picture that was chosen just now, by a press or an upload; taken by the page that shows it.
        intake: How many times pictures were taken in; numbers the upload widgets, which begin empty again after each.
        problems: What was wrong with the files of the last intake.
        notes: What else is to be said about them.
        stopped: Whether the visitor stopped counting the tray.
        counting: The count of the tray that was begun last.
        tried: Pictures and models, by their ids, that a count has tried; what failed is not tried without end.
        failures: What went wrong in counts, until new pictures come or the visitor asks to go on.
        renew: Whether the whole page must be made anew, not only the part in which something was pressed.
    """

    token: str
    picture: str = ""
    chosen: str = ""
    intake: int = 0
    problems: list[CowVisionError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stopped: bool = False
    counting: Counting | None = None
    tried: set[tuple[str, str]] = field(default_factory=set)
    failures: list[CowVisionError] = field(default_factory=list)
    renew: bool = False


def ensure() -> Visit:
    """The visitor's session, made on the first call; every page begins with it, however it was opened."""
    if _KEY not in st.session_state:
        told = st.query_params.get("visit", "")
        st.session_state[_KEY] = Visit(told if _TOKEN.fullmatch(told) else secrets.token_hex(16))
    visit: Visit = st.session_state[_KEY]
    return visit


def name_in_address(*, has_tray: bool) -> None:
    """Keep the visit in the address while there is something to find again."""
    if has_tray:
        if st.query_params.get("visit") != ensure().token:
            st.query_params["visit"] = ensure().token
    elif "visit" in st.query_params:
        del st.query_params["visit"]


def try_again() -> None:
    """Count also what failed before."""
    visit = ensure()
    visit.stopped, visit.tried, visit.failures = False, set(), []


def dismiss() -> None:
    """Say no more about the last intake."""
    visit = ensure()
    visit.problems, visit.notes = [], []


def look_at(key: str, *, renew: bool = False) -> None:
    """Choose a picture: in the address, and for coming back from another page; ``renew`` as that of the visit."""
    visit = ensure()
    visit.picture, visit.chosen, visit.renew = key, key, renew
    st.query_params["picture"] = key


def renew_if_asked() -> None:
    """Make the whole page anew if a press inside a part of it asked for that."""
    visit = ensure()
    if visit.renew:
        visit.renew = False
        st.rerun()
