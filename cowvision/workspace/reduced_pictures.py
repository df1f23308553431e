"""Smaller copies of large pictures, made once before a training, so that no step waits for a phone's photo."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cowvision.data.annotations import AnnotatedPicture
from cowvision.data.pictures import save_jpeg
from cowvision.models.callbacks import never, stop_if


def reduced(
    pictures: Sequence[AnnotatedPicture],
    ids: Sequence[str],
    most: int,
    folder: Path,
    *,
    smooth: bool = True,
    should_stop: Callable[[], bool] = never,
) -> list[AnnotatedPicture]:
    """Pictures no larger than needed to be learnt from, so that no step waits for a phone's photo to be decoded.

    Args:
        pictures: As gathered.
        ids: sha256 of each one's file, by which its copy is known again.
        most: Shorter side in pixels; smaller pictures stay as they are.
        folder: Where the smaller copies are kept.
        smooth: Reduce them without aliasing.
        should_stop: Asked before every picture.

    Raises:
        WorkStopped: It was asked to stop.
        PictureError: A picture cannot be read any more, or a copy cannot be written.
    """
    copies = [folder / f"{sha256}-{most}.jpg" for sha256 in ids]
    found = []
    for one, copy in zip(pictures, copies, strict=True):
        stop_if(should_stop)
        found.append(_reduced(one, most, copy, smooth=smooth))
    return found


def _reduced(one: AnnotatedPicture, most: int, copy: Path, *, smooth: bool) -> AnnotatedPicture:
    picture = one.picture()
    height, width = picture.rgb.shape[:2]
    if min(height, width) <= most:
        return one
    factor = most / min(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if not copy.is_file():
        partial = copy.with_name(f".{copy.name}.{os.getpid()}")  # a copy is there whole or not at all
        save_jpeg(_resized(picture.rgb, size, smooth=smooth), partial, 95)
        partial.replace(copy)
    truth = replace(one.truth, xyxy=one.truth.xyxy * np.array([size[0] / width, size[1] / height] * 2))
    return replace(one, truth=truth, source=copy)


def _resized(rgb: NDArray[np.uint8], size: tuple[int, int], *, smooth: bool) -> NDArray[np.uint8]:
    """The picture as wide and high as told; ``smooth`` reduces without aliasing, else every pixel is a plain sample."""
    if smooth:
        return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR), np.uint8)
