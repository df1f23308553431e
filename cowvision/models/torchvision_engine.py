"""Building and running torchvision detectors: the only module that does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor

from cowvision.errors import ModelFileError
from cowvision.models.compact_fpn import CompactPyramid, compact_faster_rcnn
from cowvision.models.d2_network import TRUNKS, ShortestEdge, build_detectron2
from cowvision.models.execution import applied

if TYPE_CHECKING:
    from cowvision.models.choices import Execution
    from cowvision.models.execution import RawDetections

COMPACT = "compact-fpn-w32"
PUBLISHED = (
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
)
"""torchvision's COCO detectors."""


def build_network(architecture: str, num_classes: int) -> nn.Module:
    """A detector with random weights.

    Args:
        architecture: ``"compact-fpn-w32"``, the name of one of torchvision's Faster R-CNNs, or ``"d2-r50-fpn"`` or
            ``"d2-r101-fpn"`` for detectron2's.
        num_classes: Foreground classes; the background comes on top.

    Raises:
        ModelFileError: An unknown architecture.
    """
    if architecture == COMPACT:
        network: Any = compact_faster_rcnn(num_classes)
    elif architecture in PUBLISHED:
        build = getattr(torchvision.models.detection, architecture)
        network = build(weights=None, weights_backbone=None, num_classes=num_classes + 1)
    elif architecture in TRUNKS:
        network = build_detectron2(architecture, num_classes)
    else:
        known = ", ".join((COMPACT, *PUBLISHED, *TRUNKS))
        raise ModelFileError(architecture, "no such architecture", f"Known architectures: {known}")
    network.backbone.register_forward_hook(as_float)
    network.rpn.head.register_forward_hook(as_float)
    network.roi_heads.box_predictor.register_forward_hook(as_float)
    return cast("nn.Module", network)


def with_classes(network: nn.Module, known: Sequence[str], wanted: Sequence[str]) -> nn.Module:
    """Give a detector other classes; what it knows about the background and about shared names stays.

    Args:
        network: Changed in place and returned.
        known: The foreground classes it has, in the order of its labels.
        wanted: The classes it shall have.
    """
    faster_rcnn: Any = network
    old = faster_rcnn.roi_heads.box_predictor
    new = FastRCNNPredictor(old.cls_score.in_features, len(wanted) + 1)
    pairs = [(0, 0)] + [(list(known).index(name) + 1, i) for i, name in enumerate(wanted, 1) if name in known]
    with torch.no_grad():
        for before, after in pairs:
            _copy_class(old, new, before, after)
    new.register_forward_hook(as_float)
    faster_rcnn.roi_heads.box_predictor = new.to(old.cls_score.weight.device)
    return network


def raw_detections(
    network: nn.Module,
    images: Sequence[NDArray[np.uint8]],
    *,
    short_side: int | None = None,
    execution: Execution | None = None,
) -> list[RawDetections]:
    """Run a detector on pictures together, best detections first.

    torchvision's own call rescales in a way that depends on its training flag and the state of its transform; here the
    same steps are taken without touching that state, so several threads may use one network.

    Args:
        network: From ``build_network``, in evaluation mode.
        images: (h, w, 3) uint8 RGB arrays of any sizes.
        short_side: Shorter side in pixels to scale to; None keeps the detector's own.
        execution: Device, precision, memory format and threads; None runs plainly on the CPU.

    Returns:
        For each picture its boxes (n, 4) in pixels of the picture, scores (n,) and labels (n,) from 1.
    """
    if not images:
        return []
    if execution is None:
        with torch.inference_mode():
            return _detect(network, images, short_side, "cpu", channels_last=False)
    _prepare(network, execution)
    with applied(execution):
        return _detect(network, images, short_side, execution.device, channels_last=execution.channels_last)


def _detect(
    network: Any, images: Sequence[NDArray[np.uint8]], short_side: int | None, device: str, *, channels_last: bool
) -> list[RawDetections]:
    transform = network.transform
    scaled = [_scaled(image, network, short_side, device) for image in images]
    sizes = [(int(one.shape[1]), int(one.shape[2])) for one in scaled]
    batch = transform.batch_images([transform.normalize(one) for one in scaled], transform.size_divisible)
    if channels_last:
        batch = batch.contiguous(memory_format=torch.channels_last)
    features = network.backbone(batch)
    if isinstance(features, torch.Tensor):
        features = {"0": features}
    pictures = torchvision.models.detection.image_list.ImageList(batch, sizes)
    proposals, _ = network.rpn(pictures, features)
    found, _ = network.roi_heads(features, proposals, sizes)
    found = transform.postprocess(found, sizes, [(image.shape[0], image.shape[1]) for image in images])
    return [
        (one["boxes"].float().cpu().numpy(), one["scores"].float().cpu().numpy(), one["labels"].cpu().numpy())
        for one in found
    ]


def _scaled(rgb: NDArray[np.uint8], network: Any, short_side: int | None, device: str) -> torch.Tensor:
    """The picture at the detector's size, in 0..1, scaled as its weights are used to."""
    transform = network.transform
    if isinstance(transform, ShortestEdge):
        return transform.scaled(rgb, short_side).to(device)
    # ours has only seen smoothly reduced pictures; torchvision's own were trained on plainly sampled ones
    smooth = isinstance(network.backbone, CompactPyramid)
    image = torch.from_numpy(np.array(rgb)).to(device).permute(2, 0, 1).float() / 255
    height, width = rgb.shape[:2]
    wanted = float(short_side or transform.min_size[-1])
    factor = min(wanted / min(height, width), transform.max_size / max(height, width))
    least = 1 / min(height, width)  # never less than one pixel
    return F.interpolate(
        image[None],
        scale_factor=max(factor, least),
        mode="bilinear",
        recompute_scale_factor=True,
        align_corners=False,
        antialias=smooth and factor < 1,
    )[0]


def _prepare(network: nn.Module, execution: Execution) -> None:
    """Bring the weights to the device and memory format, where they are not there yet."""
    kernel = next(parameter for parameter in network.parameters() if parameter.ndim == 4)
    if kernel.device.type != execution.device:
        network.to(execution.device)
    wanted = torch.channels_last if execution.channels_last else torch.contiguous_format
    if not kernel.is_contiguous(memory_format=wanted):
        network.to(memory_format=wanted)


def _copy_class(old: Any, new: Any, before: int, after: int) -> None:
    new.cls_score.weight[after] = old.cls_score.weight[before]
    new.cls_score.bias[after] = old.cls_score.bias[before]
    new.bbox_pred.weight[4 * after : 4 * after + 4] = old.bbox_pred.weight[4 * before : 4 * before + 4]
    new.bbox_pred.bias[4 * after : 4 * after + 4] = old.bbox_pred.bias[4 * before : 4 * before + 4]


def as_float(_module: nn.Module, _inputs: object, output: Any) -> Any:
    """Keep box decoding and suppression out of half precision: a bfloat16 coordinate is off by pixels."""
    if isinstance(output, torch.Tensor):
        return output.float()
    if isinstance(output, dict):
        return {key: value.float() for key, value in output.items()}
    if isinstance(output, tuple | list):
        return type(output)(as_float(_module, None, value) for value in output)
    return output
