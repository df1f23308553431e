"""What a training's log is read as, while it is written."""

from pathlib import Path

import pytest
import streamlit as st

from cowvision.training.checkpoints import Run
from cowvision.training.plans import Plan
from cowvision.ui.finetuning_course import Course, course_of, with_past
from cowvision.workspace.job_log import append_event, events_after, events_file


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    st.cache_resource.clear()
    return tmp_path


def step(number: int, *, seconds: float = 0.5, look_seconds: float = 0.0, steps: int = 240) -> dict:
    return {
        "kind": "step", "step": number, "steps": steps, "loss": 1.0, "learning_rate": 1e-4, "seconds": seconds,
        "look_seconds": look_seconds, "waited": seconds / 5,
    }  # fmt: skip


def test_before_the_first_event_nothing_is_known() -> None:
    course = course_of(1)
    assert (course.step, course.steps, course.losses, course.looks) == (0, 0, [], [])
    assert course.seconds_left(60) is None
    assert course.waited_share == 0.0


def test_only_what_is_new_is_read_and_half_a_line_waits() -> None:
    append_event(1, step(1))
    assert course_of(1).step == 1
    append_event(1, step(2))
    with events_file(1).open("a") as file:
        file.write('{"kind": "step", "st')
    assert course_of(1).step == 2
    offset = events_after(1, 0)[1]
    append_event(1, step(3))  # ends the half line first
    assert course_of(1).losses == [(1, 1.0), (2, 1.0), (3, 1.0)]
    assert [event["step"] for event in events_after(1, offset)[0]] == [3]


def test_what_began_anew_is_not_mixed_with_what_was_before() -> None:
    append_event(1, step(7))
    append_event(1, {"kind": "run", "run": "mine"})
    assert course_of(1) == Course()


def test_time_left_counts_the_steps_and_the_looks_to_come() -> None:
    course = Course()
    for number in (41, 59, 60):
        course.take(step(number, look_seconds=4.0))
    assert course.seconds_left(60) is None, "the first twenty steps tell nobody"
    course.take(step(61, look_seconds=4.0))
    assert course.seconds_per_step == 0.5
    assert course.waited_share == pytest.approx(0.2)
    # 179 steps of half a second; looks after 120, 180 and 240 and one for the verdict
    assert course.seconds_left(60) == pytest.approx(179 * 0.5 + 4 * 4.0)
    assert course.seconds_left(0) == pytest.approx(179 * 0.5 + 4.0)


def test_the_first_look_tells_how_long_looks_take() -> None:
    course = Course()
    course.take({"kind": "says", "text": "Herd base looks", "at": 100.0})
    course.take({"kind": "look", "step": 0, "map": None, "map_50": None, "is_best": False, "at": 107.0})
    assert course.look_seconds == 7.0
    assert course.looks == [(0, None)]
    assert course.best_step is None


def test_a_resumed_run_shows_its_past_once() -> None:
    run = Run("mine", "Mine", Plan(), losses=((10, 2.0), (20, 1.5), (50, 1.4)), looks=((0, 0.2, 0.4), (60, 0.3, 0.5)))
    course = Course()
    assert with_past(course, run) == (list(run.losses), [(0, 0.2), (60, 0.3)])
    course.take(step(41))
    course.take({"kind": "look", "step": 60, "map": 0.31, "map_50": 0.5, "is_best": True, "at": 1.0})
    assert with_past(course, run) == ([(10, 2.0), (20, 1.5), (41, 1.0)], [(0, 0.2), (60, 0.31)])
    assert with_past(course, None) == ([(41, 1.0)], [(60, 0.31)])
