"""COCO ground truth of other software: every way an entry can be wrong, and what is read all the same."""

import json
from copy import deepcopy

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from cowvision.data.annotations import names_of, truth_boxes
from cowvision.data.exports import ExportPicture, as_coco
from cowvision.data.formats import read_coco
from cowvision.data.imports import ImportProblem, read_ground_truth

GOOD = {
    "images": [
        {"id": 1, "file_name": "a.jpg", "width": 64, "height": 48},
        {"id": 2, "file_name": "b.jpg", "width": 64, "height": 48},
    ],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 7, "bbox": [1.5, 2, 10, 20], "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 9, "bbox": [5, 6, 7, 8], "iscrowd": 1, "area": 30},
    ],
    "categories": [{"id": 7, "name": "cow"}, {"id": 9, "name": "dog"}],
}
NAN, INF = float("nan"), float("inf")


@pytest.fixture
def reading(tmp_path):
    """Write a document and read it with pictures a.jpg, b.jpg and c.jpg of 64 x 48 pixels."""
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        Image.new("RGB", (64, 48)).save(tmp_path / name)

    def read(document):
        text = document if isinstance(document, str | bytes) else json.dumps(document)
        (tmp_path / "t.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_ground_truth(tmp_path / "t.json", tmp_path)

    return read


def changed(change):
    document = deepcopy(GOOD)
    change(document)
    return document


def only(read) -> ImportProblem:
    (problem,) = read.problems
    assert problem.file == "t.json"
    assert problem.remedy
    return problem


def test_what_is_good_is_read_whole(reading) -> None:
    read = reading(GOOD)
    assert (read.problems, read.format, read.class_names, read.unlabelled) == ([], "COCO", ("cow", "dog"), ("c.jpg",))
    first, nothing = read.pictures
    assert first.truth.xyxy.tolist() == [[1.5, 2, 11.5, 22], [5, 6, 12, 14]]
    assert names_of(first.truth).tolist() == ["cow", "dog"]
    assert first.truth.class_id.tolist() == [0, 1]
    assert first.truth.data["crowd"].tolist() == [False, True]
    assert first.truth.data["area"].tolist() == [200, 30]
    assert (nothing.name, len(nothing.truth)) == ("b.jpg", 0)


def test_ids_may_be_texts_zero_or_negative_and_annotations_may_lack_theirs(reading) -> None:
    document = json.loads(
        json.dumps(GOOD).replace('"image_id": 1', '"image_id": "x"').replace('{"id": 1, "file', '{"id": "x", "file')
    )
    document["images"][1]["id"] = 0
    del document["annotations"][0]["id"]
    document["categories"][0]["id"] = document["annotations"][0]["category_id"] = -5
    read = reading(document)
    assert read.problems == []
    assert [len(one.truth) for one in read.pictures] == [2, 0]


def test_a_byte_order_mark_is_no_harm(reading) -> None:
    assert reading(b"\xef\xbb\xbf" + json.dumps(GOOD).encode()).problems == []


def test_sizes_that_are_not_declared_come_from_the_picture(reading) -> None:
    document = changed(lambda d: d["images"][0].pop("width"))
    document["images"][1].update(width=0, height=0)
    read = reading(document)
    assert (read.problems, len(read.pictures)) == ([], 2)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"bbox": [NAN, 2, 3, 4]}, "the box (nan, 2, nan, 6) is not finite"),
        ({"bbox": [1, 2, INF, 4]}, "the box (1, 2, inf, 6) is not finite"),
        ({"bbox": [10**400, 2, 3, 4]}, "the box (inf, 2, inf, 6) is not finite"),
        ({"bbox": [5, 2, -3, 4]}, "the width of the box is -3 px: it is inverted"),
        ({"bbox": [5, 2, 3, 0]}, "the height of the box is 0 px: nothing is in it"),
        ({"bbox": [60, 2, 6, 4]}, "the box (60, 2, 66, 6) reaches outside the picture of 64 x 48 pixels"),
        ({"bbox": [-3, 2, 9, 4]}, "the box (-3, 2, 6, 6) reaches outside the picture of 64 x 48 pixels"),
        ({"bbox": [64, 2, 0.5, 4]}, "the box (64, 2, 64.5, 6) reaches outside the picture of 64 x 48 pixels"),
        ({"bbox": [-0.9, 2, 0.5, 4]}, "the box (-0.9, 2, -0.4, 6) reaches outside the picture of 64 x 48 pixels"),
        ({"bbox": [1, -0.9, 3, 0.5]}, "the box (1, -0.9, 4, -0.4) reaches outside the picture of 64 x 48 pixels"),
        ({"bbox": [1, 2, 3, 48]}, "the box (1, 2, 4, 50) reaches outside the picture of 64 x 48 pixels"),
        ({"bbox": [1, 2, 3]}, "its bbox is [1, 2, 3], not four numbers"),
        ({"bbox": {"x": 1}}, "its bbox is {'x': 1}, not four numbers"),
        ({"bbox": [1, 2, "3", 4]}, "a number of its bbox is '3', not a number"),
        ({"bbox": [1, 2, True, 4]}, "a number of its bbox is True, not a number"),
        ({"bbox": None}, "it has no bbox"),
        ({"bbox": None, "segmentation": [[1, 1, 5, 1, 5, 5]]}, "it has an outline but no bbox"),
        ({"category_id": 8}, "the class id 8 is not among the categories"),
        ({"category_id": "7"}, "the class id '7' is not among the categories"),
        ({"category_id": None}, "its category_id is None, neither a whole number nor a text"),
        ({"category_id": True}, "its category_id is True, neither a whole number nor a text"),
        ({"image_id": 5}, "the image id 5 is not among the images"),
        ({"image_id": [1]}, "its image_id is [1], neither a whole number nor a text"),
        ({"id": 1}, "an annotation before it has the id 1 too"),
        ({"iscrowd": 2}, "its iscrowd is 2"),
        ({"iscrowd": "yes"}, "its iscrowd is 'yes'"),
        ({"area": -1}, "its area is -1"),
        ({"area": NAN}, "its area is nan"),
        ({"area": "big"}, "its area is 'big', not a number"),
        ({"visible_fraction": 1.5}, "its visible_fraction is 1.5"),
    ],
)
def test_a_bad_annotation_is_reported_and_the_rest_is_read(reading, change, cause) -> None:
    read = reading(changed(lambda d: d["annotations"][1].update(change)))
    problem = only(read)
    assert (problem.place, problem.cause) == (f"annotation {change.get('id', 2)}", cause)
    assert problem.left_out
    assert problem.picture == ("" if "image_id" in change else "a.jpg")
    assert [one.truth.xyxy.tolist() for one in read.pictures] == [[[1.5, 2, 11.5, 22]], []]


