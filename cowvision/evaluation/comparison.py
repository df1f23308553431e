"""Two models on the same pictures: the gain in mAP and how sure it is.

The interval is a paired percentile bootstrap: pictures are drawn again with replacement, the same draw for both models,
and the gain is computed anew from matches that were made once (Efron & Tibshirani 1993, chapter 13).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.evaluation.matching import ClassMatches, match_class
from cowvision.evaluation.metrics import classes_of

FEWEST_PICTURES = 15
RESAMPLES = 1_000


@dataclass(frozen=True)
class Gain:
    """Gain of one figure: its value, its 95 % interval, and the share of resamples in which it is above 0."""

    value: float | None
    interval_95: tuple[float, float] | None
    share_in_favour: float | None


@dataclass(frozen=True)
class Comparison:
    """Model A against model B on the same pictures; positive gains speak for A.

    Attributes:
        pictures: Pictures compared.
        map: Gain in mAP@[.50:.95].
        map_50: Gain in AP at IoU 0.5.
        resamples: Draws behind the intervals.
        verdict: "better", "worse" or "no clear difference"; "too few pictures" below 15, "no truth" without any.
    """

    pictures: int
    map: Gain
    map_50: Gain
    resamples: int
    verdict: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, flat beside those of a MapReport."""
        return {
            "delta_map": self.map.value,
            "interval_95": self.map.interval_95,
            "share_in_favour": self.map.share_in_favour,
            "delta_map_50": self.map_50.value,
            "interval_95_map_50": self.map_50.interval_95,
            "share_in_favour_map_50": self.map_50.share_in_favour,
            "resamples": self.resamples,
            "verdict": self.verdict,
        }

    def sentence(self, name: str, other: str) -> str:
        """Return the verdict in words."""
        if self.map.value is None or self.map.interval_95 is None:
            return f"{self.pictures} pictures without one true box tell nothing about {name} and {other}."
        low, high = self.map.interval_95
        gain = f"mAP {self.map.value:+.3f}, between {low:+.3f} and {high:+.3f} (95 %)"
        if self.verdict == "too few pictures":
            return (
                f"{self.pictures} pictures are too few for a verdict on {name} and {other}: these alone say {gain}; "
                f"{FEWEST_PICTURES} or more are needed to say it of others."
            )
        words = {"better": "is better than", "worse": "is worse than"}.get(self.verdict, "is not clearly apart from")
        return f"On {self.pictures} pictures {name} {words} {other}: {gain}."


def compare_models(
    found: Sequence[sv.Detections],
    against: Sequence[sv.Detections],
    truths: Sequence[sv.Detections],
    *,
    class_names: Sequence[str] | None = ("cow",),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two models' raw detections on the same pictures, in the same order.

    Args:
        found: Detections of model A.
        against: Detections of model B.
        truths: Truth of the pictures, as from `truth_boxes`.
        class_names: As in `metrics.measure`.
        resamples: Bootstrap draws, 1,000 or more for an interval to be quoted.
        seed: The same seed gives the same interval.
    """
    names = tuple(class_names) if class_names is not None else classes_of(truths)
    one = [match_class(found, truths, name) for name in names]
    other = [match_class(against, truths, name) for name in names]
    once = np.ones(len(truths), dtype=np.int64)
    value = _scores(one, once) - _scores(other, once)
    draws = _draw_gains(one, other, len(truths), resamples, seed)
    gains = [_gain(float(value[side]), draws[:, side]) for side in (0, 1)]
    return Comparison(len(truths), gains[0], gains[1], resamples, _verdict(gains[0], len(truths)))


def _draw_gains(
    one: list[ClassMatches], other: list[ClassMatches], pictures: int, resamples: int, seed: int
) -> NDArray[np.float64]:
    """Gains in mAP and AP50, (resamples, 2); NaN where a draw holds no true box."""
    rng = np.random.default_rng(seed)
    gains = np.full((resamples, 2), np.nan)
    for row in range(resamples if pictures else 0):
        copies = np.bincount(rng.integers(0, pictures, pictures), minlength=pictures)
        gains[row] = _scores(one, copies) - _scores(other, copies)
    return gains


def _scores(classes: list[ClassMatches], copies: NDArray[np.int64]) -> NDArray[np.float64]:
    """MAP and AP50, averaged over the classes that have truth; NaN where none has."""
    precisions = np.array([matches.average_precision(copies) for matches in classes]).reshape(len(classes), -1)
    with_truth = precisions[~np.isnan(precisions).any(axis=1)]
    if len(with_truth) == 0:
        return np.full(2, np.nan)
    return np.array([with_truth.mean(), with_truth[:, 0].mean()])


def _gain(value: float, draws: NDArray[np.float64]) -> Gain:
    draws = draws[~np.isnan(draws)]
    if np.isnan(value) or len(draws) == 0:
        return Gain(None, None, None)
    low, high = np.percentile(draws, (2.5, 97.5))
    return Gain(value, (float(low), float(high)), float((draws > 0).mean()))


def _verdict(gain: Gain, pictures: int) -> str:
    if gain.interval_95 is None:
        return "no truth"
    if pictures < FEWEST_PICTURES:
        return "too few pictures"
    low, high = gain.interval_95
    if low > 0:
        return "better"
    return "worse" if high < 0 else "no clear difference"
