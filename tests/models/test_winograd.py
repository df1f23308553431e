"""Convolutions with fewer multiplications give what usual ones give."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock

from cowvision.models import one_pass, winograd
from cowvision.models.d2_network import build_detectron2
from cowvision.models.fusion import InferenceCopies, fused_copy
from cowvision.models.torchvision_engine import build_network
from cowvision.models.winograd import WinogradConv2d, with_winograd

if not torch.backends.mkldnn.is_available():
    pytest.skip("torch has no oneDNN here, and nothing is done so", allow_module_level=True)


def test_onednn_answers_as_it_should() -> None:
    assert one_pass._is_built_in(torch.float32)


FEW_CELLS = winograd._FEW_CELLS


@pytest.fixture(autouse=True)
def _every_size(monkeypatch) -> None:
    monkeypatch.setattr(winograd, "_FEW_CELLS", 0)


@pytest.fixture
def strips(monkeypatch) -> list[int]:
    """The rows at which strips begin, as they are worked on; they are narrow ones."""
    monkeypatch.setattr(winograd, "_TILES_A_STRIP", 6)
    begun: list[int] = []
    convolve = winograd._Room.convolve

    def counting(room, cells, first, products):
        begun.append(first)
        return convolve(room, cells, first, products)

    monkeypatch.setattr(winograd._Room, "convolve", counting)
    return begun


def layer(inputs: int = 16, outputs: int = 16, **more) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(inputs, outputs, 3, padding=1, **more).requires_grad_(False)


def some(*shape: int) -> torch.Tensor:
    made = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    return made.contiguous(memory_format=torch.channels_last)


def usual(convolution: nn.Conv2d, features: torch.Tensor) -> torch.Tensor:
    return copy.deepcopy(convolution).double()(features.double())


@torch.inference_mode()
@pytest.mark.parametrize("size", [(8, 12), (9, 12), (10, 13), (23, 15), (1, 1), (3, 40), (40, 3), (4, 4)])
@pytest.mark.parametrize(("pictures", "inputs", "outputs"), [(1, 16, 16), (3, 8, 24)])
def test_the_results_are_the_usual_ones(strips, size, pictures, inputs, outputs) -> None:
    convolution, features = layer(inputs, outputs), some(pictures, inputs, *size)
    quick, wanted = WinogradConv2d(convolution), usual(convolution, features).float()
    given, sums = features.clone(), some(*wanted.shape)
    torch.testing.assert_close(quick(features), wanted, atol=1e-5, rtol=0)
    torch.testing.assert_close(quick.rectified(features), F.relu(wanted), atol=1e-5, rtol=0)
    torch.testing.assert_close(quick.added(features, sums.clone()), F.relu(wanted + sums), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        quick.added(features, sums.clone(memory_format=torch.contiguous_format)),
        F.relu(wanted + sums),
        atol=1e-5,
        rtol=0,
    )
    assert quick(features).is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(features, given)
    assert len(strips) >= 3 * pictures
    if size == (23, 15):
        assert strips[:4] == [0, 4, 8, 12], "in strips of a row of tiles"


@torch.inference_mode()
@pytest.mark.parametrize("size", [(90, 160), (161, 91)])
def test_groups_of_tiles_are_all_done_whatever_lay_in_memory_before(monkeypatch, size) -> None:
    """Strips of several groups, the last of them not full; memory that is new to the process is full of nan."""
    monkeypatch.setattr(winograd, "_TILES_A_STRIP", 400)
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    convolution, features = layer(), some(2, 16, *size)
    features[0, :, -1, -1] = torch.nan
    torch.use_deterministic_algorithms(True)
    try:
        found, wanted = WinogradConv2d(convolution)(features), convolution(features)
    finally:
        torch.use_deterministic_algorithms(False)
    torch.testing.assert_close(found[1], wanted[1], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[0, :, :-8], wanted[0, :, :-8], atol=1e-5, rtol=0)


@torch.inference_mode()
def test_how_far_apart_they_are_at_most() -> None:
    """The figures of the module's docstring."""
    convolution, features = layer(256, 256), some(1, 256, 60, 80)
    exact = usual(convolution, features)
    spread = exact.std()
    assert (convolution(features) - exact).abs().max() < 2e-5 * spread
    assert (WinogradConv2d(convolution)(features) - exact).abs().max() < 4e-5 * spread


