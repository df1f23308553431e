"""Between canvas and picture: to within a pixel of the screen, and untouched boxes to the last digit."""

import numpy as np
import pytest

from cowvision.data.annotations import areas_of, crowds_of, names_of, truth_boxes
from cowvision.ui.canvas import (
    MARGIN,
    NARROW_MARGIN,
    Fit,
    background_jpeg,
    canvas_boxes,
    fit,
    label_of,
    read_canvas,
)
from cowvision.ui.labelling_canvas import the_only_class
from tests.samples import noise, truth

ROOMS = [(840, 600), (340, 600), (1200, 900)]
PICTURES = [(1280, 853), (4000, 3000), (3000, 4000), (640, 427), (64, 48), (9000, 300)]


def by_browser(boxes: list[dict]) -> list[dict]:
    """What comes back of what was sent: numbers of four digits."""
    return [{key: one if key == "label" else round(one, 4) for key, one in box.items()} for box in boxes]


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("size", PICTURES)
def test_there_and_back_is_the_same_place(size, room) -> None:
    shape = fit(size, room)
    corners = np.random.default_rng(0).uniform(0, [*size, *size], (50, 4))
    assert np.allclose(shape.from_canvas(shape.to_canvas(corners)), corners, atol=1e-9)
    assert shape.canvas_wh[0] <= room[0] and shape.canvas_wh[1] <= room[1]
    one_display_pixel = 1 / shape.scale.min()
    assert np.abs(shape.from_canvas(np.round(shape.to_canvas(corners))) - corners).max() <= one_display_pixel


@pytest.mark.parametrize("size", PICTURES)
def test_the_pictures_corners_lie_within_the_margin(size) -> None:
    shape = fit(size, (840, 600))
    [corners] = shape.to_canvas(np.array([[0, 0, *size]]))
    assert np.allclose(corners, [MARGIN, MARGIN, MARGIN + shape.shown_wh[0], MARGIN + shape.shown_wh[1]])


def test_the_background_is_as_large_as_the_canvas() -> None:
    from io import BytesIO

    from PIL import Image

    shape = fit((160, 96), (400, 300))
    with Image.open(BytesIO(background_jpeg(noise(160, 96), shape, (1, 2, 3)))) as shown:
        assert shown.size == shape.canvas_wh
        assert np.abs(np.array(shown.getpixel((2, 2))) - [1, 2, 3]).max() <= 3


def test_what_nobody_touched_is_unchanged_to_the_last_digit() -> None:
    shape = fit((4000, 3000), (840, 600))
    rng = np.random.default_rng(1)
    low = rng.uniform(0, 1500, (30, 2))
    stored = truth_boxes(
        np.hstack([low, low + rng.uniform(1, 900, (30, 2))]), ["cow", "dog", "horse"] * 10,
        area=range(30), crowd=[True, False] * 15, visible_fraction=np.linspace(0, 1, 30),
    )  # fmt: skip
    reading = read_canvas(by_browser(canvas_boxes(stored, shape)), stored, shape, unnamed="cow")
    assert not reading.changed and (reading.clicks, reading.cut) == (0, 0)
    assert np.array_equal(reading.boxes.xyxy, stored.xyxy)
    for key, column in stored.data.items():
        assert np.array_equal(reading.boxes.data[key], column), key


def test_a_new_box_leaves_the_others_alone() -> None:
    shape, stored = Fit((1000, 500), (500, 250)), truth([[10.123456, 20.5, 300.25, 400.125]])
    drawn = [*by_browser(canvas_boxes(stored, shape)), box(MARGIN + 100, MARGIN + 50, 60, 40, "horse")]
    reading = read_canvas(drawn, stored, shape, unnamed="cow")
    assert reading.changed
    assert reading.boxes.xyxy.tolist() == [stored.xyxy[0].tolist(), [200, 100, 320, 180]]
    assert names_of(reading.boxes).tolist() == ["cow", "horse"]


def test_a_box_begun_outside_ends_at_the_edge() -> None:
    shape = Fit((1000, 500), (500, 250))
    reading = read_canvas([box(3, 4, 100, 290)], truth([]), shape, unnamed="cow")
    assert reading.boxes.xyxy.tolist() == [[0, 0, (103 - MARGIN) * 2, 500]]
    assert reading.cut == 1
    again = read_canvas([box(3, 4, 100, 290)], reading.boxes, shape, unnamed="cow")
    assert not again.changed, "it lies outside on the canvas still, and is saved once only"


def test_a_box_moved_off_the_picture_is_where_it_was() -> None:
    shape, stored = Fit((1000, 500), (500, 250)), truth([[100, 100, 300, 200], [400, 100, 500, 200]])
    one, other = canvas_boxes(stored, shape)
    for away in ({"left": -400.0}, {"top": 600.0}, {"left": MARGIN - one["width"] - 1}):
        reading = read_canvas([{**one, **away}, other], stored, shape, unnamed="cow")
        assert np.array_equal(reading.boxes.xyxy, stored.xyxy)
        assert (reading.changed, reading.clicks, reading.pushed) == (False, 0, 1)


