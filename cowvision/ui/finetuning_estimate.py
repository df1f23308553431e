"""How long a training would take: three steps are timed when somebody asks, in a process of its own."""

from __future__ import annotations

import streamlit as st

from cowvision.errors import TrainingDataError
from cowvision.ui import cache, finetuning_jobs, finetuning_news, widgets
from cowvision.ui.finetuning_choice import Choice
from cowvision.workspace.jobs import Job, JobState, ask_to_stop, place_in_queue, read_job, tend

REFRESH_SECONDS = 1.0
_KEY = "_estimates"


def offer(choice: Choice, *, disabled: bool) -> None:
    """A button to ask, then the answer, which is kept as long as the session lives.

    Args:
        choice: What would be done.
        disabled: Whether it cannot be done at all.
    """
    job = _job(choice)
    is_open = job is not None and finetuning_jobs.is_open(job)
    # one fragment at work and at rest: the browser's timer may ask once more for one that is gone, and that is logged
    st.fragment(_offer, run_every=REFRESH_SECONDS if is_open else None)(choice, disabled=disabled, was_open=is_open)


def _offer(choice: Choice, *, disabled: bool, was_open: bool) -> None:
    with widgets.errors_shown():
        if was_open:
            tend(cache.store())
        job = _job(choice)
        if job is not None and finetuning_jobs.is_open(job) != was_open:
            st.rerun()
        if job is None or job.state in {JobState.FAILED, JobState.STOPPED}:
            st.button(
                "How long will it take?", key="estimate", icon=":material/timer:", disabled=disabled, width="stretch",
                on_click=_ask, args=(choice,), help="Times three steps and a look on this machine; about 20 seconds.",
            )  # fmt: skip
        elif job.state is JobState.DONE:
            _answer(job)
        else:
            _timing(job)
        if job is not None and job.state is JobState.FAILED:
            raise TrainingDataError("The estimate", job.problem.rstrip("."), "Press again, or begin without it")


def _timing(job: Job) -> None:
    """While it is timed, or waits for that, with a way out: what is before it may take hours."""
    before = place_in_queue(cache.store(), job)
    waits = f"waits for {widgets.counted(before, 'job')} before it" if before else "about 20 seconds"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _said("Timing three steps …", waits)
        st.button("Leave it", key="stop_estimate", on_click=_leave, args=(job.job_id,))


def _answer(job: Job) -> None:
    told = job.result or {}
    seconds, step = float(told["seconds"]), float(told["step_seconds"])
    small = f"here, now: {step:.2f} s a step"
    if told["looks"]:
        small += f", {widgets.counted(int(told['looks']), 'look')} of {float(told['look_seconds']):.1f} s"
    _said(about(seconds).capitalize(), small, seconds=seconds)
    for note in told.get("notes", ()):
        widgets.note(str(note))


def _said(head: str, small: str, seconds: float = 0.0) -> None:
    st.html(f'<p class="cv-estimate" data-seconds="{seconds:.0f}"><b>{head}</b><span>{small}</span></p>')


def _ask(choice: Choice) -> None:
    with finetuning_news.told():
        _asked()[_key(choice)] = finetuning_jobs.time_it(choice.plan).job_id


def _leave(job_id: int) -> None:
    with finetuning_news.told():
        ask_to_stop(cache.store(), job_id)


def _job(choice: Choice) -> Job | None:
    """The job that timed this choice, if it was asked for in this session; errors as of `read_job`."""
    job_id = _asked().get(_key(choice))
    return None if job_id is None else read_job(cache.store(), job_id)


def _asked() -> dict[tuple[object, ...], int]:
    """Numbers of jobs by what they time."""
    asked: dict[tuple[object, ...], int] = st.session_state.setdefault(_KEY, {})
    return asked


def _key(choice: Choice) -> tuple[object, ...]:
    """What the time depends on: the choice, and how much of the herd is labelled by now."""
    size = None if choice.herd is None else (choice.herd.labelled, choice.herd.boxes)
    return (str(cache.store().path), choice.start.id, choice.plan, size)


def about(seconds: float) -> str:
    """A time for people, no more exact than it is known."""
    if seconds < 90:
        return f"about {max(5, round(seconds / 5) * 5)} seconds"
    minutes = seconds / 60
    return f"about {minutes:.0f} minutes" if minutes < 90 else f"about {minutes / 60:.1f} hours"
