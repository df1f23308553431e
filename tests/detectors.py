"""A small detector that nobody trained: it sees things everywhere, always the same ones."""

import torch

from cowvision.detection_box import DetectionBox
from cowvision.models.catalog import ModelSpec
from cowvision.models.choices import Execution
from cowvision.models.torchvision_engine import build_network

PLAIN = Execution("cpu", "float32", channels_last=False, threads=1)


def untrained_network(class_count: int = 1, seed: int = 0) -> torch.nn.Module:
    """Build a network with seeded random weights; it sees things everywhere."""
    torch.manual_seed(seed)
    return build_network("compact-fpn-w32", class_count).eval()


def untrained_box(class_names: tuple[str, ...] = ("cow",), seed: int = 0) -> DetectionBox:
    """Return a DetectionBox around an untrained network, run plainly."""
    spec = ModelSpec("untrained", "Untrained", "compact-fpn-w32", class_names, short_side=96)
    return DetectionBox(spec, network=untrained_network(len(class_names), seed), execution=PLAIN)
