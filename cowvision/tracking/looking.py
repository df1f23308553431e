"""The detector's looks at a clip: where the tracker wants them, and once a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import of_classes
from cowvision.tracking.stages import StageClock
from cowvision.tracking.tracker import HerdTracker
from cowvision.tracking.video import Frame

Rgb = NDArray[np.uint8]
Detector = Callable[[Sequence[Rgb]], Sequence[sv.Detections]]


class Looker:
    """Asks the detector for the frames that the tracker looks at; of a picture that is still on screen it knows."""

    def __init__(self, detector: Detector, tracker: HerdTracker, class_names: Sequence[str], clock: StageClock) -> None:
        self._detector, self._tracker, self._class_names, self._clock = detector, tracker, class_names, clock
        self._is_known = False  # whether what is on screen was looked at
        self._newest: sv.Detections | None = None

    def look(self, batch: Sequence[Frame]) -> dict[int, sv.Detections]:
        """What there is, by frame, where the tracker looks."""
        places: dict[int, int] = {}  # of each frame among the fresh looks; -1 is the newest before them
        fresh: list[Rgb] = []
        for frame in batch:
            self._is_known = self._is_known and frame.repeats
            if self._tracker.looks_at(frame.index):
                if not self._is_known:
                    fresh.append(frame.rgb)
                places[frame.index], self._is_known = len(fresh) - 1, True
        with self._clock.of("detect"):
            found = [of_classes(one, self._class_names) for one in self._detector(fresh)] if fresh else []
        before, self._newest = self._newest, found[-1] if found else self._newest
        answers = {index: found[place] if place >= 0 else before for index, place in places.items()}
        return {index: one for index, one in answers.items() if one is not None}