def test_an_entry_that_is_no_object_or_has_no_usable_id_is_counted(reading) -> None:
    document = changed(lambda d: d["annotations"].extend([None, {"id": [3], "image_id": 1}]))
    places = [(problem.place, problem.cause) for problem in reading(document).problems]
    assert places == [
        ("annotation entry 3", "the entry is None, not an object"),
        ("annotation entry 4", "its id is [3], neither a whole number nor a text"),
    ]


@pytest.mark.parametrize(
    ("change", "place", "cause"),
    [
        ({"file_name": "gone.jpg"}, "image 1 with 2 boxes", "its picture 'gone.jpg' is not among the pictures"),
        ({"file_name": "../a.jpg"}, "image 1 with 2 boxes", "the picture '../a.jpg' lies outside the folder of"),
        ({"file_name": "/a.jpg"}, "image 1 with 2 boxes", "the picture '/a.jpg' lies outside the folder of pictures"),
        ({"file_name": 3}, "image 1 with 2 boxes", "the picture's name is 3"),
        ({"file_name": None}, "image 1 with 2 boxes", "the picture's name is None"),
        ({"width": 63}, "image 1 with 2 boxes", "the picture a.jpg is declared as 63 x 48 pixels, but is 64 x 48"),
        ({"width": -64}, "image 1 with 2 boxes", "the picture a.jpg is declared as -64 x 48 pixels, but is 64 x 48"),
        ({"height": "48"}, "image 1 with 2 boxes", "its height is '48', not a number"),
    ],
)  # fmt: skip
def test_a_bad_image_is_left_out_with_its_boxes(reading, change, place, cause) -> None:
    read = reading(changed(lambda d: d["images"][0].update(change)))
    problem = only(read)
    assert problem.place == place
    assert problem.cause.startswith(cause)
    assert [one.name for one in read.pictures] == ["b.jpg"]


