"""Which pictures a model says it was trained on."""

import json

import pytest

from cowvision.errors import ModelFileError
from cowvision.models.catalog import ModelSpec, embedded_models
from cowvision.models.provenance import is_known, trained_on


def spec_with(folder, document: object) -> ModelSpec:
    weights = folder / "own.safetensors"
    weights.write_bytes(b"")
    weights.with_suffix(".json").write_text(document if isinstance(document, str) else json.dumps(document))
    return ModelSpec("own", "Own", "compact-fpn-w32", ("cow",), weights=weights)


def test_pictures_that_the_file_lists_are_found(tmp_path) -> None:
    spec = spec_with(tmp_path, {"trained_on": ["a", "b", "c"]})
    assert trained_on(spec, ["b", "c", "d"]) == {"b", "c"}


def test_a_file_without_a_list_a_missing_file_and_weights_in_memory_list_nothing(tmp_path) -> None:
    spec = spec_with(tmp_path, {"name": "own"})
    assert trained_on(spec, ["a"]) == frozenset()
    spec.weights.with_suffix(".json").unlink()
    assert trained_on(spec, ["a"]) == frozenset()
    assert trained_on(ModelSpec("m", "M", "compact-fpn-w32", ("cow",)), ["a"]) == frozenset()


@pytest.mark.parametrize("document", ["no json", {"trained_on": "a"}, [1, 2]])
def test_a_list_that_cannot_be_read_is_never_taken_for_none(tmp_path, document) -> None:
    with pytest.raises(ModelFileError):
        trained_on(spec_with(tmp_path, document), ["a"])


def test_of_a_published_model_nobody_here_knows() -> None:
    assert not is_known(ModelSpec("coco", "COCO", "fasterrcnn_resnet50_fpn", ("cow",), published_map=0.37))
    assert all(is_known(spec) for spec in embedded_models())


def test_of_ones_own_model_it_is_known_if_its_file_tells(tmp_path) -> None:
    assert is_known(spec_with(tmp_path, {"trained_on": []}))
    assert not is_known(spec_with(tmp_path, {}))


def test_what_began_as_a_published_model_stays_unknown(tmp_path) -> None:
    assert not is_known(spec_with(tmp_path, {"trained_on": ["a"], "began_unknown": True}))
    assert is_known(spec_with(tmp_path, {"trained_on": ["a"], "began_unknown": False}))
