"""The same figures from three tools that were written apart: does what the page shows hold?

torchmetrics (over faster-coco-eval) gives the report of ``metrics.measure``; pycocotools, the reference, and
faster-coco-eval are asked here without torchmetrics, on COCO documents of our own making.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import faster_coco_eval
import numpy as np
import supervision as sv
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cowvision.data.annotations import areas_of, chosen, crowds_of, names_of, scores_of
from cowvision.evaluation.metrics import FIGURES, classes_of, measure

TOLERANCE = 1e-6


class VerifiedFigure(NamedTuple):
    """One figure from three tools, 0..1; None where there is no truth for it."""

    name: str
    torchmetrics: float | None
    pycocotools: float | None
    faster_coco_eval: float | None

    @property
    def difference(self) -> float:
        """Largest minus smallest; infinite where one tool knows a figure and another does not."""
        known = [value for value in self[1:] if value is not None]
        if len(known) in {0, len(self) - 1}:
            return max(known, default=0.0) - min(known, default=0.0)
        return float("inf")


@dataclass(frozen=True)
class Verification:
    """COCO's twelve figures, each from three tools."""

    rows: tuple[VerifiedFigure, ...]

    @property
    def largest_difference(self) -> float:
        """How far the tools are apart at most."""
        return max(row.difference for row in self.rows)

    @property
    def agree(self) -> bool:
        """Whether all figures are equal to 1e-6."""
        return self.largest_difference <= TOLERANCE


_SCREEN = threading.Lock()  # it is redirected for the whole process, one at a time


def verify(
    found: Sequence[sv.Detections], truths: Sequence[sv.Detections], *, class_names: Sequence[str] | None = ("cow",)
) -> Verification:
    """Measure anew with each tool; arguments and errors as ``metrics.measure``."""
    report = measure(found, truths, class_names=class_names).as_dict()
    names = tuple(class_names) if class_names is not None else classes_of(truths)
    truth, results = truth_document(truths, names), results_document(found, names)
    if not truth["annotations"]:
        return Verification(tuple(VerifiedFigure(name, None, None, None) for name in FIGURES.values()))
    slow, fast = by_pycocotools(truth, results), by_faster_coco_eval(truth, results)
    rows = zip(FIGURES.items(), slow, fast, strict=True)
    return Verification(tuple(VerifiedFigure(name, report[key], one, other) for (key, name), one, other in rows))


def by_pycocotools(truth: dict[str, Any], results: list[dict[str, Any]]) -> list[float | None]:
    """The twelve figures as pycocotools gives them."""
    return _figures(COCO, COCOeval, truth, results)


def by_faster_coco_eval(truth: dict[str, Any], results: list[dict[str, Any]]) -> list[float | None]:
    """The twelve figures as faster-coco-eval gives them."""
    return _figures(faster_coco_eval.COCO, faster_coco_eval.COCOeval_faster, truth, results)


def _figures(data: Any, evaluator: Any, truth: dict[str, Any], results: list[dict[str, Any]]) -> list[float | None]:
    """The twelve figures of one tool; both have the same interface and write to the screen."""
    with _SCREEN, contextlib.redirect_stdout(io.StringIO()):
        known = data()
        known.dataset = truth
        known.createIndex()
        given = data()
        given.dataset = {key: truth[key] for key in ("images", "categories")} | {"annotations": results}
        given.createIndex()
        run = evaluator(known, given, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [None if value < 0 else float(value) for value in run.stats[: len(FIGURES)]]


def truth_document(truths: Sequence[sv.Detections], names: Sequence[str]) -> dict[str, Any]:
    """COCO ground truth; ids count from 1."""
    rows = []
    for image_id, truth in enumerate(truths, start=1):
        kept = chosen(truth, np.isin(names_of(truth), names))
        marks = zip(areas_of(kept).tolist(), crowds_of(kept).astype(int).tolist(), strict=True)
        extras = [{"area": area, "iscrowd": crowd, "ignore": crowd} for area, crowd in marks]
        rows += [row | extra for row, extra in zip(_boxes(kept, names, image_id), extras, strict=True)]
    return {
        "images": [{"id": number, "file_name": f"{number}"} for number in range(1, len(truths) + 1)],
        "annotations": _numbered(rows),
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, start=1)],
    }


def results_document(found: Sequence[sv.Detections], names: Sequence[str]) -> list[dict[str, Any]]:
    """COCO results of these classes, with what the tools would add to them."""
    rows = []
    for image_id, one in enumerate(found, start=1):
        kept = chosen(one, np.isin(names_of(one), names))
        scores = np.asarray(scores_of(kept), np.float64).tolist()
        boxes = _boxes(kept, names, image_id)
        rows += [
            row | {"score": score, "area": row["bbox"][2] * row["bbox"][3], "iscrowd": 0}
            for row, score in zip(boxes, scores, strict=True)
        ]
    return _numbered(rows)


def _boxes(boxes: sv.Detections, names: Sequence[str], image_id: int) -> list[dict[str, Any]]:
    corners = np.asarray(boxes.xyxy, dtype=np.float64).reshape(-1, 4)
    xywh = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]]).tolist()
    numbers = [list(names).index(name) + 1 for name in names_of(boxes)]
    pairs = zip(xywh, numbers, strict=True)
    return [{"image_id": image_id, "category_id": number, "bbox": box} for box, number in pairs]


def _numbered(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": number, **row} for number, row in enumerate(rows, start=1)]
