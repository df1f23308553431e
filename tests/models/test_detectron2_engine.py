"""detectron2 itself at work: it sees BGR, says cow by name, learns a herd, and leaves nothing behind."""

import copy
import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cowvision.data.coco import COCO_EIGHTY
from cowvision.detection_box import DetectionBox
from cowvision.errors import ModelFileError, TrainingDataError, WorkStopped
from cowvision.models.catalog import ModelSpec, find_model
from cowvision.models.choices import Execution
from cowvision.models.detectron2_tensors import drawn_by_torch
from cowvision.models.detectron2_zoo import ZOO, is_installed
from cowvision.models.engines import with_classes
from cowvision.training.settings import BatchSettings, FinetuneConfig
from tests.models.d2_golden import Answer, agreement, view, weights
from tests.models.small_detectron2 import NAMES, SETTINGS, changed, drawn, write_checkpoint, write_config

pytestmark = [
    pytest.mark.detectron2,
    pytest.mark.skipif(not is_installed(), reason="detectron2 is not installed"),
]
PLAIN = Execution(threads=1)
QUICK = FinetuneConfig(
    iterations=80, learning_rate=1e-3, warm_up=5, bfloat16=False, frozen_stages=0, average_decay=0.8,
    batch=BatchSettings(batch_size=2),
)  # fmt: skip
PICTURES = [drawn(number) for number in range(6)]


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    """A person's config.yaml with its checkpoint."""
    folder = tmp_path_factory.mktemp("my-herd")
    write_checkpoint(folder)
    return write_config(folder)


@pytest.fixture(scope="module")
def box(config) -> DetectionBox:
    return DetectionBox(config, execution=PLAIN)


def built(settings: dict, names: tuple[str, ...] = NAMES) -> DetectionBox:
    spec = ModelSpec("tried", "Tried", "detectron2:own-tried", names, config=json.dumps(settings))
    return DetectionBox(spec, execution=PLAIN)


def registered() -> tuple[list[str], list[str]]:
    from detectron2.data import DatasetCatalog, MetadataCatalog

    return DatasetCatalog.list(), MetadataCatalog.list()


def test_it_answers_as_detectron2s_own_predictor(box, monkeypatch) -> None:
    from detectron2.config import CfgNode, get_cfg
    from detectron2.engine import DefaultPredictor

    cfg = get_cfg()
    cfg.merge_from_other_cfg(CfgNode(json.loads(box.spec.config)))
    cfg.MODEL.DEVICE, cfg.MODEL.WEIGHTS, cfg.DATASETS.TEST = "cpu", str(box.spec.weights), ()
    cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.05
    rgb = view("barnyard")
    theirs = DefaultPredictor(cfg)(np.ascontiguousarray(rgb[:, :, ::-1]))["instances"]
    [ours] = box.predict([rgb])
    answer = Answer(theirs.pred_boxes.tensor.numpy(), theirs.scores.numpy(), theirs.pred_classes.numpy())
    agreed = agreement(answer, ours)
    assert agreed.boxes == agreed.matched > 10


def test_cow_is_a_name_and_scores_begin_low(box) -> None:
    [found] = box.predict([PICTURES[0].source])
    assert set(found.data["class_name"]) <= set(NAMES) and "cow" in found.data["class_name"]
    cows = found.data["class_name"] == "cow"
    assert (found.class_id[cows] == NAMES.index("cow") + 1).all()
    assert found.confidence.min() < 0.7, "the config's own threshold would hide what Compare needs"


def test_pictures_in_rgb_are_shown_in_the_order_the_config_names() -> None:
    turned = built({**SETTINGS, "INPUT": {**SETTINGS["INPUT"], "FORMAT": "RGB"}})
    usual = built(SETTINGS)
    rgb = np.zeros((160, 160, 3), np.uint8)
    rgb[:, :, 0] = 200
    shown = usual.network._shown(rgb, 160)["image"], turned.network._shown(rgb, 160)["image"]
    assert shown[0][:, 0, 0].tolist() == [0, 0, 200] and shown[1][:, 0, 0].tolist() == [200, 0, 0]


