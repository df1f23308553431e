"""How far a training is, as its job's log tells: steps, losses, looks, pace and what is left."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import streamlit as st

from cowvision.training.checkpoints import Run
from cowvision.workspace.job_log import events_after, job_folder

_PACE_OF = 20
"""Steps told last that the pace is taken from."""

_SURE_AFTER = 20
"""Steps done before anybody is told how long the rest will take: the first ones take longer than the others."""


@dataclass
class Course:
    """What a log has told so far; it grows with the log.

    Attributes:
        step: Steps done.
        steps: Steps in all; 0 before the first.
        losses: Step and loss, twice a second at most.
        looks: Step and mAP of the looks at the held-out pictures, as in a ``Run``.
        best_step: Of the look that was best; None before the first.
        says: The last sentence.
        read: Pictures read and in all, while they are read; None otherwise.
        look_seconds: Of the last look; 0 before the first.
        waited: Seconds of the steps told, in which pictures were not ready.
    """

    step: int = 0
    steps: int = 0
    losses: list[tuple[int, float]] = field(default_factory=list)
    looks: list[tuple[int, float | None]] = field(default_factory=list)
    best_step: int | None = None
    says: str = ""
    read: tuple[int, int] | None = None
    look_seconds: float = 0.0
    waited: float = 0.0
    _pace: deque[float] = field(default_factory=lambda: deque(maxlen=_PACE_OF))
    _seconds: float = 0.0
    _said_at: float = 0.0

    def take(self, event: Mapping[str, Any]) -> None:
        """Go on by one event."""
        kind = event.get("kind")
        if kind == "run":
            self.__init__()  # type: ignore[misc]  # it began anew
        elif kind == "reading":
            self.read = int(event["done"]), int(event["total"])
        elif kind == "says":
            self.says, self.read, self._said_at = str(event["text"]), None, float(event["at"])
        elif kind == "step":
            self._take_step(event)
        elif kind == "look":
            self._take_look(event)

    @property
    def seconds_per_step(self) -> float | None:
        """The pace of the last steps; None before the third."""
        return median(self._pace) if len(self._pace) >= 3 else None

    @property
    def waited_share(self) -> float:
        """Part of the time of steps in which pictures were not ready, 0..1."""
        return self.waited / self._seconds if self._seconds else 0.0

    def seconds_left(self, judge_every: int) -> float | None:
        """Until the end, looks included; None while nobody can say."""
        pace = self.seconds_per_step
        if pace is None or self.step - self.losses[0][0] < _SURE_AFTER:
            return None
        looks = -(-self.steps // judge_every) - self.step // judge_every if judge_every else 0
        return (self.steps - self.step) * pace + (looks + 1) * self.look_seconds  # one more for the verdict

    def _take_step(self, event: Mapping[str, Any]) -> None:
        self.step, self.steps, self.read = int(event["step"]), int(event["steps"]), None
        self.losses.append((self.step, float(event["loss"])))
        self._pace.append(float(event["seconds"]))
        self._seconds += float(event["seconds"])
        self.waited += float(event["waited"])
        self.look_seconds = float(event["look_seconds"]) or self.look_seconds

    def _take_look(self, event: Mapping[str, Any]) -> None:
        step, score = int(event["step"]), event["map"]
        self.looks.append((step, score))
        if event["is_best"]:
            self.best_step = step
        if step == 0 and self._said_at:
            self.look_seconds = float(event["at"]) - self._said_at


def course_of(job_id: int) -> Course:
    """How far a job is by now."""
    return _reader(str(job_folder(job_id)), job_id).read()


def with_past(course: Course, run: Run | None) -> tuple[list[tuple[int, float]], list[tuple[int, float | None]]]:
    """Losses and looks from the very beginning: those that the run noted before this job, then the job's own."""
    if run is None:
        return course.losses, course.looks
    since = course.losses[0][0] if course.losses else float("inf")
    losses = [one for one in run.losses if one[0] < since]
    told = {step for step, _ in course.looks}
    looks = [(step, score) for step, score, _ in run.looks if step not in told]
    return losses + course.losses, sorted(looks + course.looks, key=lambda look: look[0])


class _Reader:
    """Reads of a log only what is new; one for all tabs."""

    def __init__(self, job_id: int) -> None:
        self._job_id, self._offset, self._course, self._lock = job_id, 0, Course(), threading.Lock()

    def read(self) -> Course:
        """The course by now."""
        with self._lock:
            found, self._offset = events_after(self._job_id, self._offset)
            for event in found:
                self._course.take(event)
            return self._course


@st.cache_resource(max_entries=8, show_spinner=False)
def _reader(folder: str, job_id: int) -> _Reader:
    del folder  # part of the key: another workspace has other jobs of that number
    return _Reader(job_id)
