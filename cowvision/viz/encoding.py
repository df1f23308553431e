"""Pictures as the bytes a browser shows."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps


def as_jpeg(rgb: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode (h, w, 3) uint8 RGB as JPEG without any metadata: several times quicker to make and to send than PNG."""
    stream = BytesIO()
    Image.fromarray(rgb).save(stream, format="JPEG", quality=quality)
    return stream.getvalue()


def thumbnail_jpeg(rgb: NDArray[np.uint8], resolution_wh: tuple[int, int]) -> bytes:
    """Scale (h, w, 3) uint8 RGB, cut its middle to exactly that width and height, and encode it as JPEG."""
    small = ImageOps.fit(Image.fromarray(rgb), resolution_wh)
    return as_jpeg(np.asarray(small), quality=85)