def test_pictures_of_all_sizes_and_of_one_pixel(box) -> None:
    found = box.predict([np.zeros((1, 1, 3), np.uint8), np.zeros((30, 900, 3), np.uint8), PICTURES[0].source])
    assert len(found) == 3
    assert (found[1].xyxy <= [900, 30, 900, 30]).all()


def test_a_wanted_short_side_is_followed(box) -> None:
    wide = DetectionBox(replace(box.spec, short_side=96), network=box.network, execution=PLAIN)
    [usual], [smaller] = box.predict([PICTURES[0].source]), wide.predict([PICTURES[0].source])
    assert len(usual) != len(smaller) or not np.allclose(usual.xyxy, smaller.xyxy)


def test_bfloat16_gives_the_same_kind_of_answer(box) -> None:
    half = DetectionBox(box.spec, network=box.network, execution=Execution("cpu", "bfloat16", channels_last=True))
    [found] = half.predict([PICTURES[0].source])
    assert found.xyxy.dtype == np.float32 and np.isfinite(found.xyxy).all()


def test_teaching_changes_the_map_twice_in_one_process(box, tmp_path) -> None:
    before = box.evaluate(PICTURES).map
    entries, kept = registered(), {name: value.clone() for name, value in box.network.state_dict().items()}
    numpys = np.random.get_state()[1].tolist()  # noqa: NPY002 - detectron2 draws from it
    losses: list[list[float]] = [[], []]
    taught = [box.train(PICTURES, QUICK, name="taught", on_step=lambda r, a=a: a.append(r.loss)) for a in losses]
    assert losses[0] == losses[1] and len(losses[0]) == QUICK.iterations
    after = taught[0].evaluate(PICTURES)
    assert before < 0.05 and after.map > 0.2 and after.map_50 > 0.6
    assert taught[0].spec.weights_sha256 == taught[1].spec.weights_sha256
    assert registered() == entries and np.random.get_state()[1].tolist() == numpys  # noqa: NPY002
    assert all(torch.equal(value, kept[name]) for name, value in box.network.state_dict().items())
    saved = taught[0].save(tmp_path)
    again = DetectionBox(saved.weights, execution=PLAIN)
    assert again.spec.class_names == ("cow",) and again.spec.config == box.spec.config
    assert again.evaluate(PICTURES).map == pytest.approx(after.map, abs=0.02)


def test_teaching_stops_when_asked(box) -> None:
    steps: list[int] = []
    taught = box.train(PICTURES, QUICK, on_step=lambda r: steps.append(r.step), should_stop=lambda: len(steps) == 2)
    assert steps == [1, 2] and taught.spec.class_names == ("cow",)


def test_a_run_that_was_stopped_ends_like_the_unbroken_one(box, tmp_path) -> None:
    short = replace(QUICK, iterations=4, optimizer="sgd", learning_rate=0.005, schedule="step")
    unbroken = box.train(PICTURES, short)
    kept, steps = replace(short, checkpoint=tmp_path / "run.pt"), []
    box.train(PICTURES, kept, on_step=lambda r: steps.append(r.step), should_stop=lambda: len(steps) == 2)
    resumed = box.train(PICTURES, kept, on_step=lambda r: steps.append(r.step))
    assert steps == [1, 2, 3, 4] and resumed.spec.weights_sha256 == unbroken.spec.weights_sha256


def test_its_rates_rise_and_fall_as_its_solver_has_them(box) -> None:
    cosine = box.network.rate_factor("cosine", 100, 10, (2 / 3, 8 / 9))
    step = box.network.rate_factor("step", 90, 10, (2 / 3, 8 / 9))
    assert cosine(0) < 0.01 < cosine(5) < cosine(10) and cosine(99) < 0.001
    assert [round(step(n), 4) for n in (30, 59, 60, 80)] == [1, 1, 0.1, 0.01]


