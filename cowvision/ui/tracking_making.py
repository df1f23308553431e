"""How a result came about: how long it took, with which settings, and where the time went."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import streamlit as st

from cowvision.ui import widgets
from cowvision.ui.tracking_clips import length
from cowvision.ui.tracking_settings import differences
from cowvision.workspace.tracked_clips import TrackedClip

_STAGES = {
    "decode": "reading the clip", "detect": "finding cows", "track": "following them", "draw": "drawing",
    "encode": "writing the video",
}  # fmt: skip


def making(results: Mapping[str, TrackedClip]) -> None:
    """Behind a line that opens: a few words and a bar a stage, for each model by its title."""
    with st.expander("How it was made, and where the time went", icon=":material/timer:"):
        st.html("".join(_made(title, tracked) for title, tracked in results.items()))
        widgets.note("The stages work at the same time: their shares of the whole may add up to more than 100 %.")


def _made(title: str, tracked: TrackedClip) -> str:
    bars = "".join(
        f'<li><span>{escape(_STAGES.get(name, name))}</span><i><b style="width:{min(100, 100 * share):.1f}%"></b></i>'
        f"<em>{escape(in_percent(share))}</em></li>"
        for name, share in shares(tracked).items()
    )
    return (
        f'<p class="cv-plot-title">{escape(title)}</p><p class="cv-note">{escape(told(tracked))}</p>'
        f'<ul class="cv-stages">{bars}</ul>'
    )


def told(tracked: TrackedClip) -> str:
    """How long it took, and with which settings."""
    pace = f", {tracked.frames / tracked.seconds:.1f} a second" if tracked.seconds > 0 else ""
    settings = differences(tracked.settings) or "the usual settings"
    return f"{widgets.counted(tracked.frames, 'frame')} in {length(tracked.seconds)}{pace}, with {settings}."


def in_percent(share: float) -> str:
    """A share for people; what took some time is never called none."""
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def shares(tracked: TrackedClip) -> dict[str, float]:
    """Of the whole time, by stage; stages overlap, so they may add up to more than 1."""
    whole = max(tracked.seconds, 1e-9)
    return {name: seconds / whole for name, seconds in tracked.stage_seconds.items()}
