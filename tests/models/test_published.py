"""Published models: the figures are their authors', and the networks built here answer as theirs do."""

import hashlib
import io
import re
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import detection, get_model_weights

from cowvision.detection_box import DetectionBox
from cowvision.errors import ModelFileError, ModelNotFoundError
from cowvision.models import published
from cowvision.models.catalog import all_models, downloaded_models, embedded_models, find_model, read_model
from cowvision.models.d2_network import TRUNKS
from cowvision.models.detectron2_zoo import ZOO, is_for_engine, is_installed
from cowvision.models.published import PUBLISHED, PublishedModel, find_published, published_models
from cowvision.models.torchvision_engine import PUBLISHED as ARCHITECTURES
from cowvision.models.torchvision_engine import build_network
from cowvision.models.weights import load_weights
from tests.detectors import PLAIN
from tests.samples import noise


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    (tmp_path / "weights").mkdir()
    return tmp_path


def publish(monkeypatch, home: Path, data: bytes, model: PublishedModel = PUBLISHED[0]) -> Path:
    """Put a file among the downloads and let the catalogue take it for the published one."""
    path = home / "weights" / model.file_name
    path.write_bytes(data)
    told = replace(model, size_mib=round(len(data) / 1024**2, 6), sha256_prefix=hashlib.sha256(data).hexdigest()[:8])
    monkeypatch.setattr(published, "PUBLISHED", tuple(told if one == model else one for one in PUBLISHED))
    return path


@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.name)
def test_the_figures_are_torchvisions(model: PublishedModel) -> None:
    weights = get_model_weights(model.architecture).COCO_V1
    assert model.url == weights.url
    assert model.size_mib == weights.meta["_file_size"]
    assert model.published_map == pytest.approx(weights.meta["_metrics"]["COCO-val2017"]["box_map"] / 100)
    assert list(model.class_names) == weights.meta["categories"][1:]
    assert model.file_name.endswith(f"-{model.sha256_prefix}.pth")


def test_there_is_one_for_each_architecture() -> None:
    everywhere = [one.architecture for one in published_models() if not is_for_engine(one.architecture)]
    assert everywhere == [*ARCHITECTURES, *TRUNKS]
    assert [model.name for model in PUBLISHED] == ["coco-r50", "coco-r50-v2", "coco-mobilenet", "coco-mobilenet-320"]
    assert round(PUBLISHED[0].size_bytes / 1e6) == 168


def test_a_downloaded_one_is_listed_and_found(home, monkeypatch) -> None:
    assert downloaded_models() == []
    path = publish(monkeypatch, home, b"weights")
    [spec] = downloaded_models(home)
    assert (spec.name, spec.weights, spec.class_name(21), spec.published_map) == ("coco-r50", path, "cow", 0.370)
    assert spec.own_map is None, "nobody measured it here"
    assert spec.weights_sha256 == hashlib.sha256(b"weights").hexdigest()
    assert spec == find_model("coco-r50") == read_model(path) == find_model(str(path))
    assert all_models() == [*embedded_models(), spec]
    assert {model.name for model in embedded_models()}.isdisjoint({spec.name})


def test_a_damaged_one_is_not(home, monkeypatch) -> None:
    path = publish(monkeypatch, home, b"weights")
    path.write_bytes(b"wrights")
    assert downloaded_models() == []
    with pytest.raises(ModelNotFoundError, match=r"coco-r50: its downloaded file is damaged\. .*fetch coco-r50"):
        find_model("coco-r50")
    with pytest.raises(ModelFileError, match="not the bytes that were published"):
        load_weights(torch.nn.Linear(1, 1), path)


def test_one_that_is_not_downloaded_is_offered_with_its_size(home) -> None:
    with pytest.raises(
        ModelNotFoundError, match=r"not downloaded yet\. Fetch its 160 MB with `python -m cowvision fetch"
    ):
        find_model("coco-r50")
    with pytest.raises(ModelNotFoundError, match="to be fetched: coco-r50, coco-r50-v2"):
        find_model("coco-r500")
    with pytest.raises(ModelNotFoundError, match="Published models: coco-r50, "):
        find_published("herd-base")


