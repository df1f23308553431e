"""How far the ids of a clip can be trusted when nobody knows the truth: what came, went, was lost for a while, and
which new ids probably are old animals.

Two animals that pass and exchange their ids leave no trace here: only true tracks (`tracking.identity`) tell that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.track_table import TrackTable

GAP_SECONDS = 0.25
"""Unseen for so long and seen again: shorter ones are a detector's flicker."""

_PACE_FRAMES = 8  # how many of a track's last seen places tell where it went on to


class EventKind(StrEnum):
    """What can happen to an id."""

    BIRTH = "birth"
    LOSS = "loss"
    GAP = "gap"
    SWITCH = "switch"


@dataclass(frozen=True)
class Event:
    """Something that happened to an id.

    Attributes:
        kind: What.
        frame: When, counted from 0.
        track_id: To which id; of a switch the new one.
        other_id: Of a switch the id that the animal had before; None otherwise.
    """

    kind: EventKind
    frame: int
    track_id: int
    other_id: int | None = None


@dataclass(frozen=True)
class HerdHealth:
    """A clip's tracks, judged without truth.

    Attributes:
        unique: Animals seen, most likely: ids without those that probably are an earlier one again.
        fewest: So many there are at least if every box is one: they were seen at once, in one very frame.
        most: So many there are at most, if every id is another animal. What was never found is in none of the three,
            and what was taken for an animal by mistake is in all.
        most_at_once: Most that were seen in one frame; predicted boxes do not count.
        mean_at_once: Mean tracks a frame.
        mean_track_seconds: Mean time from a track's first to its last frame; None without tracks.
        births: Tracks that began after the first moment of the clip.
        losses: Tracks that ended before the clip did.
        gaps: Times a track was unseen for `GAP_SECONDS` or longer and then seen again.
        suspected_switches: New ids that began where a track lost shortly before was about to be.
        events: All of them, in order of time.
    """

    unique: int
    fewest: int
    most: int
    most_at_once: int
    mean_at_once: float
    mean_track_seconds: float | None
    births: int
    losses: int
    gaps: int
    suspected_switches: int
    events: tuple[Event, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _Track:
    """One id: the frames it was there (t,), its boxes (t, 4), and whether it was seen (t,)."""

    track_id: int
    frames: NDArray[np.int32]
    xyxy: NDArray[np.float32]
    seen: NDArray[np.bool_]

    @property
    def born(self) -> int:
        return int(self.frames[0])

    @property
    def last_seen(self) -> int:
        """The last frame with a detection; the first of all where there was none."""
        return int(self.frames[self.seen][-1]) if self.seen.any() else self.born

    def place_at(self, frame: int) -> NDArray[np.float32]:
        """Its box in a frame: the tracker's own, or, after its end, where its last pace would have brought it."""
        there = np.flatnonzero(self.frames == frame)
        if len(there):
            return np.asarray(self.xyxy[there[0]])
        step = self._pace()
        return np.asarray(self.xyxy[-1] + step * (frame - int(self.frames[-1])), np.float32)

    def _pace(self) -> NDArray[np.float32]:
        """Pixels a frame, of the whole box."""
        frames, boxes = self.frames[self.seen][-_PACE_FRAMES:], self.xyxy[self.seen][-_PACE_FRAMES:]
        if len(frames) < 2:
            return np.zeros(4, np.float32)
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        step = (centres[-1] - centres[0]) / (frames[-1] - frames[0])
        return np.asarray(np.tile(step, 2), np.float32)


def judge_health(table: TrackTable, fps: float, settings: TrackerSettings) -> HerdHealth:
    """Judge the tracks of a clip.

    Args:
        table: The tracks.
        fps: Frames a second.
        settings: What they were tracked with.
    """
    tracks = _tracks_of(table)
    opening = settings.frames_to_confirm + settings.every
    least_gap = max(settings.every, math.ceil(GAP_SECONDS * fps))
    switches = list(_suspected_switches(tracks, opening, settings))
    births = [Event(EventKind.BIRTH, one.born, one.track_id) for one in tracks if one.born > opening]
    losses = [
        Event(EventKind.LOSS, one.last_seen, one.track_id) for one in tracks if int(one.frames[-1]) < table.frames - 1
    ]
    gaps = [event for one in tracks for event in _gaps(one, least_gap)]
    counts = table.counts()
    seen_at_once = int(np.bincount(table.frame[table.seen], minlength=1).max())
    seconds = [(int(one.frames[-1]) - one.born + 1) / fps for one in tracks]
    return HerdHealth(
        unique=max(seen_at_once, len(tracks) - len(switches)),
        fewest=seen_at_once,
        most=len(tracks),
        most_at_once=seen_at_once,
        mean_at_once=float(counts.mean()) if len(counts) else 0.0,
        mean_track_seconds=float(np.mean(seconds)) if seconds else None,
        births=len(births),
        losses=len(losses),
        gaps=len(gaps),
        suspected_switches=len(switches),
        events=tuple(sorted([*births, *losses, *gaps, *switches], key=lambda one: (one.frame, one.track_id))),
    )


def _tracks_of(table: TrackTable) -> list[_Track]:
    """The tracks, in the order of their births."""
    tracks = []
    for track_id in table.ids:
        mine = table.track_id == track_id
        tracks.append(_Track(track_id, table.frame[mine], table.xyxy[mine], table.seen[mine]))
    return sorted(tracks, key=lambda one: (one.born, one.track_id))


def _gaps(track: _Track, least: int) -> Iterator[Event]:
    """Where it was unseen for at least so many frames between two that saw it; told at the first of them."""
    seen = track.frames[track.seen]
    for before, after in pairwise(seen):
        if after - before - 1 >= least:
            yield Event(EventKind.GAP, int(before) + 1, track.track_id)


def _suspected_switches(tracks: list[_Track], opening: int, settings: TrackerSettings) -> Iterator[Event]:
    """New ids born inside the expected box of a track that was last seen less than twice the patience ago.

    Each lost track explains one birth at most. A track that was still seen when the new one was first detected, which
    is some frames before its birth, is another animal.
    """
    window = 2 * settings.patience
    explained: set[int] = set()
    for new in tracks:
        if new.born <= opening:
            continue
        lost = [
            old
            for old in tracks
            if old.track_id not in explained
            and old.track_id != new.track_id
            and old.born < new.born
            and settings.frames_to_confirm < new.born - old.last_seen < window
            and _holds_centre(old.place_at(new.born), new.xyxy[0])
        ]
        if lost:
            old = max(lost, key=lambda one: _closeness(one.place_at(new.born), new.xyxy[0]))
            explained.add(old.track_id)
            yield Event(EventKind.SWITCH, new.born, new.track_id, old.track_id)


def _holds_centre(box: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    x, y = (other[:2] + other[2:]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _closeness(box: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The nearer the centres, the greater."""
    return -float(np.linalg.norm((box[:2] + box[2:] - other[:2] - other[2:]) / 2))
