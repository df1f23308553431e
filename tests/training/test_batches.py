"""Batches: every picture once an epoch, the same pixels after a resume, boxes that stay on their animal."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cowvision.data.annotations import AnnotatedPicture
from cowvision.training.batches import batches
from cowvision.training.settings import BatchSettings, FinetuneConfig
from cowvision.training.steps import rate_factor
from tests.samples import noise, truth

PICTURES = [AnnotatedPicture(f"{n}.png", truth([[5, 5, 40, 30]]), noise(96, 64, n)) for n in range(6)]
PAIRS = BatchSettings(batch_size=2)


def test_a_resumed_run_gets_the_same_pixels() -> None:
    whole, late = batches(PICTURES, ("cow",), PAIRS), batches(PICTURES, ("cow",), PAIRS, first_step=3)
    steps = [next(whole) for _ in range(4)]
    assert torch.equal(steps[3][0][0], next(late)[0][0])


def test_asking_for_batches_draws_nothing_from_the_generator_of_training() -> None:
    torch.manual_seed(4)
    before = torch.get_rng_state()
    next(batches(PICTURES, ("cow",), PAIRS))
    assert torch.equal(before, torch.get_rng_state())


def test_a_worker_process_prepares_the_same() -> None:
    here, there = (next(batches(PICTURES, ("cow",), replace(PAIRS, workers=n))) for n in (0, 1))
    assert torch.equal(here[0][1], there[0][1])
    assert torch.equal(here[1][1]["boxes"], there[1][1]["boxes"])


def test_every_picture_once_an_epoch() -> None:
    source = batches(PICTURES, ("cow",), replace(PAIRS, augment=False))
    seen = {picture.numpy().tobytes() for _ in range(3) for picture in next(source)[0]}
    assert len(seen) == 6


def test_mirrored_boxes_stay_on_their_animal() -> None:
    rgb = np.zeros((40, 80, 3), np.uint8)
    rgb[10:30, 5:25] = 255
    source = batches([AnnotatedPicture("square", truth([[5, 10, 25, 30]]), rgb)], ("cow",), BatchSettings(batch_size=8))
    for picture, target in zip(*next(source), strict=True):
        for left, top, right, bottom in target["boxes"].int().tolist():
            assert picture[:, top:bottom, left:right].float().mean() > 2 * picture.float().mean()


def test_scaled_boxes_follow_their_picture() -> None:
    settings = BatchSettings(batch_size=1, augment=False, short_sides=(32,))
    [picture], [target] = next(batches(PICTURES[:1], ("cow",), settings))
    assert tuple(picture.shape) == (3, 32, 48)
    assert target["boxes"][0].tolist() == [2.5, 2.5, 20.0, 15.0]


def test_boxes_of_other_classes_and_crowds_are_not_learnt() -> None:
    boxes = truth([[5, 5, 40, 30], [1, 1, 20, 20]], crowd=[False, True])
    other = AnnotatedPicture("dog", truth([[5, 5, 40, 30]], "dog"), noise(96, 64))
    source = batches([AnnotatedPicture("crowd", boxes, noise(96, 64)), other], ("cow",), PAIRS)
    assert sorted(len(target["boxes"]) for target in next(source)[1]) == [0, 1]


def test_the_learning_rate_rises_then_falls() -> None:
    config = FinetuneConfig(iterations=100, warm_up=10)
    factors = [rate_factor(step, config) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == pytest.approx(factors[9], abs=0.05)
    assert factors[-1] < 0.03


def test_labels_count_from_one_for_zero_is_the_background() -> None:
    both = AnnotatedPicture("x", truth([[5, 5, 40, 30]]), noise(96, 64))
    other = AnnotatedPicture("y", truth([[5, 5, 40, 30]], "dog"), noise(96, 64, 1))
    targets = next(batches([both, other], ("cow", "dog"), replace(PAIRS, augment=False)))[1]
    assert sorted(target["labels"].tolist() for target in targets) == [[1], [2]]


def test_pictures_stay_red_green_blue() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    [picture], _ = next(batches([AnnotatedPicture("red", truth([[1, 1, 9, 9]]), red)], ("cow",),
                                BatchSettings(batch_size=1, augment=False)))  # fmt: skip
    assert picture.float().mean(dim=(1, 2)).tolist() == [255, 0, 0]
