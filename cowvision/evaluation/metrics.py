"""Detections + truth -> MapReport: COCO's mean average precision. The only import of torchmetrics."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import supervision as sv
import torch
from torchmetrics.detection import MeanAveragePrecision

from cowvision.data.annotations import areas_of, chosen, crowds_of, names_of, scores_of
from cowvision.evaluation.matching import IOU_THRESHOLDS, RECALL_STEPS

# COCO's protocol; torchmetrics wants exactly three limits, of which the last carries mAP.
MAX_DETECTIONS = (1, 10, 100)


@dataclass(frozen=True)
class ClassReport:
    """One class: average precision and recall at 100 detections (0..1, None without truth), true boxes."""

    map: float | None
    mar_100: float | None
    truths: int


@dataclass(frozen=True)
class MapReport:
    """COCO's summary over a set of pictures; every figure lies in 0..1, None means that there is no truth for it.

    Attributes:
        pictures: Pictures measured, those without animals included.
        truths: True boxes of the measured classes, crowds left out.
        map: mAP@[.50:.95]; map_50 and map_75 at one IoU.
        map_small: mAP of areas below 32² pixels; map_medium up to 96², map_large above.
        mar_1: Average recall with one detection a picture; mar_10 and mar_100 with more.
        per_class: By class name.
    """

    pictures: int
    truths: int
    map: float | None
    map_50: float | None
    map_75: float | None
    map_small: float | None
    map_medium: float | None
    map_large: float | None
    mar_1: float | None
    mar_10: float | None
    mar_100: float | None
    per_class: dict[str, ClassReport]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def measure(
    found: Sequence[sv.Detections], truths: Sequence[sv.Detections], *, class_names: Sequence[str] | None = ("cow",)
) -> MapReport:
    """Measure raw detections against the truth of the same pictures, in the same order.

    Args:
        found: Detections per picture with `confidence` and `data["class_name"]`, not thresholded.
        truths: Truth per picture, as from `truth_boxes`; empty where nothing is on the picture.
        class_names: Classes that count; whatever else a model knows or a truth names is left out, so that models
            of different classes are judged alike. None takes every class the truth names.

    Raises:
        ValueError: Not as many answers as truths.
    """
    if len(found) != len(truths):
        raise ValueError(f"expected as many answers as truths, got {len(found)} and {len(truths)}")
    names = tuple(class_names) if class_names is not None else classes_of(truths)
    counts = truth_counts(truths, names)
    summary = _summary(found, truths, names) if any(counts.values()) else {}
    return MapReport(
        pictures=len(truths),
        truths=sum(counts.values()),
        per_class=_per_class(summary, names, counts),
        **{key: _score(summary, key) for key in MapReport.__annotations__ if key.startswith(("map", "mar"))},
    )


def classes_of(truths: Sequence[sv.Detections]) -> tuple[str, ...]:
    """Return the names that occur in truths, sorted."""
    return tuple(sorted({str(name) for truth in truths for name in names_of(truth)}))


def truth_counts(truths: Sequence[sv.Detections], names: Sequence[str]) -> dict[str, int]:
    """Return the number of true boxes of each class; crowds do not count."""
    counted = [names_of(truth)[~crowds_of(truth)] for truth in truths]
    return {name: int(sum((labels == name).sum() for labels in counted)) for name in names}


def _summary(found: Sequence[sv.Detections], truths: Sequence[sv.Detections], names: Sequence[str]) -> dict[str, Any]:
    metric = MeanAveragePrecision(
        iou_type="bbox",
        class_metrics=True,
        iou_thresholds=IOU_THRESHOLDS.tolist(),
        rec_thresholds=RECALL_STEPS.tolist(),  # torchmetrics' own are float32: a recall of exactly 0.2 misses its step
        max_detection_thresholds=list(MAX_DETECTIONS),
        backend="faster_coco_eval",
    )
    metric.warn_on_many_detections = False  # more than 100 are cut by score, as COCO does
    metric.update([_answer(one, names) for one in found], [_truth(one, names) for one in truths])
    return metric.compute()


def _answer(detections: sv.Detections, names: Sequence[str]) -> dict[str, torch.Tensor]:
    kept = chosen(detections, np.isin(names_of(detections), names))
    return _boxes_and_labels(kept, names) | {"scores": torch.as_tensor(scores_of(kept), dtype=torch.float64)}


def _truth(truth: sv.Detections, names: Sequence[str]) -> dict[str, torch.Tensor]:
    kept = chosen(truth, np.isin(names_of(truth), names))
    return _boxes_and_labels(kept, names) | {
        "area": torch.as_tensor(areas_of(kept), dtype=torch.float64),
        "iscrowd": torch.as_tensor(crowds_of(kept), dtype=torch.int64),
    }


def _boxes_and_labels(detections: sv.Detections, names: Sequence[str]) -> dict[str, torch.Tensor]:
    numbers = [list(names).index(name) + 1 for name in names_of(detections)]
    return {
        "boxes": torch.as_tensor(detections.xyxy, dtype=torch.float64).reshape(-1, 4),
        "labels": torch.as_tensor(numbers, dtype=torch.int64),
    }


def _per_class(summary: dict[str, Any], names: Sequence[str], counts: dict[str, int]) -> dict[str, ClassReport]:
    places = {int(number): place for place, number in enumerate(np.atleast_1d(summary.get("classes", [])))}
    return {
        name: ClassReport(
            map=_score(summary, "map_per_class", places.get(number)),
            mar_100=_score(summary, "mar_100_per_class", places.get(number)),
            truths=counts[name],
        )
        for number, name in enumerate(names, start=1)
    }


def _score(summary: dict[str, Any], key: str, place: int | None = 0) -> float | None:
    """One figure; torchmetrics writes -1 where there is no truth."""
    if key not in summary or place is None:
        return None
    value = float(np.atleast_1d(summary[key])[place])
    return None if value < 0 else value
