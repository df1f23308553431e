"""Average precision of many resamples at once, from matches that were made once.

COCO's rule: precision is made to fall with recall, read at 101 recalls, and averaged. Nothing is matched or sorted
again: the detections stay in their order, and a resample only says how often each picture counts.

Precision rises with every hit and falls with every false alarm, so the largest precision from some recall on stands at
the end of a run of hits. Only there is it looked at; a good model has far fewer runs than hits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

RECALL_STEPS = np.linspace(0.0, 1.0, 101)


class Runs(NamedTuple):
    """Runs of hits without a false alarm between them, at one IoU threshold.

    Attributes:
        before: (runs,) the place, among the detections, at which each begins.
        after: (runs,) the place behind its last hit.
        ignored: (d,) detections that do not count; None where all do.
    """

    before: NDArray[np.intp]
    after: NDArray[np.intp]
    ignored: NDArray[np.bool_] | None


class Curve(NamedTuple):
    """Precision over recall at one IoU threshold, a column an end of a run; all are (r, runs), a row a resample.

    Attributes:
        gained: True boxes met in the run.
        found: True boxes met so far.
        counted: Detections counted so far.
        precision: Of these two, 0..1.
        best: The largest precision from here on.
    """

    gained: NDArray[np.int32]
    found: NDArray[np.int32]
    counted: NDArray[np.int32]
    precision: NDArray[np.float64]
    best: NDArray[np.float64]


def runs_of(hit: NDArray[np.bool_], ignored: NDArray[np.bool_]) -> Runs:
    """Runs among (d,) hits, best first; what is ignored does not end a run."""
    counts = np.flatnonzero(~ignored)
    edges = np.diff(np.concatenate([[False], hit[counts], [False]]).astype(np.int8))
    first, last = counts[edges[:-1] == 1], counts[np.flatnonzero(edges == -1) - 1]
    return Runs(first, last + 1, ignored if ignored.any() else None)


def curves(runs: list[Runs], weights: NDArray[np.int32]) -> list[Curve]:
    """The curve of each threshold; ``weights`` is (r, d), how often each detection counts in each resample."""
    every = _counted(weights)
    return [_curve(one, every if one.ignored is None else _counted(weights * ~one.ignored)) for one in runs]


def average_precisions(curves: list[Curve], truths: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average precision per resample and threshold, (r, thresholds); NaN where ``truths`` (r,) says there are none."""
    needed = _hits_needed(truths)
    columns = [_mean_precision(curve, needed) for curve in curves]
    return np.where(truths[:, None] > 0, np.stack(columns, axis=1), np.nan)


def copies_of(weights: NDArray[Any], picture: NDArray[np.intp]) -> NDArray[np.int32]:
    """How often each detection counts, (r, d): as often as its picture, (r, pictures)."""
    return weights.astype(np.int32).take(picture, axis=1)


def _counted(weights: NDArray[np.int32]) -> NDArray[np.int32]:
    """How many detections count before each place, (r, d + 1)."""
    counted = np.zeros((len(weights), weights.shape[1] + 1), np.int32)
    np.cumsum(weights, axis=1, out=counted[:, 1:])
    return counted


def _curve(runs: Runs, counted: NDArray[np.int32]) -> Curve:
    so_far = counted.take(runs.after, axis=1)
    gained = so_far - counted.take(runs.before, axis=1)
    found = np.cumsum(gained, axis=1, dtype=np.int32)
    precision = found / np.maximum(so_far, 1)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return Curve(gained, found, so_far, precision, best)


def _hits_needed(truths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The fewest hits whose share of the true boxes reaches each recall, as floats compare, (r, 101)."""
    most = np.maximum(truths, 1)[:, None]
    hits = np.ceil(RECALL_STEPS * most)
    hits -= (hits - 1) / most >= RECALL_STEPS
    hits += hits / most < RECALL_STEPS
    return np.asarray(hits, dtype=np.int64)


def _mean_precision(curve: Curve, needed: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean over the recalls of the best precision from there on, (r,); 0 at recalls that are not reached."""
    rows, runs = curve.found.shape
    number = np.arange(rows)[:, None]
    apart = number * (int(needed.max(initial=0)) + 1)  # rows one behind the other are still in order
    first = np.searchsorted((curve.found + apart).ravel(), needed + apart)
    best = np.append(curve.best, 0.0)[first]
    return np.asarray(np.where(first < (number + 1) * runs, best, 0.0).mean(axis=1))
