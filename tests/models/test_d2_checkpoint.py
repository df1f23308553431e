"""detectron2's files: read without running anything, and refused in one sentence where they are something else."""

import io
import os
import pickle
import re
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from cowvision.errors import ModelFileError, ModelNotFoundError
from cowvision.models import d2_checkpoint
from cowvision.models.catalog import find_model, read_model
from cowvision.models.d2_checkpoint import described, read_checkpoint, their_layout, their_name
from cowvision.models.d2_network import build_detectron2
from cowvision.models.d2_parts import cell_anchors
from cowvision.models.d2_pickle import read_arrays
from cowvision.models.d2_unfolding import UnreadablePickleError
from cowvision.models.weights import load_weights

R50 = "d2-r50-fpn"
LAYOUT = their_layout(R50, 1)


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """Spare the networks their own random weights."""
    for name in ("kaiming_normal_", "kaiming_uniform_", "normal_", "uniform_"):
        monkeypatch.setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)


def numbered() -> dict[str, np.ndarray]:
    """Small integers as weights, different in each place; a view of one array, so that it costs nothing."""
    most = max(int(np.prod(shape)) for shape in LAYOUT.values())
    numbers = (np.arange(most) % 97).astype(np.float32)
    return {name: numbers[: int(np.prod(shape))].reshape(shape) for name, shape in LAYOUT.items()}


def ones(layout: dict = LAYOUT) -> dict[str, np.ndarray]:
    """Weights of which only the shapes matter."""
    return {name: np.ones(shape, np.float32) for name, shape in layout.items()}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    path = tmp_path_factory.mktemp("zoo") / "model_final.pkl"
    path.write_bytes(pickle.dumps({"model": numbered(), "__author__": "somebody"}, protocol=2))
    return path


def test_names_are_those_of_detectron2() -> None:
    names = {
        "backbone.body.bn1.running_var": "backbone.bottom_up.stem.conv1.norm.running_var",
        "backbone.body.layer3.0.downsample.1.bias": "backbone.bottom_up.res4.0.shortcut.norm.bias",
        "backbone.body.layer4.2.conv3.weight": "backbone.bottom_up.res5.2.conv3.weight",
        "backbone.body.layer4.2.bn3.weight": "backbone.bottom_up.res5.2.conv3.norm.weight",
        "backbone.fpn.inner_blocks.0.0.bias": "backbone.fpn_lateral2.bias",
        "backbone.fpn.layer_blocks.3.0.weight": "backbone.fpn_output5.weight",
        "rpn.head.cls_logits.weight": "proposal_generator.rpn_head.objectness_logits.weight",
        "roi_heads.box_head.fc7.bias": "roi_heads.box_head.fc2.bias",
        "roi_heads.box_predictor.bbox_pred.bias": "roi_heads.box_predictor.bbox_pred.bias",
    }
    assert {name: their_name(name) for name in names} == names
    assert len(LAYOUT) == len(build_detectron2(R50, 1).state_dict()) == 295, "no two share a name"
    assert (LAYOUT["roi_heads.box_predictor.cls_score.bias"], LAYOUT["roi_heads.box_predictor.bbox_pred.bias"]) == (
        (2,),
        (4,),
    )


def test_colours_and_classes_are_turned_round(zoo) -> None:
    read = read_checkpoint(zoo, build_detectron2(R50, 1))
    numbers = numbered()
    stem = numbers["backbone.bottom_up.stem.conv1.weight"]
    np.testing.assert_array_equal(read["backbone.body.conv1.weight"].numpy(), stem[:, ::-1])
    assert read["roi_heads.box_predictor.cls_score.bias"].tolist() == [1.0, 0.0], "the background comes first"
    assert read["roi_heads.box_predictor.bbox_pred.bias"].tolist() == [0, 0, 0, 0, 0, 1, 2, 3]
    same = numbers["backbone.bottom_up.res5.2.conv3.weight"]
    np.testing.assert_array_equal(read["backbone.body.layer4.2.conv3.weight"].numpy(), same)


