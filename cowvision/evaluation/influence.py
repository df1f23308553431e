"""How strongly each picture pulls at an average precision: the derivative by how often it counts.

The sum of the squares is the infinitesimal jackknife's variance (Efron 1982, "The Jackknife, the Bootstrap and Other
Resampling Plans", chapter 6): a standard error without a single resample. The derivative is that of the area under the
curve, which the mean at 101 recalls approximates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cowvision.evaluation.average_precision import Curve, Runs, curves
from cowvision.evaluation.matching import ClassMatches


def pulls_of(matches: ClassMatches) -> NDArray[np.float64]:
    """Pull of each picture at the average precision of each IoU threshold, (10, pictures); 0 without truth."""
    truths = max(int(matches.truths.sum()), 1)
    once = np.ones((1, len(matches.score)), dtype=np.int32)
    rows = zip(matches.runs, matches.hit, curves(matches.runs, once), strict=True)
    return np.array([_pulls(*row, matches, truths) for row in rows])


def _pulls(runs: Runs, hit: NDArray[np.bool_], curve: Curve, matches: ClassMatches, truths: int) -> NDArray[np.float64]:
    """A hit adds its share of recall at the best precision from there on, and raises every precision behind it.

    Each detection that counts lowers the precisions behind it, and each true box makes all shares of recall smaller.
    """
    gained, _, counted, precision, best = (column[0] for column in curve)
    recall = np.bincount(_summits(precision, best), weights=gained / truths, minlength=len(best))
    weight = recall / np.maximum(counted, 1)  # of one detection more, in the precision each run's recall lives on
    raised, lowered = (np.append(np.cumsum(part[::-1])[::-1], 0.0) for part in (weight, weight * precision))
    run = np.searchsorted(runs.after, np.arange(len(hit)), side="right")
    pull = np.where(hit, np.append(best, 0.0)[run] / truths + raised[run], 0.0) - lowered[run]
    if runs.ignored is not None:
        pull[runs.ignored] = 0.0
    area = float((recall * precision).sum())
    by_picture = np.bincount(matches.picture, weights=pull, minlength=len(matches.truths))
    return np.asarray(by_picture - area / truths * matches.truths)


def _summits(precision: NDArray[np.float64], best: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each run the one, from it on, that has the best precision."""
    own = np.where(precision == best, np.arange(len(best)), len(best))
    return np.minimum.accumulate(own[::-1])[::-1]
