"""detectron2's checkpoints (`.pkl` of its zoo, `.pth` of its trainer) as weights of the network in `d2_network`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cowvision.data.coco import COCO_EIGHTY
from cowvision.errors import ModelFileError
from cowvision.models.d2_network import RGB_MEANS, build_detectron2
from cowvision.models.d2_parts import ANCHOR_SIDES_PX, cell_anchors
from cowvision.models.d2_pickle import read_arrays
from cowvision.models.d2_torch_file import is_from_torch, read_torch
from cowvision.models.d2_unfolding import UnreadablePickleError
from cowvision.models.quoting import printable

SUFFIXES = (".pkl", ".pth")
_MOST_BYTES = 2 * 1024**3  # the zoo's have 0.25e9, and a trainer keeps its optimizer beside the weights
_MOST_NAMED = 3
_REMEDY = "Use a Faster R-CNN R50-FPN or R101-FPN checkpoint as detectron2 saved it, or fetch it again"
_RULES = (
    (r"^backbone\.body\.conv1\.", "backbone.bottom_up.stem.conv1."),
    (r"^backbone\.body\.bn1\.", "backbone.bottom_up.stem.conv1.norm."),
    (r"^backbone\.body\.layer1\.", "backbone.bottom_up.res2."),
    (r"^backbone\.body\.layer2\.", "backbone.bottom_up.res3."),
    (r"^backbone\.body\.layer3\.", "backbone.bottom_up.res4."),
    (r"^backbone\.body\.layer4\.", "backbone.bottom_up.res5."),
    (r"\.bn(\d)\.", r".conv\1.norm."),
    (r"\.downsample\.0\.", ".shortcut."),
    (r"\.downsample\.1\.", ".shortcut.norm."),
    (r"^backbone\.fpn\.inner_blocks\.(\d)\.0\.", r"backbone.fpn_lateral\1."),
    (r"^backbone\.fpn\.layer_blocks\.(\d)\.0\.", r"backbone.fpn_output\1."),
    (r"^rpn\.head\.conv\.0\.0\.", "proposal_generator.rpn_head.conv."),
    (r"^rpn\.head\.cls_logits\.", "proposal_generator.rpn_head.objectness_logits."),
    (r"^rpn\.head\.bbox_pred\.", "proposal_generator.rpn_head.anchor_deltas."),
    (r"^roi_heads\.box_head\.fc6\.", "roi_heads.box_head.fc1."),
    (r"^roi_heads\.box_head\.fc7\.", "roi_heads.box_head.fc2."),
)
_STEM = "backbone.body.conv1.weight"
_SCORES = "roi_heads.box_predictor.cls_score."
_BOXES = "roi_heads.box_predictor.bbox_pred."
_SETTINGS = re.compile(r"pixel_(mean|std)|proposal_generator\.anchor_generator\.cell_anchors\.\d")
_ONLY_IN_R101 = "backbone.bottom_up.res4.6."
_COUNTER = ".num_batches_tracked"
_MOST_CLASSES = 10_000
_NUMBERS = frozenset({
    torch.float16, torch.bfloat16, torch.float32, torch.float64,
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
})  # fmt: skip


def read_checkpoint(path: Path, network: nn.Module) -> dict[str, torch.Tensor]:
    """Weights of a detectron2 checkpoint as float32, under the names and in the layout of a network built here.

    The stem takes RGB instead of BGR, and the background moves from the last place of the classes to the first.

    Args:
        path: The `.pkl` or `.pth` file.
        network: From ``build_detectron2``; tells what is wanted.

    Raises:
        ModelFileError: The file is missing, damaged, too large, would run something, or is of another network.
    """
    found = stored_weights(path)
    _check_settings(found, path)
    check_fit(found, _layout_of(network), path)
    return {name: _our_layout(name, found[their_name(name)].float()) for name in network.state_dict()}


def described(path: Path) -> tuple[str, int]:
    """Architecture and number of foreground classes of a checkpoint, told from its weights.

    Raises:
        ModelFileError: As for ``read_checkpoint``.
    """
    found = stored_weights(path)
    _check_settings(found, path)
    architecture = "d2-r101-fpn" if any(name.startswith(_ONLY_IN_R101) for name in found) else "d2-r50-fpn"
    scores = found.get(f"{_SCORES}bias")
    told = len(scores) - 1 if scores is not None and scores.ndim == 1 else 0
    num_classes = told if 0 < told <= _MOST_CLASSES else len(COCO_EIGHTY)
    check_fit(found, their_layout(architecture, num_classes), path)
    return architecture, num_classes


def their_layout(architecture: str, num_classes: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights in a detectron2 checkpoint of an architecture of `d2_network`."""
    with torch.device("meta"):  # no numbers are needed
        return _layout_of(build_detectron2(architecture, num_classes))


