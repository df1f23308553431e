"""COCO's photographs of cows, to learn from: what they are, and the way to get them, as a job."""

from __future__ import annotations

import streamlit as st

from cowvision.errors import DownloadError
from cowvision.ui import cache, finetuning_news, widgets
from cowvision.workspace.coco_cows import NAME, TOTAL_BYTES, coco_cows_are_there, coco_cows_were_begun
from cowvision.workspace.job_log import events
from cowvision.workspace.jobs import Job, JobState, again, all_jobs, ask_to_stop, place_in_queue, submit, tend

REFRESH_SECONDS = 1.0
FETCH = "fetch"
ARGUMENTS = (FETCH, NAME)
_ENDED_EARLY = {JobState.STOPPED, JobState.FAILED}


def offer() -> None:
    """What they are and how to get them; nothing once they are there. Errors as those of `jobs.all_jobs`."""
    if coco_cows_are_there():
        return
    job = _job()
    is_open = job is not None and not job.state.is_over
    is_told = is_open or (job is not None and job.state in _ENDED_EARLY)  # why, somebody is to see
    with st.expander("No pictures of your own? COCO's cows", icon=":material/photo_library:", expanded=is_told):
        st.markdown(
            f"About 2,055 photographs of cows with their boxes, **{TOTAL_BYTES / 1e9:.1f} GB** to download from "
            "COCO's own server, once. Boxes: COCO Consortium, CC BY 4.0. Photographs: Flickr, each under the licence "
            "that its entry names."
        )
        # one fragment at work and at rest, as everywhere
        st.fragment(_fetching, run_every=REFRESH_SECONDS if is_open else None)(was_open=is_open)


def _fetching(*, was_open: bool) -> None:
    with widgets.errors_shown():
        tend(cache.store())
        job = _job()
        is_open = job is not None and not job.state.is_over
        if is_open != was_open or coco_cows_are_there():
            st.rerun()
        if job is not None and is_open:
            _progress(job)
            return
        ended_early, is_begun = job is not None and job.state in _ENDED_EARLY, coco_cows_were_begun()
        again_words = "Go on" if is_begun else "Try again"
        st.button(
            again_words if ended_early else "Get COCO's cows", key="get_cows", icon=":material/download:",
            on_click=_get, help="The only thing on this page that needs a network.",
        )  # fmt: skip
        if job is not None and job.state is JobState.STOPPED:
            st.caption(f"Stopped. {'What came is kept; a press goes on from there.' if is_begun else 'Nothing came.'}")
        elif job is not None and job.state is JobState.FAILED:
            cause = job.problem.removeprefix(f"{NAME}: ").rstrip(".")
            remedy = "What came is kept: press Go on" if is_begun else "Press Try again"
            raise DownloadError("COCO's cows", cause, remedy)


def _progress(job: Job) -> None:
    told = next((event for event in reversed(events(job.job_id)) if "done" in event), None)
    done, total = (0, TOTAL_BYTES) if told is None else (int(told["done"]), int(told["total"] or TOTAL_BYTES))
    before = place_in_queue(cache.store(), job)
    waits = f", waits for {widgets.counted(before, 'other download')}" if before else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(min(1.0, done / total), f"{done / 1024**2:.0f} of {total / 1024**2:.0f} MB{waits}")
        st.button(
            "Stop", key="stop_cows", on_click=_stop, args=(job.job_id,), disabled=job.stop_asked_at is not None,
            help="What came is kept; a later press goes on from there.",
        )  # fmt: skip


def _job() -> Job | None:
    """The newest job that fetches them."""
    jobs = [job for job in all_jobs(cache.store(), FETCH) if job.arguments == ARGUMENTS]
    return jobs[-1] if jobs else None


def _get() -> None:
    with finetuning_news.told():
        job = _job()
        if job is None:
            submit(cache.store(), FETCH, "COCO's cows", ARGUMENTS)
        elif job.state.is_over:  # otherwise another tab was quicker
            again(cache.store(), job.job_id)


def _stop(job_id: int) -> None:
    with finetuning_news.told():
        ask_to_stop(cache.store(), job_id)
