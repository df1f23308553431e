"""A Faster R-CNN of detectron2's own parts, small enough to be taught in seconds, as a person's config.yaml."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from cowvision.data.annotations import AnnotatedPicture, truth_boxes

SETTINGS: dict[str, Any] = {
    "VERSION": 2,
    "MODEL": {
        "META_ARCHITECTURE": "GeneralizedRCNN",
        "BACKBONE": {"NAME": "build_resnet_fpn_backbone", "FREEZE_AT": 0},
        "RESNETS": {
            "DEPTH": 18, "RES2_OUT_CHANNELS": 64, "NORM": "GN", "OUT_FEATURES": ["res2", "res3", "res4", "res5"],
        },
        "FPN": {"IN_FEATURES": ["res2", "res3", "res4", "res5"], "OUT_CHANNELS": 64, "NORM": "GN"},
        "ANCHOR_GENERATOR": {"SIZES": [[16], [32], [64], [128], [256]], "ASPECT_RATIOS": [[0.5, 1.0, 2.0]]},
        "RPN": {
            "IN_FEATURES": ["p2", "p3", "p4", "p5", "p6"], "BATCH_SIZE_PER_IMAGE": 64,
            "PRE_NMS_TOPK_TRAIN": 500, "PRE_NMS_TOPK_TEST": 300, "POST_NMS_TOPK_TRAIN": 200, "POST_NMS_TOPK_TEST": 100,
        },
        "ROI_HEADS": {
            "NAME": "StandardROIHeads", "IN_FEATURES": ["p2", "p3", "p4", "p5"], "NUM_CLASSES": 3,
            "BATCH_SIZE_PER_IMAGE": 64, "SCORE_THRESH_TEST": 0.7,
        },
        "ROI_BOX_HEAD": {"NAME": "FastRCNNConvFCHead", "NUM_FC": 2, "FC_DIM": 128, "POOLER_RESOLUTION": 7},
        "PIXEL_STD": [57.375, 57.12, 58.395],
    },
    "INPUT": {"MIN_SIZE_TRAIN": [144, 160], "MAX_SIZE_TRAIN": 320, "MIN_SIZE_TEST": 160, "MAX_SIZE_TEST": 320},
}  # fmt: skip
NAMES = ("dog", "cow", "sheep")


def changed(**model: Any) -> dict[str, Any]:
    """The settings with other values below MODEL; a dictionary is merged, None takes away."""
    settings = copy.deepcopy(SETTINGS)
    for key, value in model.items():
        if isinstance(value, dict):
            settings["MODEL"].setdefault(key, {}).update(value)
        else:
            settings["MODEL"][key] = value
    return settings


def write_config(folder: Path, settings: dict[str, Any] | None = None, names: tuple[str, ...] | None = NAMES) -> Path:
    """Write config.yaml (JSON is YAML) and, if there are names, config.json; returns the first."""
    folder.mkdir(parents=True, exist_ok=True)
    if names is not None:
        (folder / "config.json").write_text(json.dumps({"class_names": names}))
    path = folder / "config.yaml"
    path.write_text(json.dumps(settings or SETTINGS))
    return path


def write_checkpoint(folder: Path, seed: int = 0) -> Path:
    """Write what detectron2's trainer leaves of the untrained network: model_final.pth."""
    from cowvision.models.catalog import ModelSpec
    from cowvision.models.detectron2_engine import build

    torch.manual_seed(seed)
    spec = ModelSpec("small", "Small", "detectron2:own-small", NAMES, config=json.dumps(SETTINGS))
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"model": build(spec).model.state_dict(), "iteration": 0}, folder / "model_final.pth")
    return folder / "model_final.pth"


def drawn(number: int) -> AnnotatedPicture:
    """Two brown animals on grass, elsewhere on each picture."""
    rng = np.random.default_rng(number)
    rgb = np.full((160, 240, 3), (90, 140, 60), np.uint8) + rng.integers(0, 12, (160, 240, 1), dtype=np.uint8)
    xyxy = []
    for half in range(2):
        width, height = int(rng.integers(50, 80)), int(rng.integers(36, 56))
        left, top = int(rng.integers(2, 118 - width)) + 120 * half, int(rng.integers(2, 158 - height))
        middle, radii = (left + width // 2, top + height // 2), (width // 2, height // 2)
        cv2.ellipse(rgb, middle, radii, 0, 0, 360, (200, 40, 40), -1)
        xyxy.append([left, top, left + width, top + height])
    return AnnotatedPicture(f"{number}.png", truth_boxes(xyxy, ["cow"] * 2), rgb)
