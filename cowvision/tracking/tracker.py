"""Cows kept apart from frame to frame: the only use of norfair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import supervision as sv
from norfair.tracker import Detection, TrackedObject, Tracker
from numpy.typing import NDArray

from cowvision.data.annotations import chosen, names_of, scores_of
from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.track_table import SEEN


class HerdTracker:
    """Follows boxes through the frames of one clip; ids count from 1, and the same frames give the same ids.

    Frames must be told in order, each once: with ``None`` where the detector did not look.
    """

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self.settings = settings or TrackerSettings()
        self._tracker = Tracker(
            distance_function="iou",
            distance_threshold=1 - self.settings.least_iou,
            hit_counter_max=self.settings.patience,
            initialization_delay=self.settings.confirm and max(self.settings.confirm, self.settings.every),
        )
        self._unseen: dict[int | None, int] = {}

    def looks_at(self, frame: int) -> bool:
        """Whether the detector looks at a frame, counted from 0."""
        return frame % self.settings.every == 0

    def update(self, detections: sv.Detections | None) -> sv.Detections:
        """The tracks in the next frame.

        Args:
            detections: What the detector found there; None where it did not look.

        Returns:
            Boxes (n, 4) float32 in pixels with ``tracker_id``, ``confidence`` and ``data["class_name"]`` of the newest
            detection of each, and ``data["seen"]``.
        """
        found = [] if detections is None else self._as_norfair(detections)
        tracks = self._shown(self._tracker.update(found or None, period=self.settings.every), found)
        boxes = [np.asarray(track.estimate, np.float32).reshape(4) for track in tracks]
        return sv.Detections(
            xyxy=np.array(boxes, np.float32).reshape(-1, 4),
            confidence=np.array([float(track.last_detection.scores[0]) for track in tracks], np.float32),
            class_id=np.zeros(len(tracks), np.int64),
            tracker_id=np.array([track.id for track in tracks], np.int64),
            data={
                "class_name": np.array([str(track.last_detection.label) for track in tracks], np.str_),
                SEEN: np.array([self._unseen[track.id] == 0 for track in tracks], np.bool_),
            },
        )

    def _shown(self, tracks: Sequence[TrackedObject], found: Sequence[Detection]) -> list[TrackedObject]:
        """The tracks that were seen not long ago; counts for how many frames each was not."""
        new = {id(one) for one in found}
        counts = {
            track.id: 0 if id(track.last_detection) in new else self._unseen.get(track.id, 0) + 1 for track in tracks
        }
        self._unseen = counts
        longest = max(self.settings.coast, self.settings.every - 1)
        return [track for track in tracks if counts[track.id] <= longest and _is_box(track.estimate)]

    def _as_norfair(self, detections: sv.Detections) -> list[Detection]:
        is_box = (detections.xyxy[:, 2:] > detections.xyxy[:, :2]).all(axis=1)
        sure = self._once(chosen(detections, is_box & (scores_of(detections) >= self.settings.least_score)))
        return [
            Detection(
                points=np.asarray(box, np.float64).reshape(2, 2), scores=np.full(2, float(score)), label=str(name)
            )
            for box, score, name in zip(sure.xyxy, scores_of(sure), names_of(sure), strict=True)
        ]

    def _once(self, detections: sv.Detections) -> sv.Detections:
        """The detections without those that lie inside a surer one."""
        if len(detections) < 2 or self.settings.most_inside >= 1:
            return detections
        return detections.with_nms(self.settings.most_inside, class_agnostic=True, overlap_metric=sv.OverlapMetric.IOS)


def _is_box(corners: NDArray[np.float64]) -> bool:
    """Whether two corners (2, 2) still are one: a prediction of a box that shrank turns inside out."""
    return bool((corners[1] > corners[0]).all())
