"""What went wrong with the newest tracking of each model, until what it was to give is there or somebody closes it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cowvision.errors import ClipError
from cowvision.models.catalog import ModelSpec
from cowvision.tracking.settings import TrackerSettings
from cowvision.ui import finetuning_news, tracking_jobs, widgets
from cowvision.ui.tracking_begin import is_missing, shown_of
from cowvision.ui.tracking_settings import differences
from cowvision.workspace.clips import Clip
from cowvision.workspace.jobs import Job, JobState
from cowvision.workspace.tracked_clips import TrackedClip


def failures(
    clip: Clip, specs: Sequence[ModelSpec], settings: TrackerSettings, done: Sequence[TrackedClip], jobs: Sequence[Job]
) -> None:
    """An error for each model whose newest job on this clip failed, with a way to try again.

    Args:
        clip: The clip.
        specs: The models that are looked at.
        settings: The chosen ones: a job with others says which.
        done: Everything that was tracked: a failed job of which all is there all the same is not told.
        jobs: All trackings, the oldest first.
    """
    for spec in specs:
        job = tracking_jobs.newest_for(clip, spec, jobs)
        if job is not None and job.state is JobState.FAILED and not _is_there(job, clip, spec, done):
            _failure(job, clip, spec, settings)


def _is_there(job: Job, clip: Clip, spec: ModelSpec, done: Sequence[TrackedClip]) -> bool:
    """Whether what a job was to give was tracked by another, with its settings and as far as the clip goes."""
    asked = tracking_jobs.settings_of(job)
    return asked is not None and not is_missing(spec, asked, shown_of(clip, [spec], asked, done))


def _failure(job: Job, clip: Clip, spec: ModelSpec, settings: TrackerSettings) -> None:
    asked = tracking_jobs.settings_of(job)
    others = "" if asked in {None, settings} else f" with {differences(asked) or 'the usual settings'}"
    cause = job.problem.rstrip(".")
    widgets.show_error(ClipError(clip.title, f"{spec.title} could not track it{others}: {cause}", "Then try again"))
    with st.container(horizontal=True, gap="small"):
        st.button("Try again", key=f"again_{job.job_id}", icon=":material/replay:", on_click=_again, args=(job,))
        st.button("Close", key=f"close_{job.job_id}", type="tertiary", on_click=_close, args=(clip, spec))


def _again(job: Job) -> None:
    with finetuning_news.told():
        tracking_jobs.try_again(job)


def _close(clip: Clip, spec: ModelSpec) -> None:
    with finetuning_news.told():
        tracking_jobs.forget_failed(clip, spec)
