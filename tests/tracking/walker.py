"""A detector for tests: it reads the number that a frame shows and finds one cow that far to the right."""

from collections.abc import Sequence

import numpy as np
import supervision as sv

from cowvision.models.catalog import ModelSpec
from cowvision.models.choices import Execution
from tests.samples import boxes
from tests.tracking.clips import number_of

WALKER_SPEC = ModelSpec("walker", "Walker", "test", ("cow",), weights_sha256="1" * 64)


def place_of(number: int) -> list[float]:
    """The cow's box in a frame of `clips.SIZE_WH`."""
    return [number / 4, 5, number / 4 + 20, 25]


class Walker:
    """Stands in for a `DetectionBox`, and remembers what it was shown."""

    def __init__(self, model: object = None) -> None:
        self.spec = WALKER_SPEC
        self.execution = Execution()
        self.asked_for = model
        self.looks: list[int] = []
        self.batches: list[int] = []

    def __call__(self, rgb: Sequence[np.ndarray]) -> list[sv.Detections]:
        numbers = [number_of(one) for one in rgb]
        self.looks += numbers
        self.batches.append(len(numbers))
        return [boxes([place_of(number)], [0.9]) for number in numbers]

    def predict(self, rgb: Sequence[np.ndarray], **_: object) -> list[sv.Detections]:
        """As a `DetectionBox` does."""
        return self(rgb)


def true_tracks(frames: int, first: int = 0) -> str:
    """MOT text of what is truly there, from a frame (counted from 0) on."""
    lines = []
    for number in range(first, frames):
        left, top, right, bottom = place_of(number)
        lines.append(f"{number + 1},1,{left},{top},{right - left},{bottom - top},1,1,1\n")
    return "".join(lines)
