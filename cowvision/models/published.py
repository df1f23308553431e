"""Detectors that others trained on COCO and publish: what is known about them without fetching them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cowvision.data.coco import COCO_EIGHTY, COCO_NAMES
from cowvision.errors import ModelNotFoundError
from cowvision.models.detectron2_zoo import ZOO, check_known, is_installed

_SIZE_TOLERANCE = 0.01  # sizes are published in rounded MiB; the checksum decides, this tells a web page from weights
_LICENCE = "BSD-3-Clause"
_NOTES = (
    "torchvision's own, trained on COCO photographs of 80 kinds of things, which have terms of their own. "
    "The published mAP is over all 80, on COCO val2017."
)
_SERVER = "https://download.pytorch.org/models"
_ZOO = "https://dl.fbaipublicfiles.com/detectron2/COCO-Detection"
_ZOO_LICENCE = "CC-BY-SA-3.0"
_ZOO_NOTES = (
    "From detectron2's model zoo, trained on COCO photographs of 80 kinds of things, which have terms of their own. "
    "The published mAP is over all 80, on COCO val2017. Of the file, six digits of its md5 are published and no sha256."
)


@dataclass(frozen=True)
class PublishedModel:
    """A detector whose weights lie on its authors' server.

    Attributes:
        name: Short name, as on the command line.
        title: Name for people.
        architecture: What the engine builds.
        url: Where the weights lie; the last part is the file's name.
        size_mib: Size of the file in MiB, as published: rounded to three digits after the point; detectron2 publishes
            none, and that of its weights stands for it.
        sha256_prefix: First eight hexadecimal digits of the file's sha256; more is not published. "" where none are.
        published_map: mAP@[.50:.95] (0..1) over all classes on COCO val2017, as published; nobody here measured it.
        batch_norm_eps: What its authors add to the variances when they run it.
        licence: Licence of the weights.
        notes: Limits and origin in plain words.
        md5_prefix: First hexadecimal digits of the file's md5, where no sha256 is published. It tells accidents from
            weights and no forgery: what reads such a file runs nothing that is in it.
        class_names: Names of the labels from 1. With torchvision's, "N/A" stands where COCO has no class, so that "cow"
            keeps its number 21; detectron2 leaves no gaps.
    """

    name: str
    title: str
    architecture: str
    url: str
    size_mib: float
    sha256_prefix: str
    published_map: float
    batch_norm_eps: float = 1e-5
    licence: str = _LICENCE
    notes: str = _NOTES
    md5_prefix: str = ""
    class_names: tuple[str, ...] = COCO_NAMES

    @property
    def file_name(self) -> str:
        """Name of the weights file."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def size_bytes(self) -> int:
        """Size of the file in bytes, as near as the published figure says it (about 500 bytes)."""
        return round(self.size_mib * 1024**2)

    @property
    def fetch_command(self) -> str:
        """What a person types to get it."""
        return f"python -m cowvision fetch {self.name}"

    def fits_size(self, size: int) -> bool:
        """Whether a number of bytes can be the published size."""
        return abs(size - self.size_bytes) <= _SIZE_TOLERANCE * self.size_bytes

    def is_whole(self, path: Path) -> bool:
        """Whether a file is there and is, by size and checksum, the published one."""
        try:
            return self.fits_size(path.stat().st_size) and self._has_checksum(path)
        except OSError:
            return False

    def _has_checksum(self, path: Path) -> bool:
        if self.sha256_prefix:
            return file_sha256(path).startswith(self.sha256_prefix)
        return file_md5(path).startswith(self.md5_prefix)


def published_models() -> list[PublishedModel]:
    """The detectors that can be fetched, whether or not they were; asks no other machine."""
    return [*PUBLISHED, *DETECTRON2, *(BY_DETECTRON2 if is_installed() else ())]


def find_published(name: str) -> PublishedModel:
    """The published detector of that name.

    Raises:
        ModelNotFoundError: There is none.
    """
    known = {model.name: model for model in published_models()}
    if name not in known:
        check_known(name)
        raise ModelNotFoundError(name, "no published model of that name", f"Published models: {', '.join(known)}")
    return known[name]


def published_with_digest(sha256: str) -> PublishedModel | None:
    """The published detector whose file has this sha256; None for any other file, and where no sha256 is published."""
    known = [model for model in published_models() if model.sha256_prefix]
    return next((model for model in known if sha256.startswith(model.sha256_prefix)), None)


