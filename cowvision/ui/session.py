"""What one visitor's session holds, in one typed place."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

_KEY = "_visit"


@dataclass
class Visit:
    """One visitor's session.

    Attributes:
        seen_uploads: Ids of the uploads that were on the page last time; another one is chosen at once.
    """

    seen_uploads: frozenset[str] = field(default_factory=frozenset)


def ensure() -> Visit:
    """The visitor's session, made on the first call; every page begins with it, however it was opened."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Visit()
    visit: Visit = st.session_state[_KEY]
    return visit
