"""What detectron2 itself answers with weights that anybody can make again: the recipe, and the record of its answers.

`python -m tests.models.d2_golden` runs detectron2, where it is installed, and writes the record anew.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import importlib.util
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import supervision as sv
import torch

from cowvision.data.pictures import read_picture
from cowvision.models.d2_checkpoint import their_layout

ROOT = Path(__file__).resolve().parents[2]
RECORD = Path(__file__).with_name("d2_golden.npz")
SEED = 7
CONFIGS = {
    "d2-r50-fpn": "COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml",
    "d2-r101-fpn": "COCO-Detection/faster_rcnn_R_101_FPN_3x.yaml",
}
VIEWS = {
    "many_cows": None,
    "close_up": None,
    "far_herd": None,
    "dusk": None,
    "winter_cows": (300, 0, 877, 854),  # upright
    "mixed_species": (0, 300, 1280, 620),  # so wide that its longer side is limited
    "stubble_walk": (0, 400, 1280, 520),  # a strip, which is quick
    "barnyard": (400, 350, 531, 447),  # small, of odd sides, enlarged
}
"""Pictures that ship, and the part of each that is looked at, as xyxy."""

is_installed = importlib.util.find_spec("detectron2") is not None


@dataclass(frozen=True)
class Answer:
    """Boxes (n, 4) in pixels of the picture, scores (n,), and classes (n,) counted from 0 as detectron2 does."""

    xyxy: np.ndarray
    scores: np.ndarray
    classes: np.ndarray


@dataclass(frozen=True)
class Agreement:
    """How far two answers to one picture agree.

    Attributes:
        boxes: Of the side that has more.
        matched: Those with a box of the other side of the same class, near enough and of a score near enough.
        worst_px: Largest difference of a coordinate among the matched.
        worst_score: Largest difference of a score among the matched.
    """

    boxes: int
    matched: int
    worst_px: float
    worst_score: float

    @property
    def is_good(self) -> bool:
        """Whether at least 99 % of the boxes have their like."""
        return self.matched >= 0.99 * self.boxes


def agreement(answer: Answer, found: sv.Detections, most_score: float = 1e-3, most_px: float = 0.5) -> Agreement:
    """Match each of detectron2's boxes with the nearest of ours that is left."""
    free = np.ones(len(found), bool)
    pixels, scores = [0.0], [0.0]
    for xyxy, score, number in zip(answer.xyxy, answer.scores, answer.classes, strict=True):
        apart = np.abs(found.xyxy - xyxy).max(axis=1, initial=0)
        differs = np.abs(found.confidence - score)
        alike = free & (found.class_id == number + 1) & (apart <= most_px) & (differs <= most_score)
        if alike.any():
            nearest = np.flatnonzero(alike)[apart[alike].argmin()]
            free[nearest] = False
            pixels.append(float(apart[nearest]))
            scores.append(float(differs[nearest]))
    return Agreement(max(len(answer.scores), len(found)), len(pixels) - 1, max(pixels), max(scores))


def view(name: str) -> np.ndarray:
    """(h, w, 3) uint8 RGB."""
    rgb = read_picture(ROOT / "assets" / "pictures" / f"{name}.jpg").rgb
    left, top, right, bottom = VIEWS[name] or (0, 0, rgb.shape[1], rgb.shape[0])
    return np.ascontiguousarray(rgb[top:bottom, left:right])


def weights(architecture: str) -> dict[str, np.ndarray]:
    """All weights under detectron2's names, float32, each a function of the seed, its name and its shape alone."""
    return {name: weight(name, shape) for name, shape in their_layout(architecture, 80).items()}


def weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """One weight, spread evenly around 0 by as much as keeps the numbers of a layer as large as those before it.

    The norms are lively; what a residual block adds is small. Two things keep all boxes from looking alike to layers
    that learnt nothing: the box head's first layer sees differences within a box only, and layers behind a ReLU weigh
    their inputs to a sum of 0. The background is favoured, so that some boxes are sure and most are none.
    """
    even = noise(name, shape)
    if name.endswith("running_var"):
        return 1 + even * np.float32(0.25)
    if ".norm." in name:
        return norm(name, even)
    if name.endswith("bias"):
        bias = np.float32(0.1) * even
        if name == "roi_heads.box_predictor.cls_score.bias":
            bias[-1] += np.float32(11.5)
        return bias
    if name == "roi_heads.box_head.fc1.weight":
        cells = even.reshape(shape[0], -1, 49)
        even = (cells - cells.mean(axis=2, keepdims=True)).reshape(shape)
    if name in {"roi_heads.box_head.fc2.weight", "roi_heads.box_predictor.cls_score.weight"}:
        even -= even.mean(axis=1, keepdims=True)
    return even * np.float32(gain(name) / np.prod(shape[1:]) ** 0.5)


