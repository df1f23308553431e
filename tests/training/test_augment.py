"""Augmentation: boxes stay on their animal, a step never costs more, and the same number draws the same picture."""

import numpy as np
import pytest
import torch

from cowvision.training.augment import SCALES, SECTION, SEEN_SHARE, scaled, varied

SQUARE = np.array([[60, 40, 100, 80]], np.float32)


def square(width: int = 160, height: int = 120) -> torch.Tensor:
    """A white square on black."""
    picture = torch.zeros((3, height, width), dtype=torch.uint8)
    picture[:, 40:80, 60:100] = 255
    return picture


@pytest.mark.parametrize("seed", range(25))
def test_the_box_stays_on_its_animal(seed: int) -> None:
    picture, xyxy, learnt = varied(square(), SQUARE, 120, np.random.default_rng(seed))
    assert picture.dtype == torch.uint8
    if not learnt.any():
        return
    left, top, right, bottom = xyxy[0]
    inside = picture[:, int(np.ceil(top)) : int(bottom), int(np.ceil(left)) : int(right)].float().mean()
    picture[:, int(top) : int(np.ceil(bottom)) + 1, int(left) : int(np.ceil(right)) + 1] = 0
    assert inside > 100
    assert picture[picture > 90].numel() < 12 * (right - left + bottom - top), "and nothing of it lies outside the box"


def test_most_sections_show_the_animal_some_cut_it_and_some_lose_it() -> None:
    corner = np.array([[2, 2, 30, 30]], np.float32)
    outcomes = [varied(square(), corner, 120, np.random.default_rng(seed)) for seed in range(200)]
    kept = [xyxy[0] for _, xyxy, learnt in outcomes if learnt[0]]
    sides = np.array([box[2:] - box[:2] for box in kept])
    assert 0.3 < len(kept) / 200 < 0.95
    assert sides[:, 0].min() < 18
    assert sides[:, 0].max() > 30


def test_a_box_of_which_a_strip_is_left_is_not_learnt() -> None:
    for seed in range(300):
        picture, xyxy, learnt = varied(
            square(), np.array([[0, 0, 40, 40]], np.float32), 120, np.random.default_rng(seed)
        )
        seen = (xyxy[0, 2:] - xyxy[0, :2]).prod() / 1600
        if learnt[0]:
            assert seen >= SEEN_SHARE * SCALES[0] ** 2 * 0.9
        assert (xyxy[0] >= 0).all() and (xyxy[0, [0, 2]] <= picture.shape[2]).all()


def test_a_step_costs_the_same_whatever_is_drawn() -> None:
    shapes = [varied(square(), SQUARE, 60, np.random.default_rng(seed))[0].shape for seed in range(50)]
    assert {shape[2] for shape in shapes if shape[1] == round(60 * SECTION)} == {round(80 * SECTION)}
    assert max(shape[1] for shape in shapes) == round(60 * SECTION)
    assert min(shape[1] for shape in shapes) >= int(60 * SCALES[0]) - 1


def test_both_sides_and_many_lights_are_drawn() -> None:
    half = torch.zeros((3, 60, 80), dtype=torch.uint8)
    half[:, :, :40] = 200
    drawn = [
        varied(half, np.zeros((0, 4), np.float32), 60, np.random.default_rng(seed))[0].float() for seed in range(40)
    ]
    sides = [float(one[:, :, :10].mean() - one[:, :, -10:].mean()) for one in drawn]
    assert min(sides) < -50 and max(sides) > 50
    assert np.std([float(one.max()) for one in drawn]) > 8


def test_the_same_number_draws_the_same() -> None:
    one, other = (varied(square(), SQUARE, 90, np.random.default_rng(7)) for _ in range(2))
    assert torch.equal(one[0], other[0])
    assert (one[1] == other[1]).all()


def test_scaling_takes_boxes_along_on_both_axes() -> None:
    picture, xyxy = scaled(square(161, 121), SQUARE, 60)
    assert picture.shape[1:] == (60, 80)
    np.testing.assert_allclose(xyxy[0], SQUARE[0] * np.array([80 / 161, 60 / 121] * 2), rtol=1e-6)


def test_a_picture_without_boxes_stays_without() -> None:
    _, xyxy, learnt = varied(square(), np.zeros((0, 4), np.float32), 100, np.random.default_rng(1))
    assert xyxy.shape == (0, 4)
    assert learnt.shape == (0,)
