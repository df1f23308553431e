"""Quick pooling gives torchvision's values: any box, level, picture and padding."""

import copy

import numpy as np
import pytest
import torch
from torchvision.ops import MultiScaleRoIAlign

from cowvision.models.fusion import fused_copy
from cowvision.models.roi_pooling import BaggedRoIAlign, with_quick_pooling
from cowvision.models.torchvision_engine import PUBLISHED, build_network, raw_detections

SHAPES = [(200, 320), (224, 256)]


def pyramid(channels: int = 8, *, channels_last: bool = True, pictures: int = 2) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    made = {
        str(level): torch.randn(pictures, channels, 224 // stride, 320 // stride, generator=generator)
        for level, stride in enumerate((4, 8, 16, 32))
    }
    return {name: one.contiguous(memory_format=layout) for name, one in made.items()}


def some_boxes(count: int, seed: int) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    corners, sides = rng.uniform(-20, 300, (count, 2)), np.exp(rng.uniform(-2, 6, (count, 2)))
    return torch.from_numpy(np.hstack([corners, corners + sides]).astype(np.float32))


def pooler(ratio: int = 2, size: int | tuple[int, int] = 7) -> MultiScaleRoIAlign:
    return MultiScaleRoIAlign(["0", "1", "2", "3"], size, ratio)


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("ratio", [1, 2, 3])
@pytest.mark.parametrize("size", [7, (3, 5)])
def test_it_equals_torchvisions(ratio: int, size: int | tuple[int, int], *, channels_last: bool) -> None:
    plain, features = pooler(ratio, size), pyramid(channels_last=channels_last)
    boxes = [some_boxes(150, 1), some_boxes(90, 2)]
    with torch.inference_mode():
        wanted = plain(features, boxes, SHAPES)
        found = BaggedRoIAlign.like(plain)(features, boxes, SHAPES)
    assert found.shape == wanted.shape
    torch.testing.assert_close(found, wanted, atol=2e-5, rtol=0)
    assert wanted.abs().max() > 1, "there is something to compare"


@pytest.mark.parametrize("counts", [(0, 5), (5, 0), (0, 0)])
def test_pictures_without_boxes_are_no_trouble(counts: tuple[int, int]) -> None:
    boxes = [some_boxes(count, seed) for seed, count in enumerate(counts)]
    with torch.inference_mode():
        found = BaggedRoIAlign.like(pooler())(pyramid(), boxes, SHAPES)
    assert found.shape == (sum(counts), 8, 7, 7)


def test_boxes_beyond_the_picture_and_without_extent() -> None:
    boxes = [torch.tensor([[-500, -500, -400, -400], [900, 10, 990, 60], [50, 50, 50, 50], [0, 0, 320, 224.0]])]
    plain, features = pooler(), pyramid(pictures=1)
    with torch.inference_mode():
        wanted, found = plain(features, boxes, SHAPES[:1]), BaggedRoIAlign.like(plain)(features, boxes, SHAPES[:1])
    torch.testing.assert_close(found, wanted, atol=2e-5, rtol=0)
    assert (found[0] == 0).all()


def test_a_tiny_picture_does_not_decide_the_scale_for_all_that_follow() -> None:
    bagged, features = BaggedRoIAlign.like(pooler()), pyramid(pictures=1)
    tiny = {name: one[:, :, : max(1, 32 // stride), : max(1, 32 // stride)]
            for (name, one), stride in zip(features.items(), (4, 8, 16, 32), strict=True)}  # fmt: skip
    with torch.inference_mode():
        bagged(tiny, [some_boxes(3, 0)], [(20, 30)])
        found = bagged(features, [some_boxes(50, 3)], SHAPES[:1])
        wanted = pooler()(features, [some_boxes(50, 3)], SHAPES[:1])
    torch.testing.assert_close(found, wanted, atol=2e-5, rtol=0)


def test_training_goes_through_torchvisions_own() -> None:
    features = {name: one.requires_grad_() for name, one in pyramid(pictures=1).items()}
    BaggedRoIAlign.like(pooler())(features, [some_boxes(20, 4)], SHAPES[:1]).sum().backward()
    assert any(one.grad is not None and one.grad.abs().sum() > 0 for one in features.values())


@pytest.mark.parametrize("architecture", ["compact-fpn-w32", PUBLISHED[0], PUBLISHED[-1]])
def test_a_detectors_answers_are_the_same(architecture: str) -> None:
    torch.manual_seed(0)
    network = build_network(architecture, 2).eval()
    fused = fused_copy(network)
    slow = copy.deepcopy(fused)
    pool = network.roi_heads.box_roi_pool
    slow.roi_heads.box_roi_pool = copy.deepcopy(pool)
    assert type(pool) is MultiScaleRoIAlign, "the network that is trained and saved stays as it was"
    assert type(fused.roi_heads.box_roi_pool) is BaggedRoIAlign
    pictures = [np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)]
    [found], [wanted] = raw_detections(fused, pictures, short_side=120), raw_detections(slow, pictures, short_side=120)
    assert len(found[0]) == len(wanted[0]) > 0
    assert np.allclose(found[0], wanted[0], atol=1e-3)
    assert np.allclose(found[1], wanted[1], atol=1e-5)


def test_other_ways_of_pooling_stay() -> None:
    network = build_network("d2-r50-fpn", 1)
    before = network.roi_heads.box_roi_pool
    assert with_quick_pooling(network).roi_heads.box_roi_pool is before