@torch.inference_mode()
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_what_is_no_number_stays_near_where_it_was(value) -> None:
    convolution, features = layer(), some(1, 16, 24, 24)
    features[0, :, 9, 9] = value
    found, wanted = WinogradConv2d(convolution)(features), convolution(features)
    assert not found[:, :, 8:11, 8:11].isfinite().any()
    far = torch.ones(24, 24, dtype=torch.bool)
    far[4:16, 4:16] = False  # the tiles that it is in
    torch.testing.assert_close(found[..., far], wanted[..., far], atol=1e-5, rtol=0)


@pytest.fixture
def unused(monkeypatch) -> None:
    def convolved(*_: object, **__: object) -> None:
        raise AssertionError("not here")

    monkeypatch.setattr(WinogradConv2d, "_convolved", convolved)


@pytest.mark.usefixtures("unused")
def test_elsewhere_it_is_the_usual_layer(monkeypatch) -> None:
    convolution, features = layer(), some(1, 16, 24, 24)
    quick, wanted = WinogradConv2d(convolution), convolution(features)
    assert torch.equal(quick(features), wanted), "gradients are wanted"
    with torch.inference_mode():
        with pytest.raises(AssertionError, match="not here"):
            quick(features)
        torch.testing.assert_close(quick(features.contiguous()), wanted), "channels first"
        with torch.autocast("cpu", torch.bfloat16):
            assert quick(features).dtype == quick.rectified(features).dtype == torch.bfloat16
            sums = quick.added(features, features.clone()).float()
            torch.testing.assert_close(sums, F.relu(wanted + features), atol=0.1, rtol=0)
        monkeypatch.setattr(winograd, "_FEW_CELLS", 24 * 24 + 1)
        torch.testing.assert_close(quick.rectified(features), F.relu(wanted))
        torch.testing.assert_close(quick.added(features, features.clone()), F.relu(wanted + features))
        monkeypatch.setattr(winograd, "_FEW_CELLS", 0)
        wide = WinogradConv2d(copy.deepcopy(convolution).double())
        assert wide(features.double()).dtype == torch.float64
        monkeypatch.setattr(one_pass, "_is_built_in", lambda _: False)
        torch.testing.assert_close(quick.rectified(features), F.relu(wanted))


@pytest.mark.usefixtures("unused")
@torch.inference_mode()
def test_in_bfloat16_it_is_the_usual_layer_also_where_a_processor_has_it(monkeypatch) -> None:
    seen = []
    for name in ("convolved", "added"):
        monkeypatch.setattr(winograd, name, lambda features, *_: seen.append(features) or features)
    monkeypatch.setattr(one_pass, "_is_built_in", lambda _: True)
    quick, features = WinogradConv2d(layer()), some(1, 16, 24, 24)
    with torch.autocast("cpu", torch.bfloat16):
        quick.rectified(features)
        quick.added(features, features.clone())
    assert len(seen) == 2


@torch.inference_mode()
def test_what_is_added_to_lies_as_it_must() -> None:
    convolution, features, sums = layer(), some(1, 16, 24, 24), some(1, 16, 24, 24)
    quick = WinogradConv2d(convolution)
    wanted = F.relu(convolution(features) + sums)
    for other in (sums.clone(memory_format=torch.contiguous_format), sums.double()):
        given = other.clone()
        torch.testing.assert_close(quick.added(features, other).float(), wanted, atol=1e-5, rtol=0)
        assert torch.equal(other, given), "it is the usual layer"


@torch.inference_mode()
def test_kernels_are_turned_once_and_forgotten_for_bfloat16(monkeypatch) -> None:
    turned, turn = [], winograd._products_of
    monkeypatch.setattr(winograd, "_products_of", lambda plain: turned.append(plain) or turn(plain))
    copies = InferenceCopies(nn.Sequential(layer(128, 128)))
    features = some(1, 128, 24, 24)
    for _ in range(3):
        copies.of("float32")(features)
    assert len(turned) == 1
    assert copies.of("float32")[0]._products is not None
    copies.of("bfloat16")
    assert copies.of("float32")[0]._products is None
    copies.of("float32")(features)
    assert len(turned) == 2


@torch.inference_mode()
def test_no_shape_of_a_picture_makes_a_matrix_of_another_height(monkeypatch) -> None:
    heights = []
    multiply = one_pass.GroupedProducts.of

    def watched(products: one_pass.GroupedProducts, rows: torch.Tensor) -> torch.Tensor:
        heights.append(len(rows))
        return multiply(products, rows)

    monkeypatch.setattr(one_pass.GroupedProducts, "of", watched)
    quick = WinogradConv2d(layer())
    for size in ((20, 27), (50, 76), (104, 160), (160, 104), (3, 3)):
        quick(some(1, 16, *size))
    assert set(heights) == {winograd._TILES_AT_ONCE}