def test_a_box_moved_across_the_edge_is_cut_there_and_told_once() -> None:
    shape, stored = Fit((1000, 500), (500, 250)), truth([[100, 100, 300, 200]])
    [one] = canvas_boxes(stored, shape)
    across = {**one, "left": one["left"] - 100}
    reading = read_canvas([across], stored, shape, unnamed="cow")
    assert reading.boxes.xyxy.tolist() == [[0, 100, 100, 200]]
    assert (reading.changed, reading.cut, reading.pushed) == (True, 1, 1)
    drawn_since = box(MARGIN + 200, MARGIN + 10, 60, 40)
    later = read_canvas([across, drawn_since], reading.boxes, shape, unnamed="cow")
    assert (len(later.boxes), later.cut, later.pushed) == (2, 0, 0), "the one that hangs over is known"


def test_a_box_drawn_beyond_the_edge_pushes_none_away() -> None:
    shape = Fit((1000, 500), (500, 250))
    assert read_canvas([box(3, 4, 100, 290)], truth([]), shape, unnamed="cow").pushed == 0


def test_boxes_without_a_tag_are_of_the_one_class_there_is() -> None:
    shape, stored = Fit((400, 300), (400, 300)), truth([[10, 10, 60, 60]])
    [one] = canvas_boxes(stored, shape)
    reading = read_canvas(
        [{**one, "label": ""}, box(100, 100, 50, 50, "")], stored, shape, unnamed="dog", untagged="cow"
    )
    assert names_of(reading.boxes).tolist() == ["cow", "cow"]
    assert reading.unnamed == 0
    assert the_only_class(["cow", "cow"]) == "cow" and the_only_class(["cow", "dog"]) == ""


def test_on_a_phone_the_picture_gets_the_room() -> None:
    shape = fit((1600, 1066), (354, 600))
    assert shape.shown_wh[0] == 354 - 2 * NARROW_MARGIN
    assert fit((1600, 1066), (780, 600)).margin == MARGIN
    corners = np.array([[0.0, 0, 1600, 1066]])
    assert np.allclose(shape.from_canvas(shape.to_canvas(corners)), corners)


def test_a_bare_click_and_a_box_in_the_margin_are_no_boxes() -> None:
    shape = Fit((1000, 500), (500, 250))
    reading = read_canvas([box(100, 100, 4, 4), box(2, 2, 15, 200)], truth([]), shape, unnamed="cow")
    assert (len(reading.boxes), reading.clicks, reading.changed) == (0, 2, False)


def test_a_small_box_of_a_large_picture_is_kept_and_can_be_moved() -> None:
    shape, stored = Fit((4000, 3000), (400, 300)), truth([[100, 100, 130, 140]])
    [one] = by_browser(canvas_boxes(stored, shape))
    assert one["width"] < 8
    assert not read_canvas([one], stored, shape, unnamed="cow").changed
    moved = read_canvas([{**one, "left": one["left"] + 50}], stored, shape, unnamed="cow")
    assert moved.changed and moved.clicks == 0
    assert np.allclose(moved.boxes.xyxy, [[600, 100, 630, 140]], atol=0.01)


def test_a_moved_crowd_region_stays_one_and_its_area_is_its_own() -> None:
    shape = Fit((400, 300), (400, 300))
    stored = truth_boxes([[10, 10, 110, 110]], ["cow"], area=[5], crowd=[True])
    [one] = canvas_boxes(stored, shape)
    reading = read_canvas([{**one, "left": one["left"] + 10}], stored, shape, unnamed="cow")
    assert crowds_of(reading.boxes).tolist() == [True]
    assert areas_of(reading.boxes).tolist() == [10_000]


def test_removing_relabelling_and_the_same_box_twice() -> None:
    shape, stored = Fit((400, 300), (400, 300)), truth([[10, 10, 60, 60], [10, 10, 60, 60]])
    one, other = canvas_boxes(stored, shape)
    assert not read_canvas([one, other], stored, shape, unnamed="cow").changed
    assert len(read_canvas([one], stored, shape, unnamed="cow").boxes) == 1
    assert len(read_canvas([], stored, shape, unnamed="cow").boxes) == 0
    renamed = read_canvas([one, {**other, "label": " wild\nboar "}], stored, shape, unnamed="cow")
    assert renamed.changed and names_of(renamed.boxes).tolist() == ["cow", "wild boar"]
    emptied = read_canvas([one, {**other, "label": "\n"}], stored, shape, unnamed="sheep")
    assert names_of(emptied.boxes).tolist() == ["cow", "sheep"]


def test_labels_are_one_short_line() -> None:
    assert label_of("  cow\r\n") == "cow"
    assert len(label_of("x" * 500)) == 40


def box(left: float, top: float, width: float, height: float, label: str = "cow") -> dict:
    return {"label": label, "left": left, "top": top, "width": width, "height": height}
