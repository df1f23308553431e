"""Which detection of a picture meets which true box: COCO's greedy matching, computed once and kept.

Source: the COCO evaluation protocol (https://cocodataset.org/#detection-eval) as pycocotools runs it: detections in the
order of their scores, ties in the order they came; each takes the free true box it overlaps most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import chosen, crowds_of, names_of, scores_of

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALL_STEPS = np.linspace(0.0, 1.0, 101)
_MOST_DETECTIONS = 100


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

    def average_precision(self, copies: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Return the average precision per IoU threshold, (10,); NaN where no true box is left.

        Args:
            copies: (pictures,) int, how often each picture counts in a resample; once each by default.
        """
        copies = np.ones(len(self.truths), dtype=np.int64) if copies is None else copies
        truths = int(copies @ self.truths)
        if truths == 0:
            return np.full(len(IOU_THRESHOLDS), np.nan)
        weights = copies[self.picture]
        rows = zip(self.hit, self.ignored, strict=True)
        return np.array([_average_precision(hit, ignored, weights, truths) for hit, ignored in rows])


def match_class(found: Sequence[sv.Detections], truths: Sequence[sv.Detections], class_name: str) -> ClassMatches:
    """Match the detections of one class picture by picture and put them in the order of their scores."""
    rows = [_match_picture(*pair, class_name) for pair in zip(found, truths, strict=True)]
    scores = np.concatenate([row[0] for row in rows] or [np.zeros(0)])
    order = np.argsort(-scores, kind="stable")
    picture = np.repeat(np.arange(len(rows)), [len(row[0]) for row in rows])
    nothing = np.zeros((len(IOU_THRESHOLDS), 0), dtype=bool)
    return ClassMatches(
        picture=picture[order],
        hit=np.hstack([nothing, *(row[1] for row in rows)])[:, order],
        ignored=np.hstack([nothing, *(row[2] for row in rows)])[:, order],
        truths=np.array([(~crowds_of(truth))[names_of(truth) == class_name].sum() for truth in truths], dtype=np.int64),
        score=scores[order],
    )


def match_boxes(
    boxes: NDArray[Any], truths: NDArray[Any], crowds: NDArray[Any], threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Match boxes of one class on one picture, best first, as COCO does.

    Args:
        boxes: (d, 4) detections, best first.
        truths: (t, 4) true boxes, each met once at most.
        crowds: (c, 4) crowd regions, which take any number.
        threshold: Least IoU of a match.

    Returns:
        (d,) places of the true boxes met, -1 for none; and (d,) bool, whether an unmatched one lies in a crowd.
    """
    together = np.concatenate([np.reshape(truths, (-1, 4)), np.reshape(crowds, (-1, 4))])
    crowd = np.arange(len(together)) >= len(truths)
    return _places_at(threshold, _overlap(boxes, together, crowd), crowd)


def overlaps(boxes: NDArray[Any], truths: NDArray[Any]) -> NDArray[np.float64]:
    """IoU of each of (d, 4) boxes with each of (t, 4) true ones, (d, t)."""
    return _overlap(boxes, truths, np.zeros(len(truths), dtype=bool))


def _match_picture(
    found: sv.Detections, truth: sv.Detections, class_name: str
) -> tuple[NDArray[np.floating[Any]], NDArray[np.bool_], NDArray[np.bool_]]:
    """Scores (d,), hit and ignored (10, d) of one picture, best first."""
    found = chosen(found, names_of(found) == class_name)
    truth = chosen(truth, names_of(truth) == class_name)
    scores = scores_of(found)
    order = np.argsort(-scores, kind="stable")[:_MOST_DETECTIONS]
    crowd = crowds_of(truth)
    places = np.argsort(crowd, kind="stable")  # true animals first, crowds as a last resort
    overlap = _overlap(found.xyxy[order], truth.xyxy[places], crowd[places])
    results = [_match_at(threshold, overlap, crowd[places]) for threshold in IOU_THRESHOLDS]
    shape = (len(IOU_THRESHOLDS), len(order))
    hit, ignored = (np.array([result[side] for result in results], dtype=bool).reshape(shape) for side in (0, 1))
    return scores[order], hit, ignored


def _overlap(boxes: NDArray[Any], truths: NDArray[Any], crowd: NDArray[np.bool_]) -> NDArray[np.float64]:
    """IoU (d, t) in float64; for a crowd the share of the detection that lies inside it."""
    one, other = boxes.astype(np.float64)[:, None], truths.astype(np.float64)[None]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = sides.clip(min=0).prod(axis=2)
    areas = (one[..., 2:] - one[..., :2]).prod(axis=2)
    union = areas + (other[..., 2:] - other[..., :2]).prod(axis=2) - shared
    return np.asarray(shared / np.maximum(np.where(crowd[None], areas, union), 1e-12))


def _match_at(
    threshold: float, overlap: NDArray[np.float64], crowd: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Hit and ignored (d,) of one picture at one IoU threshold."""
    places, ignored = _places_at(threshold, overlap, crowd)
    return places >= 0, ignored


def _places_at(
    threshold: float, overlap: NDArray[np.float64], crowd: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Place of the true box each detection meets (-1: none), and whether it lies in a crowd instead."""
    places, ignored = np.full(len(overlap), -1, dtype=np.intp), np.zeros(len(overlap), dtype=bool)
    free = np.ones(len(crowd), dtype=bool)
    for number, row in enumerate(overlap):
        met = _best(row, free & ~crowd, threshold)
        if met is None:
            ignored[number] = _best(row, crowd, threshold) is not None  # a crowd takes any number
            continue
        free[met] = False
        places[number] = met
    return places, ignored


def _best(row: NDArray[np.float64], allowed: NDArray[np.bool_], threshold: float) -> int | None:
    """Place of the largest overlap that reaches the threshold; of equal ones the last, as in pycocotools."""
    reached = np.flatnonzero(allowed & (row >= threshold))
    if len(reached) == 0:
        return None
    return int(reached[len(reached) - 1 - row[reached][::-1].argmax()])


def _average_precision(
    hit: NDArray[np.bool_], ignored: NDArray[np.bool_], weights: NDArray[np.int64], truths: int
) -> float:
    """Area under the precision-recall curve at 101 recalls; `weights` counts copies of each detection."""
    places = np.flatnonzero(hit & (weights > 0))
    found = np.cumsum(weights[places])
    counted = np.cumsum(np.where(ignored, 0, weights))[places]
    precision = np.maximum.accumulate((found / counted)[::-1])[::-1]
    steps = np.searchsorted(found / truths, RECALL_STEPS, side="left")
    return float(np.append(precision, np.zeros(1))[np.minimum(steps, len(precision))].mean())
