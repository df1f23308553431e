"""Truth of rendered pictures: boxes to the pixel, and nothing asked for that cannot be seen."""

import numpy as np
import pytest
from studio.annotations import (
    SeenObject,
    coco_document,
    from_record,
    is_annotated,
    mot_lines,
    seen_objects,
    to_record,
    visible_box,
)


def a_cow(**changes) -> SeenObject:
    values = dict(kind="cow", mask_value=1, bbox=(4, 5, 20, 10), area=150, visible_fraction=0.8)
    return SeenObject(**(values | changes))


def test_visible_box_is_exclusive_end():
    mask = np.zeros((10, 12), bool)
    mask[3:7, 2:9] = True
    assert visible_box(mask) == (2, 3, 7, 4)


def test_visible_box_of_one_pixel_and_of_none():
    mask = np.zeros((5, 5), bool)
    assert visible_box(mask) is None
    mask[4, 4] = True
    assert visible_box(mask) == (4, 4, 1, 1)


def test_seen_objects_split_by_an_occluder_keep_one_box():
    index = np.zeros((20, 30), int)
    index[5:15, 2:26] = 1
    index[0:20, 10:14] = 2
    cow, person = seen_objects(index, {1: "cow", 2: "person"}, {1: 240, 2: 80})
    assert cow.bbox == (2, 5, 24, 10)
    assert cow.visible_fraction == pytest.approx(200 / 240, abs=1e-3)
    assert person.visible_fraction == 1.0


def test_seen_objects_leave_out_what_is_wholly_hidden():
    assert seen_objects(np.zeros((8, 8), int), {1: "cow"}, {1: 30}) == []


def test_visible_fraction_never_exceeds_one():
    index = np.ones((10, 10), int)
    assert seen_objects(index, {1: "cow"}, {1: 90})[0].visible_fraction == 1.0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"visible_fraction": 0.149}, False),
        ({"visible_fraction": 0.15}, True),
        ({"bbox": (0, 0, 7, 7)}, False),
        ({"bbox": (0, 0, 8, 4)}, True),
        ({"bbox": (0, 0, 30, 3)}, False),
    ],
)
def test_only_what_can_be_seen_is_annotated(changes, expected):
    assert is_annotated(a_cow(**changes)) is expected


def test_record_round_trip():
    assert from_record(to_record(a_cow())) == a_cow()


def picture(name: str, *objects: SeenObject) -> dict:
    return {"file_name": name, "width": 64, "height": 48, "title": "", "caption": "", "objects": list(objects)}


def test_coco_document_numbers_from_one_and_names_its_categories():
    hidden = a_cow(visible_fraction=0.05)
    document = coco_document([picture("a.jpg"), picture("b.jpg", hidden, a_cow(kind="person", mask_value=7))])
    assert [image["id"] for image in document["images"]] == [1, 2]
    (annotation,) = document["annotations"]
    assert annotation["id"] == 1 and annotation["image_id"] == 2
    assert annotation["category_id"] == 1 and annotation["mask_value"] == 7 and annotation["iscrowd"] == 0
    names = {category["id"]: category["name"] for category in document["categories"]}
    assert names == {1: "person", 18: "dog", 19: "horse", 20: "sheep", 21: "cow"}
    assert all("objects" not in image for image in document["images"])


def test_mot_lines_count_frames_with_nothing_to_see():
    lines = mot_lines([[], [a_cow(mask_value=3)], [a_cow(visible_fraction=0.1)]])
    assert lines == ["2,3,4,5,20,10,1,21,0.800"]
