"""What the embedded models found in the shipped clips, kept beside the tests: a tracker can be run on it in no time.

Written again, where a model or a clip has changed (a minute on two cores), by:
    COWVISION_PRECISION=float32 python -m tests.workspace.shipped_looks
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import supervision as sv

from cowvision.data.annotations import chosen, of_classes, scores_of
from cowvision.detection_box import DetectionBox
from cowvision.models.catalog import embedded_models
from cowvision.tracking.clip_info import probe, steady_fps
from cowvision.tracking.retiming import steady_frames
from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.track_table import TrackTable
from cowvision.tracking.tracker import HerdTracker
from cowvision.workspace.clips import shipped_clips

FILE = Path(__file__).parent / "shipped_looks.npz"
LEAST_SCORE = 0.5  # below what the tracker takes, so that its own threshold is tried too


def look_at(box: DetectionBox, frames: Sequence[np.ndarray]) -> list[sv.Detections]:
    """The cows of frames, one frame at a time as on a processor."""
    found = [of_classes(one, ("cow",)) for frame in frames for one in box.predict([frame])]
    return [chosen(one, scores_of(one) >= LEAST_SCORE) for one in found]


def looks_of(name: str) -> list[sv.Detections]:
    """The kept looks of a clip and a model, "CLIP.MODEL", one a frame."""
    with np.load(FILE) as kept:
        rows, (frames,) = kept[name], kept[f"{name}.frames"]
    by_frame = [rows[rows[:, 0] == frame] for frame in range(int(frames))]
    return [
        sv.Detections(
            xyxy=one[:, 1:5],
            confidence=one[:, 5],
            class_id=np.zeros(len(one), np.int64),
            data={"class_name": np.full(len(one), "cow")},
        )
        for one in by_frame
    ]


def tracked(name: str) -> TrackTable:
    """What the tracker makes of the kept looks now."""
    tracker = HerdTracker(TrackerSettings())
    return TrackTable.of([tracker.update(look) for look in looks_of(name)])


def main() -> None:
    """Look at every frame of every shipped clip by both models."""
    kept: dict[str, np.ndarray] = {}
    for clip in shipped_clips():
        frames = [frame.rgb for frame in steady_frames(clip.path, steady_fps(probe(clip.path)))]
        for spec in embedded_models():
            looks = look_at(DetectionBox(spec), frames)
            rows = [
                np.column_stack([np.full(len(one), number), one.xyxy, scores_of(one)])
                for number, one in enumerate(looks)
            ]
            name = f"{clip.key}.{spec.name}"
            kept[name] = np.concatenate(rows).astype(np.float32)
            kept[f"{name}.frames"] = np.array([len(looks)])
            print(name, len(kept[name]), "boxes")
    np.savez_compressed(FILE, **kept)


if __name__ == "__main__":
    main()
