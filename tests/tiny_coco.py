"""A COCO of a few pictures, made here: its archive of annotations, its pictures, and a server of both."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cowvision.data.coco import COCO_IDS
from cowvision.workspace import coco_cows
from tests.models.file_server import FileServer

ARCHIVE = "/annotations/annotations_trainval2017.zip"
TRAIN = {9: ("cow", "sheep", "person"), 25: ("cow",), 30: ("dog",), 34: ("cow", "bird")}
VAL = {139: ("cow",), 285: ("bear",)}
COWS = ["train2017/000000000009.jpg", "train2017/000000000025.jpg", "train2017/000000000034.jpg"]
COWS_VAL = ["val2017/000000000139.jpg"]
SIZE_WH = (40, 30)


def document(pictures: dict[int, tuple[str, ...]]) -> dict[str, Any]:
    """An instances file: a box per name, the cow of picture 25 a crowd region; lists in COCO's own order."""
    images = [
        {"license": 4, "file_name": f"{number:012d}.jpg", "coco_url": "http://elsewhere.invalid/x.jpg"}
        | {"height": SIZE_WH[1], "width": SIZE_WH[0], "flickr_url": "http://f.invalid/1_z.jpg", "id": number}
        for number in pictures
    ]
    annotations = [
        {"segmentation": [[1.5, 2.5, 3, 4, 5, 6]], "area": 50.5, "iscrowd": int(number == 25), "image_id": number}
        | {"bbox": [1 + place, 2, 10.5, 9], "category_id": COCO_IDS[name], "id": number * 10 + place}
        for number, names in pictures.items()
        for place, name in enumerate(names)
    ]
    return {
        "info": {"description": "tiny"},
        "licenses": [{"url": "http://licence.invalid", "id": 4, "name": "Attribution"}],
        "images": images,
        "annotations": annotations,
        "categories": [{"supercategory": "x", "id": number, "name": name} for name, number in COCO_IDS.items()],
    }


def archive_of(members: dict[str, bytes]) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in members.items():
            bundle.writestr(name, data)
    return kept.getvalue()


def members(train: Any = None, val: Any = None) -> dict[str, bytes]:
    """What is in the archive; documents, or bytes where they are damaged."""
    documents = {"train": document(TRAIN) if train is None else train, "val": document(VAL) if val is None else val}
    instances = {
        f"annotations/instances_{split}2017.json": told if isinstance(told, bytes) else json.dumps(told).encode()
        for split, told in documents.items()
    }
    return {"annotations/captions_train2017.json": np.random.default_rng(0).bytes(200_000)} | instances


def jpeg(size_wh: tuple[int, int] = SIZE_WH, seed: int = 0) -> bytes:
    """A picture of noise, some ten parcels long when it is large."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size_wh[1], size_wh[0], 3), dtype=np.uint8)
    kept = io.BytesIO()
    Image.fromarray(pixels).save(kept, format="JPEG", quality=95)
    return kept.getvalue()


def server_of(archive: bytes) -> FileServer:
    """Serves the archive and all six pictures, those without cows too."""
    places = [f"/train2017/{number:012d}.jpg" for number in TRAIN] + [f"/val2017/{number:012d}.jpg" for number in VAL]
    pictures = {place: FileServer(jpeg(seed=seed)) for seed, place in enumerate(places)}
    return FileServer(b"", files={ARCHIVE: FileServer(archive)} | pictures)


def publish(patch: pytest.MonkeyPatch, archive: bytes) -> None:
    """Let this archive be the one whose size and checksum are known, and everything small."""
    patch.setattr(coco_cows, "ARCHIVE_BYTES", len(archive))
    patch.setattr(coco_cows, "ARCHIVE_SHA256", hashlib.sha256(archive).hexdigest())
    patch.setattr(coco_cows, "_PICTURE_BYTES", 1_000)
    patch.setattr(coco_cows, "_ALL_PICTURES_BYTES", 4_000)
    patch.setattr(coco_cows, "TOTAL_BYTES", len(archive) + 4_000)
