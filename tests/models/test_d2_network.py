"""detectron2's network without detectron2 answers as detectron2 does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cowvision.data.coco import COCO_EIGHTY
from cowvision.data.formats import read_coco
from cowvision.detection_box import DetectionBox
from cowvision.models.catalog import ModelSpec
from cowvision.models.choices import Execution
from cowvision.models.d2_network import build_detectron2, edge_hw
from cowvision.models.d2_parts import BoxHeads, UnroundedAnchors, cell_anchors
from cowvision.models.d2_pooling import AlignedPooler, levels_of, pool_by_products, pooled_by_samples
from cowvision.models.execution import same_detections
from cowvision.models.torchvision_engine import raw_detections
from cowvision.training.settings import BatchSettings, FinetuneConfig
from tests.models import d2_golden
from tests.models.d2_golden import agreement, asked, predictor, recorded, view, write_checkpoint

R50, R101 = d2_golden.CONFIGS
FAST = Execution("cpu", "float32", channels_last=True, threads=torch.get_num_threads())
QUICK = "stubble_walk"
SOME = [(R50, name) for name in ("many_cows", "winter_cows", "mixed_species", "barnyard", QUICK)] + [(R101, QUICK)]
LIVE = [(R50, "winter_cows"), (R50, QUICK), (R101, QUICK)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Checkpoints by architecture, written when first asked for."""
    kept: dict[str, Path] = {}

    def checkpoint(architecture: str) -> Path:
        if architecture not in kept:
            kept[architecture] = write_checkpoint(architecture, tmp_path_factory.mktemp("d2") / f"{architecture}.pkl")
        return kept[architecture]

    return checkpoint


@pytest.fixture(scope="module")
def boxes(made):
    """Detectors by architecture, loaded when first asked for."""
    kept: dict[str, DetectionBox] = {}

    def box(architecture: str) -> DetectionBox:
        if architecture not in kept:
            spec = ModelSpec(architecture, "Golden", architecture, COCO_EIGHTY, weights=made(architecture))
            kept[architecture] = DetectionBox(spec, execution=FAST)
        return kept[architecture]

    return box


@pytest.mark.parametrize(("architecture", "name"), SOME)
def test_the_answers_are_those_that_detectron2_gave(boxes, architecture, name) -> None:
    [found] = boxes(architecture).predict([view(name)])
    agreed = agreement(recorded(architecture, name), found)
    assert agreed.boxes > 5
    assert agreed.is_good, agreed


@pytest.mark.detectron2
@pytest.mark.skipif(not d2_golden.is_installed, reason="detectron2 is not installed")
@pytest.mark.parametrize(("architecture", "name"), LIVE)
def test_the_answers_are_those_that_detectron2_gives_now(boxes, made, architecture, name) -> None:
    answer = asked(predictor(architecture, made(architecture)), view(name))
    [found] = boxes(architecture).predict([view(name)])
    assert agreement(answer, found).is_good
    same = recorded(architecture, name)
    np.testing.assert_allclose(answer.xyxy, same.xyxy, atol=0.05, err_msg="the record is old")


@pytest.mark.detectron2
@pytest.mark.skipif(not d2_golden.is_installed, reason="detectron2 is not installed")
def test_the_classes_are_in_detectron2s_order() -> None:
    from detectron2.data import MetadataCatalog

    assert list(COCO_EIGHTY) == MetadataCatalog.get("coco_2017_val").thing_classes


def test_cow_is_found_by_name_among_eighty() -> None:
    assert (len(COCO_EIGHTY), COCO_EIGHTY.index("cow")) == (80, 19)
    assert ModelSpec("d2", "d2", R50, COCO_EIGHTY).class_name(20) == "cow"


def test_pictures_together_give_what_each_gives_alone(boxes) -> None:
    box, rgb = boxes(R50), view(QUICK)
    pictures = [rgb, rgb[:, ::-1].copy()]
    together = box.predict(pictures, batch_size=2)
    for alone, one in zip([box.predict([picture])[0] for picture in pictures], together, strict=True):
        assert alone.class_id.tolist() == one.class_id.tolist()
        np.testing.assert_allclose(alone.xyxy, one.xyxy, atol=0.01)
        np.testing.assert_allclose(alone.confidence, one.confidence, atol=1e-4)


