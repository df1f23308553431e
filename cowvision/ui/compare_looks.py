"""What the judged models are still to look at: taken in the background, with progress and a way to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import streamlit as st
import supervision as sv

from cowvision.errors import CowVisionError
from cowvision.models.catalog import ModelSpec
from cowvision.ui import cache, widgets
from cowvision.ui.counting import Counting, Pair
from cowvision.ui.evaluation_sets import EvaluationSet
from cowvision.workspace.jobs import COMPUTE, JobState, all_jobs

REFRESH_SECONDS = 1.0
_KEY = "_compare_looks"


@dataclass
class Looks:
    """The looks of one choice of pictures and models.

    Attributes:
        choice: Ids of the pictures' set and of the models.
        counting: The looks that are being taken, or were.
        began: Seconds of the clock when they were begun.
        tried: Pictures and models that were tried; what failed is not tried without end.
        failures: What went wrong.
        stopped: Whether the visitor stopped them.
    """

    choice: tuple[str, ...] = ()
    counting: Counting | None = None
    began: float = 0.0
    tried: set[Pair] = field(default_factory=set)
    failures: list[CowVisionError] = field(default_factory=list)
    stopped: bool = False

    @property
    def is_running(self) -> bool:
        """Whether looks are being taken; asking keeps them going."""
        return self.counting is not None and self.counting.is_running


Answers = dict[str, sv.Detections]


def answers(chosen: EvaluationSet, specs: Sequence[ModelSpec]) -> dict[ModelSpec, Answers] | None:
    """What each model found, by picture id; begins what is missing and shows how far it is.

    Returns:
        None while looks are being taken. Then the models that could be asked; pictures that a model could not look at,
        or was stopped before, are left out of its answers.
    """
    looks = _looks_of(chosen, specs)
    ids = [one.id for one in chosen.pictures]
    known = {spec: cache.known_for_all(ids, spec) for spec in specs}
    if not looks.stopped and not looks.is_running:
        missing = [look for spec in specs for look in _missing(chosen, spec, known[spec], looks)]
        if missing:
            looks.counting, looks.began = Counting(missing, looks.tried, looks.failures), time.monotonic()
            looks.counting.start()
    is_running = looks.is_running
    # one fragment at work and at rest: the browser's timer may ask once more for one that is gone, and that is logged
    st.fragment(_progress, run_every=REFRESH_SECONDS if is_running else None)(looks, is_running)
    if is_running:
        return None
    _say_what_is_left(chosen, looks, known)
    return {spec: found for spec, found in known.items() if found or not ids}


def _looks_of(chosen: EvaluationSet, specs: Sequence[ModelSpec]) -> Looks:
    """The looks of this choice; those of another choice make room."""
    choice = (chosen.id, *(spec.id for spec in specs))
    looks: Looks = st.session_state.get(_KEY, Looks())
    if looks.choice != choice:
        if looks.counting is not None:
            looks.counting.stop()
        looks = Looks(choice)
        st.session_state[_KEY] = looks
    return looks


def _missing(
    chosen: EvaluationSet, spec: ModelSpec, known: Answers, looks: Looks
) -> Iterator[tuple[Pair, Callable[[], None]]]:
    """What a model is still to look at; a model that cannot be loaded is named, and the other goes on."""
    waiting = [one for one in chosen.pictures if one.id not in known and (one.id, spec.id) not in looks.tried]
    if waiting:
        with widgets.errors_shown(), st.spinner(f"Loading {spec.title} …"):
            look = cache.looker(spec, are_own=chosen.herd_id is not None)
            yield from (((one.id, spec.id), partial(look, one.id, one.load)) for one in waiting)


def _progress(looks: Looks, was_running: bool) -> None:  # noqa: FBT001 - the fragment's state
    """How far the looks are; nothing at rest."""
    if not was_running or looks.counting is None:
        return
    if not looks.is_running:
        st.rerun()
    done, wanted = looks.counting.done, len(looks.counting.looks)
    st.markdown("**The models look at the pictures first.** Once they have, every figure here is there at once.")
    with st.container(horizontal=True, vertical_alignment="center"):
        words = f"{done} of {wanted} looks taken (one a picture and model){_time_left(looks.began, done, wanted)}"
        st.progress(done / wanted, words)
        if st.button("Stop", key="stop_looks", help="What was looked at stays, and is judged."):
            looks.stopped = True
            looks.counting.stop(wait=5)
            st.rerun()
    if any(job.state is JobState.RUNNING and job.lane == COMPUTE for job in all_jobs(cache.store())):
        widgets.note("A training or a tracking is under way on this machine: the looks take longer meanwhile.")


def _time_left(began: float, done: int, wanted: int) -> str:
    if done < 3:
        return ""
    seconds = (time.monotonic() - began) / done * (wanted - done)
    return f", about {seconds:.0f} s left" if seconds < 90 else f", about {seconds / 60:.0f} min left"


def _say_what_is_left(chosen: EvaluationSet, looks: Looks, known: dict[ModelSpec, Answers]) -> None:
    """What went wrong, and a way to go on with what was stopped or failed."""
    if looks.failures:
        widgets.show_errors(list({str(one): one for one in looks.failures}.values()))
    left = sum(any(one.id not in found for found in known.values()) for one in chosen.pictures)
    if left and (looks.stopped or looks.tried):
        words = f"{'Go on' if looks.stopped else 'Try again'}: {widgets.counted(left, 'picture')} not looked at yet"
        if st.button(words, key="go_on_looking"):
            st.session_state[_KEY] = Looks(looks.choice)
            st.rerun()
