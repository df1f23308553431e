"""A detector learns from pictures as it looks at them: the same size, the same sharpness, whichever family it is of."""

import numpy as np
import pytest
import torch

from cowvision.data.annotations import AnnotatedPicture
from cowvision.models.torchvision_engine import COMPACT, build_network, raw_detections
from cowvision.training.batches import batches
from cowvision.training.settings import BatchSettings, FinetuneConfig
from cowvision.training.sight import as_looked_at
from cowvision.training.steps import losses_of, set_mode
from tests.samples import truth

SMALL_COCO = "fasterrcnn_mobilenet_v3_large_320_fpn"
CONFIG = FinetuneConfig(bfloat16=False)


@pytest.fixture(params=[COMPACT, SMALL_COCO])
def network(request) -> torch.nn.Module:
    torch.manual_seed(0)
    return build_network(request.param, 1).eval()


def seen_by(network: torch.nn.Module, look) -> torch.Tensor:
    """What the trunk is shown."""
    shown = []
    hook = network.backbone.register_forward_pre_hook(lambda _, inputs: shown.append(inputs[0].detach()))
    look()
    hook.remove()
    return shown[0]


@pytest.mark.parametrize("size_wh", [(960, 720), (1920, 240), (300, 225), (200, 1600)])
def test_the_trunk_is_shown_the_same_in_training_and_in_use(network, size_wh: tuple[int, int]) -> None:
    rgb = np.random.default_rng(3).integers(0, 256, (size_wh[1], size_wh[0], 3), dtype=np.uint8)
    settings = as_looked_at(BatchSettings(batch_size=1, augment=False), network)
    batch = next(batches([AnnotatedPicture("noise", truth([[5, 5, 150, 150]]), rgb)], ("cow",), settings))
    used = seen_by(network, lambda: raw_detections(network, [rgb]))
    set_mode(network, CONFIG)
    learnt = seen_by(network, lambda: losses_of(network, batch, CONFIG))
    assert learnt.shape == used.shape
    assert float((learnt - used).abs().mean()) < 0.02, "of eight bits each is as near as it can be"


def test_settings_of_before_are_the_same_course() -> None:
    """A checkpoint of a run that began before there was a longest side is gone on with."""
    batch = "BatchSettings(batch_size=4, seed=0, augment=True, short_sides=(), workers=0)"
    assert repr(BatchSettings()) == batch


def test_variations_keep_to_the_size_too() -> None:
    settings = BatchSettings(batch_size=8, short_sides=(320,), long_side=640)
    wide = AnnotatedPicture("wide", truth([[5, 5, 150, 150]]), np.zeros((200, 1600, 3), np.uint8))
    [pictures, _] = next(batches([wide], ("cow",), settings))
    assert max(max(one.shape) for one in pictures) <= round(640 * 2 / 3)
