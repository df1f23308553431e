"""The best anchors, sought roughly, are those that a whole level would have given."""

import pytest
import torch
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RPNHead

from cowvision.models import d2_screening
from cowvision.models.d2_network import build_detectron2
from cowvision.models.d2_proposals import Proposals
from cowvision.models.d2_screening import Screen, with_screens
from cowvision.models.fusion import InferenceCopies

CHANNELS, COUNT = 32, 120
SIZE = (36, 50)


@pytest.fixture
def head() -> RPNHead:
    torch.manual_seed(0)
    head = RPNHead(CHANNELS, 3).eval()
    for layer, spread in ((head.conv[0][0], 0.1), (head.cls_logits, 0.5), (head.bbox_pred, 0.5)):
        torch.nn.init.normal_(layer.weight, std=spread)
        torch.nn.init.normal_(layer.bias, std=0.3)
    return head


@pytest.fixture(autouse=True)
def _every_level(monkeypatch) -> None:
    monkeypatch.setattr(d2_screening, "_FEW_CELLS", 0)


@pytest.fixture
def judged(monkeypatch) -> list[int]:
    """How many cells were judged exactly, each time some were."""
    counts: list[int] = []
    judge = Screen._judged

    def counting(screen, level, cells):
        counts.append(len(cells))
        return judge(screen, level, cells)

    monkeypatch.setattr(Screen, "_judged", counting)
    return counts


def level(pictures: int = 1, seed: int = 1, size: tuple[int, int] = SIZE) -> torch.Tensor:
    made = torch.randn(pictures, CHANNELS, *size, generator=torch.Generator().manual_seed(seed))
    return made.contiguous(memory_format=torch.channels_last)


