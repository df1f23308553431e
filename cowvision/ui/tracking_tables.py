"""Each track as a row: a press on one sends the players to where it begins."""

from __future__ import annotations

import base64
from collections.abc import Callable
from fractions import Fraction
from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from cowvision.tracking.track_table import TrackTable
from cowvision.ui import widgets
from cowvision.viz.track_drawing import track_colour
from cowvision.workspace.tracked_clips import TrackedClip

_ROWS_SHOWN = 10


def tracks(tracked: TrackedClip, title: str, key: str, on_choice: Callable[[int], object]) -> None:
    """The tracks of one model; errors as of `TrackedClip.table`.

    Args:
        tracked: The result.
        title: Whose.
        key: Of the element.
        on_choice: Called with the frame, from 0, in which a chosen track begins.
    """
    table = track_rows(tracked.table(), Fraction(tracked.fps))
    st.html(f'<p class="cv-plot-title">{escape(title)}: {widgets.counted(len(table), "id")}</p>')
    if table.empty:
        st.caption("No cow was tracked on this clip.")
        return

    def chosen() -> None:
        rows = st.session_state[key].selection.rows
        if rows:
            on_choice(int(table["frame"].iloc[rows[0]]))

    shown = table.drop(columns="frame").assign(colour=[_swatch(int(one)) for one in table["id"]])
    st.dataframe(
        shown, key=key, on_select=chosen, selection_mode="single-row", hide_index=True, width="stretch",
        height=38 + 35 * min(len(shown), _ROWS_SHOWN), column_order=["colour", *table.columns.drop("frame")],
        column_config={
            "colour": st.column_config.ImageColumn(" ", width=40),
            "id": st.column_config.NumberColumn("Id", width=50),
            "first": st.column_config.NumberColumn("First seen", format="%.2f s"),
            "last": st.column_config.NumberColumn("Last seen", format="%.2f s"),
            "seconds": st.column_config.NumberColumn("There for", format="%.2f s"),
            "seen": st.column_config.ProgressColumn(
                "Seen", format="percent", min_value=0.0, max_value=1.0,
                help="Share of its frames in which the model really saw it; in the others it is only expected there.",
            ),
        },
    )  # fmt: skip


def track_rows(table: TrackTable, fps: Fraction) -> pd.DataFrame:
    """A row a track, by id.

    Returns:
        ``id``; ``first``, ``last`` and ``seconds``; ``seen``, the share 0..1 of its frames in which it was seen; and
        ``frame``, its first, from 0.
    """
    order = np.argsort(table.track_id, kind="stable")
    ids, starts = np.unique(table.track_id[order], return_index=True)
    frames, seen = table.frame[order], table.seen[order].astype(float)
    lengths = np.diff(np.append(starts, len(order)))
    first, last = frames[starts], frames[starts + lengths - 1]
    shares = np.add.reduceat(seen, starts) / lengths if len(ids) else np.zeros(0)
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
