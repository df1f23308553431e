"""Weights on disk: safetensors, stored as float16, loaded as float32; nothing unknown is ever unpickled."""

import hashlib
import io
import json
import pickle
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from cowvision.errors import ModelFileError
from cowvision.models import d2_checkpoint
from cowvision.models.catalog import ModelSpec
from cowvision.models.d2_network import is_detectron2
from cowvision.models.places import write_atomically
from cowvision.models.provenance import TRAINED_ON, UNKNOWN_BEFORE
from cowvision.models.published import PublishedModel, published_models, published_with_digest

_REMEDY = "Restore the file from where it came, or make it again with `make weights`"
_EPS = 1e-5  # what the networks built here add to the variances of their norms


def load_weights(network: nn.Module, path: str | Path) -> None:
    """Fill a network with the weights of a safetensors file or of a published model's .pth, as float32.

    A network that is built as detectron2's takes detectron2's own checkpoints as well (`.pkl` and `.pth`).

    Raises:
        ModelFileError: The file is missing, truncated, of another kind, damaged, or of another network.
    """
    path = Path(path)
    if path.suffix in d2_checkpoint.SUFFIXES and is_detectron2(network):
        tensors = d2_checkpoint.read_checkpoint(path, network)
    else:
        tensors = read_tensors(path)
        _check_fit(network, tensors, path)
    _check_numbers(tensors, path)
    network.load_state_dict(tensors, strict=False)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read a safetensors file, or the .pth of a published model; floating-point tensors come back as float32.

    Raises:
        ModelFileError: As `load_weights`, apart from the fit.
    """
    try:
        data = path.read_bytes()
        tensors = _published_tensors(data, path) if path.suffix == ".pth" else load(data)
    except OSError as error:
        raise ModelFileError(str(path), error.strerror or "cannot be opened", _REMEDY) from None
    except (SafetensorError, ValueError):
        raise ModelFileError(str(path), _what_else(data), _REMEDY) from None
    return {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}


def save_model(
    network: nn.Module,
    spec: ModelSpec,
    folder: str | Path,
    *,
    trained_on: Iterable[str] | None = None,
    began_unknown: bool = False,
) -> ModelSpec:
    """Write `NAME.safetensors` (float16) and `NAME.json` into a folder; returns the spec that points there.

    Args:
        network: Its weights are written.
        spec: What it is.
        folder: Made when needed.
        trained_on: sha256 of the pictures it learnt from, for `provenance.trained_on`; None says nothing about them.
        began_unknown: Whether it began as a model of which nobody here knows what it was trained on.

    Raises:
        ModelFileError: A weight is not a number, or too large for float16.
        OSError: The files cannot be written.
    """
    folder = Path(folder)
    path = folder / f"{spec.name}.safetensors"
    data = _packed(network, path)
    settings = json.loads(spec.to_json())
    if trained_on is not None:
        settings |= {TRAINED_ON: sorted(trained_on), UNKNOWN_BEFORE: began_unknown}
    write_atomically(path, data)
    write_atomically(path.with_suffix(".json"), (json.dumps(settings, indent=2) + "\n").encode())
    return replace(spec, weights=path, weights_sha256=hashlib.sha256(data).hexdigest())


def network_sha256(network: nn.Module) -> str:
    """Digest of a network that lives in memory, the same as that of its file once saved."""
    return hashlib.sha256(_packed(network, Path("weights in memory"))).hexdigest()


def _published_tensors(data: bytes, path: Path) -> dict[str, torch.Tensor]:
    """Tensors of a PyTorch file whose very bytes are, by their checksum, those of a published model; of no other."""
    model = published_with_digest(hashlib.sha256(data).hexdigest())
    if model is None:
        raise _not_published(data, path)
    try:
        tensors = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        cause = f"cannot be read as plain weights ({str(error).splitlines()[0]})"
        raise ModelFileError(str(path), cause, f"Fetch it again: `{model.fetch_command}`") from None
    if not isinstance(tensors, dict) or not all(isinstance(value, torch.Tensor) for value in tensors.values()):
        raise ModelFileError(str(path), "holds something else than weights", f"Fetch it again: `{model.fetch_command}`")
    return _as_built_here(tensors, model.batch_norm_eps)


def _not_published(data: bytes, path: Path) -> ModelFileError:
    model: PublishedModel | None = next((one for one in published_models() if one.file_name == path.name), None)
    if model is None:
        return ModelFileError(str(path), _what_else(data), _REMEDY)
    return ModelFileError(str(path), "not the bytes that were published", f"Fetch it again: `{model.fetch_command}`")


def _as_built_here(tensors: dict[str, torch.Tensor], eps: float) -> dict[str, torch.Tensor]:
    """Published weights under today's names, with norms that give the same answers with our epsilon.

    The older files name the convolutions of the pyramid and of the RPN's head as torchvision did before 0.12. A norm
    multiplies by weight / sqrt(variance + eps); with another eps, the weight makes up for it. So a copy that is
    fine-tuned and kept as float16, where variances below 6e-8 turn to zero, needs no special network.
    """
    pyramid = re.compile(r"(.*\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)$")
    renamed = {pyramid.sub(r"\1.0.\2", key): value for key, value in tensors.items()}
    head = re.compile(r"rpn\.head\.conv\.(weight|bias)$")
    renamed = {head.sub(r"rpn.head.conv.0.0.\1", key): value for key, value in renamed.items()}
    for key in [key for key in renamed if key.endswith(".running_var") and eps != _EPS]:
        name, variance = key.replace("running_var", "weight"), renamed[key].double()
        renamed[name] = (renamed[name] * ((variance + _EPS) / (variance + eps)).sqrt()).float()
    return renamed


def _packed(network: nn.Module, path: Path) -> bytes:
    tensors = {key: _stored(value) for key, value in network.state_dict().items()}
    if not all(bool(torch.isfinite(value).all()) for value in tensors.values()):
        raise ModelFileError(str(path), "a weight is no float16 number", "Train again with a lower learning rate")
    return save(tensors)


def _stored(value: torch.Tensor) -> torch.Tensor:
    value = value.detach().cpu()
    return (value.half() if value.is_floating_point() else value).contiguous()


def _what_else(data: bytes) -> str:
    """Say what a file that is not whole safetensors looks like, from its first bytes."""
    if not data:
        return "the weights file is empty"
    if data[:2] == b"PK" or data[:1] == b"\x80":
        return "a pickled PyTorch file, which is never loaded because it can run code"
    header = int.from_bytes(data[:8], "little")
    if len(data) > 8 and data[8:9] == b"{" and header < 100_000_000:
        return "the weights file is truncated or damaged"
    return "not a safetensors file, whatever its name says"


def _check_numbers(tensors: dict[str, torch.Tensor], path: Path) -> None:
    if not all(bool(torch.isfinite(value).all()) for value in tensors.values()):
        raise ModelFileError(str(path), "the weights hold values that are not numbers", _REMEDY)


def _check_fit(network: nn.Module, tensors: dict[str, torch.Tensor], path: Path) -> None:
    wanted = network.state_dict()
    misfits = [key for key in wanted if key not in tensors and not key.endswith("num_batches_tracked")]
    misfits += [key for key in tensors if key not in wanted]
    misfits += [key for key in wanted if key in tensors and wanted[key].shape != tensors[key].shape]
    if misfits:
        cause = f"weights of another network ({len(misfits)} of {len(wanted)} tensors do not fit, e.g. {misfits[0]})"
        remedy = "Check architecture and class_names in the .json beside it"
        raise ModelFileError(str(path), cause, remedy)
