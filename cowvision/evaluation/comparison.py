"""Two models on the same pictures: the gain in mAP and how sure it is (``evaluation.bootstrap``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import supervision as sv

from cowvision.evaluation.bootstrap import Draws, OnStep, draw, widest
from cowvision.evaluation.matching import match_class
from cowvision.evaluation.metrics import classes_of
from cowvision.evaluation.trust import FEWEST_PICTURES, METHOD, measured_coverage, words_of_trust

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
        with_truth: Those of them on which there is something to find; what a verdict rests on.
        map: Gain in mAP@[.50:.95].
        map_50: Gain in AP at IoU 0.5.
        resamples: Draws behind the intervals.
        verdict: "better", "worse" or "no clear difference"; "too few pictures" below 15 with truth, "no truth" without.
        seed: Of the draws.
        method: Kind of the intervals.
        coverage: Share of simulated sets of about this size whose interval for mAP held the true gain, 0..1; None where
            no size so small was simulated.
    """

    pictures: int
    map: Gain
    map_50: Gain
    resamples: int
    verdict: str
    with_truth: int
    seed: int = 0
    method: str = METHOD
    coverage: float | None = None

    def trust(self) -> str:
        """Return in words how far the interval can be trusted at this number of pictures."""
        return words_of_trust(self.with_truth)

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
            "seed": self.seed,
            "method": self.method,
            "coverage": self.coverage,
            "images_with_truth": self.with_truth,
            "verdict": self.verdict,
        }

    def sentence(self, name: str, other: str) -> str:
        """Return the verdict in words."""
        if self.map.value is None or self.map.interval_95 is None:
            return f"{self.pictures} pictures without one true box tell nothing about {name} and {other}."
        low, high = self.map.interval_95
        gain = f"mAP {self.map.value:+.3f}, between {low:+.3f} and {high:+.3f} (95 %)"
        if self.verdict == "too few pictures":
            is_all = self.with_truth == self.pictures
            seen = "" if is_all else f", {self.with_truth} of them with something to find,"
            needed = f"{FEWEST_PICTURES} or more {'' if is_all else 'with something to find '}"
            return (
                f"{self.pictures} pictures{seen} are too few for a verdict on {name} and {other}: on these alone the "
                f"gain is mAP {self.map.value:+.3f}. To say anything of others, {needed}are needed."
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
    on_step: OnStep | None = None,
) -> Comparison:
    """Compare two models' raw detections on the same pictures, in the same order.

    Args:
        found: Detections of model A.
        against: Detections of model B.
        truths: Truth of the pictures, as from `truth_boxes`.
        class_names: As in `metrics.measure`.
        resamples: Bootstrap draws, 1,000 or more for an interval to be quoted.
        seed: The same seed gives the same interval.
        on_step: Called now and then with the draws done and those there will be.

    Raises:
        ValueError: Not as many answers of each model as truths.
    """
    names = tuple(class_names) if class_names is not None else classes_of(truths)
    one = [match_class(found, truths, name) for name in names]
    other = [match_class(against, truths, name) for name in names]
    draws = draw(one, other, resamples=resamples, seed=seed, on_step=on_step)
    by_map, by_map_50 = _gain(draws, 0), _gain(draws, 1)
    with_truth = int(np.count_nonzero(sum(matches.truths for matches in one))) if one else 0
    return Comparison(
        pictures=len(truths),
        map=by_map,
        map_50=by_map_50,
        resamples=resamples,
        verdict=_verdict(by_map, with_truth),
        with_truth=with_truth,
        seed=seed,
        coverage=measured_coverage(with_truth),
    )


def _gain(draws: Draws, side: int) -> Gain:
    value, gains = float(draws.gain[side]), draws.gains[:, side]
    if np.isnan(value) or len(gains) == 0:
        return Gain(None, None, None)
    return Gain(value, widest(draws, side), float((gains > 0).mean()))


def _verdict(gain: Gain, with_truth: int) -> str:
    if gain.interval_95 is None:
        return "no truth"
    if with_truth < FEWEST_PICTURES:
        return "too few pictures"
    low, high = gain.interval_95
    if low > 0:
        return "better"
    return "worse" if high < 0 else "no clear difference"
