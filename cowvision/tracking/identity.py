"""How well identities are kept, against true tracks: MOTA and IDF1 by motmetrics, HOTA by `tracking.hota`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import motmetrics
import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.tracking.hota import hota

MATCH_IOU = 0.5
_NAMES = ("num_false_positives", "num_misses", "num_switches", "num_fragmentations", "mota", "motp", "idf1")


@dataclass(frozen=True)
class Switch:
    """A true animal that is called by another id from this frame on (counted from 0): which, before and after."""

    frame: int
    true_id: int
    before: int
    after: int


@dataclass(frozen=True)
class IdentityReport:
    """Tracks against truth; boxes match from IoU 0.5 up, HOTA's over all its overlaps.

    Attributes:
        frames: How many there are.
        true_boxes: Boxes in truth.
        true_ids: Animals in truth.
        told_ids: Ids the tracker gave.
        false_positives: Boxes where there is nothing.
        misses: True boxes without one.
        id_switches: How often an animal is called by another id than before.
        fragmentations: How often the track of an animal breaks off and begins again.
        mota: 1 - (misses + false positives + switches) / true boxes (Bernardin & Stiefelhagen 2008), if there are any.
        motp: Mean distance 1 - IoU of matched boxes; None without any.
        idf1: F1 of identities (Ristani et al. 2016); None without any box.
        hota: HOTA, with its parts below; None without any box.
        det_a: Detection accuracy.
        ass_a: Association accuracy.
        loc_a: Localisation accuracy.
        switches: Each switch, in order: as many as ``id_switches``.
    """

    frames: int
    true_boxes: int
    true_ids: int
    told_ids: int
    false_positives: int
    misses: int
    id_switches: int
    fragmentations: int
    mota: float | None
    motp: float | None
    idf1: float | None
    hota: float | None
    det_a: float | None
    ass_a: float | None
    loc_a: float | None
    switches: tuple[Switch, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def judge_identity(truth: Sequence[sv.Detections], tracks: Sequence[sv.Detections]) -> IdentityReport:
    """Judge tracks.

    Args:
        truth: Boxes by frame with ``tracker_id``.
        tracks: The tracker's, as many frames.

    Raises:
        ValueError: Not as many frames of the one as of the other.
    """
    if len(truth) != len(tracks):
        raise ValueError(f"{len(truth)} frames of truth, but {len(tracks)} of tracks")
    frames = len(truth)
    busy = [number for number in range(frames) if len(truth[number]) or len(tracks[number])]  # others change nothing
    truth, tracks = ([some[number] for number in busy] for some in (truth, tracks))
    overlap = hota(truth, tracks)
    book = motmetrics.MOTAccumulator()
    for number, true, told in zip(busy, truth, tracks, strict=True):
        book.update(_ids(true).tolist(), _ids(told).tolist(), _distances(true, told), frameid=number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas' own, of motmetrics' older ways
        told_figures = motmetrics.metrics.create().compute(book, metrics=list(_NAMES), return_dataframe=False)
    figures = {name: float(told_figures[name]) for name in _NAMES}
    counts = {name: int(figures[name]) for name in _NAMES[:4]}
    return IdentityReport(
        frames=frames,
        true_boxes=sum(map(len, truth)),
        true_ids=_distinct(truth),
        told_ids=_distinct(tracks),
        false_positives=counts["num_false_positives"],
        misses=counts["num_misses"],
        id_switches=counts["num_switches"],
        fragmentations=counts["num_fragmentations"],
        mota=_known(figures["mota"]),
        motp=_known(figures["motp"]),
        idf1=_known(figures["idf1"]),
        switches=_switches(book),
        **vars(overlap),
    )


def _ids(boxes: sv.Detections) -> NDArray[np.int64]:
    return np.zeros(0, np.int64) if boxes.tracker_id is None else np.asarray(boxes.tracker_id, np.int64)


def _distances(true: sv.Detections, told: sv.Detections) -> NDArray[np.float64]:
    """1 - IoU, (t, p); nan where boxes cannot match."""
    overlap = sv.box_iou_batch(true.xyxy, told.xyxy).reshape(len(true), len(told)).astype(np.float64)
    return np.where(overlap >= MATCH_IOU, 1 - overlap, np.nan)


def _distinct(frames: Sequence[sv.Detections]) -> int:
    return len(np.unique(np.concatenate([np.zeros(0, np.int64), *map(_ids, frames)])))


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _switches(book: Any) -> tuple[Switch, ...]:
    """Where motmetrics counted a switch, with the id that the animal went by before."""
    last: dict[int, int] = {}
    found = []
    events = book.mot_events
    for (frame, _), kind, true_id, told_id in zip(
        events.index, events["Type"], events["OId"], events["HId"], strict=True
    ):
        if kind not in {"MATCH", "SWITCH"}:
            continue
        if kind == "SWITCH":
            found.append(Switch(int(frame), int(true_id), last.get(int(true_id), int(told_id)), int(told_id)))
        last[int(true_id)] = int(told_id)
    return tuple(found)
