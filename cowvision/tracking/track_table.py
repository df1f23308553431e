"""Every box of every track of a clip in one table: small in memory for an hour of video, and one file on disk."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import scores_of
from cowvision.errors import ClipError
from cowvision.models.places import write_atomically

_DAMAGES = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)  # what a damaged archive raises

SEEN = "seen"
"""Key in the data of tracked boxes: whether a detection was there in this very frame, (n,) bool."""


@dataclass(frozen=True, eq=False)
class TrackTable:
    """A row a box, in the order of the frames.

    Attributes:
        frame: (n,) int32, counted from 0.
        track_id: (n,) int32, counted from 1.
        xyxy: (n, 4) float32, pixels of the upright clip.
        score: (n,) float32, 0..1, of the track's newest detection.
        seen: (n,) bool: a detection was there in this very frame; False where the place is the tracker's prediction.
        frames: How many frames were tracked, those without a box included.
    """

    frame: NDArray[np.int32]
    track_id: NDArray[np.int32]
    xyxy: NDArray[np.float32]
    score: NDArray[np.float32]
    seen: NDArray[np.bool_]
    frames: int

    @classmethod
    def of(cls, tracks: Iterable[sv.Detections]) -> TrackTable:
        """The table of a tracker's answers, one for each frame from 0 on."""
        collector = TrackCollector()
        for boxes in tracks:
            collector.add(boxes)
        return collector.table()

    @property
    def ids(self) -> list[int]:
        """The tracks' ids, each once, the smallest first."""
        return [int(one) for one in np.unique(self.track_id)]

    def counts(self) -> NDArray[np.int64]:
        """(frames,) int64: tracks in each frame."""
        return np.bincount(self.frame, minlength=self.frames).astype(np.int64)

    def by_frame(self) -> list[sv.Detections]:
        """The boxes of each frame with ``tracker_id``, ``confidence`` and ``data["seen"]``; as many as ``frames``."""
        ends = np.searchsorted(self.frame, np.arange(1, self.frames + 1))
        starts = np.concatenate([[0], ends])[: self.frames]
        return [self._boxes(slice(start, end)) for start, end in zip(starts, ends, strict=True)]

    def save(self, path: str | Path) -> None:
        """Write it to a file, whole or not at all.

        Raises:
            ClipError: It cannot be written there.
        """
        path, packed = Path(path), io.BytesIO()
        np.savez_compressed(packed, **{field.name: np.asarray(getattr(self, field.name)) for field in fields(self)})
        try:
            write_atomically(path, packed.getvalue())
        except OSError as error:
            raise ClipError(path.name, error.strerror or "cannot be written", "Free some space") from None

    @classmethod
    def load(cls, path: str | Path) -> TrackTable:
        """Read what ``save`` wrote.

        Raises:
            ClipError: The file is missing, damaged or no table of tracks.
        """
        path = Path(path)
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
                columns = {field.name: stored[field.name] for field in fields(cls)}
            return _checked(cls(**{**columns, "frames": int(columns["frames"])}))
        except (OSError, ValueError, KeyError, EOFError, TypeError, *_DAMAGES) as error:
            cause = f"its tracks cannot be read ({getattr(error, 'strerror', None) or 'not a table of tracks'})"
            raise ClipError(path.name, cause, "Track the clip again") from None

    def _boxes(self, rows: slice) -> sv.Detections:
        return sv.Detections(
            xyxy=self.xyxy[rows],
            confidence=self.score[rows],
            tracker_id=self.track_id[rows].astype(np.int64),
            data={SEEN: self.seen[rows]},
        )


class TrackCollector:
    """Takes a tracker's answers one by one and keeps what a table needs of them."""

    def __init__(self) -> None:
        self._parts: list[tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]] = []

    def add(self, boxes: sv.Detections) -> None:
        """Take the next frame's."""
        ids = np.zeros(0) if boxes.tracker_id is None else boxes.tracker_id
        seen = boxes.data.get(SEEN, np.ones(len(boxes)))
        self._parts.append((
            np.asarray(ids, np.int32),
            np.array(boxes.xyxy, np.float32).reshape(-1, 4),
            np.array(scores_of(boxes), np.float32),
            np.asarray(seen, bool),
        ))  # fmt: skip

    def table(self) -> TrackTable:
        """All that was taken."""
        lengths = [len(ids) for ids, *_ in self._parts]
        empty = (np.zeros(0, np.int32), np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, bool))
        ids, xyxy, score, seen = (np.concatenate(column) for column in zip(empty, *self._parts, strict=True))
        frame = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        return TrackTable(frame, ids, xyxy, score, seen, len(lengths))


def _checked(table: TrackTable) -> TrackTable:
    """The table, if its columns fit together.

    Raises:
        ValueError: They do not.
    """
    rows, frame = len(table.frame), table.frame
    shapes = [column.shape for column in (frame, table.track_id, table.score, table.seen, table.xyxy)]
    if shapes != [(rows,)] * 4 + [(rows, 4)] or table.frames < 0 or table.seen.dtype != bool:
        raise ValueError("columns of other lengths or kinds")
    if rows and (frame[0] < 0 or frame[-1] >= table.frames or (np.diff(frame) < 0).any()):
        raise ValueError("frames beyond the last, or out of order")
    if rows and table.track_id.min() < 1:
        raise ValueError("ids below 1")
    return table
