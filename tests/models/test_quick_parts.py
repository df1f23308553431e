"""Each part that looks quickly gives what torchvision's part gives."""

import copy
import os
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from cowvision.models import one_pass, quick_stem
from cowvision.models.fusion import InferenceCopies, fused_copy
from cowvision.models.one_pass import added, convolved, linear_of, multiplied
from cowvision.models.quick_blocks import QuickBlock, QuickPyramid
from cowvision.models.quick_head import QuickBoxHead
from cowvision.models.quick_stem import QuickStem
from cowvision.models.torchvision_engine import build_network

LAST = torch.channels_last


def some(*shape: int, seed: int = 0) -> torch.Tensor:
    made = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return made.contiguous(memory_format=LAST) if len(shape) == 4 else made


@pytest.fixture(params=["one pass", "several passes", "torch that lacks the operations"])
def means(request, monkeypatch) -> str:
    """With oneDNN's operations, and as on machines without them."""
    one_pass._is_built_in.cache_clear()
    if request.param == "several passes":
        monkeypatch.setattr(one_pass, "_is_built_in", lambda _: False)
    elif request.param != "one pass":

        def lacks(*_: object) -> None:
            raise AttributeError

        monkeypatch.setattr(one_pass, "_added", lacks)
        assert not one_pass._is_built_in(torch.float32)
    yield request.param
    if request.param != "several passes":
        one_pass._is_built_in.cache_clear()


@pytest.mark.usefixtures("means")
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("layout", [LAST, torch.contiguous_format])
def test_a_layer_and_what_follows_it(half, layout) -> None:
    convolution, linear = nn.Conv2d(8, 16, 3, 2, 1).to(memory_format=layout), nn.Linear(8, 16)
    features, sums = (one.contiguous(memory_format=layout) for one in (some(2, 8, 9, 11), some(2, 16, 5, 6, seed=1)))
    rows = some(5, 8)
    near = {"atol": 0.05, "rtol": 0.05} if half else {"atol": 1e-5, "rtol": 1e-5}
    with torch.inference_mode():
        wanted = F.relu(convolution(features)), F.relu(convolution(features) + sums), F.relu(linear(rows))
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            found = (
                convolved(features, convolution),
                added(features, convolution, sums.clone()),
                multiplied(rows, linear),
            )
    for one, other in zip(found, wanted, strict=True):
        assert (other == 0).any()
        assert (other > 0.5).any()
        torch.testing.assert_close(one.float(), other, **near)


def test_one_pass_is_used_where_it_is_there(monkeypatch) -> None:
    if not torch.backends.mkldnn.is_available():
        pytest.skip("torch has no oneDNN here")
    assert one_pass._is_built_in(torch.float32)
    convolution, sums = nn.Conv2d(8, 8, 1), some(1, 8, 4, 4)
    with torch.inference_mode():
        assert added(some(1, 8, 4, 4), convolution, sums).data_ptr() == sums.data_ptr(), "in place"


def test_gradients_go_through_the_plain_layers() -> None:
    convolution = nn.Conv2d(8, 8, 1)
    sums = some(1, 8, 4, 4)
    added(some(1, 8, 4, 4), convolution, sums).sum().backward()
    assert convolution.weight.grad is not None
    assert torch.equal(sums, some(1, 8, 4, 4)), "nothing is overwritten that may be needed"


def residual(kind: type, stride: int) -> nn.Module:
    """A block with its norms folded away."""
    planes = 8 if kind is BasicBlock else 2
    shortcut = None if stride == 1 else nn.Sequential(nn.Conv2d(8, 8, 1, stride), nn.Identity())
    return kind(8, planes, stride, shortcut, norm_layer=lambda _: nn.Identity()).eval()


def with_offsets(block: nn.Module) -> nn.Module:
    for name, module in list(block.named_children()):
        if name.startswith("conv"):
            module.bias = nn.Parameter(some(module.out_channels, seed=3))
    return block


@pytest.mark.usefixtures("means")
@pytest.mark.parametrize("kind", [BasicBlock, Bottleneck])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("may_overwrite", [False, True])
def test_a_block(kind, stride, may_overwrite) -> None:
    plain = with_offsets(residual(kind, stride))
    features = some(2, 8, 6, 10)
    with torch.inference_mode():
        wanted = plain(features.clone())
        found = QuickBlock(plain, may_overwrite=may_overwrite)(features)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    if not may_overwrite:
        assert torch.equal(features, some(2, 8, 6, 10)), "somebody else reads them"