def test_few_places_stay_empty(monkeypatch) -> None:
    monkeypatch.setattr(winograd, "_TILES_AT_ONCE", 72)
    assert winograd._rows_at_once(48, 84) == 6, "6 x 84 is 7 x 72"
    assert winograd._rows_at_once(7, 84) == 4, "after six, the seventh would leave 60 of 144 empty"
    assert winograd._rows_at_once(2, 3) == 2
    assert winograd._rows_at_once(5, 4000) == 1, "what is worked on at once stays small"


@torch.inference_mode()
def test_pictures_of_a_usual_size_are_convolved_so(monkeypatch) -> None:
    monkeypatch.setattr(winograd, "_FEW_CELLS", FEW_CELLS)
    seen = []
    monkeypatch.setattr(WinogradConv2d, "_convolved", lambda _, features, *__: seen.append(features) or features)
    head = InferenceCopies(build_detectron2("d2-r50-fpn", 1)).of("float32").rpn.head
    head([some(1, 256, 25, 38)])
    assert len(seen) == 1


@torch.inference_mode()
def test_it_can_be_copied_and_stored_after_it_was_used() -> None:
    quick, features = WinogradConv2d(layer()), some(1, 16, 24, 24)
    wanted = quick(features)
    for again in (copy.deepcopy(quick), pickle.loads(pickle.dumps(quick))):  # noqa: S301
        assert torch.equal(again(features), wanted)


def test_two_threads_at_once() -> None:
    quick, features = WinogradConv2d(layer(64, 64)), [some(1, 64, 40, 40 + i) for i in range(8)]
    with torch.inference_mode():
        wanted = [quick(one) for one in features]

    def look(one: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return quick(one)

    quick = WinogradConv2d(quick.plain)  # they prepare it at once, too
    with ThreadPoolExecutor(4) as pool:
        for found, one in zip(pool.map(look, features * 4), wanted * 4, strict=True):
            torch.testing.assert_close(found, one, atol=1e-5, rtol=0)


def names_in(network: nn.Module) -> list[str]:
    return [name for name, module in network.named_modules() if isinstance(module, WinogradConv2d)]


LOOKING = {"fpn": 4, "rpn": 1}


@pytest.mark.parametrize(
    ("build", "parts"),
    [
        (lambda: build_detectron2("d2-r50-fpn", 1), LOOKING | {"layer2": 4, "layer3": 6, "layer4": 3}),
        # torchvision's first blocks step in their 3x3
        (lambda: build_network("fasterrcnn_resnet50_fpn", 2), LOOKING | {"layer2": 3, "layer3": 5, "layer4": 2}),
    ],
)
def test_the_wide_ones_are_done_so_to_look_with_only(build, parts) -> None:
    network = build()
    names = names_in(InferenceCopies(network).of("float32"))
    assert {part: sum(part in name for name in names) for part in parts} == parts
    assert len(names) == sum(parts.values())
    assert names_in(network) == []
    assert set(network.state_dict()) == set(build().state_dict())


@torch.inference_mode()
def test_the_last_convolution_of_a_block_can_be_done_so() -> None:
    """With what is added to it; the embedded models' blocks are of two 3x3 convolutions."""
    block = BasicBlock(128, 128).eval()
    quick = fused_copy(nn.Sequential(block))
    assert names_in(quick) == ["0.inner.0", "0.last"]
    features = some(1, 128, 30, 41)
    given = features.clone()
    torch.testing.assert_close(quick(features), block(features), atol=1e-5, rtol=1e-5)
    assert torch.equal(features, given), "the first block of a stage leaves what it is given"


@pytest.mark.parametrize(
    "other",
    [
        {"stride": 2}, {"dilation": 2}, {"groups": 2}, {"bias": False}, {"padding_mode": "reflect"}, {"padding": 0},
        {"kernel_size": 5}, {"in_channels": 64}, {"out_channels": 64},
    ],
)  # fmt: skip
def test_others_are_left(other) -> None:
    usual = {"in_channels": 256, "out_channels": 256, "kernel_size": 3, "padding": 1}
    done = with_winograd(nn.Sequential(nn.Conv2d(**usual)))
    assert names_in(done) == names_in(with_winograd(done)) == ["0"]
    assert names_in(with_winograd(nn.Sequential(nn.Conv2d(**usual | other)))) == []
