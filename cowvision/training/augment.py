"""Pictures varied at random, their boxes along with them: scale, section, side and light.

The operators are torchvision.transforms.v2's; every number is drawn from one generator of the caller's, so that a
picture of a step is the same in any process and after any restart.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

SCALES = (0.6, 1.35)
"""Of the size at which the detector will look at pictures."""

SECTION = 2 / 3
"""A section is at most this part as high and as wide as the picture at scale 1: a step costs less than half."""

SEEN_SHARE = 0.35
"""A box of which the section shows less is not learnt: a strip of hide is no cow."""

_LIGHT, _COLOUR, _HUE = 0.25, 0.35, 0.03


def scaled(
    picture: torch.Tensor, xyxy: NDArray[np.float32], short_side: float, *, smooth: bool = True
) -> tuple[torch.Tensor, NDArray[np.float32]]:
    """A picture and its boxes at another size, reduced as it will be when the detector is used.

    Args:
        picture: (3, h, w) uint8.
        xyxy: (n, 4) pixels.
        short_side: Its shorter side afterwards, in pixels.
        smooth: Reduce it without aliasing; else every pixel is a plain sample, as torchvision's detectors have it.
    """
    height, width = picture.shape[1:]
    factor = short_side / min(height, width)
    whole = round if smooth else int  # torchvision's own leave the rest of a pixel out
    size = [max(1, whole(height * factor)), max(1, whole(width * factor))]
    stretch = np.array([size[1] / width, size[0] / height] * 2, np.float32)
    return F.resize(picture, size, antialias=smooth), xyxy * stretch


def varied(
    picture: torch.Tensor,
    xyxy: NDArray[np.float32],
    short_side: float,
    rng: np.random.Generator,
    *,
    smooth: bool = True,
) -> tuple[torch.Tensor, NDArray[np.float32], NDArray[np.bool_]]:
    """A random section of the picture, nearer or farther, perhaps mirrored, in another light.

    Args:
        picture: (3, h, w) uint8.
        xyxy: (n, 4) pixels.
        short_side: What the picture's shorter side would be at scale 1, in pixels.
        rng: Where the numbers come from.
        smooth: As for ``scaled``.

    Returns:
        The picture, all boxes in it, cut at its edges, and which of them show enough to be learnt.
    """
    height, width = picture.shape[1:]
    factor = short_side / min(height, width)
    most = (round(height * factor * SECTION), round(width * factor * SECTION))
    scale = float(np.exp(rng.uniform(*np.log(SCALES))))
    picture, xyxy = scaled(picture, xyxy, short_side * scale, smooth=smooth)
    high, wide = (min(side, limit) for side, limit in zip(picture.shape[1:], most, strict=True))
    top, left = int(rng.integers(picture.shape[1] - high + 1)), int(rng.integers(picture.shape[2] - wide + 1))
    boxes = tv_tensors.BoundingBoxes(torch.from_numpy(xyxy), format="XYXY", canvas_size=tuple(picture.shape[1:]))
    picture, boxes = F.crop(picture, top, left, high, wide), F.crop(boxes, top, left, high, wide)
    if rng.random() < 0.5:
        picture, boxes = F.horizontal_flip(picture), F.horizontal_flip(boxes)
    cut = F.clamp_bounding_boxes(boxes).numpy().astype(np.float32)
    return _in_another_light(picture, rng), cut, _shows_enough(cut, xyxy)


def _shows_enough(cut: NDArray[np.float32], whole: NDArray[np.float32]) -> NDArray[np.bool_]:
    sides, whole_sides = cut[:, 2:] - cut[:, :2], whole[:, 2:] - whole[:, :2]
    enough = sides.prod(axis=1) >= SEEN_SHARE * whole_sides.prod(axis=1)
    return np.asarray(enough & (sides > 1).all(axis=1))


def _in_another_light(picture: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    brightness, contrast = rng.uniform(1 - _LIGHT, 1 + _LIGHT, 2)
    saturation, hue = rng.uniform(1 - _COLOUR, 1 + _COLOUR), rng.uniform(-_HUE, _HUE)
    picture = F.adjust_brightness(picture, float(brightness))
    picture = F.adjust_contrast(picture, float(contrast))
    if rng.random() < 0.5:
        picture = F.adjust_saturation(picture, float(saturation))
    if rng.random() < 0.2:  # slow, and cows are of few colours
        picture = F.adjust_hue(picture, float(hue))
    return picture
