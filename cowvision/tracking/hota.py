"""HOTA: how well boxes are found and how well their identities are kept, in one figure (Luiten et al., IJCV 2021).

The formulas are those of the paper, with TrackEval's order of steps, so that the figures agree to the last digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

ALPHAS = np.arange(0.05, 0.99, 0.05)
"""IoU from which a box counts as found; every figure is the mean over them."""

_EPS = np.finfo("float").eps


@dataclass(frozen=True)
class Hota:
    """HOTA and its parts, each 0..1: detection, association, localisation; None without any box."""

    hota: float | None
    det_a: float | None
    ass_a: float | None
    loc_a: float | None


@dataclass(frozen=True)
class _Frame:
    """Places of the true and of the told identities in a frame, and how much their boxes overlap, (t, p)."""

    true: NDArray[np.intp]
    told: NDArray[np.intp]
    overlap: NDArray[np.float64]


def hota(truth: Sequence[sv.Detections], tracks: Sequence[sv.Detections]) -> Hota:
    """HOTA of tracks.

    Args:
        truth: Boxes by frame with ``tracker_id``.
        tracks: The tracker's, as many frames.
    """
    frames, true_counts, told_counts = _by_identity(truth, tracks)
    if not true_counts.sum() and not told_counts.sum():
        return Hota(None, None, None, None)
    likeness = _likeness(frames, true_counts, told_counts)
    found = np.zeros(len(ALPHAS))
    overlap = np.zeros(len(ALPHAS))
    together = np.zeros((len(ALPHAS), len(true_counts), len(told_counts)))
    for frame in frames:
        if not len(frame.true) or not len(frame.told):
            continue
        rows, columns = linear_sum_assignment(-likeness[np.ix_(frame.true, frame.told)] * frame.overlap)
        values = frame.overlap[rows, columns]
        for place, alpha in enumerate(ALPHAS):
            kept = values >= alpha - _EPS
            found[place] += kept.sum()
            overlap[place] += values[kept].sum()
            together[place, frame.true[rows[kept]], frame.told[columns[kept]]] += 1
    return _figures(found, overlap, together, true_counts, told_counts)


def _by_identity(
    truth: Sequence[sv.Detections], tracks: Sequence[sv.Detections]
) -> tuple[list[_Frame], NDArray[np.float64], NDArray[np.float64]]:
    """Frames with identities numbered from 0, and how many boxes each identity has."""
    if len(truth) != len(tracks):
        raise ValueError(f"{len(truth)} frames of truth, but {len(tracks)} of tracks")
    (true, true_counts), (told, told_counts) = _numbered(truth), _numbered(tracks)
    overlaps = [
        sv.box_iou_batch(one.xyxy, other.xyxy).reshape(len(one), len(other)).astype(np.float64)
        for one, other in zip(truth, tracks, strict=True)
    ]
    frames = [_Frame(*parts) for parts in zip(true, told, overlaps, strict=True)]
    return frames, true_counts, told_counts


def _numbered(frames: Sequence[sv.Detections]) -> tuple[list[NDArray[np.intp]], NDArray[np.float64]]:
    ids = [np.zeros(0, np.int64) if one.tracker_id is None else np.asarray(one.tracker_id) for one in frames]
    known, places, counts = np.unique(
        np.concatenate([np.zeros(0, np.int64), *ids]), return_inverse=True, return_counts=True
    )
    del known
    ends = np.cumsum([0, *map(len, ids)])
    parts = [np.asarray(places[start:end], np.intp) for start, end in pairwise(ends)]
    return parts, counts.astype(np.float64)


def _likeness(
    frames: Sequence[_Frame], true_counts: NDArray[np.float64], told_counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How much of their time two identities are one, over all IoU: what frames are matched by."""
    shared = np.zeros((len(true_counts), len(told_counts)))
    for frame in frames:
        overlap = frame.overlap
        union = overlap.sum(0)[None] + overlap.sum(1)[:, None] - overlap
        shared[np.ix_(frame.true, frame.told)] += np.divide(
            overlap, union, out=np.zeros_like(overlap), where=union > _EPS
        )
    likeness: NDArray[np.float64] = shared / (true_counts[:, None] + told_counts[None] - shared)
    return likeness


def _figures(
    found: NDArray[np.float64],
    overlap: NDArray[np.float64],
    together: NDArray[np.float64],
    true_counts: NDArray[np.float64],
    told_counts: NDArray[np.float64],
) -> Hota:
    either = true_counts.sum() + told_counts.sum() - found
    det_a = found / np.maximum(1, either)
    apart = np.maximum(1, true_counts[None, :, None] + told_counts[None, None] - together)
    ass_a = (together * together / apart).sum((1, 2)) / np.maximum(1, found)
    loc_a = np.maximum(1e-10, overlap) / np.maximum(1e-10, found)
    parts = (np.sqrt(det_a * ass_a), det_a, ass_a, loc_a)
    return Hota(*(float(part.mean()) for part in parts))
