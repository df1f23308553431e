"""Which detection of a picture meets which true box: COCO's greedy matching, computed once and kept.

Source: the COCO evaluation protocol (https://cocodataset.org/#detection-eval) as pycocotools runs it: detections in the
order of their scores, ties in the order they came; each takes the free true box it overlaps most. Many pictures and all
thresholds are matched side by side: the first detection of each, the second of each, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import crowds_of, names_of, scores_of
from cowvision.evaluation.average_precision import Runs, average_precisions, copies_of, curves, runs_of

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
MOST_DETECTIONS = 100
_TOGETHER = 256  # pictures matched side by side
_ELEMENTS = 2_000_000  # of their overlaps: 16 MB


@dataclass(frozen=True, eq=False)
class ClassMatches:
    """Matches of one class on a set of pictures, best detection first over all pictures.

    Attributes:
        picture: (d,) int, the picture each detection is on.
        hit: (10, d) bool per IoU threshold, true where the detection meets a true box.
        ignored: (10, d) bool, true where it meets a crowd and does not count at all.
        truths: (pictures,) int, true boxes of each picture.
        score: (d,) float, the score of each detection.
    """

    picture: NDArray[np.intp]
    hit: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    truths: NDArray[np.int64]
    score: NDArray[np.floating[Any]]

    @cached_property
    def runs(self) -> list[Runs]:
        """Runs of hits per IoU threshold."""
        return [runs_of(*rows) for rows in zip(self.hit, self.ignored, strict=True)]

    def average_precision(self, copies: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Return the average precision per IoU threshold, (10,); NaN where no true box is left.

        Args:
            copies: (pictures,) int, how often each picture counts in a resample; once each by default.
        """
        copies = np.ones(len(self.truths), dtype=np.int64) if copies is None else copies
        weights = copies_of(copies[None], self.picture)
        return np.asarray(average_precisions(curves(self.runs, weights), copies[None] @ self.truths)[0])


def match_class(found: Sequence[sv.Detections], truths: Sequence[sv.Detections], class_name: str) -> ClassMatches:
    """Match the detections of one class picture by picture and put them in the order of their scores.

    Raises:
        ValueError: Not as many answers as truths.
    """
    if len(found) != len(truths):
        raise ValueError(f"expected as many answers as truths, got {len(found)} and {len(truths)}")
    boxes, real = _best_first(_flat(found, class_name, scores_of)), _flat(truths, class_name, crowds_of)
    crowd = real.value.astype(bool)
    animals, crowds = real.chosen(~crowd), real.chosen(crowd)
    hit = np.zeros((len(IOU_THRESHOLDS), len(boxes.xyxy)), dtype=bool)
    for rows, overlap in _overlaps_by_group(boxes, animals):
        hit[:, rows[rows >= 0]] = (_greedy(overlap, IOU_THRESHOLDS) >= 0).transpose(1, 0, 2)[:, rows >= 0]
    inside = np.zeros(len(boxes.xyxy))
    for rows, share in _overlaps_by_group(boxes, crowds, crowd=True):
        inside[rows[rows >= 0]] = share.max(axis=2)[rows >= 0]
    order = np.argsort(-boxes.value, kind="stable")
    return ClassMatches(
        picture=boxes.picture[order],
        hit=hit[:, order],
        ignored=(~hit & (inside >= IOU_THRESHOLDS[:, None]))[:, order],
        truths=np.bincount(animals.picture, minlength=len(truths)),
        score=boxes.value[order],
    )