def whole(head: RPNHead, features: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """The best anchors of each picture by torchvision's head and a sort: logits, deltas, places."""
    found = []
    parts = zip(*(one[0].permute(0, 2, 3, 1).flatten(1) for one in head([features])), strict=True)
    for logits, deltas in ((one, other.view(-1, 4)) for one, other in parts):
        order = logits.argsort(descending=True)[:COUNT]
        found.append((logits[order], deltas[order], order))
    return found


def assert_same(found, wanted) -> None:
    for one, (logits, deltas, places) in zip(found, wanted, strict=True):
        assert one.places.tolist() == places.tolist()
        torch.testing.assert_close(one.logits, logits, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(one.deltas, deltas, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_they_are_the_best_of_the_whole_level(head, judged, seed) -> None:
    features = level(pictures=2, seed=seed)
    with torch.inference_mode():
        assert_same(Screen(head).best(head, features, COUNT), whole(head, features))
    assert 2 <= len(judged) <= 8
    assert sum(judged) < 2 * 0.25 * SIZE[0] * SIZE[1], "most of the level was left out"


@pytest.mark.parametrize(("wrong", "times"), [(0.05, 2), (0.5, 1)])
def test_even_if_the_rough_way_is_far_off(head, judged, wrong, times) -> None:
    screen = Screen(head)
    noise = torch.randn(screen.kernel.shape, generator=torch.Generator().manual_seed(0))
    screen.kernel += (noise * wrong * head.conv[0][0].weight.std()).to(torch.bfloat16)
    features = level()
    with torch.inference_mode():
        rough, exact = screen._rough(features)[0], head([features])[0][0].permute(0, 2, 3, 1).flatten(0, 2)
        first = set(rough.flatten().topk(COUNT).indices.tolist())
        assert first != set(exact.flatten().topk(COUNT).indices.tolist()), "the rough best are not the best"
        assert_same(screen.best(head, features, COUNT), whole(head, features))
    assert len(judged) >= times, "more are judged than seemed best, or the level is computed whole"


def test_a_level_whose_cells_are_all_alike_is_computed_whole(head, judged) -> None:
    features = torch.ones(1, CHANNELS, *SIZE)
    with torch.inference_mode():
        [found] = Screen(head).best(head, features, COUNT)
        [wanted] = whole(head, features)
    torch.testing.assert_close(found.logits, wanted[0])
    assert sum(judged) <= SIZE[0] * SIZE[1] / 4


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_features_that_are_no_numbers_are_computed_whole(head, value) -> None:
    features = level()
    features[0, :, 4, 4] = value
    with torch.inference_mode():
        [found] = Screen(head).best(head, features, COUNT)
        logits = head([features])[0][0].permute(0, 2, 3, 1).flatten()
    wanted = logits.topk(COUNT).values
    assert torch.equal(found.logits.isfinite(), wanted.isfinite())


def test_small_levels_and_more_anchors_than_there_are(head, judged, monkeypatch) -> None:
    monkeypatch.setattr(d2_screening, "_FEW_CELLS", 10_000)
    features = level(size=(3, 4))
    with torch.inference_mode():
        [found] = Screen(head).best(head, features, COUNT)
    assert sorted(found.places.tolist()) == list(range(36))
    assert not judged


@pytest.fixture
def proposals(monkeypatch) -> Proposals:
    torch.manual_seed(0)
    network = build_detectron2("d2-r50-fpn", 1).eval()
    torch.nn.init.normal_(network.rpn.head.cls_logits.weight, std=0.5)
    torch.nn.init.normal_(network.rpn.head.bbox_pred.weight, std=0.05)
    monkeypatch.setattr(d2_screening, "_is_bfloat16_quicker", lambda: True)
    return with_screens(network).rpn


def pyramid() -> dict[str, torch.Tensor]:
    sizes = [(96, 128), (48, 64), (24, 32), (12, 16), (6, 8)]
    generator = torch.Generator().manual_seed(2)
    return {str(i): torch.randn(2, 256, *size, generator=generator) for i, size in enumerate(sizes)}


def test_proposals_are_the_same_with_a_screen_and_without(proposals, monkeypatch) -> None:
    monkeypatch.setattr(d2_screening, "_FEW_CELLS", 2_000)
    pictures = ImageList(torch.zeros(2, 3, 384, 512), [(384, 512), (350, 500)])
    asked = []
    best = Screen.best
    monkeypatch.setattr(Screen, "best", lambda *given: asked.append(1) or best(*given))
    with torch.inference_mode():
        screened, losses = proposals(pictures, pyramid())
        assert len(asked) == 5
        proposals.screen = None
        plain, _ = proposals(pictures, pyramid())
    assert losses == {}
    for one, other in zip(screened, plain, strict=True):
        assert len(other) > 500
        apart = torch.cdist(one, other, p=torch.inf)  # two of one score may change places
        assert len(one) == len(other)
        assert max(apart.amin(dim=0).max(), apart.amin(dim=1).max()) < 1e-3


def test_it_is_of_use_for_looks_in_float32_on_a_quick_processor(proposals, monkeypatch) -> None:
    screen = proposals.screen
    assert not screen.is_of_use(), "gradients are wanted"
    with torch.inference_mode():
        assert screen.is_of_use()
        with torch.autocast("cpu", torch.bfloat16):
            assert not screen.is_of_use(), "all of it is in bfloat16 already"
        monkeypatch.setattr(d2_screening, "_is_bfloat16_quicker", lambda: False)
        assert not screen.is_of_use()


def test_copies_to_look_with_have_one_and_the_network_that_learns_has_none() -> None:
    network = build_detectron2("d2-r50-fpn", 1)
    copies = InferenceCopies(network)
    assert isinstance(copies.of("float32").rpn.screen, Screen)
    assert network.rpn.screen is None
    assert set(network.state_dict()) == set(build_detectron2("d2-r50-fpn", 1).state_dict())


@pytest.mark.parametrize("count", [SIZE[0] * SIZE[1] * 3 + 1, SIZE[0] * SIZE[1] * 3, 1000])
def test_so_many_that_a_large_level_is_computed_whole(head, judged, count) -> None:
    features = level()
    with torch.inference_mode():
        [found] = Screen(head).best(head, features, count)
        [wanted] = d2_screening._computed(head, features, count)
    assert judged == []
    assert torch.equal(found.places, wanted.places)
    assert len(found.places) == min(count, SIZE[0] * SIZE[1] * 3)


def test_the_best_are_found_where_large_features_cancel(head) -> None:
    """There bfloat16 is wrong by far more than around what seems best."""
    kernel = head.conv[0][0].weight
    with torch.no_grad():
        for one in (kernel, head.conv[0][0].bias, head.cls_logits.weight, head.cls_logits.bias):
            one.zero_()
        kernel[0, 0, 1, 1], kernel[0, 1, 1, 1] = 1, -1
        head.cls_logits.weight[:, 0] = 1
    features = torch.zeros_like(level())
    features[:, 0] = torch.rand(SIZE, generator=torch.Generator().manual_seed(0))
    features[0, 0, 12:24, 20:32], features[0, 1, 12:24, 20:32] = 1001.9, 1000.0
    with torch.inference_mode():
        [found] = Screen(head).best(head, features, COUNT)
        [wanted] = d2_screening._computed(head, features, COUNT)
    assert wanted.logits.min() > 1.8
    torch.testing.assert_close(found.logits, wanted.logits)
