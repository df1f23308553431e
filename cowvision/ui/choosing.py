"""A choice that stands in the address by its key, so that a shared address and a reload show the same."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cowvision.ui import widgets


def choose(label: str, options: Mapping[str, str], name: str, first: str) -> str:
    """A list to choose from.

    Args:
        label: What is chosen.
        options: Titles for people by their keys; at least one.
        name: What the choice is called in the address.
        first: Key that is chosen when nobody chose; the first option if it is none of them.

    Returns:
        The key of the chosen option.
    """
    key = f"chosen_{name}"
    kept, told = st.session_state.get(key), st.query_params.get(name)
    wanted = str(next((one for one in (told, kept, first) if one in options), next(iter(options))))
    if kept != wanted:
        st.session_state[key] = wanted
    if told is not None and told not in options:
        words = f"What this address names as “{label}” is not here (any more); here is"
        st.info(f"{words} {widgets.plain(options[wanted])}.", icon=":material/search:")
    chosen = str(
        st.selectbox(
            label,
            list(options),
            format_func=lambda one: options.get(one, one),
            key=key,
            on_change=_into_address,
            args=(name,),
            persist_state="session",
        )
    )
    if told is None or (told != chosen and told in options):  # what is not here stays named until somebody chooses
        st.query_params[name] = chosen
    return chosen


def _into_address(name: str) -> None:
    """Before the page runs again: what was just chosen counts more than what the address said."""
    st.query_params[name] = st.session_state[f"chosen_{name}"]
