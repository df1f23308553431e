"""The engine: sizes nobody expects, torchvision's own answers, classes that change, two threads at once."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from cowvision.errors import ModelFileError
from cowvision.models.choices import Execution
from cowvision.models.torchvision_engine import build_network, raw_detections, with_classes
from tests.detectors import untrained_network

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (120, 200, 3), dtype=np.uint8)


def test_an_unknown_architecture_is_named_with_the_known_ones() -> None:
    with pytest.raises(ModelFileError, match=r"yolo: no such architecture.*compact-fpn-w32"):
        build_network("yolo", 1)


def test_the_embedded_network_is_small_enough_to_ship() -> None:
    parameters = sum(parameter.numel() for parameter in build_network("compact-fpn-w32", 5).parameters())
    assert parameters * 2 < 25e6


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (2000, 3), (97, 211)])
def test_any_size_of_picture_is_answered(size: tuple[int, int]) -> None:
    [(xyxy, scores, labels)] = raw_detections(untrained_network(), [np.full((*size, 3), 90, np.uint8)], short_side=64)
    assert xyxy.shape == (len(scores), 4)
    assert len(scores) == len(labels)
    assert xyxy.dtype == np.float32
    assert (xyxy[:, 2] <= size[1] + 1e-3).all()


def test_no_pictures_give_no_answers() -> None:
    assert raw_detections(untrained_network(), []) == []


def test_the_answers_are_torchvisions_own() -> None:
    network = untrained_network(seed=3)
    ours = raw_detections(network, [NOISE])[0]
    with torch.inference_mode():
        theirs = network([torch.from_numpy(NOISE).permute(2, 0, 1).float() / 255])[0]
    assert len(ours[1]) > 5
    np.testing.assert_allclose(ours[0], theirs["boxes"].numpy(), atol=1e-3)
    np.testing.assert_allclose(ours[1], theirs["scores"].numpy(), atol=1e-4)


def test_the_short_side_changes_what_the_network_sees() -> None:
    network = untrained_network(seed=3)
    small, large = (raw_detections(network, [NOISE], short_side=side)[0] for side in (64, 256))
    assert len(small[0]) != len(large[0]) or not np.allclose(small[0], large[0])


def test_the_network_itself_is_not_changed_by_a_call() -> None:
    network = untrained_network()
    before = network.transform.min_size
    raw_detections(network, [NOISE], short_side=64)
    assert network.transform.min_size == before


def test_bfloat16_keeps_boxes_in_full_precision() -> None:
    execution = Execution("cpu", "bfloat16", channels_last=True, threads=2)
    [(xyxy, scores, _)] = raw_detections(untrained_network(), [NOISE], short_side=96, execution=execution)
    assert xyxy.dtype == scores.dtype == np.float32
    assert not np.array_equal(xyxy, torch.from_numpy(xyxy).bfloat16().float().numpy())


def test_new_classes_keep_the_rows_of_shared_names() -> None:
    network = untrained_network(5)
    old = copy.deepcopy(network.roi_heads.box_predictor)
    changed = with_classes(network, ("person", "dog", "horse", "sheep", "cow"), ("cow",)).roi_heads.box_predictor
    assert changed.cls_score.out_features == 2
    torch.testing.assert_close(changed.cls_score.weight, old.cls_score.weight[[0, 5]])
    torch.testing.assert_close(changed.bbox_pred.weight[4:], old.bbox_pred.weight[20:24])


def test_two_threads_get_the_same_answers() -> None:
    network = untrained_network(seed=1)
    pictures = [NOISE, np.ascontiguousarray(NOISE[::-1])]
    alone = [raw_detections(network, [picture], short_side=96)[0] for picture in pictures]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda picture: raw_detections(network, [picture], short_side=96)[0], pictures * 3))
    for number, answer in enumerate(together):
        np.testing.assert_allclose(answer[0], alone[number % 2][0], atol=1e-3)
