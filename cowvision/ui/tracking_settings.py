"""The tracker's settings, each with a drawing and a sentence of what it does."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import streamlit as st

from cowvision.tracking.settings import TrackerSettings
from cowvision.ui import widgets
from cowvision.ui.tracking_drawings import DRAWINGS

_USUAL = TrackerSettings()


@dataclass(frozen=True)
class Setting:
    """A field of the settings: its name, what it is called in the address and by people, its range, and a sentence."""

    field: str
    key: str
    title: str
    range: tuple[float, float, float]
    words: str


SETTINGS = (
    Setting("every", "every", "Look at every n-th frame", (1, 10, 1),
            "2 is twice as fast. Between two looks, boxes move on as they were moving."),
    Setting("least_score", "score", "Lowest score", (0.05, 0.95, 0.05),
            "What the model is less sure of is not followed. Lower finds more cows, and more that are none."),
    Setting("most_inside", "inside", "Most of a box inside another", (0.3, 1.0, 0.05),
            "Of two boxes, one further inside the other is the same cow again, and is left out. 1 keeps all."),
    Setting("least_iou", "overlap", "Least overlap (IoU)", (0.0, 0.9, 0.05),
            "A box belongs to the track whose expected place it overlaps by more. Lower forgives sudden turns."),
    Setting("patience", "patience", "Patience, in frames", (2, 240, 1),
            "An id ends once its cow is unseen for so long, or for longer than it was seen. Longer keeps the ids of "
            "hidden cows, and may give them to others."),
    Setting("coast", "coast", "Shown unseen, in frames", (0, 60, 1),
            "An unseen cow's box is shown and counted for so long, where it is expected."),
    Setting("confirm", "confirm", "Sure after, in frames", (0, 30, 1),
            "A new box must be there for so long to get an id. Longer drops more false alarms."),
)  # fmt: skip


def choose(fps: Fraction | None) -> TrackerSettings:
    """The settings as they are chosen; in the address where they differ from the usual.

    Args:
        fps: Of the clip, to say frames in seconds; None where it is not known.

    Raises:
        SettingError: They do not go together.
    """
    changed = sum(_wanted(one) != getattr(_USUAL, one.field) for one in SETTINGS)
    label = "How it follows a cow, and what you can change"
    label += f" - {widgets.counted(changed, 'setting')} changed" if changed else ""
    _not_taken()
    with st.expander(label, icon=":material/tune:", key="track_settings"):
        with st.container(key="track_settings_grid"):
            chosen = {one.field: _one(one, fps) for one in SETTINGS}
        st.caption(
            "The tracker (Norfair) sees only boxes. It expects each one a little further on, as a Kalman filter says, "
            "and gives a new box to the track that it overlaps best. Drawn clips show trails of the last 1.5 seconds; "
            "of a box that is only expected there, the corners."
        )
        st.button("Back to the usual settings", key="usual_settings", type="tertiary", on_click=_reset)
    return TrackerSettings(**chosen)


def differences(settings: TrackerSettings) -> str:
    """What of the settings is not usual, in words; empty where all is."""
    return ", ".join(
        f"{one.title.lower()} {getattr(settings, one.field):g}"
        for one in SETTINGS
        if getattr(settings, one.field) != getattr(_USUAL, one.field)
    )


def _not_taken() -> None:
    """What the address asks for that no setting can be."""
    strange = [one for one in SETTINGS if one.key in st.query_params and _told(one) is None]
    if strange:
        named = ", ".join(f"“{one.title}” from {one.range[0]:g} to {one.range[1]:g}" for one in strange)
        words = f"This address asks for settings that there are not. There is {named}; what was chosen before holds."
        st.info(widgets.plain(words), icon=":material/search:")


def _one(one: Setting, fps: Fraction | None) -> Any:
    usual = getattr(_USUAL, one.field)
    kind = type(usual)
    least, most, step = (kind(value) for value in one.range)
    with st.container(key=f"setting_{one.key}"):
        words, drawing = DRAWINGS[one.field]
        st.html(f'<p class="cv-drawing"><img src="{drawing}" alt="{words}"></p>')
        if st.session_state.get(one.key) != (wanted := _wanted(one)):
            st.session_state[one.key] = wanted  # never a default beside it: a widget has one source of its value
        value = st.slider(
            one.title, least, most, step=step, key=one.key, on_change=_into_address, args=(one,),
            persist_state="session",
        )  # fmt: skip
        _keep_in_address(one, value)
        seconds = f" Now {value / float(fps):.1f} s." if fps and one.field in {"patience", "coast", "confirm"} else ""
        st.caption(one.words + seconds)
    return value


def _wanted(one: Setting) -> Any:
    """The value of the address, else the one chosen before, else the usual; what is none of the range is not taken."""
    told = _told(one)
    return st.session_state.get(one.key, getattr(_USUAL, one.field)) if told is None else told


def _told(one: Setting) -> Any:
    """The value that the address tells; None where it tells none or one out of the range."""
    try:
        told = type(getattr(_USUAL, one.field))(st.query_params[one.key])
    except (KeyError, ValueError):
        return None
    return told if one.range[0] <= told <= one.range[1] else None


def _into_address(one: Setting) -> None:
    """Before the page runs again: what was just chosen counts more than what the address said."""
    _keep_in_address(one, st.session_state[one.key])


def _keep_in_address(one: Setting, value: Any) -> None:
    if value == getattr(_USUAL, one.field):
        st.query_params.pop(one.key, None)
    elif st.query_params.get(one.key) != (told := f"{value:g}"):
        st.query_params[one.key] = told


def _reset() -> None:
    for one in SETTINGS:
        st.session_state[one.key] = getattr(_USUAL, one.field)
        st.query_params.pop(one.key, None)
