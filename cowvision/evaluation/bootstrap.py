"""A paired bootstrap over pictures: how far a gain might have been another on other pictures of the same kind.

Pictures are drawn with replacement, the same draw for both models (Efron & Tibshirani 1993, "An Introduction to the
Bootstrap"), and nothing is matched again. Three intervals are made of the draws; ``tests/benchmarks/coverage.py``
measures how often each holds the truth, and ``evaluation.trust`` keeps what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from cowvision.evaluation.average_precision import average_precisions, copies_of, curves
from cowvision.evaluation.influence import pulls_of
from cowvision.evaluation.matching import ClassMatches

Interval = tuple[float, float]
OnStep = Callable[[int, int], None]
TAILS = (0.025, 0.975)
_ELEMENTS = 100_000  # worked on at once: they stay in the processor's cache
_LEAST_ERROR = 0.01  # of the gain's own error: a draw with less says nothing of how sure it is


@dataclass(frozen=True, eq=False)
class Draws:
    """A gain in two figures, mAP and AP50, as measured and in every draw.

    Attributes:
        gain: (2,) on the pictures as they are; NaN without truth.
        pull: (2, pictures) how each picture pulls at it, as in ``evaluation.influence``.
        gains: (draws, 2) in the draws that hold truth.
        errors: (draws, 2) standard error of each, from the pulls of the pictures drawn.
    """

    gain: NDArray[np.float64]
    pull: NDArray[np.float64]
    gains: NDArray[np.float64]
    errors: NDArray[np.float64]

    @property
    def error(self) -> NDArray[np.float64]:
        """Standard error (2,) of the gain."""
        return np.asarray(np.sqrt((self.pull**2).sum(axis=1)))


def draw(
    one: Sequence[ClassMatches],
    other: Sequence[ClassMatches],
    *,
    resamples: int,
    seed: int,
    on_step: OnStep | None = None,
) -> Draws:
    """Draw pictures again and again.

    Args:
        one: Matches of model A, a class each.
        other: Matches of model B, of the same classes on the same pictures.
        resamples: How many draws.
        seed: The same seed gives the same draws.
        on_step: Called now and then with the draws done and those there will be.
    """
    pictures = len(one[0].truths) if one else 0
    once = np.ones((1, pictures), dtype=np.int64)
    pull = _pulls(one) - _pulls(other) if one else np.zeros((2, 0))
    rows = max(1, _ELEMENTS // max(1, *(len(matches.score) for matches in (*one, *other)), pictures))
    gains, errors = [np.zeros((0, 2))], [np.zeros((0, 2))]
    for copies in _copies(pictures, resamples if pictures else 0, seed, rows):
        gains.append(_figures(one, copies) - _figures(other, copies))
        errors.append(_errors(pull, copies))
        if on_step is not None:
            on_step(sum(map(len, gains)), resamples)
    drawn, error = np.concatenate(gains), np.concatenate(errors)
    told = ~np.isnan(drawn).any(axis=1)
    return Draws((_figures(one, once) - _figures(other, once))[0], pull, drawn[told], error[told])


def percentile(draws: Draws, side: int) -> Interval:
    """The middle 95 % of the draws."""
    return _between(draws.gains[:, side], TAILS)


def bca(draws: Draws, side: int) -> Interval:
    """The percentiles moved for bias and skewness (Efron 1987, "Better Bootstrap Confidence Intervals")."""
    normal, gains, pull = NormalDist(), draws.gains[:, side], draws.pull[side]
    below = ((gains < draws.gain[side]).mean() + (gains <= draws.gain[side]).mean()) / 2
    bias = normal.inv_cdf(float(np.clip(below, 1 / len(gains), 1 - 1 / len(gains))))
    skewness = float((pull**3).sum() / (6 * (pull**2).sum() ** 1.5)) if pull.any() else 0.0
    moved = [bias + normal.inv_cdf(tail) for tail in TAILS]
    low, high = (normal.cdf(bias + tail / (1 - skewness * tail)) for tail in moved)
    return _between(gains, (low, high))


def studentised(draws: Draws, side: int) -> Interval:
    """The gain less its error times the tails of the draws' distances from it, each in errors of its own draw.

    A draw of pictures that are all alike does not count for more than it knows. The interval stays within -1 and 1.
    """
    gain, error = float(draws.gain[side]), float(draws.error[side])
    telling = draws.errors[:, side] > max(_LEAST_ERROR * error, 1e-12)
    if not telling.any():  # no picture pulls at the gain
        return percentile(draws, side)
    low, high = _between((draws.gains[telling, side] - gain) / draws.errors[telling, side], TAILS)
    return max(gain - high * error, -1.0), min(gain - low * error, 1.0)


def widest(draws: Draws, side: int) -> Interval:
    """The studentised interval, but never narrower than the percentiles.

    Where two models differ on a few pictures only, many draws hold none of these: they have no error of their own, the
    studentised interval leaves them out, and what it leaves out is that there may be no difference.
    """
    low, high = zip(studentised(draws, side), percentile(draws, side), strict=True)
    return min(low), max(high)


def _figures(classes: Sequence[ClassMatches], copies: NDArray[np.int64]) -> NDArray[np.float64]:
    """MAP and AP50 (r, 2), averaged over the classes that have truth; NaN where none has."""
    sums, known = np.zeros((len(copies), 2)), np.zeros((len(copies), 1))
    for matches in classes:
        rows = curves(matches.runs, copies_of(copies, matches.picture))
        precisions = average_precisions(rows, copies @ matches.truths)
        known += ~np.isnan(precisions[:, :1])
        sums += np.nan_to_num(np.stack([precisions.mean(axis=1), precisions[:, 0]], axis=1))
    return np.asarray(sums / np.where(known > 0, known, np.nan))


def _pulls(classes: Sequence[ClassMatches]) -> NDArray[np.float64]:
    """Pulls at mAP and AP50, (2, pictures), averaged over the classes that have truth."""
    pulls = [pulls_of(matches) for matches in classes if matches.truths.any()]
    if not pulls:
        return np.zeros((2, len(classes[0].truths)))
    every = np.mean(pulls, axis=0)
    return np.stack([every.mean(axis=0), every[0]])


def _errors(pull: NDArray[np.float64], copies: NDArray[np.int64]) -> NDArray[np.float64]:
    """Standard errors (r, 2) of draws: how far the pulls of the pictures drawn spread around their mean."""
    means = copies @ pull.T / copies.shape[1]
    spread = copies @ (pull**2).T - copies.shape[1] * means**2
    return np.asarray(np.sqrt(spread.clip(min=0)))


def _copies(pictures: int, resamples: int, seed: int, rows: int) -> Iterator[NDArray[np.int64]]:
    """How often each picture is drawn, (r, pictures), some draws at a time; the same draws whatever ``rows`` is."""
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        drawn = [np.bincount(rng.integers(0, pictures, pictures), minlength=pictures) for _ in range(count)]
        yield np.array(drawn)


def _between(values: NDArray[np.float64], shares: tuple[float, float]) -> Interval:
    low, high = np.quantile(values, shares)
    return float(low), float(high)