@pytest.mark.parametrize("form", ["model and optimizer", "bare"])
def test_a_trainers_own_file_gives_the_same(zoo, tmp_path, form) -> None:
    weights = OrderedDict((name, torch.from_numpy(value)) for name, value in numbered().items())
    weights["backbone.bottom_up.stem.conv1.norm.num_batches_tracked"] = torch.tensor(7)
    whole = {"model": weights, "optimizer": {"state": {}, "lr": 0.1}, "iteration": 5}
    torch.save(whole if form != "bare" else weights, tmp_path / "model_final.pth")
    network, other = build_detectron2(R50, 1), build_detectron2(R50, 1)
    load_weights(network, tmp_path / "model_final.pth")
    load_weights(other, zoo)
    assert all(torch.equal(one, two) for one, two in zip(network.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["<f4", ">f4", "f2", "f8", "i8"])
def test_arrays_of_every_protocol_and_kind(protocol, kind) -> None:
    array = np.arange(6).reshape(2, 3).astype(kind)
    held = {"model": {"a": array, "b": np.asfortranarray(array), "c": np.float32(2.5)}, "note": ["x", 1]}
    read = read_arrays(pickle.dumps(held, protocol=protocol))
    np.testing.assert_array_equal(read["model"]["a"], array)
    np.testing.assert_array_equal(read["model"]["b"], array)
    assert read["model"]["c"] == 2.5
    assert read["note"] == ["x", 1]


class Runs:
    """A pickle that calls something when it is read."""

    def __init__(self, function, *arguments) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def harms(harm) -> dict[str, bytes]:
    """Pickles that would write a file, by how."""
    touch = f"open({str(harm)!r}, 'w')"
    named = {
        "os.system": Runs(os.system, f"touch {harm}"),
        "builtins.eval": Runs(eval, touch),
        "builtins.exec": Runs(exec, touch),
        "builtins.open": Runs(open, str(harm), "w"),
        "numpy.load": Runs(np.load, str(harm)),
        "numpy.fromfile": Runs(np.fromfile, str(harm)),
    }
    made = {f"{how}, protocol {number}": pickle.dumps({"model": {"a": what}}, number)
            for how, what in named.items() for number in (0, 2, 4)}  # fmt: skip
    # names that are put together on the stack, and numpy's own way to a function of another module
    made["by the stack"] = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."
    made["through numpy"] = b"cnumpy.core.multiarray\n__builtins__\n."
    made["a dotted name"] = b"\x80\x04\x8c\x15numpy.core.multiarray\x8c\x18_reconstruct.__globals__\x93."
    return made


@pytest.mark.parametrize("how", sorted(harms("x")))
def test_what_would_run_is_refused_by_name_and_does_not_run(tmp_path, how) -> None:
    for name in ("model_final.pkl", "model_final.pth"):
        (tmp_path / name).write_bytes(harms(tmp_path / "harm")[how])
        with pytest.raises(ModelFileError, match=r"_final\.p..: the pickle asks to run .*; nothing was run\. Use a"):
            read_checkpoint(tmp_path / name, torch.nn.Identity())
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("name", ["model_final.pkl", "model_final.pth"])
@pytest.mark.parametrize("is_older", [False, True])
def test_a_torch_file_that_would_run_something_is_refused(tmp_path, name, is_older) -> None:
    held = {"model": {"a": Runs(open, str(tmp_path / "harm"), "w")}}
    torch.save(held, tmp_path / name, _use_new_zipfile_serialization=not is_older)
    with pytest.raises(ModelFileError, match=r"asks to run \S*open.*nothing was run"):
        read_checkpoint(tmp_path / name, torch.nn.Identity())
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("ending", ["pkl", "pth"])
def test_what_a_file_is_its_first_bytes_tell(tmp_path, ending) -> None:
    weights = {name: torch.ones(shape) for name, shape in LAYOUT.items()}
    path = tmp_path / f"model_final.{ending}"
    for is_older in (False, True):
        torch.save({"model": weights}, path, _use_new_zipfile_serialization=not is_older)
        assert described(path) == (R50, 1)
    path.write_bytes(saved(tmp_path, ones()).read_bytes())
    assert described(path) == (R50, 1)


def test_a_pickle_cannot_change_what_reads_it() -> None:
    sets = b"\x80\x02cnumpy\nndarray\n}(X\x04\x00\x00\x00callK\x01ub."
    with pytest.raises(UnreadablePickleError, match="tries to change ndarray"):
        read_arrays(sets)


def test_bytes_in_another_writing_are_refused() -> None:
    with pytest.raises(UnreadablePickleError, match="unknown writing"):
        read_arrays(b"\x80\x02c_codecs\nencode\n(Vx\nVutf-8\ntR.")


def kinds_of_nonsense() -> dict[str, bytes]:
    whole = pickle.dumps({"model": {"a": np.ones((4, 4), np.float32)}}, protocol=2)
    objects = pickle.dumps({"model": {"a": np.array([{}], object)}}, protocol=2)
    return {
        "empty": b"",
        "truncated in the numbers": whole[:-80],
        "truncated at the end": whole[:-1],
        "text": b"<html>not found</html>",
        "a list": pickle.dumps([1, 2]),
        "no dict of weights": pickle.dumps({"model": 3}),
        "empty weights": pickle.dumps({"model": {}}),
        "objects": objects,
        "too few numbers": whole.replace(struct.pack("<BB", 75, 4), struct.pack("<BB", 75, 9), 1),
        "a memo without end": b"\x80\x02}r\xff\xff\xff\x7f.",
        "bytes without end": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        "a stack of nothing": b"\x80\x02R.",
        "what was not kept": b"\x80\x02h\x05.",
    }


@pytest.mark.parametrize("kind", sorted(kinds_of_nonsense()))
@pytest.mark.parametrize("ending", [".pkl", ".pth"])
def test_nonsense_is_one_sentence(tmp_path, kind, ending) -> None:
    path = tmp_path / f"model{ending}"
    path.write_bytes(kinds_of_nonsense()[kind])
    with pytest.raises(ModelFileError) as refused:
        read_checkpoint(path, build_detectron2(R50, 1))
    assert re.fullmatch(r"\S+model\.p\w\w: [^.].*", str(refused.value))
    assert "\n" not in str(refused.value)


def test_strangers_names_are_told_in_one_short_line(tmp_path) -> None:
    path = tmp_path / "model_final.pkl"
    path.write_bytes(b"\x80\x04\x8c\x05po\nix\x8c\x06sys\nem\x93.")
    with pytest.raises(ModelFileError, match=r"asks to run po\?ix\.sys\?em"):
        described(path)
    with pytest.raises(ModelFileError, match=r"not expected \(a\?ba\?b") as refused:
        described(saved(tmp_path, {"a\nb" * 9999: np.ones(1, np.float32)}))
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 700


def test_numbers_that_are_not_all_there_are_missing(tmp_path) -> None:
    weights = {name: torch.ones(shape) for name, shape in LAYOUT.items()}
    name = "backbone.bottom_up.stem.conv1.weight"
    torch.save({"model": weights | {name: weights[name].to("meta")}}, tmp_path / "model_final.pth")
    with pytest.raises(ModelFileError, match=r"1 missing \(backbone\.bottom_up\.stem\.conv1\.weight\)"):
        load_weights(build_detectron2(R50, 1), tmp_path / "model_final.pth")
    torch.save({"model": {name: torch.ones(3).to_sparse()}}, tmp_path / "model_final.pth")
    with pytest.raises(ModelFileError, match=r"asks to run torch\._utils\._rebuild_sparse_tensor, which weights never"):
        described(tmp_path / "model_final.pth")


def test_older_files_anchors_are_checked(tmp_path) -> None:
    anchors = {
        f"proposal_generator.anchor_generator.cell_anchors.{level}": cell_anchors(side).numpy()
        for level, side in enumerate((32, 64, 128, 256, 512))
    }
    assert described(saved(tmp_path, ones() | anchors)) == (R50, 1)
    other = {name: value.round() for name, value in anchors.items()}
    with pytest.raises(ModelFileError, match=r"settings of its own \(\S+cell_anchors\.0\)"):
        described(saved(tmp_path, ones() | other))
    with pytest.raises(ModelFileError, match=r"settings of its own \(pixel_std\)"):
        described(saved(tmp_path, ones() | {"pixel_std": np.array([57.4, 57.1, 58.4], np.float32)}))


def test_a_cut_torch_file_is_one_sentence(tmp_path) -> None:
    file = io.BytesIO()
    torch.save({"model": {"a": torch.ones(1000)}}, file)
    (tmp_path / "cut.pth").write_bytes(file.getvalue()[:-300])
    with pytest.raises(ModelFileError, match="truncated or damaged"):
        read_checkpoint(tmp_path / "cut.pth", torch.nn.Identity())
    with pytest.raises(ModelFileError, match=r"gone\.pth: No such file"):
        read_checkpoint(tmp_path / "gone.pth", torch.nn.Identity())


def test_a_file_of_many_gigabytes_is_not_begun(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(d2_checkpoint, "_MOST_BYTES", 1000)
    (tmp_path / "large.pkl").write_bytes(bytes(1001))
    torch.save({"model": {"a": torch.ones(10)}}, tmp_path / "large.pth")
    for name in ("large.pkl", "large.pth"):
        with pytest.raises(ModelFileError, match=r"larger than 0 GB|unpacks to more"):
            read_checkpoint(tmp_path / name, torch.nn.Identity())


def test_a_small_file_that_unpacks_to_gigabytes_is_not_begun(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(d2_checkpoint, "_MOST_BYTES", 10_000)
    with zipfile.ZipFile(tmp_path / "packed.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("packed/data.pkl", bytes(10_001))
    with pytest.raises(ModelFileError, match="unpacks to more than"):
        described(tmp_path / "packed.pth")


def saved(tmp_path, weights: dict) -> object:
    path = tmp_path / "model_final.pkl"
    path.write_bytes(pickle.dumps({"model": weights}, protocol=4))
    return path


def test_another_architecture_is_told_by_its_first_names(tmp_path) -> None:
    mask = ones() | {f"roi_heads.mask_head.mask_fcn{i}.weight": np.ones(1, np.float32) for i in range(5)}
    with pytest.raises(ModelFileError, match=r"another architecture: 5 not expected \(roi_heads\.mask_head\.mask_fcn0"):
        described(saved(tmp_path, mask))
    with pytest.raises(ModelFileError, match=r"295 missing \(backbone\.bottom_up\.\S+, .*, …\); 1 not expected \(x\)"):
        described(saved(tmp_path, {"x": np.ones(1, np.float32)}))
    wide = ones() | {"backbone.bottom_up.res2.0.conv2.weight": np.ones((256, 8, 3, 3), np.float32)}
    with pytest.raises(ModelFileError, match=r"1 of another shape \(backbone\.bottom_up\.res2\.0\.conv2\.weight\)"):
        described(saved(tmp_path, wide))


def test_settings_that_older_files_keep_are_checked(tmp_path) -> None:
    mean = np.array([103.53, 116.28, 123.675], np.float32).reshape(3, 1, 1)
    usual = {"pixel_mean": mean, "pixel_std": np.ones((3, 1, 1), np.float32)}
    assert described(saved(tmp_path, ones() | usual)) == (R50, 1)
    with pytest.raises(ModelFileError, match=r"settings of its own \(pixel_mean\).*Install detectron2"):
        described(saved(tmp_path, ones() | usual | {"pixel_mean": mean[::-1]}))


def test_ones_own_checkpoint_is_a_model_by_its_path(tmp_path) -> None:
    layout = their_layout("d2-r101-fpn", 80)
    path = saved(tmp_path, ones(layout))
    spec = find_model(str(path))
    assert (spec.architecture, spec.class_names.index("cow"), spec.weights) == ("d2-r101-fpn", 19, path)
    one_class = saved(tmp_path, ones())
    with pytest.raises(ModelFileError, match=r'1 classes are called\. Write model_final\.json .*"d2-r50-fpn"'):
        read_model(one_class)
    told = '{"name": "mine", "title": "Mine", "architecture": "d2-r50-fpn", "class_names": ["cow"]}'
    one_class.with_suffix(".json").write_text(told)
    assert read_model(one_class).class_names == ("cow",)
    with pytest.raises(ModelNotFoundError):
        find_model("model_final")
