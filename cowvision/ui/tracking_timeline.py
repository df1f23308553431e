"""Results as the twin player takes them: marks, their words, and how many cows are in sight from when on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from cowvision.tracking.health import Event, EventKind
from cowvision.ui.twin_player import Kind, Mark, TwinSide
from cowvision.workspace.tracked_clips import TrackedClip

MOST_MARKS = 400
"""More would lie on each other on any screen; those of one kind and moment become one."""

_NAMES = {EventKind.BIRTH: "ids begin", EventKind.LOSS: "ids end", EventKind.GAP: "gaps", EventKind.SWITCH: "switches"}


def side_of(tracked: TrackedClip, title: str, colour: str, *, is_true: bool) -> TwinSide:
    """One model's side of the player; errors as of `TrackedClip.table`, `is_true` as of `kinds`."""
    marks = marks_of(tracked.events(is_true=is_true), tracked.frames, is_true=is_true)
    changes = changes_of(tracked.table().counts())
    return TwinSide(
        title, colour, tracked.video, tracked.frames, marks, changes,
        unsure=tracked.settings.frames_to_confirm, resolution_wh=tracked.resolution_wh,
    )  # fmt: skip


def kinds(*, is_true: bool) -> list[Kind]:
    """The legend.

    Args:
        is_true: Whether switches are known from true tracks, or only suspected.
    """
    switch = (
        Kind("switch", "id switches", "A cow is called by another id than before, as the true tracks tell")
        if is_true
        else Kind("switch", "suspected switches", "A new id begins where a lost cow was about to be: probably that cow")
    )
    return [
        switch,
        Kind("birth", "births", "An id begins after the first moment of the clip"),
        Kind("loss", "losses", "An id is seen for the last time before the clip ends"),
        Kind("gap", "gaps", "An id is not seen for a quarter of a second or longer, and then again"),
    ]


def marks_of(events: Sequence[Event], frames: int, *, is_true: bool) -> tuple[Mark, ...]:
    """A mark an event; where there are too many, one for all of a kind that lie close together."""
    if len(events) <= MOST_MARKS:
        return tuple(Mark(one.kind.value, one.frame, in_words(one, is_true=is_true)) for one in events)
    width = max(1, -(-frames * len(EventKind) // MOST_MARKS))
    ordered = sorted(events, key=lambda one: (one.kind, one.frame))
    groups = [list(group) for _, group in groupby(ordered, key=lambda one: (one.kind, one.frame // width))]
    marks = [
        Mark(group[0].kind.value, group[0].frame, _all_words(group, is_true=is_true), len(group)) for group in groups
    ]
    return tuple(sorted(marks, key=lambda mark: mark.frame))


def changes_of(counts: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    """(frames,) counts as pairs of the frame from which on so many are there, and how many."""
    if not len(counts):
        return ()
    places = np.concatenate([[0], np.flatnonzero(np.diff(counts)) + 1])
    return tuple((int(place), int(counts[place])) for place in places)


def _all_words(group: Sequence[Event], *, is_true: bool) -> str:
    if len(group) == 1:
        return in_words(group[0], is_true=is_true)
    return f"{len(group)} {_NAMES[group[0].kind]} from here on."


def in_words(event: Event, *, is_true: bool) -> str:
    """What happened, as a sentence; of a switch whether it is so or only suspected."""
    if event.kind is EventKind.SWITCH:
        if is_true:
            return f"Switch: the cow that was {event.other_id} is called {event.track_id} from here on."
        return f"Suspected switch: {event.track_id} is probably {event.other_id} again."
    return {
        EventKind.BIRTH: f"Id {event.track_id} begins.",
        EventKind.LOSS: f"Id {event.track_id} is seen for the last time.",
        EventKind.GAP: f"Id {event.track_id} is lost from sight for a while.",
    }[event.kind]
