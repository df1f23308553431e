"""Detections + truth -> MapReport: COCO's mean average precision. The only import of torchmetrics."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import supervision as sv
import torch
from numpy.typing import NDArray
from torchmetrics.detection import MeanAveragePrecision

from cowvision.data.annotations import areas_of, crowds_of, names_of, scores_of
from cowvision.evaluation.average_precision import RECALL_STEPS
from cowvision.evaluation.matching import IOU_THRESHOLDS

# COCO's protocol; torchmetrics wants exactly three limits, of which the last carries mAP.
MAX_DETECTIONS = (1, 10, 100)

FIGURES = {
    "map": "mAP@[.50:.95]", "map_50": "AP50", "map_75": "AP75",
    "map_small": "AP small", "map_medium": "AP medium", "map_large": "AP large",
    "mar_1": "AR1", "mar_10": "AR10", "mar_100": "AR100",
    "mar_small": "AR small", "mar_medium": "AR medium", "mar_large": "AR large",
}  # fmt: skip
"""COCO's twelve figures in COCO's order: name in a MapReport, name for people."""


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
        mar_small: Average recall with 100 detections of areas below 32² pixels; mar_medium and mar_large as with mAP.
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
    mar_small: float | None = None
    mar_medium: float | None = None
    mar_large: float | None = None

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
    figures = dict.fromkeys(FIGURES) | _figures(summary)
    return MapReport(
        pictures=len(truths),
        truths=sum(counts.values()),
        per_class=_per_class(summary, names, counts),
        **figures,
    )


def classes_of(truths: Sequence[sv.Detections]) -> tuple[str, ...]:
    """Return the names that occur in truths, sorted."""
    return tuple(sorted({str(name) for truth in truths for name in names_of(truth)}))


def truth_counts(truths: Sequence[sv.Detections], names: Sequence[str]) -> dict[str, int]:
    """Return the number of true boxes of each class; crowds do not count."""
    counted = [names_of(truth)[~crowds_of(truth)] for truth in truths]
    return {name: int(sum((labels == name).sum() for labels in counted)) for name in names}


def _summary(
    found: Sequence[sv.Detections], truths: Sequence[sv.Detections], names: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Precisions (IoU, recall, class, area, limit) and recalls (IoU, class, area, limit) of the classes that occur.

    torchmetrics rounds its own figures to float32, and for those by class it measures everything once more.
    """
    metric = MeanAveragePrecision(
        iou_type="bbox",
        extended_summary=True,
        iou_thresholds=IOU_THRESHOLDS.tolist(),
        rec_thresholds=RECALL_STEPS.tolist(),  # torchmetrics' own are float32: a recall of exactly 0.2 misses its step
        max_detection_thresholds=list(MAX_DETECTIONS),
        backend="faster_coco_eval",
        sync_on_compute=False,  # under torchrun every process is given all of it already
    )
    metric.warn_on_many_detections = False  # more than 100 are cut by score, as COCO does
    answers = _tensors(found, names, {"scores": lambda one: scores_of(one).astype(np.float64)})
    marks = {"area": areas_of, "iscrowd": lambda one: crowds_of(one).astype(np.int64)}
    metric.update(answers, _tensors(truths, names, marks))
    summary = metric.compute()
    return {key: np.atleast_1d(summary[key].numpy()) for key in ("precision", "recall", "classes")}


def _tensors(
    pictures: Sequence[sv.Detections], names: Sequence[str], columns: dict[str, Callable[[sv.Detections], NDArray[Any]]]
) -> list[dict[str, torch.Tensor]]:
    """What torchmetrics takes, per picture: boxes and labels (places among the names, from 1) of these classes, more.

    All pictures are converted together and cut in pieces, which is several times as fast as one by one.
    """
    number = {name: place for place, name in enumerate(names, start=1)}
    labels = np.concatenate([names_of(one) for one in pictures]).tolist()
    numbers = np.array([number.get(name, 0) for name in labels], dtype=np.int64)
    kept, picture = numbers > 0, np.repeat(np.arange(len(pictures)), [len(one) for one in pictures])
    ends = np.searchsorted(picture[kept], np.arange(len(pictures) - 1), side="right")
    xyxy = np.concatenate([np.reshape(one.xyxy, (-1, 4)) for one in pictures]).astype(np.float64)
    flat = {"boxes": xyxy, "labels": numbers}
    flat |= {key: np.concatenate([column(one) for one in pictures]) for key, column in columns.items()}
    pieces = [[torch.from_numpy(piece) for piece in np.split(values[kept], ends)] for values in flat.values()]
    return [dict(zip(flat, row, strict=True)) for row in zip(*pieces, strict=True)]


def _figures(summary: dict[str, NDArray[np.float64]]) -> dict[str, float | None]:
    """COCO's twelve, by their names in a MapReport; all None without truth."""
    if not summary:
        return {}
    precision, recall = summary["precision"], summary["recall"]
    by_size = {"": 0, "_small": 1, "_medium": 2, "_large": 3}
    figures = {f"map{size}": _mean(precision[..., place, -1]) for size, place in by_size.items()}
    figures |= {f"map_{round(100 * IOU_THRESHOLDS[at])}": _mean(precision[at, ..., 0, -1]) for at in (0, 5)}
    figures |= {f"mar_{limit}": _mean(recall[..., 0, place]) for place, limit in enumerate(MAX_DETECTIONS)}
    return figures | {f"mar{size}": _mean(recall[..., place, -1]) for size, place in by_size.items() if size}


def _per_class(
    summary: dict[str, NDArray[np.float64]], names: Sequence[str], counts: dict[str, int]
) -> dict[str, ClassReport]:
    places = {int(number): place for place, number in enumerate(summary.get("classes", ()))}
    reports = {}
    for number, name in enumerate(names, start=1):
        place = places.get(number)
        known = place is not None and counts[name] > 0
        reports[name] = ClassReport(
            map=_mean(summary["precision"][:, :, place, 0, -1]) if known else None,
            mar_100=_mean(summary["recall"][:, place, 0, -1]) if known else None,
            truths=counts[name],
        )
    return reports


def _mean(values: NDArray[np.float64]) -> float | None:
    """Mean of what is known; COCO's tools write -1 where there is no truth."""
    known = values[values > -1]
    return float(known.mean()) if known.size else None
