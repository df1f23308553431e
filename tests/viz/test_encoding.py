"""Bytes for the browser."""

import numpy as np

from cowvision.data.pictures import decode_picture
from cowvision.viz.encoding import as_jpeg, thumbnail_jpeg
from tests.samples import noise


def test_jpeg_keeps_size_and_colour() -> None:
    red = np.full((40, 60, 3), (200, 30, 20), np.uint8)
    decoded = decode_picture(as_jpeg(red), "red").rgb
    assert decoded.shape == red.shape
    assert np.abs(decoded.astype(int) - red).max() < 8


def test_thumbnails_have_one_size_whatever_the_picture() -> None:
    for width, height in ((1, 1), (3000, 10), (10, 3000), (640, 360)):
        assert decode_picture(thumbnail_jpeg(noise(width, height), (64, 43)), "small").resolution_wh == (64, 43)
