"""A look at the held-out pictures: what a model says there, and what that means beside the start model's answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import supervision as sv

from cowvision.data.annotations import AnnotatedPicture
from cowvision.detection_box import DetectionBox
from cowvision.errors import CowVisionError, TrainingDataError, unforeseen
from cowvision.evaluation.comparison import Comparison, compare_models
from cowvision.evaluation.metrics import MapReport, measure
from cowvision.models.callbacks import never
from cowvision.models.processes import Processes


@dataclass(frozen=True)
class Verdict:
    """Both models on the held-out pictures, and the gain with its interval."""

    before: MapReport
    after: MapReport
    gain: Comparison

    def facts(self) -> dict[str, Any]:
        """The gain as JSON holds it, and how far its interval can be trusted, in words."""
        facts: dict[str, Any] = json.loads(json.dumps(self.gain.as_dict() | {"trust": self.gain.trust()}))
        return facts


def as_the_first(box: DetectionBox, processes: Processes, should_stop: Callable[[], bool] = never) -> DetectionBox:
    """The model, run by every process as the first one chose: each for itself might choose another precision.

    Raises:
        WorkStopped: ``should_stop`` said so while the choices were timed.
    """
    if processes.count == 1:
        box.choose_execution(should_stop)
        return box
    chosen = []
    with processes.as_one():
        if processes.is_first:
            chosen.append(box.choose_execution(should_stop))
    return DetectionBox(box.spec, network=box.network, execution=processes.told_by_first(chosen))


def answers(
    box: DetectionBox, pictures: Sequence[AnnotatedPicture], processes: Processes, should_stop: Callable[[], bool]
) -> list[sv.Detections] | None:
    """Raw detections of a model, each process looking at its part; None if any of them was stopped meanwhile."""
    part, found = processes.part(pictures), []
    with processes.as_one():
        for one in part:
            if should_stop():
                break
            found += box.predict([one.picture()])
    [whole] = processes.mean(float(len(found) == len(part)))
    return processes.together(found) if whole == 1 else None


def judged(
    found: Sequence[sv.Detections],
    base: Sequence[sv.Detections],
    pictures: Sequence[AnnotatedPicture],
    class_names: Sequence[str],
) -> Verdict | None:
    """The new model's answers against the start's, in the same order; None if no box is there."""
    if not pictures:
        return None
    truths = [one.truth for one in pictures]
    before, after = (measure(one, truths, class_names=class_names) for one in (base, found))
    if after.map is None:
        return None
    return Verdict(before, after, compare_models(found, base, truths, class_names=class_names))


def in_words(title: str, error: Exception) -> CowVisionError:
    """What no one foresaw in a training, as an error a person can read; a disk that cannot be written is foreseen."""
    if isinstance(error, OSError):
        cause = f"a file could not be written ({error.strerror or error})"
        return TrainingDataError(title, cause, "Free some space, then have the run go on")
    if isinstance(error, RuntimeError) and any(told in str(error).lower() for told in ("gloo", "nccl")):
        return TrainingDataError(title, "another of its processes has ended", "See what that one says")
    if isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker"):
        cause = "the process that prepares its pictures was ended from outside, perhaps for want of memory"
        return TrainingDataError(title, cause, "Close what else needs memory, then have the run go on")
    return unforeseen(title, error)
