"""Weights files as people have them: whole, half, renamed, dangerous, of another network."""

import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cowvision.errors import ModelFileError
from cowvision.models.catalog import ModelSpec, read_model
from cowvision.models.weights import load_weights, network_sha256, save_model

SPEC = ModelSpec("tiny", "Tiny", "two layers", ("cow",))


class Touch:
    """A pickle that writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def network(width: int = 4) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width))


@pytest.fixture
def saved(tmp_path):
    return save_model(network(), SPEC, tmp_path)


def test_stored_as_float16_and_loaded_as_float32(saved) -> None:
    torch.manual_seed(2)
    other = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    load_weights(other, saved.weights)
    assert {value.dtype for value in other.state_dict().values()} == {torch.float32, torch.int64}
    assert torch.equal(other[0].weight, network()[0].weight.half().float())
    assert saved.weights.stat().st_size < 1000


def test_the_digest_in_memory_is_that_of_the_file(saved) -> None:
    assert saved == read_model(saved.weights)
    assert saved.weights_sha256 == network_sha256(network())


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_truncated_file(saved, share: float) -> None:
    data = saved.weights.read_bytes()
    saved.weights.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(
        ModelFileError, match=r"tiny\.safetensors: .*(truncated|empty|not a safetensors).* `make weights`"
    ):
        load_weights(network(), saved.weights)


def test_a_renamed_json(saved) -> None:
    saved.weights.write_text(json.dumps({"this": "is", "no": "model", "but": "long enough"}))
    with pytest.raises(ModelFileError, match="not a safetensors file, whatever its name"):
        load_weights(network(), saved.weights)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_is_never_opened(saved, tmp_path, *, zipped) -> None:
    torch.save(Touch(str(tmp_path / "harm")), saved.weights, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ModelFileError, match="pickled PyTorch file, which is never loaded"):
        load_weights(network(), saved.weights)
    assert not (tmp_path / "harm").exists()


def test_weights_of_another_network(saved) -> None:
    with pytest.raises(ModelFileError, match=r"another network \(6 of 7 .*architecture and class_names"):
        load_weights(network(width=5), saved.weights)
    save_file({"something": torch.ones(1)}, saved.weights)
    with pytest.raises(ModelFileError, match="another network"):
        load_weights(network(), saved.weights)


def test_a_misfit_leaves_the_network_as_it_was(saved) -> None:
    wide = network(width=5)
    before = {key: value.clone() for key, value in wide.state_dict().items()}
    with pytest.raises(ModelFileError):
        load_weights(wide, saved.weights)
    assert all(torch.equal(value, before[key]) for key, value in wide.state_dict().items())


def test_numbers_that_are_none_neither_come_nor_go(saved, tmp_path) -> None:
    broken = network()
    with torch.no_grad():
        broken[0].weight[0] = torch.nan
    with pytest.raises(ModelFileError, match="float16"):
        save_model(broken, SPEC, tmp_path / "new")
    assert not (tmp_path / "new" / "tiny.safetensors").exists()
    save_file(broken.state_dict(), saved.weights)
    with pytest.raises(ModelFileError, match="not numbers"):
        load_weights(network(), saved.weights)


def test_a_missing_file(tmp_path) -> None:
    with pytest.raises(ModelFileError, match="No such file"):
        load_weights(network(), tmp_path / "gone.safetensors")