def test_a_picture_that_cannot_be_read_is_left_out(reading, tmp_path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8 no more")
    problem = only(reading(GOOD))
    assert (problem.place, problem.picture) == ("image 1 with 2 boxes", "a.jpg")
    assert "cannot be read" in problem.cause


def test_images_of_one_id_are_all_left_out_for_nobody_knows_whose_the_boxes_are(reading) -> None:
    read = reading(changed(lambda d: d["images"][1].update(id=1)))
    assert [problem.place for problem in read.problems] == ["image 1 with 2 boxes"] * 2
    assert {problem.cause for problem in read.problems} == {"2 images have the id 1, so whose its boxes are is unknown"}
    assert read.pictures == []


def test_images_of_one_file_are_all_left_out(reading) -> None:
    read = reading(changed(lambda d: d["images"][1].update(file_name="./a.jpg")))
    assert [problem.place for problem in read.problems] == ["image 1 with 2 boxes", "image 2 with 0 boxes"]
    assert {problem.cause for problem in read.problems} == {"the picture a.jpg has 2 entries"}
    assert read.pictures == []
    assert read.unlabelled == ("b.jpg", "c.jpg")


@pytest.mark.parametrize(
    ("category", "place", "cause"),
    [
        ({"id": 3, "name": " "}, "category 3", "the name of the class is ' '"),
        ({"id": 3, "name": 5}, "category 3", "the name of the class is 5"),
        ({"name": "cow"}, "category entry 3", "its id is None, neither a whole number nor a text"),
        ("cow", "category entry 3", "the entry is 'cow', not an object"),
    ],
)
def test_a_bad_class_is_reported(reading, category, place, cause) -> None:
    read = reading(changed(lambda d: d["categories"].append(category)))
    assert (only(read).place, only(read).cause) == (place, cause)
    assert len(read.pictures[0].truth) == 2


def test_a_class_id_of_two_names_is_neither(reading) -> None:
    read = reading(changed(lambda d: d["categories"].append({"id": 7, "name": "zebu"})))
    assert [(problem.place, problem.cause) for problem in read.problems] == [
        ("category 7", "the class id 7 stands for cow and zebu"),
        ("annotation 1", "the class id 7 is not among the categories"),
    ]
    assert names_of(read.pictures[0].truth).tolist() == ["dog"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("[]", "not ground truth but a list"),
        ("{", "not JSON (Expecting property name"),
        (b"\xff\xfe{}", "not JSON ("),
        ("[" * 100_000, "not JSON ("),
        ('{"images": [], "annotations": []}', "it has no list of categories"),
        ('{"images": {}, "annotations": [], "categories": []}', "it has no list of images"),
    ],
)
def test_a_file_that_is_no_ground_truth_is_one_problem(reading, text, cause) -> None:
    read = reading(text)
    assert only(read).place == ""
    assert only(read).cause.startswith(cause)
    assert read.pictures == []


def test_a_box_a_little_beyond_the_edge_is_cut_and_said_once(reading) -> None:
    document = changed(lambda d: d["annotations"][0].update(bbox=[-0.5, 0, 64.9, 48.004]))
    document["annotations"][1]["bbox"] = [0, -1, 5, 6]
    read = reading(document)
    problem = only(read)
    assert (problem.place, problem.picture, problem.left_out) == ("annotation 1", "a.jpg", False)
    assert "(and 1 more) reached up to 1 px beyond" in problem.cause
    assert read.pictures[0].truth.xyxy.tolist() == [[0, 0, 64, 48], [0, 0, 5, 5]]


def test_the_rounding_of_an_edge_is_not_worth_a_word(reading) -> None:
    read = reading(changed(lambda d: d["annotations"][0].update(bbox=[0, 0, 64.005, 48])))
    assert read.problems == []
    assert read.pictures[0].truth.xyxy[0].tolist() == [0, 0, 64, 48]


def test_our_truth_is_read_by_pycocotools_and_by_the_strict_reader(tmp_path, capsys) -> None:
    truth = truth_boxes(
        [[1.25, 2, 11, 22], [3, 4, 5, 6]],
        ["zebu", "cow"],
        area=[150, 3],
        crowd=[False, True],
        visible_fraction=[0.25, 1],
    )
    Image.new("RGB", (64, 48)).save(tmp_path / "a.jpg")
    (tmp_path / "t.json").write_text(as_coco([ExportPicture("a.jpg", (64, 48), truth)]))
    rows = COCO(str(tmp_path / "t.json")).loadAnns([1, 2])
    capsys.readouterr()
    assert [row["iscrowd"] for row in rows] == [0, 1]
    assert [row["area"] for row in rows] == [150, 3]
    assert [row["visible_fraction"] for row in rows] == [0.25, 1]
    assert not any("score" in row for row in rows)
    (strict,) = read_coco(tmp_path / "t.json", tmp_path)
    (ours,) = read_ground_truth(tmp_path / "t.json", tmp_path).pictures
    np.testing.assert_array_equal(strict.truth.xyxy, ours.truth.xyxy)
    for key in ("class_name", "area", "crowd", "visible_fraction"):
        assert strict.truth.data[key].tolist() == ours.truth.data[key].tolist()