def their_name(name: str) -> str:
    """What detectron2 calls a weight of the network in `d2_network`."""
    for pattern, theirs in _RULES:
        name = re.sub(pattern, theirs, name)
    level = re.compile(r"fpn_(lateral|output)(\d)")  # numbered by stages here, by powers of two there
    return level.sub(lambda found: f"fpn_{found[1]}{int(found[2]) + 2}", name)


def stored_weights(path: Path) -> dict[str, torch.Tensor]:
    """The weights that a file holds, under detectron2's names.

    Raises:
        ModelFileError: The file is missing, damaged, too large, or would run something.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ModelFileError(str(path), f"the file is larger than {_MOST_BYTES / 1024**3:.0f} GB", _REMEDY)
        held = read_torch(path, _MOST_BYTES) if is_from_torch(path) else read_arrays(path.read_bytes())
    except UnreadablePickleError as error:
        raise ModelFileError(str(path), str(error), _REMEDY) from None
    except OSError as error:
        raise ModelFileError(str(path), error.strerror or "cannot be opened", _REMEDY) from None
    weights = dict.get(held, "model", held)  # an OrderedDict of torch's may have a `get` and `items` from the file
    if not isinstance(weights, dict) or not weights or not all(type(name) is str for name in dict.keys(weights)):
        raise ModelFileError(str(path), "the file holds something else than named weights", _REMEDY)
    tensors = {name: _tensor(value) for name, value in dict.items(weights)}
    return {name: value for name, value in tensors.items() if value is not None and not name.endswith(_COUNTER)}


def check_fit(
    found: Mapping[str, torch.Tensor], wanted: Mapping[str, tuple[int, ...]], path: Path, remedy: str = _REMEDY
) -> None:
    """Refuse weights that are not those of a network, by name and shape.

    Raises:
        ModelFileError: Some are missing, not expected, or of another shape.
    """
    misfits = {
        "missing": [name for name in wanted if name not in found],
        "not expected": [name for name in found if name not in wanted],
        "of another shape": [
            name for name, shape in wanted.items() if name in found and tuple(found[name].shape) != shape
        ],
    }
    told = [f"{len(names)} {what} ({_first(names)})" for what, names in misfits.items() if names]
    if told:
        raise ModelFileError(str(path), f"a checkpoint of another architecture: {'; '.join(told)}", remedy)


def _layout_of(network: nn.Module) -> dict[str, tuple[int, ...]]:
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    return {their_name(name): _their_shape(name, shape) for name, shape in shapes.items()}


def _their_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[0] - 4, *shape[1:]) if name.startswith(_BOXES) else shape


def _our_layout(name: str, value: torch.Tensor) -> torch.Tensor:
    if name == _STEM:
        return value.flip(1)
    if name.startswith(_SCORES):
        return value.roll(1, dims=0)
    if name.startswith(_BOXES):  # the background has no box
        return torch.cat([value.new_zeros((4, *value.shape[1:])), value])
    return value


def _tensor(value: object) -> torch.Tensor | None:
    """A weight; None for what is none, such as a word about the author, or numbers that are not all there."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.astype(value.dtype.newbyteorder("="), order="C"))
    whole = isinstance(value, torch.Tensor) and value.device.type == "cpu" and value.dtype in _NUMBERS
    return value if isinstance(value, torch.Tensor) and whole else None


def _check_settings(found: dict[str, torch.Tensor], path: Path) -> None:
    """Take out the settings that older files keep among the weights; refuse what is run otherwise here."""
    kept = {name: found.pop(name) for name in list(found) if _SETTINGS.fullmatch(name)}
    here = {"pixel_mean": torch.tensor(RGB_MEANS[::-1]), "pixel_std": torch.ones(3)}
    for level, side in enumerate(ANCHOR_SIDES_PX):
        here[f"proposal_generator.anchor_generator.cell_anchors.{level}"] = cell_anchors(side)
    for name, value in kept.items():
        same = name in here and here[name].numel() == value.numel()  # first: one number may be said to be 10^10 times
        if not same or not torch.allclose(value.float().flatten(), here[name].flatten(), atol=1e-3):
            cause = f"trained with settings of its own ({name}), which only detectron2 itself follows"
            raise ModelFileError(str(path), cause, "Install detectron2 and run it with its config.yaml")


def _first(names: list[str]) -> str:
    return ", ".join(printable(name) for name in names[:_MOST_NAMED]) + ", …" * (len(names) > _MOST_NAMED)
