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
from cowvision.evaluation.error_costs import error_costs
from cowvision.evaluation.matching import match_class
from cowvision.evaluation.metrics import FIGURES, classes_of, measure
from cowvision.evaluation.verification import verify

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "real" / "coco_eval_reference"
TIDE = {
    "person": (0.78834239, 0.09284573, 0.0, 0.0, 0.0, 0.0, 0.10841830),
    "cow": (0.66336634, 0.33663366, 0.0, 0.0, 0.0, 0.0, 0.0),
    "chair": (0.90208234, 0.04841271, 0.0, 0.0, 0.0, 0.0, 0.03935009),
    "car": (0.71881188, 0.22178218, 0.0, 0.0, 0.0, 0.0, 0.03894389),
    "bowl": (0.72173007, 0.22876498, 0.0, 0.0, 0.0, 0.0, 0.02866076),
}
"""AP50 and what the six kinds of error cost, as tidecv 1.0.1 gave them for these files, class by class."""

TIDE_MEAN = (0.697082736, 0.167427550, 0.00249882131, 0.0, 0.000205992259, 0.0, 0.0821518636)
"""The same, averaged over the 70 classes with truth."""

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
    return dict(zip(FIGURES, run.stats, strict=True))


PUBLISHED = {
    "map": 0.503647, "map_50": 0.696973, "map_75": 0.571667,
    "map_small": 0.593252, "map_medium": 0.557991, "map_large": 0.489363,
    "mar_1": 0.386813, "mar_10": 0.593680, "mar_100": 0.595353,
}  # fmt: skip


def test_pycocotools_gives_the_published_figures(expected) -> None:
    assert {key: expected[key] for key in PUBLISHED} == pytest.approx(PUBLISHED, abs=1e-6)


def test_the_report_equals_pycocotools(reference, expected) -> None:
    report = measure(*reference, class_names=None).as_dict()
    assert len(expected) == 12
    assert {key: report[key] for key in FIGURES} == pytest.approx(expected, abs=1e-9)


def test_all_tools_agree(reference) -> None:
    told = verify(*reference, class_names=None)
    assert [row.name for row in told.rows] == list(FIGURES.values())
    assert told.agree and told.largest_difference < 1e-9


def test_the_kept_matches_equal_pycocotools(reference, expected) -> None:
    found, truths = reference
    rows = np.array([match_class(found, truths, name).average_precision() for name in classes_of(truths)])
    assert np.nanmean(rows) == pytest.approx(expected["map"], abs=1e-6)
    assert np.nanmean(rows[:, 0]) == pytest.approx(expected["map_50"], abs=1e-6)


def test_what_errors_cost_is_what_tide_says(reference) -> None:
    found, truths = reference
    told = {name: error_costs(found, truths, class_name=name) for name in classes_of(truths)}
    rows = {name: (one.ap_50, *one.costs.values()) for name, one in told.items() if one.ap_50 is not None}
    assert {name: rows[name] for name in TIDE} == {name: pytest.approx(row, abs=1e-7) for name, row in TIDE.items()}
    assert len(rows) == 70
    assert np.mean(list(rows.values()), axis=0) == pytest.approx(TIDE_MEAN, abs=1e-7)
