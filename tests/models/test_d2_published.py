"""detectron2's model zoo in the catalogue: offered, fetched, told from other files by what little is published."""

import hashlib
import io
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cowvision.detection_box import DetectionBox
from cowvision.errors import DownloadError, ModelFileError
from cowvision.models import fetching, published
from cowvision.models.catalog import downloaded_models, downloads_folder, find_model, read_model
from cowvision.models.d2_checkpoint import their_layout
from cowvision.models.fetching import fetch, source_url
from cowvision.models.published import DETECTRON2, published_with_digest
from tests.detectors import PLAIN
from tests.models.d2_golden import is_installed, model_zoo
from tests.models.file_server import FileServer

MODEL = DETECTRON2[0]


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(fetching, "_PAUSE_SECONDS", 0.0)
    return tmp_path


def publish(monkeypatch, data: bytes) -> published.PublishedModel:
    """Let the catalogue take some bytes for the published ones."""
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    told = replace(MODEL, size_mib=len(data) / 1024**2, md5_prefix=md5[:6])
    monkeypatch.setattr(published, "DETECTRON2", (told, *DETECTRON2[1:]))
    return told


@pytest.mark.parametrize(
    ("model", "address", "box_ap"),
    [
        (DETECTRON2[0], "faster_rcnn_R_50_FPN_3x/137849458/model_final_280758.pkl", 0.402),
        (DETECTRON2[1], "faster_rcnn_R_101_FPN_3x/137851257/model_final_f6e8b1.pkl", 0.420),
    ],
)
def test_the_figures_are_detectron2s(model, address, box_ap) -> None:
    assert source_url(model) == f"https://dl.fbaipublicfiles.com/detectron2/COCO-Detection/{address}"
    assert model.file_name == f"model_final_{model.md5_prefix}.pkl"
    assert (model.published_map, model.licence) == (box_ap, "CC-BY-SA-3.0")
    weights = sum(int(np.prod(shape)) * 4 for shape in their_layout(model.architecture, 80).values())
    assert abs(model.size_bytes - weights) < 0.001 * weights
    assert "no sha256" in model.notes
    assert (model.class_names.index("cow"), len(model.class_names)) == (19, 80)


@pytest.mark.detectron2
@pytest.mark.skipif(not is_installed, reason="detectron2 is not installed")
@pytest.mark.parametrize("model", DETECTRON2, ids=lambda model: model.name)
def test_the_addresses_are_those_that_detectron2_fetches_from(model) -> None:
    config = "COCO-Detection/" + model.url.split("/")[-3] + ".yaml"
    assert model_zoo().get_checkpoint_url(config) == model.url


def test_one_without_a_sha256_is_no_file_of_just_any() -> None:
    assert published_with_digest(hashlib.sha256(b"any").hexdigest()) is None


def test_a_cut_download_goes_on_and_is_listed(home, monkeypatch) -> None:
    data = np.random.default_rng(0).bytes(300_000)
    model = publish(monkeypatch, data)
    with FileServer(data, cuts=[100_000]) as server:
        path = fetch(model, downloads_folder(), base_url=server.url)
        assert [asked is None for asked in server.ranges] == [True, False], "it went on where it was cut"
    assert path.read_bytes() == data
    [spec] = downloaded_models()
    assert spec == find_model("d2-r50-fpn-3x") == read_model(path)
    assert (spec.architecture, spec.class_name(20), spec.published_map) == ("d2-r50-fpn", "cow", 0.402)
    assert spec.weights_sha256 == hashlib.sha256(data).hexdigest()


def test_other_bytes_are_refused_by_their_md5(home, monkeypatch) -> None:
    model = publish(monkeypatch, bytes(300_000))
    with FileServer(b"x" * 300_000) as server, pytest.raises(DownloadError, match="checksum differs"):
        fetch(model, downloads_folder(), base_url=server.url)
    assert downloaded_models() == []


def test_a_published_file_that_would_run_something_does_not(home, monkeypatch) -> None:
    harm = home / "harm"
    data = b"cposix\nsystem\n(V" + f"touch {harm}".encode() + b"\ntR."
    model = publish(monkeypatch, data)
    downloads_folder().mkdir()
    (downloads_folder() / model.file_name).write_bytes(data)
    with pytest.raises(ModelFileError, match=r"asks to run posix\.system"):
        DetectionBox("d2-r50-fpn-3x")
    assert not harm.exists()


def test_it_runs_like_any_other_model(home, monkeypatch) -> None:
    for name in ("kaiming_normal_", "kaiming_uniform_", "normal_", "uniform_"):
        monkeypatch.setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)
    zeros = {name: np.zeros(shape, np.float32) for name, shape in their_layout(MODEL.architecture, 80).items()}
    file = io.BytesIO()
    pickle.dump({"model": zeros, "__author__": "nobody"}, file, protocol=3)
    model = publish(monkeypatch, file.getvalue())
    downloads_folder().mkdir()
    (downloads_folder() / model.file_name).write_bytes(file.getvalue())
    box = DetectionBox("d2-r50-fpn-3x", execution=PLAIN)
    [found] = DetectionBox(replace(box.spec, short_side=64), network=box.network, execution=PLAIN).predict(
        [np.zeros((64, 80, 3), np.uint8)]
    )
    assert len(found) == 0, "nobody trained it: every class is as likely as the next"