def test_bfloat16_keeps_the_sure_ones(boxes) -> None:
    box, rgb = boxes(R50), view(QUICK)
    exact, rough = (
        raw_detections(box._inference.of(dtype), [rgb], execution=replace(FAST, dtype=dtype))
        for dtype in ("float32", "bfloat16")
    )
    assert (exact[0][1] > 0.5).sum() >= 2
    assert same_detections(rough, exact)


def test_it_learns_in_our_own_loop(boxes) -> None:
    folder = d2_golden.ROOT / "assets" / "pictures"
    pictures = read_coco(folder / "truth.json", folder)[:2]
    batch = BatchSettings(batch_size=1, short_sides=(128,), workers=0)
    told = []
    config = FinetuneConfig(iterations=2, batch=batch, bfloat16=False)
    tuned = boxes(R50).train(pictures, config, name="tuned", on_step=told.append)
    assert sorted(told[0].losses) == ["box_reg", "classifier", "objectness", "rpn_box_reg"]
    assert (tuned.spec.architecture, tuned.spec.class_names) == (R50, ("cow",))
    assert all(bool(torch.isfinite(value).all()) for value in tuned.network.state_dict().values())


@pytest.mark.parametrize(
    ("size_hw", "expected"),
    [
        ((854, 1280), (800, 1199)),
        ((480, 640), (800, 1067)),
        ((640, 480), (1067, 800)),
        ((320, 1280), (333, 1333)),
        ((96, 131), (800, 1092)),
        ((1, 5000), (1, 1333)),
        ((800, 800), (800, 800)),
        ((1600, 2401), (800, 1201)),
    ],
)
def test_edges_are_rounded_as_detectron2_rounds_them(size_hw, expected) -> None:
    assert edge_hw(size_hw, 800) == expected


def test_anchors_are_not_rounded() -> None:
    assert cell_anchors(32)[0].tolist() == pytest.approx([-22.627417, -11.3137085, 22.627417, 11.3137085])
    features = [torch.zeros(1, 1, *size) for size in ((8, 12), (4, 6), (2, 3), (1, 2), (1, 1))]
    [anchors] = UnroundedAnchors()(type("Pictures", (), {"image_sizes": [(32, 48)]}), features)
    assert anchors.shape == (3 * (96 + 24 + 6 + 2 + 1), 4)
    assert (anchors[3:6] - anchors[:3]).tolist() == [[4, 0, 4, 0]] * 3, "the next cell to the right"
    assert (anchors[36:39] - anchors[:3]).tolist() == [[0, 4, 0, 4]] * 3, "the next row"


def test_boxes_are_pooled_from_the_level_of_their_size() -> None:
    sides = torch.tensor([1.0, 111.9, 112.1, 223.9, 224.1, 447.9, 448.1, 5000.0])
    boxes = torch.stack([torch.zeros(8), torch.zeros(8), sides, sides], dim=1)
    assert levels_of(boxes).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("stride", [4, 32])
def test_pooling_by_products_is_torchvisions_pooling(stride) -> None:
    random = torch.Generator().manual_seed(0)
    features = torch.randn(2, 8, 13, 21, generator=random)
    size = torch.tensor([21.0, 13.0, 21.0, 13.0]) * stride
    corners = (torch.rand(300, 4, generator=random) * 1.4 - 0.2) * size  # some reach beyond the picture
    boxes = torch.cat([torch.minimum(corners[:, :2], corners[:, 2:]), torch.maximum(corners[:, :2], corners[:, 2:])], 1)
    whole = torch.tensor([[0, 0, 0, 0], [0, 0, size[0], size[1]], [5, 5, 5.01, 5.01]])
    boxes = torch.cat([boxes, whole])
    rois = torch.cat([torch.arange(len(boxes))[:, None] % 2, boxes], dim=1)
    products = torch.full((len(rois), 7, 7, 8), torch.nan)
    pool_by_products(features, rois, stride, list(products))
    samples = pooled_by_samples(features, rois, stride)
    torch.testing.assert_close(products.permute(0, 3, 1, 2), samples, atol=1e-4, rtol=1e-4)
    pool_by_products(features, rois[:0], stride, [])


