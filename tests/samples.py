"""Small things that many tests need: drawn pictures, and boxes in one line."""

from io import BytesIO

import numpy as np
import supervision as sv
from PIL import Image

from cowvision.data.annotations import truth_boxes


def noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Draw coarse coloured blocks, (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (-(-height // 16), -(-width // 16), 3), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(blocks, np.ones((16, 16, 1), np.uint8))[:height, :width])


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return an image's file bytes."""
    stream = BytesIO()
    image.save(stream, format=kind, **options)
    return stream.getvalue()


def boxes(xyxy: list, scores: list[float], name: str = "cow") -> sv.Detections:
    """Return detections of one class."""
    return sv.Detections(
        xyxy=np.array(xyxy, np.float32).reshape(-1, 4),
        confidence=np.array(scores, np.float32),
        class_id=np.ones(len(scores), np.int64),
        data={"class_name": np.full(len(scores), name)},
    )


def truth(xyxy: list, name: str = "cow", **options: object) -> sv.Detections:
    """Return truth of one class."""
    return truth_boxes(xyxy, [name] * len(xyxy), **options)
