"""A training at work: how far it is, its curves as they grow, a way to stop it, and who waits behind it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from cowvision.errors import TrainingDataError
from cowvision.models.catalog import all_models
from cowvision.training.checkpoints import Run
from cowvision.training.plans import PROFILES
from cowvision.ui import cache, finetuning_jobs, finetuning_news, job_output, widgets
from cowvision.ui.figures import score
from cowvision.ui.finetuning_course import Course, course_of, with_past
from cowvision.ui.finetuning_curves import curves
from cowvision.ui.finetuning_estimate import about
from cowvision.workspace.jobs import Job, JobState, ask_to_stop, place_in_queue, tend

REFRESH_SECONDS = 1.0


def at_work() -> None:
    """The training under way and those that wait, renewed every second; how the last one failed; else nothing."""
    jobs = finetuning_jobs.trainings()
    open_ids = [job.job_id for job in jobs if finetuning_jobs.is_open(job)]
    # one fragment at work and at rest: the browser's timer may ask once more for one that is gone, and that is logged
    st.fragment(_at_work, run_every=REFRESH_SECONDS if open_ids else None)(open_ids)


def _at_work(were_open: Sequence[int]) -> None:
    with widgets.errors_shown():
        tend(cache.store())
        jobs = finetuning_jobs.trainings()
        unfinished = [job for job in jobs if finetuning_jobs.is_open(job)]
        if [job.job_id for job in unfinished] != list(were_open) or finetuning_news.is_some():
            st.rerun()  # one has ended, or another tab has asked for one: the rest of the page is to know
        running = [job for job in unfinished if job.state is JobState.RUNNING]
        for job in running:
            _running(job)
        _queue([job for job in unfinished if job.state is JobState.WAITING])
        if jobs and not unfinished:
            _last_failure(jobs[-1])


def _running(job: Job) -> None:
    course, run = course_of(job.job_id), finetuning_jobs.run_of(job)
    with st.container(border=True, key="at_work"):
        widgets.section(f"{finetuning_jobs.title_of(job) if run is None else run.title} is learning", _what(run))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            share = course.step / course.steps if course.steps else 0.0
            st.progress(min(1.0, share), _how_far(job, course, run))
            st.button(
                "Stop", key=f"stop_{job.job_id}", icon=":material/stop_circle:", on_click=_stop, args=(job.job_id,),
                disabled=job.stop_asked_at is not None, help="Ends after this step. The best model so far is kept.",
            )  # fmt: skip
        _figures(course, run)
        losses, looks = with_past(course, run)
        best = course.best_step if course.best_step is not None or run is None else run.best_step
        judged = run is None or bool(run.held_out)
        curves(losses, looks, course.steps or _steps(run), best, key=f"live_{job.job_id}", is_judged=judged)
        with st.expander("What it prints", icon=":material/terminal:", key=f"log_{job.job_id}"):
            job_output.printed(job.job_id)
        widgets.note(
            "Leave this page, close the tab, restart the server: it goes on. Everything here is kept.",
            step=course.step, steps=course.steps,
        )  # fmt: skip


def _what(run: Run | None) -> str:
    if run is None:
        return "Its process is starting."
    learnt = [widgets.counted(len(run.train), "labelled picture")] if run.train else []
    learnt += ["composed scenes"] if run.plan.scenes > 0 else []
    from_what = f"From {run.plan.start}, on {' and '.join(learnt)}"
    if not run.held_out:
        return f"{from_what}; no pictures are kept back, so nobody will be able to say whether it got better."
    return f"{from_what}; judged by {widgets.counted(len(run.held_out), 'held-out picture')} that it never learns from."


def _how_far(job: Job, course: Course, run: Run | None) -> str:
    if job.stop_asked_at is not None:
        return "Stopping after this step; the best so far is kept"
    if course.read is not None:
        return f"Reading pictures: {course.read[0]} of {course.read[1]}"
    if not course.steps:
        return widgets.plain(course.says) or "Starting"
    if course.step == course.steps:
        return f"All {course.steps:,} steps are done; the verdict is worked out"
    left = course.seconds_left(0 if run is None else int(run.settings.get("judge_every", 0)))
    return f"Step {course.step:,} of {course.steps:,}" + ("" if left is None else f", {about(left)} left")


def _figures(course: Course, run: Run | None) -> None:
    """Small facts, each a number with what it is."""
    batch = int(run.settings["batch"]["batch_size"]) if run is not None and run.settings else 0
    facts = [("examples seen", f"{course.step * batch:,}")] if batch else []
    if course.seconds_per_step is not None:
        facts.append(("a step", f"{course.seconds_per_step:.2f} s"))
        facts.append(("of it waiting for pictures", f"{course.waited_share:.0%}"))
    scores = {step: value for step, value in with_past(course, run)[1] if value is not None}
    if 0 in scores:
        facts.append(("mAP of the start", score(scores[0])))
        later = [value for step, value in scores.items() if step > 0]
        facts += [("best mAP so far", score(max(later)))] if later else []
    items = "".join(f"<li><b>{escape(value)}</b> {escape(name)}</li>" for name, value in facts)
    st.html(f'<ul class="cv-live">{items}</ul>')


def _steps(run: Run | None) -> int:
    return int(run.settings["iterations"]) if run is not None and run.settings else PROFILES["quick"].iterations


def _queue(waiting: Sequence[Job]) -> None:
    for job in waiting:
        before = place_in_queue(cache.store(), job)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", border=True):
            title = widgets.plain(finetuning_jobs.title_of(job))
            behind = f"waits for {widgets.counted(before, 'job')} before it" if before else "begins in a moment"
            st.markdown(
                f":material/hourglass_empty: **{title}** {behind}. One computes at a time: two would be slower."
            )
            st.button("Do not begin", key=f"stop_{job.job_id}", on_click=_stop, args=(job.job_id,))


def _last_failure(job: Job) -> None:
    """What went wrong with a training that left no run to tell of it; a run tells it itself."""
    if job.state is JobState.FAILED and finetuning_jobs.run_of(job) is None:
        title, cause = finetuning_jobs.title_of(job), job.problem.rstrip(".")
        widgets.show_error(TrainingDataError(title, f"it could not begin: {cause}", "Then try again"))
        st.button("Try again", key=f"again_{job.job_id}", icon=":material/replay:", on_click=_again, args=(job,))


def _stop(job_id: int) -> None:
    with finetuning_news.told():
        ask_to_stop(cache.store(), job_id)


def _again(job: Job) -> None:
    with finetuning_news.told():
        finetuning_jobs.try_again(job, all_models(on_problem=lambda _: None))
