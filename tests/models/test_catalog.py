"""What is known about a model without loading it, and names that are not known."""

import json
from dataclasses import replace

import pytest

from cowvision.errors import ModelFileError, ModelNotFoundError
from cowvision.models.catalog import ModelSpec, embedded_models, find_model, read_model

SPEC = ModelSpec("moo", "Moo", "compact-fpn-w32", ("dog", "cow"), short_side=480)


def put(folder, spec: ModelSpec = SPEC, weights: bytes = b"weights"):
    path = folder / f"{spec.name}.safetensors"
    path.write_bytes(weights)
    path.with_suffix(".json").write_text(spec.to_json())
    return path


def test_settings_round_trip(tmp_path) -> None:
    read = read_model(put(tmp_path))
    assert replace(read, weights=None, weights_sha256="") == SPEC
    assert read.class_name(2) == "cow"
    assert find_model("moo", tmp_path) == find_model(str(tmp_path / "moo.safetensors")) == read
    assert embedded_models(tmp_path) == [read]


def test_the_id_changes_with_weights_and_settings_and_not_with_words(tmp_path) -> None:
    first = read_model(put(tmp_path))
    assert first.id == replace(first, title="Other", notes="words", own_map=0.5).id
    assert first.id != replace(first, short_side=640).id
    assert first.id != replace(first, class_names=("cow", "dog")).id
    assert first.id != read_model(put(tmp_path, weights=b"other weights")).id


def test_an_unknown_name_lists_the_known_ones(tmp_path) -> None:
    put(tmp_path)
    with pytest.raises(ModelNotFoundError, match=r"^woof: no model of that name\. Known models: moo;"):
        find_model("woof", tmp_path)


def test_a_folder_stands_for_the_one_model_in_it(tmp_path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"holds no \.safetensors, \.pkl or \.pth file and no config"):
        find_model(str(tmp_path))
    (tmp_path / "model_final.pth").write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"model_final\.pth: "):
        find_model(str(tmp_path))
    read = read_model(put(tmp_path))
    (tmp_path / "._moo.safetensors").write_bytes(b"what a Mac leaves beside a file")
    (tmp_path / "empty.safetensors").mkdir()
    assert find_model(str(tmp_path)) == read
    put(tmp_path, replace(SPEC, name="woof"))
    with pytest.raises(
        ModelNotFoundError, match=r"this folder holds moo\.safetensors, woof\.safetensors\. Give the path"
    ):
        find_model(str(tmp_path))


def test_no_name_is_no_folder(tmp_path, monkeypatch) -> None:
    put(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFoundError, match="no model of that name"):
        find_model("")


def test_missing_files(tmp_path) -> None:
    with pytest.raises(ModelFileError, match="no such weights file"):
        find_model(str(tmp_path / "gone.safetensors"))
    path = put(tmp_path)
    path.with_suffix(".json").unlink()
    with pytest.raises(ModelFileError, match="settings file is missing"):
        read_model(path)


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", json.dumps({"name": "x", "class_names": ["cow"]}), "3"])
def test_settings_that_are_none(tmp_path, text: str) -> None:
    path = put(tmp_path)
    path.with_suffix(".json").write_text(text)
    with pytest.raises(ModelFileError, match=r"moo\.json: not the settings of a model"):
        read_model(path)
