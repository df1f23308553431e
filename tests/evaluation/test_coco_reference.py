"""The published figures of a hundred COCO pictures, from pycocotools, to 1e-6."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
import supervision as sv
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cowvision.data.annotations import truth_boxes
from cowvision.evaluation.matching import match_class
from cowvision.evaluation.metrics import classes_of, measure

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "real" / "coco_eval_reference"
KEYS = ("map", "map_50", "map_75", "map_small", "map_medium", "map_large", "mar_1", "mar_10", "mar_100")

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the reference pictures' truth is not at {FOLDER}"),
]


def read(name: str) -> dict | list:
    return json.loads((FOLDER / name).read_text())


def by_picture(document: dict, rows: list[dict]) -> list[tuple[np.ndarray, list[str], list[dict]]]:
    names = {category["id"]: category["name"] for category in document["categories"]}
    result = []
    for image_id in sorted(image["id"] for image in document["images"]):
        here = [row for row in rows if row["image_id"] == image_id]
        xywh = np.array([row["bbox"] for row in here], dtype=float).reshape(-1, 4)
        xyxy = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]])
        result.append((xyxy, [names[row["category_id"]] for row in here], here))
    return result


@pytest.fixture(scope="module")
def reference() -> tuple[list[sv.Detections], list[sv.Detections]]:
    document = read("gts/sampled_gts_bbox_area.json")
    found = [
        sv.Detections(
            xyxy=xyxy,
            confidence=np.array([row["score"] for row in rows]),
            class_id=np.zeros(len(rows), int),
            data={"class_name": np.array(names, dtype=np.str_)},
        )
        for xyxy, names, rows in by_picture(document, read("cocoapi_results.json"))
    ]
    truths = [
        truth_boxes(xyxy, names, area=[row["area"] for row in rows], crowd=[row["iscrowd"] for row in rows])
        for xyxy, names, rows in by_picture(document, document["annotations"])
    ]
    return found, truths


@pytest.fixture(scope="module")
def expected() -> dict[str, float]:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(FOLDER / "gts" / "sampled_gts_bbox_area.json"))
        run = COCOeval(coco, coco.loadRes(str(FOLDER / "cocoapi_results.json")), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return dict(zip(KEYS, run.stats[:9], strict=True))


def test_pycocotools_gives_the_published_figure(expected) -> None:
    assert expected["map"] == pytest.approx(0.503647, abs=1e-6)


def test_the_report_equals_pycocotools(reference, expected) -> None:
    report = measure(*reference, class_names=None).as_dict()
    assert {key: report[key] for key in KEYS} == pytest.approx(expected, abs=1e-6)


def test_the_kept_matches_equal_pycocotools(reference, expected) -> None:
    found, truths = reference
    rows = np.array([match_class(found, truths, name).average_precision() for name in classes_of(truths)])
    assert np.nanmean(rows) == pytest.approx(expected["map"], abs=1e-6)
    assert np.nanmean(rows[:, 0]) == pytest.approx(expected["map_50"], abs=1e-6)