def test_frozen_stages_stay(box) -> None:
    network = with_classes(box.network, NAMES, ("cow",))
    network.freeze(2)
    moves = {name for name, value in network.named_parameters() if value.requires_grad}
    trunk = "model.backbone.bottom_up."
    assert not any(name.startswith((f"{trunk}stem", f"{trunk}res2", f"{trunk}res3")) for name in moves)
    assert any(name.startswith(f"{trunk}res4") for name in moves)


def test_a_new_head_keeps_what_is_known_by_name(box) -> None:
    fresh = with_classes(box.network, NAMES, ("cow", "llama"))
    old, new = (network.model.roi_heads.box_predictor for network in (box.network, fresh))
    assert torch.equal(new.cls_score.weight[0], old.cls_score.weight[NAMES.index("cow")])
    assert torch.equal(new.cls_score.weight[-1], old.cls_score.weight[-1]), "the background is last"
    assert torch.equal(new.bbox_pred.weight[:4], old.bbox_pred.weight[4:8]) and len(new.bbox_pred.weight) == 8
    assert torch.equal(fresh.model.backbone.fpn_lateral2.weight, box.network.model.backbone.fpn_lateral2.weight)


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        (changed(BACKBONE={"NAME": "build_evil_backbone"}), "'build_evil_backbone' found in 'BACKBONE' registry"),
        (changed(ROI_BOX_HEAD={"NAME": "os.system"}), "'os.system' found in"),
        (changed(META_ARCHITECTURE="RetinaNet"), "asks for RetinaNet"),
        (changed(PROPOSAL_GENERATOR={"NAME": "RRPN"}), "asks for RRPN"),
        (changed(UNHEARD={"OF": 1}), "Non-existent config key: MODEL.UNHEARD"),
        (changed(RPN={"NMS_THRESH": "loose"}), "Type mismatch"),
        (changed(RESNETS={"DEPTH": 19}), "cannot build"),
        (changed(RPN=[1]), "cannot build"),
        ({**SETTINGS, "INPUT": {"FORMAT": "L"}}, "not BGR or RGB"),
        ({**SETTINGS, "VERSION": 1}, "of VERSION 1"),
    ],
)
def test_a_config_that_cannot_be_built_is_one_sentence(settings, cause) -> None:
    with pytest.raises(ModelFileError, match=cause) as raised:
        built(settings)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 400


def test_checkpoints_that_do_not_fit_or_would_run_something(config, tmp_path) -> None:
    path = write_config(tmp_path)
    checkpoint, harm = tmp_path / "model_final.pth", tmp_path / "harm"
    whole = (config.parent / "model_final.pth").read_bytes()
    checkpoint.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFileError, match="truncated or damaged"):
        DetectionBox(path)
    checkpoint.write_bytes(b"cposix\nsystem\n(V" + f"touch {harm}".encode() + b"\ntR.")
    with pytest.raises(ModelFileError, match="nothing was run"):
        DetectionBox(path)
    state = torch.load(config.parent / "model_final.pth", weights_only=True)["model"]
    state.popitem()
    torch.save({"model": state}, checkpoint)
    with pytest.raises(ModelFileError, match=r"1 missing .*Use the config\.yaml that was written"):
        DetectionBox(path)
    assert not harm.exists()


def test_weights_that_are_no_numbers_are_refused(config, tmp_path) -> None:
    path = write_config(tmp_path)
    state = torch.load(config.parent / "model_final.pth", weights_only=True)["model"]
    state["roi_heads.box_predictor.cls_score.bias"][0] = torch.nan
    torch.save({"model": state}, tmp_path / "model_final.pth")
    with pytest.raises(ModelFileError, match=r"model_final\.pth: the weights hold values that are not numbers"):
        DetectionBox(path)