def test_proposals_are_numbers_and_have_area() -> None:
    logits = torch.tensor([torch.inf, 2.0, torch.nan, 1.0, 3.0])
    boxes = torch.tensor([[0, 0, 9, 9], [5, 5, 5, 9], [9, 0, 20, 9], [0, 20, 9, 40], [20, 20, 30, 30.0]])
    kept, scores = build_detectron2(R50, 1).rpn.eval()._of_all(boxes, logits, (32, 32), [3, 2])
    assert scores.tolist() == [3, 1]
    assert kept.tolist() == [[20, 20, 30, 30], [0, 20, 9, 32]], "best first, cut at the picture's edge"


def test_boxes_without_area_are_left_out_of_the_hundred() -> None:
    heads: BoxHeads = build_detectron2(R50, 1).roi_heads
    boxes = torch.tensor([[40.0, 0, 50, 10], [0, 0, 10, 10], [0, 20, 10, 30]])[:, None].repeat(1, 2, 1)
    scores = torch.tensor([[0.1, 0.9], [0.2, 0.8], [0.95, 0.05]])
    [found, sure, labels] = heads._found(boxes, scores, (32, 32))
    assert found.tolist() == [[0, 0, 10, 10]] and labels.tolist() == [1]
    assert sure.tolist() == pytest.approx([0.8]), "a score of just 0.05 is too low"


def test_rows_that_are_no_numbers_take_no_place_among_the_hundred() -> None:
    heads: BoxHeads = build_detectron2(R50, 2).roi_heads
    corners = torch.arange(0.0, 1200, 10)  # 120 boxes side by side
    boxes = torch.stack([corners, torch.zeros(120), corners + 9, torch.full((120,), 9.0)], dim=1)
    boxes = boxes[:, None].repeat(1, 3, 1)
    scores = torch.linspace(0.9, 0.4, 120)[:, None] * torch.tensor([0.0, 1.0, 0.0])
    boxes[0, 1, 2], boxes[1, 1, 0], boxes[2, 2, 0] = torch.inf, torch.nan, torch.nan  # the last of another class
    scores[3, 0] = torch.nan
    [found, sure, _] = heads._found(boxes, scores, (16, 1200))
    assert found[:, 0].tolist() == corners[4:104].tolist() and len(sure) == 100


def test_boxes_of_each_picture_are_cut_at_its_own_edges() -> None:
    heads: BoxHeads = build_detectron2(R50, 1).roi_heads
    proposals = [torch.tensor([[0.0, 0, 90, 90]])] * 2
    logits = torch.tensor([[0.0, 5.0]]).repeat(2, 1)
    boxes, _, _ = heads.postprocess_detections(logits, torch.zeros(2, 8), proposals, [(40, 60), (80, 50)])
    assert [one.tolist() for one in boxes] == [[[0, 0, 60, 40]], [[0, 0, 50, 80]]]


def test_boxes_are_not_pooled_in_bfloat16() -> None:
    random = torch.Generator().manual_seed(0)
    features = {str(level): torch.randn(1, 4, 32 >> level, 32 >> level, generator=random) for level in range(4)}
    boxes = [torch.tensor([[3.3, 4.4, 120.7, 99.9], [60.1, 20.2, 81.3, 77.7]])]
    with torch.inference_mode():
        exact = AlignedPooler()(features, boxes, [(128, 128)])
        with torch.autocast("cpu", torch.bfloat16):
            torch.testing.assert_close(AlignedPooler()(features, boxes, [(128, 128)]), exact)


def test_a_picture_without_proposals_has_no_boxes() -> None:
    features = {str(level): torch.zeros(1, 256, 8 >> level, 8 >> level) for level in range(4)}
    assert AlignedPooler()(features, [torch.zeros(0, 4)], [(32, 32)]).shape == (0, 256, 7, 7)
    heads: BoxHeads = build_detectron2(R50, 1).roi_heads
    [boxes], [scores], [labels] = heads.postprocess_detections(
        torch.zeros(0, 2), torch.zeros(0, 8), [torch.zeros(0, 4)], [(32, 32)]
    )
    assert (boxes.shape, len(scores), len(labels)) == ((0, 4), 0, 0)
