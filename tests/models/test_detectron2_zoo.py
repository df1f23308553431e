"""detectron2 as an engine, told without it: what is offered where, how to install it, and who runs what."""

import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from cowvision.data.coco import COCO_EIGHTY
from cowvision.detection_box import DetectionBox
from cowvision.errors import ModelFileError, ModelNotFoundError, SettingError
from cowvision.models import catalog, detectron2_config, detectron2_zoo, engines, published
from cowvision.models.catalog import ModelSpec, find_model
from cowvision.models.detectron2_zoo import EITHER, ZOO, as_chosen, check_choice, is_installed
from cowvision.models.published import BY_DETECTRON2, find_published, published_models
from tests.models.small_detectron2 import write_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def absent(monkeypatch) -> None:
    for module in (detectron2_config, detectron2_zoo, engines, published):
        monkeypatch.setattr(module, "is_installed", lambda: False)


@pytest.fixture
def present(monkeypatch) -> None:
    for module in (detectron2_zoo, published):
        monkeypatch.setattr(module, "is_installed", lambda: True)


def of_the_zoo(architecture: str = "d2-r50-fpn") -> ModelSpec:
    return ModelSpec("d2-r50-fpn-3x", "Zoo", architecture, COCO_EIGHTY, notes="From the zoo.", weights_sha256="ab")


def test_the_zoo_is_offered_where_detectron2_is(present) -> None:
    offered = {model.name: model for model in published_models()}
    assert len(BY_DETECTRON2) == len(ZOO) == 8 and set(EITHER) | {model.name for model in ZOO} <= offered.keys()
    model = offered["d2-r50-c4-3x"]
    assert model.url.endswith("/COCO-Detection/faster_rcnn_R_50_C4_3x/137849393/model_final_f97cb7.pkl")
    assert (model.md5_prefix, model.published_map, model.class_names.index("cow")) == ("f97cb7", 0.384, 19)
    assert model.architecture == "detectron2:faster_rcnn_R_50_C4_3x"


def test_without_it_its_models_are_named_with_the_way_to_get_it(absent) -> None:
    assert not any(model.architecture.startswith("detectron2:") for model in published_models())
    for find in (find_model, find_published):
        with pytest.raises(ModelNotFoundError, match=r"needs detectron2.*Install torch first.*--no-build-isolation"):
            find("d2-x101-fpn-3x")


def test_without_it_a_model_of_its_own_says_how_to_get_it(absent, tmp_path) -> None:
    pytest.importorskip("yaml", reason="comes with detectron2")
    (tmp_path / "model_final.pth").write_bytes(b"weights")
    with pytest.raises(ModelFileError, match=r"needs detectron2.*--no-build-isolation \./detectron2"):
        DetectionBox(write_config(tmp_path))


def test_without_yaml_a_config_says_how_to_get_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ModelFileError, match="needs detectron2, which is not installed here"):
        find_model(str(write_config(tmp_path)))


def test_one_that_cannot_be_imported_is_told(monkeypatch) -> None:
    monkeypatch.setattr(engines, "is_installed", lambda: True)
    monkeypatch.setitem(sys.modules, "cowvision.models.detectron2_engine", None)
    monkeypatch.delattr("cowvision.models.detectron2_engine", raising=False)
    with pytest.raises(ModelFileError, match=r"is installed and cannot be imported.*Build it again"):
        DetectionBox(of_the_zoo("detectron2:faster_rcnn_R_50_C4_3x"))


@pytest.mark.parametrize("words", ["module 'PIL.Image' has no attribute 'LINEAR'", ""])
def test_nor_can_release_0_6_beside_a_newer_pillow(tmp_path, monkeypatch, words) -> None:
    (tmp_path / "detectron2").mkdir()
    (tmp_path / "detectron2" / "__init__.py").write_text(f"raise AttributeError({words!r})")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("detectron2", "cowvision.models.detectron2_engine"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr("cowvision.models.detectron2_engine", raising=False)
    assert is_installed()
    with pytest.raises(ModelFileError, match=rf"cannot be imported \({words or 'AttributeError'}\)\. Build it again"):
        DetectionBox(of_the_zoo("detectron2:faster_rcnn_R_50_C4_3x"))


def test_who_runs_a_model_is_a_choice_and_makes_another_model(present, monkeypatch) -> None:
    parts = as_chosen(of_the_zoo())
    assert parts.architecture == "d2-r50-fpn" and "COWVISION_DETECTRON2=engine" in parts.notes
    monkeypatch.setenv("COWVISION_DETECTRON2", "engine")
    engine = as_chosen(of_the_zoo())
    assert engine.architecture == "detectron2:faster_rcnn_R_50_FPN_3x" and "COWVISION_DETECTRON2=parts" in engine.notes
    assert engine.id != parts.id == of_the_zoo().id


def test_other_models_have_no_choice(present, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_DETECTRON2", "engine")
    other = ModelSpec("coco-r50", "COCO", "fasterrcnn_resnet50_fpn", COCO_EIGHTY)
    assert as_chosen(other) == other


def test_the_choice_is_said_and_refused_when_it_cannot_be_had(absent, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_DETECTRON2", "engine")
    with pytest.raises(ModelFileError, match="needs detectron2"):
        DetectionBox(as_chosen(of_the_zoo()))
    monkeypatch.setenv("COWVISION_DETECTRON2", "both")
    with pytest.raises(SettingError, match="'both' is no way to run a model"):
        check_choice()


def test_a_folder_of_its_sources_is_no_detectron2(monkeypatch) -> None:
    monkeypatch.setattr(detectron2_zoo, "find_spec", lambda name: ModuleSpec(name, None, is_package=True))
    assert not is_installed()


def test_nothing_imports_it_before_it_is_asked_to_work(tmp_path) -> None:
    code = (
        "import sys, cowvision.detection_box, cowvision.models.engines, cowvision.training.finetune\n"
        "from cowvision.models.catalog import all_models; from cowvision.models.published import published_models\n"
        "all_models(); published_models(); print('detectron2' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


def test_the_folder_of_own_configs_is_in_the_home(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    assert detectron2_zoo.configs_folder() == tmp_path / "detectron2"
    assert catalog.own_models() == []
