"""Smaller copies of large pictures, made once before a training, so that no step waits for a phone's photo."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from cowvision.data.annotations import AnnotatedPicture
from cowvision.data.pictures import save_jpeg


def reduced(
    pictures: Sequence[AnnotatedPicture], ids: Sequence[str], most: int, folder: Path
) -> list[AnnotatedPicture]:
    """Pictures no larger than needed to be learnt from, so that no step waits for a phone's photo to be decoded.

    Args:
        pictures: As gathered.
        ids: sha256 of each one's file, by which its copy is known again.
        most: Shorter side in pixels; smaller pictures stay as they are.
        folder: Where the smaller copies are kept.

    Raises:
        PictureError: A picture cannot be read any more, or a copy cannot be written.
    """
    copies = [folder / f"{sha256}-{most}.jpg" for sha256 in ids]
    return [_reduced(one, most, copy) for one, copy in zip(pictures, copies, strict=True)]


def _reduced(one: AnnotatedPicture, most: int, copy: Path) -> AnnotatedPicture:
    picture = one.picture()
    height, width = picture.rgb.shape[:2]
    if min(height, width) <= most:
        return one
    factor = most / min(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if not copy.is_file():
        partial = copy.with_name(f".{copy.name}.{os.getpid()}")  # a copy is there whole or not at all
        save_jpeg(np.asarray(Image.fromarray(picture.rgb).resize(size, Image.Resampling.BICUBIC)), partial, 95)
        partial.replace(copy)
    truth = replace(one.truth, xyxy=one.truth.xyxy * np.array([size[0] / width, size[1] / height] * 2))
    return replace(one, truth=truth, source=copy)
