"""Ground truth: its one form, and COCO files in and out."""

import json

import numpy as np
import pytest
from PIL import Image

from cowvision.data.annotations import areas_of, crowds_of, names_of, truth_boxes
from cowvision.data.formats import coco_document, read_coco, write_coco
from cowvision.errors import AnnotationError
from tests.samples import truth


def test_no_boxes_are_truth_too() -> None:
    empty = truth_boxes([], [])
    assert len(empty) == 0
    assert empty.xyxy.shape == (0, 4)
    assert names_of(empty).shape == crowds_of(empty).shape == areas_of(empty).shape == (0,)


@pytest.mark.parametrize("box", [[5, 5, 5, 9], [5, 5, 9, 5], [9, 9, 5, 5], [0, 0, float("nan"), 4]])
def test_a_box_without_extent_is_refused_by_number(box: list[float]) -> None:
    with pytest.raises(AnnotationError, match=r"cow\.jpg: box 2 of 2"):
        truth_boxes([[0, 0, 1, 1], box], ["cow", "cow"], subject="cow.jpg")


def test_every_box_needs_a_name() -> None:
    with pytest.raises(AnnotationError, match="1 boxes but 2 class names"):
        truth_boxes([[0, 0, 1, 1]], ["cow", "cow"])


def test_coco_round_trip_loses_nothing(tmp_path) -> None:
    first = truth([[1.25, 2, 11, 22], [3, 4, 5, 6]], area=[150, 3], visible_fraction=[0.5, 1], crowd=[False, True])
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg")
    Image.new("RGB", (40, 30)).save(tmp_path / "b.jpg")
    write_coco(tmp_path / "truth.json", [("a.jpg", (40, 30), first), ("b.jpg", (40, 30), truth([]))])
    read, nothing = read_coco(tmp_path / "truth.json", tmp_path)
    assert np.array_equal(read.truth.xyxy, first.xyxy)
    for key, column in first.data.items():
        assert (
            np.allclose(column, read.truth.data[key])
            if column.dtype.kind == "f"
            else (column.tolist() == read.truth.data[key].tolist())
        )
    assert len(nothing.truth) == 0
    assert nothing.picture().resolution_wh == (40, 30)


def test_coco_ids_count_from_1_and_cows_are_21() -> None:
    document = coco_document([("a.jpg", (9, 9), truth([[0, 0, 4, 4]])), ("b.jpg", (9, 9), truth([[0, 0, 4, 4]]))])
    assert [row["id"] for row in document["images"]] == [1, 2]
    assert [row["id"] for row in document["annotations"]] == [1, 2]
    assert {row["category_id"] for row in document["annotations"]} == {21}
    with pytest.raises(AnnotationError, match="no COCO id"):
        coco_document([("a.jpg", (9, 9), truth([[0, 0, 4, 4]], "unicorn"))])


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("no json", "not JSON"),
        ("[]", "a list"),
        ("{}", "not the COCO"),
        ('{"images": [{"id": 1}], "annotations": [], "categories": []}', "file_name"),
        ('{"images": [{"id": 1, "file_name": "gone.jpg"}], "annotations": [], "categories": []}', "does not exist"),
    ],
)
def test_a_file_that_is_no_truth_is_refused(tmp_path, text: str, cause: str) -> None:
    (tmp_path / "truth.json").write_text(text)
    with pytest.raises(AnnotationError, match=cause):
        read_coco(tmp_path / "truth.json", tmp_path)


def test_a_category_that_is_not_listed_is_refused(tmp_path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "a.jpg")
    document = coco_document([("a.jpg", (9, 9), truth([[0, 0, 4, 4]]))]) | {"categories": []}
    (tmp_path / "truth.json").write_text(json.dumps(document))
    with pytest.raises(AnnotationError, match="KeyError: 21"):
        read_coco(tmp_path / "truth.json", tmp_path)
