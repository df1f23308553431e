"""Drawing on a copy: what is drawn, where, and in which colour."""

import numpy as np
import pytest
import supervision as sv

from cowvision.viz.drawing import CLASS_COLOURS, FEW_BOXES, OTHER_COLOUR, at_least, colour_of, draw_detections
from tests.samples import boxes, truth

GREY = np.full((200, 300, 3), 128, np.uint8)


def colour(name: str) -> tuple[int, ...]:
    return sv.Color.from_hex(colour_of(name)).as_rgb()


def has_colour(rgb: np.ndarray, name: str) -> bool:
    return bool((rgb == colour(name)).all(axis=2).any())


def test_the_picture_itself_is_left_alone() -> None:
    before = GREY.copy()
    before.flags.writeable = False
    drawn = draw_detections(before, boxes([[20, 40, 120, 140]], [0.9]), threshold=0.5)
    assert (before == 128).all()
    assert drawn.shape == before.shape
    assert drawn.dtype == np.uint8
    assert not np.shares_memory(drawn, before)


def test_a_cow_is_drawn_in_its_colour_as_rgb() -> None:
    drawn = draw_detections(GREY, boxes([[20, 40, 120, 140]], [0.9]), threshold=0.5)
    assert tuple(drawn[90, 20]) == colour("cow")
    assert tuple(drawn[90, 70]) == (128, 128, 128)


@pytest.mark.parametrize("name", [*CLASS_COLOURS, "zebra"])
def test_each_class_has_its_colour(name: str) -> None:
    assert has_colour(draw_detections(GREY, boxes([[20, 40, 120, 140]], [0.9], name), threshold=0.5), name)


def test_colours_differ() -> None:
    assert len({*CLASS_COLOURS.values(), OTHER_COLOUR}) == len(CLASS_COLOURS) + 1


def test_nothing_below_the_threshold_is_drawn() -> None:
    drawn = draw_detections(GREY, boxes([[20, 40, 120, 140]], [0.49]), threshold=0.5)
    assert (drawn == GREY).all()


def test_a_score_equal_to_the_threshold_counts() -> None:
    assert len(at_least(boxes([[0, 0, 9, 9]], [0.5]), 0.5)) == 1


@pytest.mark.parametrize("nothing", [sv.Detections.empty(), boxes([], [])])
def test_no_detections(nothing: sv.Detections) -> None:
    assert (draw_detections(GREY, nothing, threshold=0.05) == GREY).all()


@pytest.mark.parametrize("box", [[150, 100, 151, 101], [0, 0, 300, 200], [-50, -50, 400, 400], [299, 199, 300, 200]])
def test_odd_boxes(box: list[float]) -> None:
    assert draw_detections(GREY, boxes([box], [0.9]), threshold=0.5, truth=truth([box])).shape == GREY.shape


def test_a_picture_of_one_pixel() -> None:
    drawn = draw_detections(GREY[:1, :1], boxes([[0, 0, 1, 1]], [0.9]), threshold=0.5)
    assert drawn.shape == (1, 1, 3)


def test_truth_is_marked_in_white_and_only_on_request() -> None:
    white = (255, 255, 255)
    marked = draw_detections(GREY, boxes([], []), threshold=0.5, truth=truth([[20, 40, 120, 140]]))
    assert (marked == white).all(axis=2).any()
    assert (draw_detections(GREY, boxes([], []), threshold=0.5, truth=truth([])) == GREY).all()


def test_a_large_picture_is_scaled_down_with_its_boxes() -> None:
    large = np.full((2000, 3000, 3), 128, np.uint8)
    drawn = draw_detections(large, boxes([[200, 400, 1200, 1400]], [0.9]), threshold=0.5, longest_side=300)
    assert drawn.shape == (200, 300, 3)
    assert tuple(drawn[90, 20]) == colour("cow")


def test_a_small_picture_is_not_scaled_up() -> None:
    assert draw_detections(GREY, boxes([], []), threshold=0.5, longest_side=900).shape == GREY.shape


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 4), np.uint8)]
)
def test_another_kind_of_array_is_refused_with_its_shape(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"rgb must be uint8 of shape \(height, width, 3\), got"):
        draw_detections(wrong, boxes([], []), threshold=0.5)


def test_each_of_a_few_small_boxes_is_labelled_but_not_in_a_crowd() -> None:
    picture = np.full((400, 600, 3), 128, np.uint8)
    small = [[30.0 * n + 5, 200, 30.0 * n + 12, 210] for n in range(FEW_BOXES + 1)]

    def painted(count: int) -> int:
        found = boxes(small[:count], [0.9] * count)
        return int((draw_detections(picture, found, threshold=0.5) != picture).any(axis=2).sum())

    assert painted(FEW_BOXES) > painted(FEW_BOXES + 1)