def published_as(path: Path) -> PublishedModel | None:
    """The published detector that a file is, by its ending, size and checksum; None for any other file."""
    alike = [model for model in published_models() if model.file_name.endswith(path.suffix)]
    return next((model for model in alike if model.is_whole(path)), None)


def file_sha256(path: Path) -> str:
    """Sha256 of a file; read again only when its size or time of change is another.

    Raises:
        OSError: It cannot be read.
    """
    stat = path.stat()
    return _file_digest(path, stat.st_mtime_ns, stat.st_size, "sha256")


def file_md5(path: Path) -> str:
    """Md5 of a file; as ``file_sha256``."""
    stat = path.stat()
    return _file_digest(path, stat.st_mtime_ns, stat.st_size, "md5")


@lru_cache(maxsize=64)
def _file_digest(path: Path, _modified_ns: int, _size: int, method: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.new(method, usedforsecurity=False)).hexdigest()


DETECTRON2 = (
    PublishedModel(
        name="d2-r50-fpn-3x",
        title="detectron2's Faster R-CNN, ResNet-50, 3x",
        architecture="d2-r50-fpn",
        url=f"{_ZOO}/faster_rcnn_R_50_FPN_3x/137849458/model_final_280758.pkl",
        size_mib=159.502,
        sha256_prefix="",
        published_map=0.402,
        licence=_ZOO_LICENCE,
        notes=_ZOO_NOTES,
        md5_prefix="280758",
        class_names=COCO_EIGHTY,
    ),
    PublishedModel(
        name="d2-r101-fpn-3x",
        title="detectron2's Faster R-CNN, ResNet-101, 3x",
        architecture="d2-r101-fpn",
        url=f"{_ZOO}/faster_rcnn_R_101_FPN_3x/137851257/model_final_f6e8b1.pkl",
        size_mib=232.170,
        sha256_prefix="",
        published_map=0.420,
        licence=_ZOO_LICENCE,
        notes=_ZOO_NOTES,
        md5_prefix="f6e8b1",
        class_names=COCO_EIGHTY,
    ),
)
"""Those of detectron2's model zoo that run without it."""

BY_DETECTRON2 = tuple(
    PublishedModel(
        model.name, model.title, model.architecture, f"{_ZOO}/{model.path}", model.size_mib, "", model.published_map,
        licence=_ZOO_LICENCE, notes=_ZOO_NOTES, md5_prefix=model.md5_prefix, class_names=COCO_EIGHTY,
    )
    for model in ZOO
)  # fmt: skip
"""Those that only detectron2 itself runs; offered where it is installed."""

PUBLISHED = (
    PublishedModel(
        name="coco-r50",
        title="COCO Faster R-CNN, ResNet-50",
        architecture="fasterrcnn_resnet50_fpn",
        url=f"{_SERVER}/fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
        size_mib=159.743,
        sha256_prefix="258fb6c6",
        published_map=0.370,
        batch_norm_eps=0.0,  # trained before torchvision added one, and run without it ever since
    ),
    PublishedModel(
        name="coco-r50-v2",
        title="COCO Faster R-CNN, ResNet-50, second recipe",
        architecture="fasterrcnn_resnet50_fpn_v2",
        url=f"{_SERVER}/fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth",
        size_mib=167.104,
        sha256_prefix="dd69338a",
        published_map=0.467,
    ),
    PublishedModel(
        name="coco-mobilenet",
        title="COCO Faster R-CNN, MobileNetV3",
        architecture="fasterrcnn_mobilenet_v3_large_fpn",
        url=f"{_SERVER}/fasterrcnn_mobilenet_v3_large_fpn-fb6a3cc7.pth",
        size_mib=74.239,
        sha256_prefix="fb6a3cc7",
        published_map=0.328,
    ),
    PublishedModel(
        name="coco-mobilenet-320",
        title="COCO Faster R-CNN, MobileNetV3, 320 px",
        architecture="fasterrcnn_mobilenet_v3_large_320_fpn",
        url=f"{_SERVER}/fasterrcnn_mobilenet_v3_large_320_fpn-907ea3f9.pth",
        size_mib=74.239,
        sha256_prefix="907ea3f9",
        published_map=0.228,
    ),
)
"""torchvision's own."""
