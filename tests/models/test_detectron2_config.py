"""A person's config.yaml: what is read, what is refused, and that nothing in it runs; no detectron2 is needed."""

import json
from pathlib import Path

import pytest

from cowvision.data.coco import COCO_EIGHTY
from cowvision.errors import CowVisionError, ModelFileError
from cowvision.models import detectron2_config
from cowvision.models.catalog import find_model, own_models
from cowvision.models.detectron2_config import configured_model, read_settings
from tests.models.small_detectron2 import NAMES, SETTINGS, changed, write_config

yaml = pytest.importorskip("yaml", reason="comes with detectron2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a checkpoint that nobody opens here."""
    (tmp_path / "model_final.pth").write_bytes(b"weights")
    return tmp_path


def test_a_config_names_its_model(folder) -> None:
    spec = find_model(str(write_config(folder)))
    assert spec.name == folder.name and spec.class_names == NAMES
    assert spec.architecture.startswith("detectron2:own-") and spec.weights == folder / "model_final.pth"
    assert json.loads(spec.config) == SETTINGS


def test_where_things_lie_does_not_change_the_model(folder) -> None:
    here = configured_model(write_config(folder))
    settings = changed(WEIGHTS="/elsewhere/R-50.pkl", DEVICE="cuda") | {"OUTPUT_DIR": "./there"}
    there = configured_model(write_config(folder, settings))
    other = configured_model(write_config(folder, changed(RPN={"NMS_THRESH": 0.6})))
    assert here.id == there.id != other.id


@pytest.mark.parametrize(("count", "names"), [(80, COCO_EIGHTY), (2, ("class 1", "class 2"))])
def test_classes_that_nobody_named(folder, count, names) -> None:
    spec = configured_model(write_config(folder, changed(ROI_HEADS={"NUM_CLASSES": count}), names=None))
    assert spec.class_names == names


def test_the_wrong_number_of_names_is_told(folder) -> None:
    with pytest.raises(ModelFileError, match="names 1 classes, and its network has 3"):
        configured_model(write_config(folder, names=("cow",)))


def test_the_last_checkpoint_goes_before_the_named_start(folder) -> None:
    (folder / "start.pkl").write_bytes(b"")
    path = write_config(folder, changed(WEIGHTS="start.pkl"))
    assert configured_model(path).weights == folder / "model_final.pth"
    (folder / "model_final.pth").unlink()
    assert configured_model(path).weights == folder / "start.pkl"


def test_an_address_is_not_fetched(tmp_path) -> None:
    path = write_config(tmp_path, changed(WEIGHTS="detectron2://ImageNetPretrained/MSRA/R-50.pkl"))
    with pytest.raises(ModelFileError, match="nothing is fetched that nobody asked for"):
        configured_model(path)


def test_of_many_checkpoints_none_is_guessed(tmp_path) -> None:
    for name in ("model_0004999.pth", "model_0009999.pth"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ModelFileError, match="there are 2 checkpoints"):
        configured_model(write_config(tmp_path))


def test_a_base_beside_it_is_read(tmp_path) -> None:
    (tmp_path / "bases").mkdir()
    (tmp_path / "bases" / "all.yaml").write_text("MODEL: {RPN: {NMS_THRESH: 0.5}, MASK_ON: true}\nVERSION: 2\n")
    (tmp_path / "config.yaml").write_text("_BASE_: bases/all.yaml\nMODEL: {MASK_ON: false}\n")
    settings = read_settings(tmp_path / "config.yaml", tmp_path)
    assert settings == {"MODEL": {"RPN": {"NMS_THRESH": 0.5}, "MASK_ON": False}, "VERSION": 2}


HARM = {
    "python object": ("MODEL: !!python/object/apply:os.system ['touch {harm}']", "more than plain values"),
    "python name": ("MODEL: {{X: !!python/name:os.system }}", "more than plain values"),
    "base outside": ("_BASE_: ../elsewhere.yaml\nMODEL: {{}}", "outside its folder"),
    "base on the web": ("_BASE_: https://example.org/base.yaml\nMODEL: {{}}", "outside its folder"),
    "absolute base": ("_BASE_: /etc/hostname\nMODEL: {{}}", "outside its folder"),
    "its own base": ("_BASE_: config.yaml\nMODEL: {{}}", "has no end"),
    "list of bases": ("_BASE_: [a.yaml, b.yaml]\nMODEL: {{}}", "not the name of one file"),
    "no settings": ("- 1\n- 2\n", "no settings of detectron2"),
    "empty": ("", "no settings of detectron2"),
    "no YAML": ("MODEL: [1, 2", "no YAML of plain settings"),
    "dates": ("MODEL: {{X: 2020-01-01}}", "no YAML of plain settings"),
    "no number": ("MODEL: {{X: .nan}}", "no YAML of plain settings"),
    "a million from ten lines": (
        "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
            f"{name}: &{name} [*{before},*{before},*{before},*{before},*{before},*{before},*{before},*{before}]\n"
            for before, name in zip("abcdefgh", "bcdefghi", strict=True)
        ), "more values than a config has"),
    "itself inside itself": ("MODEL: &m {{X: *m}}", "no YAML of plain settings|more values"),
    "no number of classes": ("MODEL: {{ROI_HEADS: {{NUM_CLASSES: many}}}}", "NUM_CLASSES"),
    "too many classes": ("MODEL: {{ROI_HEADS: {{NUM_CLASSES: 1000000000}}}}", "NUM_CLASSES"),
}  # fmt: skip


@pytest.mark.parametrize("name", HARM)
def test_what_is_no_config_is_one_sentence_and_runs_nothing(folder, name) -> None:
    text, cause = HARM[name]
    harm = folder / "harm"
    (folder / "config.yaml").write_text(text.format(harm=harm))
    with pytest.raises(ModelFileError, match=cause):
        configured_model(folder / "config.yaml")
    assert not harm.exists()


def test_binary_and_large_files_are_no_configs(folder) -> None:
    (folder / "config.yaml").write_bytes(b"\x80\x02\xff\xfe")
    with pytest.raises(ModelFileError, match="no YAML"):
        configured_model(folder / "config.yaml")
    (folder / "config.yaml").write_bytes(b"# " + b"x" * 1024**2)
    with pytest.raises(ModelFileError, match="no larger than 1 MB"):
        configured_model(folder / "config.yaml")


def test_a_config_in_python_is_not_executed(folder) -> None:
    harm = folder / "harm"
    (folder / "config.py").write_text(f"open({str(harm)!r}, 'w')")
    with pytest.raises(ModelFileError, match="LazyConfig"):
        find_model(str(folder / "config.py"))
    assert not harm.exists()


def test_kept_configs_are_listed_by_their_folders(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    kept = tmp_path / "detectron2" / "my-herd"
    write_config(kept)
    problems: list[CowVisionError] = []
    assert own_models(on_problem=problems.append) == []
    assert "has no checkpoint" in str(problems[0])
    (kept / "model_final.pth").write_bytes(b"weights")
    assert [spec.name for spec in own_models()] == ["my-herd"]
    assert find_model("my-herd").class_names == NAMES


def test_names_of_data_sets_are_asked_of_detectron2_only_where_it_is(folder, monkeypatch) -> None:
    monkeypatch.setattr(detectron2_config, "is_installed", lambda: False)
    settings = changed(ROI_HEADS={"NUM_CLASSES": 20}) | {"DATASETS": {"TRAIN": ["voc_2007_trainval"]}}
    assert configured_model(write_config(folder, settings, names=None)).class_names[0] == "class 1"
