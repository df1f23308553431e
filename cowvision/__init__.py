"""CowVision: find, count and measure cows, and fine-tune the detector on a herd of one's own.

    from cowvision import DetectionBox, count_named, read_picture

    box = DetectionBox("herd-finetuned")
    [detections] = box.predict([read_picture("cows.jpg")])
    print(count_named(detections, threshold=0.5))

Names are loaded when they are first used: importing the package imports neither torch nor torchvision.
"""

import os
from importlib import import_module

__version__ = "0.1.0"

# PyTorch on Linux asks for large pages where this is set before its first tensor: a large network makes 200 MB of new
# feature maps a picture, and being handed them in pages of 4 kB takes 7 % of its time.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

_HOMES = {
    "AnnotatedPicture": "cowvision.data.annotations",
    "CowVisionError": "cowvision.errors",
    "DetectionBox": "cowvision.detection_box",
    "MapReport": "cowvision.evaluation.metrics",
    "ModelSpec": "cowvision.models.catalog",
    "Picture": "cowvision.data.pictures",
    "as_tutorial_dict": "cowvision.data.detections",
    "compare_models": "cowvision.evaluation.comparison",
    "count_named": "cowvision.data.detections",
    "embedded_models": "cowvision.models.catalog",
    "read_coco": "cowvision.data.formats",
    "read_picture": "cowvision.data.pictures",
}

__all__ = [
    "AnnotatedPicture",
    "CowVisionError",
    "DetectionBox",
    "MapReport",
    "ModelSpec",
    "Picture",
    "__version__",
    "as_tutorial_dict",
    "compare_models",
    "count_named",
    "embedded_models",
    "read_coco",
    "read_picture",
]


def __getattr__(name: str) -> object:
    """Load a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cowvision' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
