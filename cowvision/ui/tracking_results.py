"""Results of a clip: the players in step, what came of it in words and figures, and the tracks one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

import streamlit as st

from cowvision.ui import (
    tracking_clips,
    tracking_downloads,
    tracking_figures,
    tracking_making,
    tracking_tables,
    tracking_timeline,
    widgets,
)
from cowvision.ui.figures import PLOT_CONFIG
from cowvision.ui.tracking_settings import differences
from cowvision.ui.twin_player import GoTo, twin_player
from cowvision.viz.curves import BASELINE_COLOUR, CANDIDATE_COLOUR
from cowvision.viz.tracking_charts import HerdCounts, cows_per_frame
from cowvision.workspace.clips import Clip
from cowvision.workspace.tracked_clips import TrackedClip

_GO, _MOST_DIGITS = "_track_go", 9
Results = Mapping[str, TrackedClip]


def results(clip: Clip, found: Results) -> None:
    """Everything there is to see of one or two results.

    Raises:
        CowVisionError: A file of a result is gone.
    """
    for title, tracked in found.items():
        _notes(title, tracked, found)
    _half_known(found)
    with st.container(key="results"):
        tracking_figures.verdict(found)
        _players(clip, found)
        st.space("small")
        left, right = st.columns(2, gap="large")
        with left:
            tracking_figures.table(found)
            tracking_making.making(found)
            st.space("xxsmall")
        with right:
            _plot(clip, found)
            tracking_downloads.downloads(found)
        _tables(clip, found)


def _notes(title: str, tracked: TrackedClip, found: Results) -> None:
    """What is to be known before anything is believed."""
    if not tracked.whole:
        words = " ".join(tracked.notes) or "Not all of the clip was tracked."
        st.warning(
            f"**{widgets.plain(title)}: a part of the clip only.** {widgets.plain(words)}",
            icon=":material/content_cut:",
        )
    elif tracked.notes:
        st.info(f"**{widgets.plain(title)}**: {widgets.plain(' '.join(tracked.notes))}", icon=":material/info:")
    if len({one.settings for one in found.values()}) > 1:
        told = differences(tracked.settings) or "usual settings"
        st.info(f"**{widgets.plain(title)}** was tracked with {widgets.plain(told)}.", icon=":material/tune:")


def _half_known(found: Results) -> None:
    """That true tracks are known of one of two alone."""
    known = [title for title, one in found.items() if one.identity is not None]
    if known and len(known) < len(found):
        words = "So both are judged without them: switches are only suspected."
        st.info(f"**True tracks are known of {widgets.plain(known[0])} alone.** {words}", icon=":material/balance:")


@st.fragment
def _players(clip: Clip, found: Results) -> None:
    """The players; coming to rest at a frame renews this part alone."""
    with widgets.errors_shown():
        is_true = tracking_figures.is_true(found)
        sides = [
            tracking_timeline.side_of(one, title, colour, is_true=is_true)
            for (title, one), colour in zip(found.items(), _colours(found), strict=True)
        ]
        key = _key(clip)
        _no_such_frame(found)
        twin_player(
            sides, fps=Fraction(next(iter(found.values())).fps), key=key, go=_go(clip, _opening(found)),
            kinds=tracking_timeline.kinds(is_true=is_true), on_rest=lambda: _into_address(key),
        )  # fmt: skip


def _key(clip: Clip) -> str:
    """Of the players of a clip."""
    return f"twins_{tracking_clips.short_key(clip)}"


def _opening(found: Results) -> int:
    """A second into the clip: no id is told in its first frames."""
    return min(round(Fraction(next(iter(found.values())).fps)), min(one.frames for one in found.values()) - 1)


def _colours(found: Results) -> Sequence[str]:
    return (BASELINE_COLOUR, CANDIDATE_COLOUR) if len(found) > 1 else (CANDIDATE_COLOUR,)


def _go(clip: Clip, opening: int) -> GoTo:
    """Where a press on a track sends the players; at first where the address says, or to the opening frame."""
    asked: dict[str, GoTo] = st.session_state.setdefault(_GO, {})
    key = _key(clip)
    if key not in asked:
        told = _frame_told()
        asked[key] = GoTo(opening if told is None else told - 1, "address")
    return asked[key]


def _frame_told() -> int | None:
    """The frame that the address names, from 1; None where it names none."""
    told = st.query_params.get(tracking_clips.FRAME, "")
    is_number = told.isdecimal() and len(told) <= _MOST_DIGITS
    return int(told) if is_number and int(told) else None


def _no_such_frame(found: Results) -> None:
    """That the address names a frame that there is not."""
    told, there = st.query_params.get(tracking_clips.FRAME), max(one.frames for one in found.values())
    number = _frame_told()
    if told is None or (number is not None and number <= there):
        return
    here = "the last" if number is not None else "one a second into the clip"
    words = f"This address names frame “{told[:20]}”; there are frames 1 to {there:,}. Here is {here}."
    st.info(widgets.plain(words), icon=":material/search:")


def _into_address(key: str) -> None:
    """Where the players rest: for whoever gets the address, and for coming back from another page."""
    frame = st.session_state[key].frame
    if frame is not None:
        asked = st.session_state[_GO]
        asked[key] = replace(asked[key], frame=int(frame))  # the same token sends nobody anywhere
        st.query_params[tracking_clips.FRAME] = str(int(frame) + 1)


def _plot(clip: Clip, found: Results) -> None:
    unsure = max(one.settings.frames_to_confirm for one in found.values())
    words = ["Ids that are lost show as dips" + ("; the dotted line is the truth." if clip.truth_path else ".")]
    if unsure:
        words.append(
            f"Shaded: no cow can have an id yet, for it gets one after {widgets.counted(unsure, 'frame')} in sight."
        )
    widgets.section("Cows in every frame", " ".join(words))
    fps = Fraction(next(iter(found.values())).fps)
    counts = [HerdCounts(title, one.table().counts()) for title, one in found.items()]
    truth = clip.truth()
    told = "; ".join(
        f"{one.title}: {one.counts.mean() if len(one.counts) else 0:.1f} a frame on average" for one in counts
    )
    figure = cows_per_frame(counts, float(fps), None if truth is None else [len(boxes) for boxes in truth], unsure)
    st.plotly_chart(figure, key="cows_per_frame", config=PLOT_CONFIG, alt=f"Cows in every frame. {told}")


def _tables(clip: Clip, found: Results) -> None:
    st.space("small")
    widgets.section("One by one", "Press a row, and the players go to where it begins.")
    key = tracking_clips.short_key(clip)
    tables: dict[str, tracking_tables.Show] = {
        "tracks": tracking_tables.tracks,
        "events": partial(tracking_tables.events, is_true=tracking_figures.is_true(found)),
    }
    for tab, (name, show) in zip(st.tabs(["Every id", "Every event"]), tables.items(), strict=True):
        columns = tab.columns(len(found), gap="large")
        for number, (column, (title, tracked)) in enumerate(zip(columns, found.items(), strict=True)):
            with column:
                show(tracked, title, f"{name}_{key}_{number}", lambda frame: _send(clip, frame))


def _send(clip: Clip, frame: int) -> None:
    asked: dict[str, GoTo] = st.session_state.setdefault(_GO, {})
    key = _key(clip)
    number = int(asked[key].token.split()[-1]) + 1 if key in asked and " " in asked[key].token else 1
    asked[key] = GoTo(frame, f"press {number}", into_view=True)
    st.query_params[tracking_clips.FRAME] = str(frame + 1)