def match_boxes(
    boxes: NDArray[Any], truths: NDArray[Any], crowds: NDArray[Any], threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Match boxes of one class on one picture, best first, as COCO does.

    Args:
        boxes: (d, 4) detections, best first.
        truths: (t, 4) true boxes, each met once at most.
        crowds: (c, 4) crowd regions, which take any number.
        threshold: Least IoU of a match, above 0.

    Returns:
        (d,) places of the true boxes met, -1 for none; and (d,) bool, whether an unmatched one lies in a crowd.
    """
    places = _greedy(overlaps(boxes, truths)[None], np.array([threshold]))[0, 0]
    inside = overlaps(boxes, crowds, crowd=True).max(axis=1, initial=0.0) >= threshold
    return places, inside & (places < 0)


def overlaps(boxes: NDArray[Any], truths: NDArray[Any], *, crowd: bool = False) -> NDArray[np.float64]:
    """IoU in float64 of each of (..., d, 4) boxes with each of (..., t, 4) true ones, (..., d, t).

    For crowds it is the share of the box that lies inside.
    """
    one, other = np.asarray(boxes, np.float64)[..., :, None, :], np.asarray(truths, np.float64)[..., None, :, :]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = sides.clip(min=0).prod(axis=-1)
    areas = (one[..., 2:] - one[..., :2]).prod(axis=-1)
    whole = areas if crowd else areas + (other[..., 2:] - other[..., :2]).prod(axis=-1) - shared
    return np.asarray(shared / np.maximum(whole, 1e-12))


class _Flat(NamedTuple):
    """Boxes of one class on many pictures: (n, 4), the picture of each (ascending), and a score or whether a crowd."""

    xyxy: NDArray[np.float64]
    picture: NDArray[np.intp]
    value: NDArray[Any]

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> _Flat:
        """These boxes alone."""
        return _Flat(self.xyxy[which], self.picture[which], self.value[which])

    def places(self, pictures: NDArray[np.intp]) -> NDArray[np.intp]:
        """Places of the boxes of some pictures, (pictures, most boxes), -1 where a picture has fewer."""
        first = np.searchsorted(self.picture, pictures)
        count = np.searchsorted(self.picture, pictures, side="right") - first
        number = np.arange(count.max(initial=0))
        return np.where(number < count[:, None], first[:, None] + number, -1)


def _flat(
    pictures: Sequence[sv.Detections], class_name: str, value_of: Callable[[sv.Detections], NDArray[Any]]
) -> _Flat:
    rows = [(place, one, names_of(one) == class_name) for place, one in enumerate(pictures) if len(one)]
    counts = [int(mask.sum()) for _, _, mask in rows]
    return _Flat(
        np.concatenate([np.zeros((0, 4)), *(one.xyxy[mask] for _, one, mask in rows)]),
        np.repeat(np.array([place for place, _, _ in rows], dtype=np.intp), counts),
        np.concatenate([value_of(one)[mask] for _, one, mask in rows] or [np.zeros(0)]),
    )


def _best_first(boxes: _Flat) -> _Flat:
    """The best detections of each picture, in the order of their scores, ties as they came."""
    boxes = boxes.chosen(np.lexsort((-boxes.value, boxes.picture)))
    rank = np.arange(len(boxes.picture)) - np.searchsorted(boxes.picture, boxes.picture)
    return boxes.chosen(rank < MOST_DETECTIONS)


def _overlaps_by_group(
    boxes: _Flat, truths: _Flat, *, crowd: bool = False
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float64]]]:
    """Places of the detections of some pictures, (p, d), -1 for none, and their overlaps with what is true, (p, d, t).

    Pictures with as many boxes as each other come together; those without detections or truth not at all.
    """
    both = np.intersect1d(boxes.picture, truths.picture)
    sizes = np.array([np.bincount(side.picture)[both] for side in (boxes, truths)]).reshape(2, -1)
    order = np.argsort(sizes.prod(axis=0), kind="stable")
    both, sizes = both[order], sizes[:, order]
    start = 0
    while start < len(both):
        widest = np.maximum.accumulate(sizes[:, start : start + _TOGETHER], axis=1).prod(axis=0)
        fit = np.searchsorted(widest * np.arange(1, len(widest) + 1), _ELEMENTS, side="right")
        group = both[start : start + max(1, int(fit))]
        rows, columns = boxes.places(group), truths.places(group)
        known = (rows >= 0)[:, :, None] & (columns >= 0)[:, None]
        yield rows, np.where(known, overlaps(boxes.xyxy[rows], truths.xyxy[columns], crowd=crowd), 0.0)
        start += len(group)


def _greedy(overlap: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.intp]:
    """Place of the true box each detection takes, (p, thresholds, d), -1 for none, from overlaps (p, d, t).

    Of equal overlaps the last is taken, as in pycocotools.
    """
    pictures, boxes, truths = overlap.shape
    places = np.full((pictures, len(thresholds), boxes), -1, dtype=np.intp)
    free = np.ones((pictures, len(thresholds), truths), dtype=bool)
    for number in range(boxes if truths else 0):
        left = np.where(free, overlap[:, None, number], 0.0)[..., ::-1]
        place = truths - 1 - left.argmax(axis=2)
        meets = left.max(axis=2) >= thresholds
        places[:, :, number][meets] = place[meets]
        free[(*np.nonzero(meets), place[meets])] = False
    return places
