"""Weights on disk: safetensors, stored as float16, loaded as float32; nothing is ever unpickled."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from cowvision.errors import ModelFileError
from cowvision.models.catalog import ModelSpec

_REMEDY = "Restore the file from where it came, or make it again with `make weights`"


def load_weights(network: nn.Module, path: str | Path) -> None:
    """Fill a network with the weights of a safetensors file, as float32.

    Raises:
        ModelFileError: The file is missing, truncated, of another kind, damaged, or of another network.
    """
    path = Path(path)
    tensors = read_tensors(path)
    _check_fit(network, tensors, path)
    network.load_state_dict(tensors, strict=False)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read a safetensors file; floating-point tensors come back as float32.

    Raises:
        ModelFileError: As `load_weights`, apart from the fit.
    """
    try:
        data = path.read_bytes()
        tensors = load(data)
    except OSError as error:
        raise ModelFileError(str(path), error.strerror or "cannot be opened", _REMEDY) from None
    except (SafetensorError, ValueError):
        raise ModelFileError(str(path), _what_else(data), _REMEDY) from None
    tensors = {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}
    if not all(bool(torch.isfinite(value).all()) for value in tensors.values()):
        raise ModelFileError(str(path), "the weights hold values that are not numbers", _REMEDY)
    return tensors


def save_model(network: nn.Module, spec: ModelSpec, folder: str | Path) -> ModelSpec:
    """Write `NAME.safetensors` (float16) and `NAME.json` into a folder; returns the spec that points there.

    Raises:
        ModelFileError: A weight is not a number, or too large for float16.
    """
    folder = Path(folder)
    path = folder / f"{spec.name}.safetensors"
    data = _packed(network, path)
    write_atomically(path, data)
    write_atomically(path.with_suffix(".json"), spec.to_json().encode())
    return replace(spec, weights=path, weights_sha256=hashlib.sha256(data).hexdigest())


def network_sha256(network: nn.Module) -> str:
    """Digest of a network that lives in memory, the same as that of its file once saved."""
    return hashlib.sha256(_packed(network, Path("weights in memory"))).hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that others see whole or not at all, making its folder when needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(data)
    partial.replace(path)


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


def _check_fit(network: nn.Module, tensors: dict[str, torch.Tensor], path: Path) -> None:
    wanted = network.state_dict()
    misfits = [key for key in wanted if key not in tensors and not key.endswith("num_batches_tracked")]
    misfits += [key for key in tensors if key not in wanted]
    misfits += [key for key in wanted if key in tensors and wanted[key].shape != tensors[key].shape]
    if misfits:
        cause = f"weights of another network ({len(misfits)} of {len(wanted)} tensors do not fit, e.g. {misfits[0]})"
        remedy = "Check architecture and class_names in the .json beside it"
        raise ModelFileError(str(path), cause, remedy)