def test_listing_asks_no_other_machine(home, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("somebody opened a connection")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert len(published_models()) == 6 + len(ZOO) * is_installed()
    assert all_models() == embedded_models()


def test_a_pickle_that_nobody_published_is_never_opened(tmp_path) -> None:
    path = tmp_path / "mine.pth"
    torch.save({"weight": torch.ones(1, 1), "bias": torch.ones(1)}, path)
    with pytest.raises(ModelFileError, match="pickled PyTorch file, which is never loaded"):
        load_weights(torch.nn.Linear(1, 1), path)


class Touch:
    """A pickle that writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("content", ["harm", "no tensors", "a list"])
def test_even_a_published_file_is_read_as_plain_weights_only(home, monkeypatch, content) -> None:
    things = {"harm": {"weight": Touch(str(home / "harm"))}, "no tensors": {"weight": 1}, "a list": [torch.ones(1)]}
    torch.save(things[content], home / "made.pth")
    path = publish(monkeypatch, home, (home / "made.pth").read_bytes())
    with pytest.raises(ModelFileError, match=r"cannot be read as plain weights|something else than weights"):
        load_weights(torch.nn.Linear(1, 1), path)
    assert not (home / "harm").exists()


def lively_weights(model: PublishedModel) -> dict[str, torch.Tensor]:
    """Weights that nobody trained and that see many things; a quarter of the variances is smaller than our epsilon."""
    random = torch.Generator().manual_seed(0)
    with torch.device("meta"):  # shapes alone
        shapes = {key: value.shape for key, value in build_network(model.architecture, 90).state_dict().items()}
    weights = {key: torch.randn(shape, generator=random) * 0.1 for key, shape in shapes.items()}
    for key, value in weights.items():
        if value.ndim > 1:
            value.mul_(10 * (2 / value[0].numel()) ** 0.5)
        if key.endswith("running_var"):
            value.copy_(10 ** (torch.rand(value.shape, generator=random) * 7.5 - 7.0))
            scale = 0.4 + 0.5 * torch.rand(value.shape, generator=random)
            weights[key.replace("running_var", "weight")].copy_(scale * (value + model.batch_norm_eps).sqrt())
    weights["roi_heads.box_predictor.cls_score.weight"] *= 1 if model.name == "coco-r50" else 5
    weights["roi_heads.box_predictor.bbox_pred.weight"] *= 0.1
    weights["rpn.head.bbox_pred.weight"] *= 0.1
    return as_published(weights, model)


def as_published(weights: dict[str, torch.Tensor], model: PublishedModel) -> dict[str, torch.Tensor]:
    """The same in the form of the files: three are older than today's names, and their frozen norms count nothing."""
    if model.name == "coco-r50-v2":
        return weights
    named = {}
    for key, value in weights.items():
        name = re.sub(r"(_blocks\.\d)\.0\.(weight|bias)$", r"\1.\2", key)
        if not key.endswith("num_batches_tracked"):
            named[name.replace("head.conv.0.0.", "head.conv.")] = value
    return named


@pytest.fixture
def no_first_weights(monkeypatch) -> None:
    """Spare the networks their own random weights, which take longer than all the rest and are overwritten."""
    for name in ("kaiming_normal_", "kaiming_uniform_", "normal_", "uniform_"):
        monkeypatch.setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)


@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.name)
def test_the_answers_are_those_of_torchvisions_own_network(home, monkeypatch, no_first_weights, model) -> None:
    weights = lively_weights(model)
    file = io.BytesIO()
    torch.save(weights, file)
    publish(monkeypatch, home, file.getvalue(), model)
    enum = get_model_weights(model.architecture)
    monkeypatch.setattr(enum, "get_state_dict", lambda *_, **__: weights)
    theirs = getattr(detection, model.architecture)(weights=enum.COCO_V1, min_size=64).eval()
    picture = noise(80, 64)
    with torch.inference_mode():
        [expected] = theirs([torch.from_numpy(picture).permute(2, 0, 1).float() / 255])
    [found] = DetectionBox(replace(find_model(model.name), short_side=64), execution=PLAIN).predict([picture])
    assert len(found) > 20
    np.testing.assert_allclose(found.xyxy, expected["boxes"].numpy(), atol=1e-3)
    np.testing.assert_allclose(found.confidence, expected["scores"].numpy(), atol=1e-4)
    assert found.class_id.tolist() == expected["labels"].tolist()
