"""CowVision: find, count and measure cows, and fine-tune the detector on a herd of one's own.

    from cowvision import DetectionBox, count_named, read_picture

    box = DetectionBox("herd-finetuned")
    [detections] = box.predict([read_picture("cows.jpg")])
    print(count_named(detections, threshold=0.5))

Names are loaded when they are first used: importing the package imports neither torch nor torchvision.
"""

from importlib import import_module

__version__ = "0.1.0"

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
