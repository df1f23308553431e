"""A person's config.yaml: what is read, what is refused, and that nothing in it runs; no detectron2 is needed."""

import json
import sys
from pathlib import Path

import pytest

from cowvision.data.coco import COCO_EIGHTY
from cowvision.errors import CowVisionError, ModelFileError
from cowvision.models import detectron2_config, detectron2_zoo
from cowvision.models.catalog import all_models, find_model, own_models
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


def test_eighty_classes_that_nobody_named_are_cocos(folder) -> None:
    spec = configured_model(write_config(folder, changed(ROI_HEADS={"NUM_CLASSES": 80}), names=None))
    assert spec.class_names == COCO_EIGHTY


@pytest.mark.parametrize(("count", "told"), [(1, "its class is called"), (2, "its 2 classes are called")])
def test_other_classes_must_be_named_for_nobody_would_count_a_class_1(folder, count, told) -> None:
    path = write_config(folder, changed(ROI_HEADS={"NUM_CLASSES": count}), names=None)
    with pytest.raises(ModelFileError, match=f"nobody says what {told}.*config.json"):
        configured_model(path)
    path.with_suffix(".json").write_text('{"class_names": "cow"}')
    with pytest.raises(ModelFileError, match="names no classes"):
        configured_model(path)


def test_a_checkpoint_that_is_named_and_not_there_is_told(folder) -> None:
    (folder / "model_final.pth").unlink()
    for name in ("a.pth", "b.pth"):
        (folder / name).write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"names nothere\.pth, which is not there"):
        configured_model(write_config(folder, changed(WEIGHTS="nothere.pth")))


@pytest.mark.parametrize("is_there", [True, False])
def test_own_configs_are_offered_where_detectron2_is(folder, monkeypatch, is_there) -> None:
    spec = configured_model(write_config(folder))
    monkeypatch.setattr(detectron2_zoo, "is_installed", lambda: is_there)
    monkeypatch.setattr("cowvision.models.catalog.own_models", lambda _: [spec])
    assert (spec in all_models()) == detectron2_zoo.can_run(spec) == is_there


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
    "merged without end": (
        "a: &a {{k: 1}}\n" + "".join(
            f"{name}: &{name}\n  <<: [{', '.join([f'*{before}'] * 10)}]\n"
            for before, name in zip("abcdefghijklmno", "bcdefghijklmnop", strict=True)
        ), "more values than a config has"),
    "a number that takes minutes": ("MODEL: {{X: " + ":".join(["1"] * 300_000) + "}}", "a value of 599999 letters"),
    "a setting named by a number": ("MODEL: {{}}\n1: 2\n", "1 is no name of a setting"),
    "a deep one": ("MODEL: {{X: [{{2: 2}}]}}", "2 is no name of a setting"),
    "base of no name": ('_BASE_: "a\\0b"\nMODEL: {{}}', "not the name of one file"),
    "a yes for a number": ("MODEL: {{ROI_HEADS: {{NUM_CLASSES: true}}}}", "NUM_CLASSES"),
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


def test_a_base_that_a_link_leads_outside_is_not_read(tmp_path) -> None:
    (tmp_path / "elsewhere.yaml").write_text("MODEL: {}")
    (tmp_path / "herd").mkdir()
    (tmp_path / "herd" / "base.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    (tmp_path / "herd" / "config.yaml").write_text("_BASE_: base.yaml\nMODEL: {}")
    with pytest.raises(ModelFileError, match="outside its folder"):
        read_settings(tmp_path / "herd" / "config.yaml", tmp_path / "herd")


def test_a_chain_of_bases_may_have_eight(tmp_path) -> None:
    for number in range(8):
        (tmp_path / f"{number}.yaml").write_text(f"_BASE_: {number + 1}.yaml\nA{number}: 1\n")
    (tmp_path / "8.yaml").write_text("MODEL: {}")
    assert len(read_settings(tmp_path / "0.yaml", tmp_path)) == 9


def test_a_folder_is_no_checkpoint(tmp_path) -> None:
    (tmp_path / "model_final.pth").mkdir()
    for named in ("", "a\0b"):
        with pytest.raises(ModelFileError, match=r"it has no checkpoint|names a\?b, which is not there"):
            configured_model(write_config(tmp_path, changed(WEIGHTS=named)))


def test_names_may_be_called_as_detectron2_calls_them(folder) -> None:
    path = write_config(folder, names=None)
    (folder / "model_final.json").write_text(json.dumps({"thing_classes": ["a", "b", "c"]}))
    assert configured_model(path).class_names == ("a", "b", "c")


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
    with pytest.raises(ModelFileError, match="nobody says what its 20 classes are called"):
        configured_model(write_config(folder, settings, names=None))


def test_a_detectron2_that_cannot_be_imported_names_no_classes(folder, monkeypatch) -> None:
    (folder / "detectron2").mkdir()
    (folder / "detectron2" / "__init__.py").write_text("raise AttributeError('no LINEAR')")
    monkeypatch.syspath_prepend(folder)
    for name in ("detectron2", "cowvision.models.detectron2_engine"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr("cowvision.models.detectron2_engine", raising=False)
    settings = changed(ROI_HEADS={"NUM_CLASSES": 20}) | {"DATASETS": {"TRAIN": ["voc_2007_trainval"]}}
    with pytest.raises(ModelFileError, match="nobody says what its 20 classes are called"):
        configured_model(write_config(folder, settings, names=None))


def test_one_bad_folder_does_not_take_the_others_from_the_list(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    for name, weights in (("good", ""), ("long", "x" * 5000), ("deep", ""), ("lost", "")):
        folder = tmp_path / "detectron2" / name
        write_config(folder, changed(WEIGHTS=weights))
        if name != "long":
            (folder / "model_final.pth").write_bytes(b"weights")
    (tmp_path / "detectron2" / "deep" / "config.json").write_text("[" * 100_000)
    whole = detectron2_config.file_sha256

    def digest(path: Path) -> str:
        if path.parent.name == "lost":
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(detectron2_config, "file_sha256", digest)
    problems: list[CowVisionError] = []
    assert [spec.name for spec in own_models(on_problem=problems.append)] == ["good"]
    told = sorted(str(problem).partition("detectron2/")[2] for problem in problems)
    assert [one.partition("/")[0] for one in told] == ["deep", "long", "lost"]
    assert "names no classes" in told[0] and "x, which is not there" in told[1] and "Permission denied" in told[2]


def test_a_strangers_words_are_told_in_one_short_line(folder) -> None:
    (folder / "model_final.pth").unlink()
    cases = [
        changed(WEIGHTS="detectron2://" + "a\nb" * 3000),
        changed(WEIGHTS="a\nb" * 3000),
        {"_BASE_": "../" + "a\nb" * 2000},
        {"MODEL": {}, "a\nb" * 2000: [{1: 2}]},
    ]
    for settings in cases:
        path = folder / "config.yaml"
        path.write_text(yaml.safe_dump(settings))
        with pytest.raises(ModelFileError) as refused:
            configured_model(path)
        assert "\n" not in refused.value.cause and len(refused.value.cause) < 250
