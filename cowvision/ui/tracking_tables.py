"""Each track and each event as a row: a press on one sends the players to where it begins."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from fractions import Fraction
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cowvision.tracking.health import Event
from cowvision.tracking.track_table import TrackTable
from cowvision.ui import widgets
from cowvision.ui.tracking_timeline import in_words
from cowvision.viz.track_drawing import track_colour
from cowvision.workspace.tracked_clips import TrackedClip

_ROWS_SHOWN = 10.5  # half a row says that more follow
OnChoice = Callable[[int], object]
"""Called with a frame, from 0."""
Show = Callable[[TrackedClip, str, str, OnChoice], None]
"""One of the tables."""


def tracks(tracked: TrackedClip, title: str, key: str, on_choice: OnChoice) -> None:
    """The tracks of one model; errors as of `TrackedClip.table`.

    Args:
        tracked: The result.
        title: Whose.
        key: Of the element.
        on_choice: Called with the frame, from 0, in which a chosen track begins.
    """
    table = track_rows(tracked.table(), Fraction(tracked.fps), tracked.settings.every)
    _title(title, widgets.counted(len(table), "id"))
    if table.empty:
        st.caption("No cow was tracked on this clip.")
        return
    shown = table.drop(columns="frame").assign(colour=[_swatch(int(one)) for one in table["id"]])
    order = ["colour", *table.columns.drop("frame")]
    _rows(shown, table["frame"].tolist(), key, on_choice, column_order=order, columns={
        "colour": st.column_config.ImageColumn(" ", width=40),
        "id": st.column_config.NumberColumn("Id", width=50),
        "first": st.column_config.NumberColumn("First seen", format="%.2f s"),
        "last": st.column_config.NumberColumn("Last seen", format="%.2f s"),
        "seconds": st.column_config.NumberColumn(
            "There for", format="%.2f s",
            help="From when it was first seen to when it was last seen.",
        ),
        "seen": st.column_config.ProgressColumn(
            "Seen", format="percent", min_value=0.0, max_value=1.0,
            help="Share of the looks in that time at which the model really found it.",
        ),
    })  # fmt: skip


def events(tracked: TrackedClip, title: str, key: str, on_choice: OnChoice, *, is_true: bool) -> None:
    """What happened to the ids of one model; arguments as of `tracks` and `event_rows`, told is an event's frame."""
    table = event_rows(tracked.events(is_true=is_true), Fraction(tracked.fps), is_true=is_true)
    _title(title, widgets.counted(len(table), "event"))
    if table.empty:
        st.caption("Nothing happened to an id on this clip.")
        return
    shown = table.drop(columns="frame").assign(colour=[_swatch(int(one)) for one in table["id"]])
    _rows(shown, table["frame"].tolist(), key, on_choice, column_order=["colour", "at", "what"], columns={
        "colour": st.column_config.ImageColumn(" ", width=40),
        "at": st.column_config.NumberColumn("At", format="%.2f s", width=70),
        "what": st.column_config.TextColumn("What happens"),
    })  # fmt: skip


def _title(title: str, told: str) -> None:
    st.html(f'<p class="cv-plot-title">{escape(title)}: {told}</p>')


def _rows(
    shown: pd.DataFrame, frames: list[int], key: str, on_choice: OnChoice, *, columns: Any, column_order: list[str]
) -> None:
    """A table of which a press anywhere on a row chooses it; the chosen one stays marked."""

    def chosen() -> None:
        row = pressed(st.session_state[key].selection)
        if row is not None:
            st.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
            on_choice(frames[row])

    st.dataframe(
        shown, key=key, on_select=chosen, selection_mode=["single-row", "single-cell"], hide_index=True,
        width="stretch", height=38 + round(35 * min(len(shown), _ROWS_SHOWN)), column_order=column_order,
        column_config=columns,
    )  # fmt: skip


def pressed(selection: Any) -> int | None:
    """The row that was pressed, by its box or by one of its cells; None where one was let go."""
    if selection.cells:
        return int(selection.cells[0][0])
    return int(selection.rows[0]) if selection.rows else None


def event_rows(events: Sequence[Event], fps: Fraction, *, is_true: bool) -> pd.DataFrame:
    """A row an event, in order of time.

    Args:
        events: What happened.
        fps: Frames a second.
        is_true: Whether switches are known from true tracks, or only suspected.

    Returns:
        ``id``; ``at`` in seconds; ``what`` in words; and ``frame``, from 0.
    """
    rows = [(one.track_id, one.frame / float(fps), in_words(one, is_true=is_true), one.frame) for one in events]
    return pd.DataFrame(rows, columns=["id", "at", "what", "frame"])


def track_rows(table: TrackTable, fps: Fraction, every: int = 1) -> pd.DataFrame:
    """A row a track, by id.

    Args:
        table: The tracks.
        fps: Frames a second.
        every: The detector looked at every n-th frame.

    Returns:
        ``id``; ``first`` and ``last``, when it was seen; the ``seconds`` between; ``seen``, the share 0..1 of the looks
        in that time at which it was; and ``frame``, its first, from 0.
    """
    order = np.argsort(table.track_id, kind="stable")
    ids, starts = np.unique(table.track_id[order], return_index=True)
    frames, seen = table.frame[order], table.seen[order]
    first = last = frames[starts]
    shares = np.zeros(len(ids))
    if len(ids):
        last = np.maximum(first, np.maximum.reduceat(np.where(seen, frames, 0), starts))
        looks = last // every - -(-first // every) + 1
        shares = np.add.reduceat(seen.astype(int), starts) / np.maximum(looks, 1)
    seconds = 1 / float(fps)
    return pd.DataFrame({
        "id": ids, "first": first * seconds, "last": last * seconds, "seconds": (last - first + 1) * seconds,
        "seen": np.round(shares, 2), "frame": first,
    })  # fmt: skip


def _swatch(track_id: int) -> str:
    """The colour of an id as a picture."""
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24">'
        f'<circle cx="12" cy="12" r="8" fill="{track_colour(track_id)}" stroke="#0006"/></svg>'
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}"