def test_an_architecture_names_a_config_of_the_zoo_and_no_other_file(tmp_path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text(json.dumps(SETTINGS))
    for label in (str(outside.with_suffix("")), "../Base-RCNN-FPN", "nothing"):
        with pytest.raises(ModelFileError, match="detectron2's zoo has no"):
            DetectionBox(ModelSpec("tried", "Tried", f"detectron2:{label}", NAMES), execution=PLAIN)
    for text in ("{", "[1]"):
        with pytest.raises(ModelFileError, match="cannot build"):
            DetectionBox(ModelSpec("tried", "Tried", "detectron2:own-x", NAMES, config=text), execution=PLAIN)


def test_pictures_to_learn_from_are_in_the_configs_order_with_the_truth_they_show() -> None:
    network = built({**SETTINGS, "INPUT": {**SETTINGS["INPUT"], "MIN_SIZE_TRAIN": [160]}}).network
    picture = torch.zeros(3, 160, 160)
    picture[0] = 1
    truth = {
        "boxes": torch.tensor([[-20.0, 10, 40, 200], [170, 10, 190, 20]]),
        "labels": torch.tensor([2, 3]),
    }
    torch.manual_seed(0)
    mirrored = set()
    for _ in range(12):
        with drawn_by_torch():
            shown = network._taught(picture, truth)
        assert shown["image"][:, 0, 0].tolist() == [0, 0, 255]
        assert shown["instances"].gt_classes.tolist() == [1], "a box beyond the picture shows nothing"
        mirrored.add(tuple(shown["instances"].gt_boxes.tensor[0].tolist()))
    assert mirrored == {(0, 10, 40, 160), (120, 10, 160, 160)}


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_biases_and_norms_are_not_decayed(kind) -> None:
    network = built(SETTINGS | {"SOLVER": {"WEIGHT_DECAY_NORM": 0.1, "WEIGHT_DECAY_BIAS": 0.1}}).network
    decays = {id(one): group["weight_decay"] for group in network.optimizer(kind, 0.1, 0.05).param_groups
              for one in group["params"]}  # fmt: skip
    named = dict(network.model.named_parameters())
    assert decays[id(named["roi_heads.box_predictor.cls_score.weight"])] == 0.05
    assert decays[id(named["roi_heads.box_predictor.cls_score.bias"])] == 0
    assert decays[id(named["backbone.fpn_lateral2.norm.weight"])] == 0


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_biases_learn_as_fast_as_the_config_says(kind) -> None:
    network = built(SETTINGS | {"SOLVER": {"BIAS_LR_FACTOR": 2.0}}).network
    factors = {id(one): group["rate_factor"] for group in network.optimizer(kind, 0.1, 0.05).param_groups
               for one in group["params"]}  # fmt: skip
    named = dict(network.model.named_parameters())
    assert factors[id(named["roi_heads.box_predictor.cls_score.bias"])] == 2
    assert factors[id(named["roi_heads.box_predictor.cls_score.weight"])] == 1


def test_nothing_is_drawn_for_tensorboard_while_it_learns() -> None:
    assert built(SETTINGS | {"VIS_PERIOD": 1}).network.model.vis_period == 0


def test_one_box_for_all_classes_goes_along_to_other_names() -> None:
    network = built(
        changed(ROI_BOX_HEAD={"CLS_AGNOSTIC_BBOX_REG": True}, ROI_HEADS={"NUM_CLASSES": 1}), ("cow",)
    ).network
    fresh = with_classes(network, ("cow",), ("llama", "yak"))
    old, new = (one.model.roi_heads.box_predictor.bbox_pred for one in (network, fresh))
    assert torch.equal(new.weight, old.weight) and len(new.weight) == 4


@pytest.mark.parametrize("part", ["proposal_generator.rpn_head.anchor_deltas", "backbone.fpn_lateral2"])
def test_diverging_advises_a_lower_learning_rate(box, part) -> None:
    broken = DetectionBox(box.spec, network=copy.deepcopy(box.network), execution=PLAIN)
    torch.nn.init.constant_(broken.network.model.get_submodule(part).weight, torch.nan)
    with pytest.raises(
        TrainingDataError, match=r"the loss is no longer a number after 0 steps\. Lower the learning rate"
    ):
        broken.train(PICTURES, QUICK)


def test_masks_in_a_checkpoint_are_left_alone(config, tmp_path) -> None:
    path = write_config(tmp_path, changed(MASK_ON=True))
    state = torch.load(config.parent / "model_final.pth", weights_only=True)["model"]
    torch.save({"model": state | {"roi_heads.mask_head.predictor.bias": torch.ones(3)}}, tmp_path / "model_final.pth")
    assert DetectionBox(path, execution=PLAIN).spec.class_names == NAMES


def test_a_pickle_of_the_zoos_kind_is_read(config, tmp_path) -> None:
    path = write_config(tmp_path)
    state = torch.load(config.parent / "model_final.pth", weights_only=True)["model"]
    arrays = {name: value.numpy() for name, value in state.items()} | {"pixel_mean": np.zeros((3, 1, 1), np.float32)}
    with (tmp_path / "model_final.pkl").open("wb") as file:
        pickle.dump({"model": arrays, "__author__": "nobody"}, file)
    [theirs], [ours] = (DetectionBox(one, execution=PLAIN).predict([PICTURES[0].source]) for one in (config, path))
    assert np.array_equal(theirs.xyxy, ours.xyxy)


def test_names_of_data_sets_it_knows(tmp_path) -> None:
    (tmp_path / "model_final.pth").write_bytes(b"weights")
    entries = registered()
    settings = changed(ROI_HEADS={"NUM_CLASSES": 20}) | {"DATASETS": {"TRAIN": ["nobodys", "voc_2007_trainval"]}}
    names = find_model(str(write_config(tmp_path, settings, names=None))).class_names
    assert "cow" in names and len(names) == 20
    assert registered() == entries, "asking for an unknown set must not make one"


@pytest.mark.parametrize("model", [one for one in ZOO if "50" in one.trunk and "3x" in one.trunk], ids=lambda m: m.name)
def test_the_zoos_other_kinds_are_built_and_run(model) -> None:
    spec = ModelSpec(model.name, model.title, model.architecture, COCO_EIGHTY, short_side=64)
    box = DetectionBox(spec, execution=PLAIN)
    assert len(box.predict([PICTURES[0].source])) == 1
    if "c4" in model.name:  # the other has 100 million weights in one layer
        one = replace(QUICK, iterations=1, learning_rate=1e-6, batch=BatchSettings(batch_size=1), frozen_stages=2)
        assert box.train(PICTURES[:1], one).spec.class_names == ("cow",)


def test_engine_and_parts_agree_on_one_file(tmp_path) -> None:
    path = tmp_path / "d2-r50-fpn.pkl"
    with path.open("wb") as file:
        pickle.dump({"model": weights("d2-r50-fpn"), "__author__": "nobody"}, file)
    specs = [
        ModelSpec("zoo", "Zoo", architecture, COCO_EIGHTY, short_side=480, weights=path)
        for architecture in ("d2-r50-fpn", "detectron2:faster_rcnn_R_50_FPN_3x")
    ]
    [parts], [engine] = (DetectionBox(spec, execution=PLAIN).predict([view("stubble_walk")]) for spec in specs)
    agreed = agreement(Answer(engine.xyxy, engine.confidence, engine.class_id - 1), parts)
    assert agreed.is_good and agreed.boxes > 10
    assert specs[0].id != specs[1].id


def test_timing_can_be_stopped(box) -> None:
    with pytest.raises(WorkStopped):
        DetectionBox(replace(box.spec, short_side=64), network=box.network).choose_execution(lambda: True)
