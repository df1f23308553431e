"""Downloads as jobs: begun by a press, going on without the page, the tab and the server, one for all visitors."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from cowvision.errors import CowVisionError, DownloadError
from cowvision.ui import cache, widgets
from cowvision.workspace.job_log import events
from cowvision.workspace.jobs import Job, JobState, again, all_jobs, ask_to_stop, place_in_queue, submit, tend

REFRESH_SECONDS = 1.0
FETCH = "fetch"
_PROBLEM = "_download_problem"
_ENDED_EARLY = {JobState.STOPPED, JobState.FAILED}


@dataclass(frozen=True)
class Fetch:
    """What can be downloaded.

    Attributes:
        name: What ``python -m cowvision fetch`` calls it.
        title: What people call it.
        get: Words of the button where nothing of it is here.
        help: What is said of that button.
        size_bytes: Of the whole; about.
        is_begun: Whether something of it came before.
        kept_bytes: How much; 0 where nobody can say.
        key: The end of its buttons' keys; its name by default.
    """

    name: str
    title: str
    get: str
    help: str
    size_bytes: int
    is_begun: bool
    kept_bytes: int = 0
    key: str = ""


def newest_job(name: str) -> Job | None:
    """The newest job that downloads it; None without one.

    Raises:
        WorkspaceError: The workspace cannot be read.
    """
    jobs = [job for job in all_jobs(cache.store(), FETCH) if job.arguments == (FETCH, name)]
    return jobs[-1] if jobs else None


def is_told(job: Job | None) -> bool:
    """Whether a job has something to say: it is under way, or ended before its end."""
    return job is not None and (not job.state.is_over or job.state in _ENDED_EARLY)


def offer(fetch: Fetch) -> None:
    """The button that gets it, how far it is, and a way to stop it; why it did not come.

    Raises:
        WorkspaceError: The workspace cannot be read.
    """
    job = newest_job(fetch.name)
    is_open = job is not None and not job.state.is_over
    # one fragment at work and at rest: the browser's timer may ask once more for one that is gone, and that is logged
    st.fragment(_offer, run_every=REFRESH_SECONDS if is_open else None)(fetch, was_open=is_open)


def _offer(fetch: Fetch, *, was_open: bool) -> None:
    with widgets.errors_shown():
        if was_open:  # nothing of one at rest is to be looked after, and a page offers many
            tend(cache.store())
        job = newest_job(fetch.name)
        is_open = job is not None and not job.state.is_over
        if is_open != was_open:
            st.rerun()  # it has ended, or another tab has begun it: the rest of the page is to know
        if job is not None and is_open:
            _progress(fetch, job)
        else:
            _at_rest(fetch, job)
    if isinstance(problem := st.session_state.pop(f"{_PROBLEM}_{fetch.name}", None), CowVisionError):
        widgets.show_error(problem)


def _at_rest(fetch: Fetch, job: Job | None) -> None:
    ended_early = job is not None and job.state in _ENDED_EARLY
    st.button(
        _words(fetch, ended_early=ended_early), key=f"get_{fetch.key or fetch.name}",
        icon=":material/download:", help=fetch.help, on_click=_get, args=(fetch,),
    )  # fmt: skip
    if job is not None and job.state is JobState.STOPPED:
        kept = "What came is kept; a press goes on from there." if fetch.is_begun else "Nothing came."
        st.caption(f"Stopped. {kept}")
    elif job is not None and job.state is JobState.FAILED:
        cause = job.problem.removeprefix(f"{fetch.name}: ").rstrip(".")
        remedy = "What came is kept: press Go on" if fetch.is_begun else "Press Try again"
        raise DownloadError(fetch.title, cause, remedy)


def _words(fetch: Fetch, *, ended_early: bool) -> str:
    if fetch.kept_bytes:
        return f"Go on: {_of(fetch.kept_bytes, fetch.size_bytes)}"
    if fetch.is_begun and ended_early:
        return "Go on"
    return "Try again" if ended_early else fetch.get


def _progress(fetch: Fetch, job: Job) -> None:
    told = next((event for event in reversed(events(job.job_id)) if "done" in event), None)
    size = fetch.size_bytes
    done, total = (fetch.kept_bytes, size) if told is None else (int(told["done"]), int(told["total"] or size))
    before = place_in_queue(cache.store(), job)
    waits = f", waits for {widgets.counted(before, 'other download')}" if before else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(min(1.0, done / total), f"{_of(done, total)}{waits}")
        is_asked = job.stop_asked_at is not None
        st.button(
            "Stopping …" if is_asked else "Stop", key=f"stop_{fetch.key or fetch.name}", on_click=_stop,
            args=(fetch.name, job.job_id), disabled=is_asked,
            help="What came is kept; a later press goes on from there.",
        )  # fmt: skip


def _of(done: int, total: int) -> str:
    return f"{done / 1024**2:.0f} of {total / 1024**2:.0f} MB"


def _get(fetch: Fetch) -> None:
    try:
        job = newest_job(fetch.name)
        if job is None:
            submit(cache.store(), FETCH, fetch.title, (FETCH, fetch.name))
        elif job.state.is_over:  # otherwise another tab was quicker
            again(cache.store(), job.job_id)
    except CowVisionError as error:
        st.session_state[f"{_PROBLEM}_{fetch.name}"] = error


def _stop(name: str, job_id: int) -> None:
    try:
        ask_to_stop(cache.store(), job_id)
    except CowVisionError as error:
        st.session_state[f"{_PROBLEM}_{name}"] = error
