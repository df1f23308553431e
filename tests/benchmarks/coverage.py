"""How often a 95 % interval holds the true gain: `python -m tests.benchmarks.coverage` (some minutes on two cores).

The truth about a gain is known only where the pictures are made up. Each simulated data set is a set of pictures and
the matches of two models on them, as `evaluation.matching` would give them:

- A picture has a difficulty that both models share, and a Poisson number of cows around a mean that itself varies from
  picture to picture (gamma, shape 1.5): many pictures have a few cows or none, some have a crowd.
- A cow has a difficulty of its own, shared too. A model's grasp of it is the model's skill plus both difficulties plus
  noise of the model's own; so hits are correlated within a picture and between the models, as on real pictures.
- The grasp decides the overlap (IoU) of the box, and, with more noise, its score. Below an IoU of 0.35 there is no box.
- False alarms come in Poisson numbers around a mean that both models share per picture (gamma, shape 1), with scores
  mostly below those of hits. Scores have three digits, so there are ties.

Four herds: models of usual quality that are apart or close, pictures with few cows, and strong models. The true gain of
each is that of 200,000 pictures. A fifth stands apart, for two models that are nearly alike, as two checkpoints of one
training are: one cow a picture, each model misses 3 % of them by chance and does all the rest as the other does; its
true gain is 0. It is not in the means, for it is an extreme. For each herd and size there are 400 data sets, each with
1,000 resamples. Coverage is the share of data sets whose interval holds the true gain; with 400 it is known to about
1.1 points, with 1,600 to 0.6.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from rich.console import Console
from rich.table import Table

from cowvision.evaluation.bootstrap import Draws, Interval, bca, draw, percentile, studentised, widest
from cowvision.evaluation.matching import IOU_THRESHOLDS, ClassMatches

SIZES, DATA_SETS, RESAMPLES, POPULATION = (15, 30, 100), 400, 1_000, 200_000
METHODS: dict[str, Callable[[Draws, int], Interval]] = {
    "percentile": percentile, "BCa": bca, "studentised": studentised, "widest": widest,
}  # fmt: skip
FIGURES = ("mAP", "AP50")


@dataclass(frozen=True)
class Herd:
    """A kind of pictures and two models: mean cows and false alarms a picture, and the skills of both models.

    Where ``misses`` is above 0 the models are nearly alike, and it is the share that each misses by chance.
    """

    name: str
    cows: float
    false_alarms: float
    skills: tuple[float, float]
    misses: float = 0.0


HERDS = (
    Herd("apart", 4.0, 1.0, (0.6, 0.2)),
    Herd("close", 4.0, 1.0, (0.3, 0.2)),
    Herd("few cows", 1.2, 0.8, (0.6, 0.1)),
    Herd("strong", 5.0, 0.5, (1.6, 1.0)),
    Herd("nearly alike", 1.0, 0.0, (0.0, 0.0), misses=0.03),
)
USUAL = 4
"""Herds, from the first, whose mean is told."""


def main() -> None:
    """Print one table: a row for each figure and size, a column for each method, the herds behind the mean."""
    table = Table("Figure", "Pictures", *METHODS, "Width", title="Data sets whose 95 % interval holds the true gain, %")
    held = measure()
    for side, figure in enumerate(FIGURES):
        for number, size in enumerate(SIZES):
            cells = [_cell(held[:, number, :, side, place]) for place in range(len(METHODS))]
            widths = held[:USUAL, number, :, side, len(METHODS) :].mean(axis=(0, 1))
            table.add_row(figure, f"{size}", *cells, " / ".join(f"{width:.3f}" for width in widths))
    Console(width=150).print(table)
    Console(width=150).print(
        f"Mean of the first {USUAL} herds (herds: {', '.join(herd.name for herd in HERDS)}); widths in order."
    )


def measure(data_sets: int = DATA_SETS) -> np.ndarray:
    """(herds, sizes, data sets, figures, 2 * methods): for each method whether the truth was held, then the widths."""
    with ProcessPoolExecutor(2) as pool:
        truths = list(pool.map(true_gain, HERDS))
        return np.array([
            [
                list(pool.map(look_at, repeat(herd), repeat(size), repeat(truth), range(data_sets), chunksize=20))
                for size in SIZES
            ]
            for herd, truth in zip(HERDS, truths, strict=True)
        ])  # fmt: skip


def look_at(herd: Herd, size: int, truth: np.ndarray, seed: int) -> np.ndarray:
    """(figures, 2 * methods) for one data set: whether each method's interval holds the truth, and its width."""
    one, other = simulate(herd, size, seed)
    draws = draw([one], [other], resamples=RESAMPLES, seed=seed)
    intervals = np.array([[method(draws, side) for method in METHODS.values()] for side in (0, 1)])
    low, high = intervals[..., 0], intervals[..., 1]
    return np.hstack([(low <= truth[:, None]) & (truth[:, None] <= high), high - low])


