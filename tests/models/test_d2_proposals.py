"""Proposals to look with are those that torchvision's way through all anchors gives."""

import pytest
import torch
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork

from cowvision.models.d2_network import build_detectron2
from cowvision.models.d2_proposals import Proposals
from cowvision.models.torchvision_engine import as_float

PICTURES = ImageList(torch.zeros(2, 3, 384, 512), [(384, 512), (350, 500)])
SMALL = ImageList(torch.zeros(2, 3, 64, 64), [(64, 64), (60, 50)])
"""For bfloat16, which takes minutes on a processor that lacks it."""


@pytest.fixture
def proposals() -> Proposals:
    torch.manual_seed(0)
    network = build_detectron2("d2-r50-fpn", 1).eval()
    torch.nn.init.normal_(network.rpn.head.cls_logits.weight, std=0.5)
    torch.nn.init.normal_(network.rpn.head.bbox_pred.weight, std=0.05)
    return network.rpn


def pyramid(pictures: ImageList = PICTURES) -> dict[str, torch.Tensor]:
    height, width = pictures.tensors.shape[-2:]
    sizes = [(height // stride, width // stride) for stride in (4, 8, 16, 32, 64)]
    generator = torch.Generator().manual_seed(2)
    return {str(i): torch.randn(2, 256, *size, generator=generator) for i, size in enumerate(sizes)}


@torch.inference_mode()
def test_they_are_those_of_all_anchors(proposals) -> None:
    found, losses = proposals(PICTURES, pyramid())
    wanted, _ = RegionProposalNetwork.forward(proposals, PICTURES, pyramid())
    assert losses == {}
    for one, other in zip(found, wanted, strict=True):
        assert len(other) > 500
        torch.testing.assert_close(one, other, atol=1e-4, rtol=0)


@torch.inference_mode()
def test_in_bfloat16_they_are_boxes_in_float32(proposals) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = proposals(SMALL, pyramid(SMALL))
        proposals.head.register_forward_hook(as_float)
        wanted, _ = RegionProposalNetwork.forward(proposals, SMALL, pyramid(SMALL))
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == torch.float32
        assert len(other) > 200
        near = (one[:, None] - other[None]).abs().amax(dim=2) < 1e-3
        assert near.any(dim=1).float().mean() > 0.98, "equal logits may come in another order"
        assert near.any(dim=0).float().mean() > 0.98


@torch.inference_mode()
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_what_is_no_number_is_left_out(proposals, value) -> None:
    features = pyramid()
    features["2"][0, :, 4, 4] = value
    found, _ = proposals(PICTURES, features)
    assert all(one.isfinite().all() and len(one) > 500 for one in found)
