"""Folding normalisation into convolutions changes nothing but the time."""

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.ops import FrozenBatchNorm2d

from cowvision.models.choices import Execution
from cowvision.models.fusion import InferenceCopies, fused_copy
from cowvision.models.torchvision_engine import PUBLISHED, build_network, raw_detections

PICTURES = torch.from_numpy(np.random.default_rng(0).random((1, 3, 96, 128), dtype=np.float32))


def with_lively_norms(network: nn.Module) -> nn.Module:
    """Give every norm a scale, offset and statistics of its own: fresh ones would fold to almost nothing."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | FrozenBatchNorm2d):
            for values in (module.weight.data, module.running_var):
                values.copy_(torch.rand(values.shape, generator=generator) * 0.5 + 0.5)
            for values in (module.bias.data, module.running_mean):
                values.copy_(torch.rand(values.shape, generator=generator) * 0.2 - 0.1)
    return network.eval()


def norms_in(network: nn.Module) -> int:
    """How many normalisations a network still has."""
    return sum(isinstance(module, nn.BatchNorm2d | FrozenBatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("architecture", ["compact-fpn-w32", *PUBLISHED])
def test_every_detector_gives_the_same_features_without_its_norms(architecture: str) -> None:
    network = with_lively_norms(build_network(architecture, 2))
    before = norms_in(network)
    fused = fused_copy(network)
    assert before > 10
    assert norms_in(fused) == 0
    assert norms_in(network) == before, "the network that is trained and saved stays as it was"
    with torch.inference_mode():
        ours, plain = fused.backbone(PICTURES), network.backbone(PICTURES)
    for level, features in plain.items():
        scale = float(features.abs().max())
        torch.testing.assert_close(ours[level], features, atol=1e-4 * scale, rtol=0)


def test_frozen_norms_are_folded_as_well() -> None:
    network = with_lively_norms(nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), FrozenBatchNorm2d(4)))
    with torch.inference_mode():
        torch.testing.assert_close(fused_copy(network)(PICTURES), network(PICTURES), atol=1e-5, rtol=1e-5)
    assert norms_in(fused_copy(network)) == 0


@pytest.mark.parametrize("architecture", ["compact-fpn-w32", PUBLISHED[0], "d2-r50-fpn"])
def test_kernels_kept_in_bfloat16_give_the_very_same_answers(architecture: str) -> None:
    network = with_lively_norms(build_network(architecture, 2))
    copies = InferenceCopies(network)
    half = Execution("cpu", "bfloat16", channels_last=True, threads=1)
    pictures = [np.random.default_rng(1).integers(0, 256, (96, 128, 3), dtype=np.uint8)]
    [wanted] = raw_detections(fused_copy(network), pictures, short_side=96, execution=half)
    [found] = raw_detections(copies.of("bfloat16"), pictures, short_side=96, execution=half)
    assert all(np.array_equal(one, other) for one, other in zip(found, wanted, strict=True))
    assert {kernel.dtype for kernel in network.parameters()} == {torch.float32}
    assert {kernel.dtype for kernel in copies.of("float32").parameters()} == {torch.float32}, "asked for later"