@pytest.mark.parametrize(
    "sizes", [((16, 24), (8, 12), (4, 6)), ((15, 23), (8, 12), (4, 6)), ((53, 24), (27, 12), (14, 6))]
)
@pytest.mark.parametrize("square", [True, False])
def test_a_pyramid(sizes, square) -> None:
    channels = (8 if square else 4, 8, 12)
    plain = FeaturePyramidNetwork(channels, 8, LastLevelMaxPool()).to(memory_format=LAST)
    levels = {str(i): some(2, count, *size) for i, (count, size) in enumerate(zip(channels, sizes, strict=True))}
    with torch.inference_mode():
        wanted = plain({name: one.clone() for name, one in levels.items()})
        found = QuickPyramid.like(plain)(levels)
    assert list(found) == list(wanted) == ["0", "1", "2", "pool"]
    for name, one in wanted.items():
        torch.testing.assert_close(found[name], one, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("height", [1, 2, 3, 4, 37, 38, 39, 40, 41, 64, 201])
def test_a_stem_in_strips(height, monkeypatch) -> None:
    monkeypatch.setattr(quick_stem, "_STRIP_ROWS", 5)
    convolution, pictures = nn.Conv2d(3, 8, 7, 2, 3), some(2, 3, height, 33)
    with torch.inference_mode():
        wanted = F.max_pool2d(F.relu(convolution(pictures)), 3, 2, 1)
        found = QuickStem(convolution)(pictures)
    assert found.shape == wanted.shape
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("means")
def test_a_box_head_whichever_way_its_boxes_lie() -> None:
    plain = TwoMLPHead(6 * 3 * 5, 16)
    quick = QuickBoxHead(plain, 6)
    boxes = some(9, 6, 3, 5)
    with torch.inference_mode():
        for pooled in (boxes, boxes.contiguous(), boxes[:0]):
            torch.testing.assert_close(quick(pooled), plain(pooled), atol=1e-5, rtol=1e-5)


def test_a_large_detector_is_made_of_them() -> None:
    network = build_network("fasterrcnn_resnet50_fpn", 2)
    quick = fused_copy(network)
    kinds = [type(module) for module in quick.modules()]
    counts = {kind: kinds.count(kind) for kind in (QuickBlock, QuickPyramid, QuickStem, QuickBoxHead)}
    assert counts == {QuickBlock: 16, QuickPyramid: 1, QuickStem: 1, QuickBoxHead: 1}
    blocks = [module for module in quick.modules() if isinstance(module, QuickBlock)]
    assert all(block.may_overwrite for block in blocks), "all begin with a shortcut of their own or follow a block"
    compact = list(fused_copy(build_network("compact-fpn-w32", 1)).modules())
    assert sum(isinstance(module, QuickBlock) for module in compact) == 8
    assert next(block.may_overwrite for block in compact if isinstance(block, QuickBlock)) is False


@pytest.mark.parametrize("architecture", ["fasterrcnn_resnet50_fpn", "d2-r50-fpn"])
def test_copies_draw_no_random_numbers(architecture) -> None:
    network = build_network(architecture, 2)
    one_pass._is_built_in.cache_clear()
    before = torch.get_rng_state()
    copies = InferenceCopies(network)
    with torch.inference_mode():
        copies.of("float32").backbone(some(1, 3, 64, 64))
    assert torch.equal(torch.get_rng_state(), before), "a training that looks now and then goes on as without a look"


def test_layers_made_of_weights_are_their_own() -> None:
    weight, bias = some(3, 4), some(3)
    linear = linear_of(weight.t().contiguous().t(), bias)
    kept = copy.deepcopy(linear.weight)
    weight += 1
    bias += 1
    assert torch.equal(linear.weight, kept)
    assert linear.weight.is_contiguous()


LOOKS = """
import numpy as np
from cowvision.models.execution import Execution
from cowvision.models.fusion import InferenceCopies
from cowvision.models.torchvision_engine import build_network, raw_detections

picture = np.random.default_rng(0).integers(0, 255, (32, 48, 3), np.uint8)
for architecture, side in (("compact-fpn-w32", 32), ("fasterrcnn_resnet50_fpn", 32), ("d2-r50-fpn", 64)):
    copies = InferenceCopies(build_network(architecture, 2).eval())
    for dtype in ("float32", "bfloat16"):
        for last in (True, False):
            way = Execution(dtype=dtype, channels_last=last)
            raw_detections(copies.of(dtype), [picture], short_side=side, execution=way)
"""


@pytest.mark.parametrize("processor", ["AVX2", "SSE41"])
def test_a_processor_without_avx512_looks_too_also_in_bfloat16(processor) -> None:
    only = os.environ | {"ONEDNN_MAX_CPU_ISA": processor}  # oneDNN's own way to pretend
    done = subprocess.run([sys.executable, "-c", LOOKS], env=only, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
