"""COCO's figures: what counts, and what is said when there is nothing to measure."""

import json
from pathlib import Path

import numpy as np
import pytest
import supervision as sv
from PIL import Image

from cowvision.data.formats import read_coco
from cowvision.evaluation.metrics import measure
from tests.samples import boxes, truth

ONE = [[0, 0, 40, 40]]


def test_every_cow_found_exactly_is_1() -> None:
    report = measure([boxes(ONE, [0.9])], [truth(ONE)])
    assert report.map == report.map_50 == report.mar_100 == 1.0
    assert report.map_medium == 1.0
    assert (report.map_small, report.map_large) == (None, None)
    assert (report.pictures, report.truths) == (1, 1)


def test_without_truth_there_is_no_figure() -> None:
    for found, truths in (([], []), ([boxes(ONE, [0.9])], [truth([])]), ([sv.Detections.empty()], [truth([])])):
        report = measure(found, truths)
        figures = report.as_dict()
        assert all(figures[key] is None for key in figures if key.startswith(("map", "mar")))
        assert report.per_class["cow"].map is None
        json.dumps(figures, allow_nan=False)


def test_nothing_found_is_0_and_not_unknown() -> None:
    report = measure([sv.Detections.empty()], [truth(ONE)])
    assert report.map == report.mar_100 == 0.0


def test_a_false_alarm_on_a_picture_without_cows_costs_precision() -> None:
    alone = measure([boxes(ONE, [0.6])], [truth(ONE)])
    alarmed = measure([boxes(ONE, [0.6]), boxes(ONE, [0.9])], [truth(ONE), truth([])])
    assert alone.map == 1.0
    assert alarmed.map is not None
    assert alarmed.map == pytest.approx(0.5)


def test_other_classes_do_not_count_unless_asked_for() -> None:
    found = sv.Detections.merge([boxes(ONE, [0.6]), boxes([[50, 50, 90, 90]], [0.9], "dog")])
    truths = [sv.Detections.merge([truth(ONE), truth([[100, 0, 140, 40]], "horse")])]
    assert measure([found], truths).map == 1.0
    every = measure([found], truths, class_names=None)
    assert every.map == pytest.approx(0.5)
    assert {name: row.map for name, row in every.per_class.items()} == {"cow": 1.0, "horse": 0.0}


def test_a_cow_called_a_dog_is_missed() -> None:
    assert measure([boxes(ONE, [0.9], "dog")], [truth(ONE)]).map == 0.0


def test_a_crowd_neither_gains_nor_costs() -> None:
    truths = [sv.Detections.merge([truth(ONE), truth([[100, 100, 400, 400]], crowd=[True])])]
    found = boxes([*ONE, [120, 120, 160, 160]], [0.5, 0.9])
    report = measure([found], truths)
    assert report.map == 1.0
    assert report.truths == 1


def test_size_goes_by_visible_area_where_truth_states_it() -> None:
    report = measure([boxes(ONE, [0.9])], [truth(ONE, area=[30 * 30])])
    assert report.map_small == 1.0
    assert report.map_medium is None


def test_as_many_answers_as_truths() -> None:
    with pytest.raises(ValueError, match="got 0 and 1"):
        measure([], [truth(ONE)])


def test_detections_beyond_100_are_cut_by_score() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(100, 400, (150, 2))
    found = boxes(np.vstack([ONE, np.hstack([corners, corners + 20])]).tolist(), [0.1, *np.linspace(0.9, 0.2, 150)])
    assert measure([found], [truth(ONE)]).map == 0.0


def test_a_turned_photo_is_scored_on_the_upright_picture(tmp_path) -> None:
    """A phone stores its picture lying and says how to turn it: truth and answer are those of the turned one."""
    upright = np.zeros((60, 40, 3), np.uint8)
    upright[5:25, 20:35] = 255
    lying = Image.fromarray(upright).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise
    lying.save(tmp_path / "phone.png", exif=exif)
    [picture] = read_coco(write(tmp_path, "phone.png", [20, 5, 15, 20]), tmp_path)
    rgb = picture.picture().rgb
    rows, columns = np.nonzero(rgb[..., 0] > 128)
    seen = boxes([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], [0.9])
    assert rgb.shape == (60, 40, 3)
    assert measure([seen], [picture.truth]).map == 1.0


def write(folder: Path, name: str, bbox: list[int]) -> Path:
    document = {
        "images": [{"id": 1, "file_name": name}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 21, "bbox": bbox}],
        "categories": [{"id": 21, "name": "cow"}],
    }
    (folder / "truth.json").write_text(json.dumps(document))
    return folder / "truth.json"


def test_the_figures_are_exact_and_not_rounded_to_float32() -> None:
    truths = [truth([[0, 0, 40, 40], [50, 0, 90, 40], [100, 0, 140, 40]])]
    assert measure([boxes(ONE, [0.9])], truths).mar_100 == pytest.approx(1 / 3, abs=1e-15)


def test_classes_are_measured_each_by_itself() -> None:
    truths = [sv.Detections.merge([truth(ONE), truth([[100, 0, 140, 40]], "dog"), truth([[9, 90, 40, 140]], "sheep")])]
    found = sv.Detections.merge([boxes(ONE, [0.6]), boxes([[100, 0, 140, 30]], [0.9], "sheep")])
    report = measure([found], truths, class_names=("sheep", "cow", "yak", "dog"))
    told = {name: (row.map, row.mar_100, row.truths) for name, row in report.per_class.items()}
    assert told == {"sheep": (0, 0, 1), "cow": (1, 1, 1), "yak": (None, None, 0), "dog": (0, 0, 1)}
