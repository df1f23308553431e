"""What a threshold makes of a model: precision, recall, F1 and how far the counts are off.

Detections are matched once, best first, at IoU 0.5 (`evaluation.matching`); a match never depends on a worse detection,
so every threshold is read from the same matches, and neither a network nor the matching runs again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cowvision.evaluation.matching import ClassMatches

LOWEST, HIGHEST, STEP = 0.05, 0.95, 0.01
_AT_HALF = 0  # place of IoU 0.5 among the matches' thresholds


@dataclass(frozen=True)
class OperatingPoint:
    """A model at one threshold.

    Attributes:
        threshold: Detections of at least this score count.
        found: True boxes that were met.
        false_alarms: Detections that met none; those inside crowds count neither way.
        missed: True boxes that were not met.
        precision: Share of the counted detections that met a true box; None without any detection.
        recall: Share of the true boxes that were met; None without truth.
        f1: Harmonic mean of the two; None without truth.
        count_error: Mean over pictures of how far the count is off, in boxes; None without pictures.
        count_bias: Mean over pictures of count minus truth: above 0 it counts too many; None without pictures.
    """

    threshold: float
    found: int
    false_alarms: int
    missed: int
    precision: float | None
    recall: float | None
    f1: float | None
    count_error: float | None
    count_bias: float | None


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """The curve behind AP at IoU 0.5: a point a counted detection, best first; empty without truth.

    ``recall``, ``precision`` and ``score`` are (p,) float; precision is as it is, not smoothed.
    """

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    score: NDArray[np.float64]


def operating_point(matches: ClassMatches, threshold: float) -> OperatingPoint:
    """The model at a threshold, 0 to 1."""
    counted = (matches.score >= threshold) & ~matches.ignored[_AT_HALF]
    hits = matches.hit[_AT_HALF] & counted
    truths, found, shown = int(matches.truths.sum()), int(hits.sum()), int(counted.sum())
    off = np.bincount(matches.picture[counted], minlength=len(matches.truths)) - matches.truths
    return OperatingPoint(
        threshold=float(threshold),
        found=found,
        false_alarms=shown - found,
        missed=truths - found,
        precision=found / shown if shown else None,
        recall=found / truths if truths else None,
        f1=2 * found / (shown + truths) if truths else None,
        count_error=float(np.abs(off).mean()) if len(off) else None,
        count_bias=float(off.mean()) if len(off) else None,
    )


def operating_points(matches: ClassMatches, thresholds: Sequence[float] | None = None) -> list[OperatingPoint]:
    """The model at each threshold; from 0.05 to 0.95 in steps of 0.01 by default."""
    steps = round((HIGHEST - LOWEST) / STEP) + 1
    chosen = np.round(np.linspace(LOWEST, HIGHEST, steps), 4) if thresholds is None else thresholds
    return [operating_point(matches, float(threshold)) for threshold in chosen]


def best_f1(points: Sequence[OperatingPoint]) -> OperatingPoint | None:
    """The point with the largest F1, of equals the one with the highest threshold; None without truth."""
    known = [point for point in points if point.f1 is not None]
    return max(known, key=lambda point: (point.f1, point.threshold), default=None)


def least_biased(points: Sequence[OperatingPoint]) -> OperatingPoint | None:
    """The point whose counts are too many as often as too few; of equals the one with the smaller error."""
    known = [point for point in points if point.count_bias is not None and point.count_error is not None]
    return min(known, key=lambda point: (abs(point.count_bias or 0), point.count_error), default=None)


def precision_recall(matches: ClassMatches) -> PrecisionRecall:
    """Precision over recall at IoU 0.5, to be drawn."""
    counted = ~matches.ignored[_AT_HALF]
    truths = int(matches.truths.sum())
    if truths == 0:
        return PrecisionRecall(*(np.zeros(0),) * 3)
    hits = np.cumsum(matches.hit[_AT_HALF][counted])
    shown = np.arange(1, len(hits) + 1)
    return PrecisionRecall(hits / truths, hits / shown, np.asarray(matches.score[counted], np.float64))