def true_gain(herd: Herd) -> np.ndarray:
    """Gain in mAP and AP50 (2,) on a very large set."""
    gain = np.subtract(*(model.average_precision() for model in simulate(herd, POPULATION, seed=10**6)))
    return np.array([gain.mean(), gain[0]])


def simulate(herd: Herd, pictures: int, seed: int) -> tuple[ClassMatches, ClassMatches]:
    """One data set: matches of both models."""
    rng = np.random.default_rng((seed, pictures, HERDS.index(herd)))
    if herd.misses:
        one, other = (_missing(rng, pictures, herd.misses) for _ in range(2))
        return one, other
    cows = rng.poisson(rng.gamma(1.5, herd.cows / 1.5, pictures))
    picture = np.repeat(np.arange(pictures), cows)
    ease = 0.6 * rng.normal(size=pictures)[picture] + 0.7 * rng.normal(size=len(picture))
    alarms = herd.false_alarms * rng.gamma(1.0, 1.0, pictures)
    one, other = (_model(rng, skill + ease, picture, alarms, cows) for skill in herd.skills)
    return one, other


def _missing(rng: np.random.Generator, pictures: int, share: float) -> ClassMatches:
    """One cow a picture, found alike wherever it is not missed."""
    picture = np.flatnonzero(rng.random(pictures) >= share)
    hit = np.full((len(IOU_THRESHOLDS), len(picture)), fill_value=True)
    return ClassMatches(picture, hit, np.zeros_like(hit), np.ones(pictures, np.int64), np.full(len(picture), 0.9))


def _model(
    rng: np.random.Generator, grasp: np.ndarray, picture: np.ndarray, alarms: np.ndarray, cows: np.ndarray
) -> ClassMatches:
    grasp = grasp + 0.6 * rng.normal(size=len(grasp))
    iou, score = _squeezed(grasp + 0.6), _squeezed(0.9 * grasp + 0.7 * rng.normal(size=len(grasp)))
    seen = iou > 0.35
    false = np.repeat(np.arange(len(alarms)), rng.poisson(alarms))
    places = np.concatenate([picture[seen], false])
    overlap = np.concatenate([iou[seen], np.zeros(len(false))])
    scores = np.concatenate([score[seen], _squeezed(-0.8 + 0.9 * rng.normal(size=len(false)))]).round(3)
    order = np.lexsort((places, -scores))
    hit = overlap[order] >= IOU_THRESHOLDS[:, None]
    return ClassMatches(places[order], hit, np.zeros_like(hit), cows, scores[order])


def _squeezed(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def _cell(held: np.ndarray) -> str:
    by_herd = ", ".join(f"{100 * share:.1f}" for share in held.mean(axis=1))
    return f"{100 * held[:USUAL].mean():.1f} ({by_herd})"


if __name__ == "__main__":
    main()
