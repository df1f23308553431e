"""Counting a whole tray: every picture by every chosen model, with progress, a way to stop, and one table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cowvision.data.detections import count_named
from cowvision.errors import CowVisionError
from cowvision.models.catalog import ModelSpec
from cowvision.ui import cache, session, widgets
from cowvision.ui.gallery import GalleryPicture


def look_at_all(pictures: Sequence[GalleryPicture], specs: Sequence[ModelSpec]) -> None:
    """Have every picture looked at that a model has not seen yet; a press on Stop leaves the rest for later."""
    visit = session.ensure()
    waiting = [(one, spec) for one in pictures for spec in specs if not cache.is_known(one.id, spec)]
    if not waiting:
        return
    if visit.stopped:
        left = widgets.counted(len({one.id for one, _ in waiting}), "picture")
        st.button(f"Go on: {left} not counted yet", key="go_on", on_click=_stop, args=(False,))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        place = st.empty()
        st.button("Stop", key="stop", on_click=_stop, args=(True,), help="What is counted already stays.")
    with place.container():
        bar = st.progress(0.0, "Counting …")
    for number, (one, spec) in enumerate(waiting):
        bar.progress(
            number / len(waiting),
            f"Counting {number + 1} of {len(waiting)}: {spec.title} on {widgets.plain(one.title)}",
        )
        with widgets.errors_shown():
            one.detections(spec)
    st.rerun()


def _stop(stopped: bool) -> None:  # noqa: FBT001 - called by the button
    session.ensure().stopped = stopped


def tray_table(pictures: Sequence[GalleryPicture], specs: Sequence[ModelSpec], threshold: float) -> None:
    """Cows on each picture by each model, their sums above; a press on a row opens its picture."""
    table = counts(pictures, specs, threshold)
    sums = [f"**{int(table[spec.title].sum())}** by {spec.title}" for spec in specs]
    done = int(table[[spec.title for spec in specs]].notna().all(axis=1).sum())
    so_far = "" if done == len(pictures) else f" ({done} of {len(pictures)} counted so far)"
    st.markdown(f"{widgets.counted(len(pictures), 'picture')} of yours{so_far}, cows in all: {', '.join(sums)}")
    event = st.dataframe(
        table, hide_index=True, width="stretch", height=min(38 + 35 * len(table), 320), key="tray_table",
        on_select="rerun", selection_mode="single-row",
    )  # fmt: skip
    chosen = event.selection.rows
    if chosen and pictures[chosen[0]].key != st.query_params.get("picture"):
        session.look_at(pictures[chosen[0]].key)
        st.rerun()


def counts(pictures: Sequence[GalleryPicture], specs: Sequence[ModelSpec], threshold: float) -> pd.DataFrame:
    """A row a picture: its name, and a column a model with the count of cows, empty where it has not looked yet."""
    columns: dict[str, list[object]] = {"picture": [one.name for one in pictures]}
    for spec in specs:
        columns[spec.title] = [_count(one, spec, threshold) for one in pictures]
    return pd.DataFrame(columns).astype({spec.title: "Int64" for spec in specs})


def _count(one: GalleryPicture, spec: ModelSpec, threshold: float) -> int | None:
    if not cache.is_known(one.id, spec):
        return None
    try:
        return count_named(one.detections(spec), threshold)
    except CowVisionError:
        return None
