"""A tracking at work: how far it is, the frame it drew last, a way to stop it, and who waits behind it."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import streamlit as st

from cowvision.ui import cache, finetuning_news, job_output, tracking_jobs, widgets
from cowvision.ui.finetuning_estimate import about
from cowvision.workspace.jobs import Job, JobState, ask_to_stop, place_in_queue, tend

REFRESH_SECONDS = 1.0


def at_work() -> None:
    """The tracking under way and those that wait, renewed every second; nothing while there are none."""
    open_ids = [job.job_id for job in tracking_jobs.trackings() if tracking_jobs.is_open(job)]
    # one fragment at work and at rest: the browser's timer may ask once more for one that is gone, and that is logged
    st.fragment(_at_work, run_every=REFRESH_SECONDS if open_ids else None)(open_ids)


def _at_work(were_open: Sequence[int]) -> None:
    with widgets.errors_shown():
        tend(cache.store())
        unfinished = [job for job in tracking_jobs.trackings() if tracking_jobs.is_open(job)]
        if [job.job_id for job in unfinished] != list(were_open) or finetuning_news.is_some():
            st.rerun()  # one has ended, or another tab has asked for one: the rest of the page is to know
        waiting = [job for job in unfinished if job.state is JobState.WAITING]
        for job in unfinished:
            if job.state is JobState.RUNNING:
                _running(job, waiting)
        _queue(waiting)


def _running(job: Job, waiting: Sequence[Job]) -> None:
    course = tracking_jobs.course_of(job)
    with st.container(border=True, key="at_work"):
        left, right = st.columns([2, 5], gap="medium", vertical_alignment="center")
        picture = tracking_jobs.preview(job)
        with left:
            if picture is None:
                st.html('<div class="cv-no-preview">Its first picture comes in a moment</div>')
            else:
                st.html(_in_page(picture))
        with right:
            widgets.section(f"Tracking {job.title}", "")
            st.progress(min(1.0, course.done / course.total) if course.total else 0.0, how_far(job, course))
            _figures(course)
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                is_asked = job.stop_asked_at is not None
                st.button(
                    "Stopping …" if is_asked else "Stop", key=f"stop_{job.job_id}", icon=":material/stop_circle:",
                    on_click=_stop, args=([job],), disabled=is_asked,
                    help="Ends after this frame. What was tracked so far is kept and can be played.",
                )  # fmt: skip
                if waiting and not is_asked:
                    st.button(
                        "Stop all", key="stop_all", type="tertiary", on_click=_stop, args=([*waiting, job],),
                        help="Ends this one, and those that wait do not begin.",
                    )  # fmt: skip
                with st.popover("What it prints", icon=":material/terminal:"):
                    job_output.printed(job.job_id)
            widgets.note(
                "Leave this page, close the tab, restart the server: it goes on.",
                done=course.done, total=course.total or 0,
            )  # fmt: skip


def _in_page(jpeg: bytes) -> str:
    """The picture within the page itself: one that is asked for is forgotten as soon as the next takes its place."""
    source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    return f'<img class="cv-preview" src="{source}" alt="The frame that was tracked last, with its boxes and ids">'


def how_far(job: Job, course: tracking_jobs.Course) -> str:
    """Where a job is, in a line."""
    if job.stop_asked_at is not None and not course.done:
        return "Stopping as soon as the model is loaded"
    if job.stop_asked_at is not None:
        return "Stopping after this frame; what was tracked so far is kept"
    if not course.done:
        return "Loading the model and opening the clip"
    of = f" of about {course.total:,}" if course.total else ""
    left = course.seconds_left
    return f"Frame {course.done:,}{of}" + ("" if left is None else f", {about(left)} left")


def _figures(course: tracking_jobs.Course) -> None:
    """Small facts, each a number with what it is."""
    if course.done:
        facts = [("in sight now", widgets.counted(course.cows, "cow"))]
        facts += [("frames a second", f"{course.per_second:.1f}")] if course.per_second else []
        items = "".join(f"<li><b>{value}</b> {name}</li>" for name, value in facts)
        st.html(f'<ul class="cv-live">{items}</ul>')


def _queue(waiting: Sequence[Job]) -> None:
    """Those that wait, each with a way out."""
    for job in waiting:
        before = place_in_queue(cache.store(), job)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"queue_{job.job_id}"):
            behind = f"waits for {widgets.counted(before, 'job')} before it" if before else "begins in a moment"
            st.markdown(
                f":material/hourglass_empty: **{widgets.plain(job.title)}** {behind}. One computes at a time: two "
                "would be slower."
            )
            st.button("Do not begin", key=f"stop_{job.job_id}", on_click=_stop, args=([job],))


def _stop(jobs: Sequence[Job]) -> None:
    """Those that wait first, so that none of them begins when the one at work ends."""
    with finetuning_news.told():
        for job in jobs:
            ask_to_stop(cache.store(), job.job_id)
