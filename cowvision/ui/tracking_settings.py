"""The tracker's settings, each with a drawing and a sentence of what it does."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import streamlit as st

from cowvision.tracking.tracker import TrackerSettings
from cowvision.ui.tracking_drawings import DRAWINGS

_BOUND: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
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
    Setting("most_inside", "inside", "Most inside another", (0.3, 1.0, 0.05),
            "Of two boxes, one further inside the other is the same cow again, and is left out. 1 keeps all."),
    Setting("least_iou", "overlap", "Least overlap (IoU)", (0.0, 0.9, 0.05),
            "A box belongs to the track whose expected place it overlaps by more. Lower forgives sudden turns."),
    Setting("patience", "patience", "Patience, in frames", (2, 240, 1),
            "Unseen for so long, an id ends. Longer keeps the id of a hidden cow, and may hand it to another."),
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
    with st.expander("How it follows a cow, and what you can change", icon=":material/tune:", key="track_settings"):
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


def _one(one: Setting, fps: Fraction | None) -> Any:
    usual = getattr(_USUAL, one.field)
    kind = type(usual)
    least, most, step = (kind(value) for value in one.range)
    with st.container(key=f"setting_{one.key}"):
        words, drawing = DRAWINGS[one.field]
        st.html(f'<p class="cv-drawing"><img src="{drawing}" alt="{words}"></p>')
        value = st.slider(one.title, least, most, usual, step, key=one.key, **_BOUND)
        seconds = f" Now {value / float(fps):.1f} s." if fps and one.field in {"patience", "coast", "confirm"} else ""
        st.caption(one.words + seconds)
    return value


def _reset() -> None:
    for one in SETTINGS:
        st.session_state[one.key] = getattr(_USUAL, one.field)