def norm(name: str, even: np.ndarray) -> np.ndarray:
    """A norm's weight, bias or mean; the first two of a block let through less than half."""
    if name.endswith("running_mean"):
        return np.float32(0.2) * even
    if name.endswith("bias"):
        return np.float32(0.2) * even - np.float32(0.5 if ".conv1." in name or ".conv2." in name else 0)
    return np.float32(0.2 if ".conv3." in name else 1) * (1 + np.float32(0.15) * even)


def gain(name: str) -> float:
    """How much larger a layer's numbers are than its inputs."""
    known = {
        "stem": 2**0.5 / 60,  # pictures have 0..255
        "fpn_": 0.5,
        "objectness_logits": 2.0,
        "anchor_deltas": 0.3,
        "fc1": 2.0,
        "cls_score": 7.0,
        "bbox_pred": 3.0,
    }
    return next((value for part, value in known.items() if part in name), 2**0.5)


def noise(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of mean 0 and deviation 1 between -sqrt(3) and sqrt(3), of PCG64's stream, which numpy keeps as it is."""
    count = int(np.prod(shape))
    seed = int.from_bytes(hashlib.sha256(f"{SEED}|{name}".encode()).digest()[:8], "little")
    drawn = np.random.PCG64(seed).random_raw((count + 1) // 2).view(np.uint32)[:count].reshape(shape)
    return (drawn.astype(np.float32) / np.float32(2**32) - np.float32(0.5)) * np.float32(12**0.5)


def write_checkpoint(architecture: str, path: Path) -> Path:
    """Write the weights in the form of the model zoo."""
    path.write_bytes(pickle.dumps({"model": weights(architecture), "__author__": "nobody"}, protocol=4))
    return path


def recorded(architecture: str, name: str) -> Answer:
    """What detectron2 answered when the record was made."""
    with np.load(RECORD) as kept:
        return Answer(*(kept[f"{architecture}/{name}/{part}"] for part in ("xyxy", "scores", "classes")))


def model_zoo():
    """detectron2's module of that name, also where setuptools no longer brings the pkg_resources that it imports."""
    if "pkg_resources" not in sys.modules and importlib.util.find_spec("pkg_resources") is None:
        stand_in: Any = ModuleType("pkg_resources")
        stand_in.resource_filename = lambda package, name: str(importlib.resources.files(package) / name)
        sys.modules["pkg_resources"] = stand_in
    return importlib.import_module("detectron2.model_zoo")


def predictor(architecture: str, checkpoint: Path):
    """detectron2's DefaultPredictor with such weights, on the CPU."""
    from detectron2.engine import DefaultPredictor

    config = model_zoo().get_config(CONFIGS[architecture])
    config.MODEL.WEIGHTS, config.MODEL.DEVICE = str(checkpoint), "cpu"
    return DefaultPredictor(config)


def asked(predict, rgb: np.ndarray) -> Answer:
    """What a DefaultPredictor answers."""
    found = predict(rgb[:, :, ::-1])["instances"]
    return Answer(found.pred_boxes.tensor.numpy(), found.scores.numpy(), found.pred_classes.numpy().astype(np.uint8))


def record(folder: Path) -> None:
    """Ask detectron2 about every view with both networks, and write the record."""
    torch.set_num_threads(2)
    parts = {}
    for architecture in CONFIGS:
        predict = predictor(architecture, write_checkpoint(architecture, folder / f"{architecture}.pkl"))
        for name in VIEWS:
            answer = asked(predict, view(name))
            print(architecture, name, len(answer.scores), np.round(answer.scores[:3], 3))
            parts |= {f"{architecture}/{name}/{part}": value for part, value in vars(answer).items()}
    np.savez_compressed(RECORD, **parts)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        record(Path(made))
