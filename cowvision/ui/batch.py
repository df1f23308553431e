"""A tray and its count: every picture by every chosen model, with progress, a way to stop, and one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from cowvision.data.detections import count_named
from cowvision.models.catalog import ModelSpec
from cowvision.ui import cache, session, widgets
from cowvision.ui.counting import Counting, Pair
from cowvision.ui.gallery import GalleryPicture

REFRESH_SECONDS = 1.0
TABLE = "tray_table"


def tray(pictures: Sequence[GalleryPicture], specs: Sequence[ModelSpec], threshold: float) -> None:
    """The visitor's pictures with their counts; counts what no model has seen yet, and shows how far it is."""
    visit = session.ensure()
    if not visit.stopped and not (visit.counting and visit.counting.is_running):
        looks = [look for spec in specs for look in _looks(pictures, spec)]
        if looks:
            visit.counting = Counting(looks, visit.tried, visit.failures)
            visit.counting.start()
    is_running = visit.counting is not None and visit.counting.is_running
    # one fragment at work and at rest: the browser's timer may ask once more for one that is gone, and that is logged
    st.fragment(_tray, run_every=REFRESH_SECONDS if is_running else None)(pictures, specs, threshold, is_running)


def _looks(pictures: Sequence[GalleryPicture], spec: ModelSpec) -> Iterator[tuple[Pair, Callable[[], None]]]:
    """What a model is still to look at; what failed before would fail again, without end."""
    known = cache.known_for_all([one.id for one in pictures], spec)
    waiting = [one for one in pictures if one.id not in known and (one.id, spec.id) not in session.ensure().tried]
    if waiting:
        with widgets.errors_shown():  # the other models go on
            look = cache.looker(spec, are_own=True)
            yield from (((one.id, spec.id), partial(look, one.id, one.load)) for one in waiting)


def _tray(
    pictures: Sequence[GalleryPicture],
    specs: Sequence[ModelSpec],
    threshold: float,
    was_running: bool,  # noqa: FBT001
) -> None:
    """The table, and below it how far the count is, or what is left of it."""
    session.renew_if_asked()  # a press on a row renews this part alone
    visit = session.ensure()
    counting = visit.counting if visit.counting is not None and visit.counting.is_running else None
    if was_running and counting is None:
        st.rerun()
    left = _table(pictures, specs, threshold)
    if counting is not None:
        _progress(counting)
        return
    if visit.failures:
        failures = list({str(one): one for one in visit.failures}.values())
        widgets.show_errors(failures, f"{len(failures)} counts failed; the others are there.")
    if left and (visit.stopped or visit.failures):
        words = f"{'Go on' if visit.stopped else 'Try again'}: {widgets.counted(left, 'picture')} not counted yet"
        if st.button(words, key="go_on"):
            session.try_again()
            st.rerun()


def _progress(counting: Counting) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        looks = len(counting.looks)
        st.progress(counting.done / looks, f"{counting.done} of {looks} looks taken (one a picture and model)")
        if st.button("Stop", key="stop", help="What is counted already stays."):
            session.ensure().stopped = True
            counting.stop(wait=5)
            st.rerun()


def _table(pictures: Sequence[GalleryPicture], specs: Sequence[ModelSpec], threshold: float) -> int:
    """The table under its sum; a press on a row opens its picture. Returns how many pictures are not counted yet."""
    table = counts(pictures, specs, threshold)
    sums = [f"**{int(table[spec.title].sum())}** by {spec.title}" for spec in specs]
    left = int(table[[spec.title for spec in specs]].isna().any(axis=1).sum())
    so_far = "" if not left else f" ({len(pictures) - left} of {len(pictures)} counted so far)"
    st.markdown(f"{widgets.counted(len(pictures), 'picture')} of yours{so_far}, cows in all: {', '.join(sums)}")
    st.dataframe(
        table, hide_index=True, width="stretch", height=min(38 + 35 * len(table), 320), key=TABLE,
        on_select=lambda: _open_row(pictures), selection_mode="single-row",
    )  # fmt: skip
    return left


def _open_row(pictures: Sequence[GalleryPicture]) -> None:
    """Open the picture of the row that was just chosen; a choice made earlier opens nothing again."""
    rows = st.session_state[TABLE].selection.rows
    if rows:
        session.look_at(pictures[rows[0]].key, renew=True)


def counts(pictures: Sequence[GalleryPicture], specs: Sequence[ModelSpec], threshold: float) -> pd.DataFrame:
    """A row a picture: its name, and a column a model with the count of cows, empty where it has not looked yet."""
    columns: dict[str, list[object]] = {"picture": [one.name for one in pictures]}
    for spec in specs:
        known = cache.known_for_all([one.id for one in pictures], spec)
        columns[spec.title] = [count_named(known[one.id], threshold) if one.id in known else None for one in pictures]
    return pd.DataFrame(columns).astype({spec.title: "Int64" for spec in specs})
