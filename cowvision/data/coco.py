"""The classes of COCO (Lin et al. 2014): 80 names at ids from 1 to 90, with gaps."""

from __future__ import annotations

from collections.abc import Iterable

GAP = "N/A"
"""What stands at an id that COCO's detection task does not use."""

COCO_NAMES = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", GAP, "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep",
    "cow", "elephant", "bear", "zebra", "giraffe", GAP, "backpack", "umbrella", GAP, GAP,
    "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat",
    "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle", GAP, "wine glass", "cup", "fork", "knife",
    "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut",
    "cake", "chair", "couch", "potted plant", "bed", GAP, "dining table", GAP, GAP, "toilet",
    GAP, "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster",
    "sink", "refrigerator", GAP, "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
"""Name at id n is ``COCO_NAMES[n - 1]``."""

COCO_EIGHTY = tuple(name for name in COCO_NAMES if name != GAP)
"""The same without the gaps, as detectron2 counts them."""

COCO_IDS = {name: number for number, name in enumerate(COCO_NAMES, 1) if name != GAP}


_AS_WRITTEN = {name.casefold(): name for name in COCO_IDS}


def usual_name(name: str) -> str:
    """COCO's name where it differs in capitals only ("Cow" is "cow"), else the name as it is."""
    return _AS_WRITTEN.get(name.casefold(), name)


def category_ids(names: Iterable[str]) -> dict[str, int]:
    """Ids for the names in use, "cow" always among them: COCO's own where it has one, else the next free above 90."""
    used = sorted({"cow", *names}, key=lambda name: (COCO_IDS.get(name, len(COCO_NAMES) + 1), name))
    ids: dict[str, int] = {}
    for name in used:
        ids[name] = COCO_IDS.get(name) or max(len(COCO_NAMES), *ids.values()) + 1
    return ids
