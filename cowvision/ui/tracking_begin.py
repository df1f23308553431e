"""Before a tracking: what is there already, how long the rest would take, and the button that begins it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cowvision.models.catalog import ModelSpec
from cowvision.tracking.settings import TrackerSettings
from cowvision.ui import cache, finetuning_news, tracking_clips, tracking_jobs, tracking_settings, widgets
from cowvision.ui.finetuning_estimate import about
from cowvision.viz.track_drawing import TrackPainter
from cowvision.workspace.clips import Clip
from cowvision.workspace.following import TrackEstimate, estimate, is_long
from cowvision.workspace.jobs import Job
from cowvision.workspace.tracked_clips import TrackedClip, best

_ASKED, _AGREED = "_track_estimate", "agreed_to_hours"
Known = dict[ModelSpec, TrackedClip]


def shown_of(clip: Clip, specs: Sequence[ModelSpec], settings: TrackerSettings, done: Sequence[TrackedClip]) -> Known:
    """What is shown of each model: the best result with these settings, else the best with any."""
    known: Known = {}
    for spec in specs:
        mine = [one for one in done if one.clip_sha256 == clip.sha256 and one.model_id == spec.id]
        found = best([one for one in mine if one.settings == settings] or mine)
        if found is not None:
            known[spec] = found
    return known


def panel(clip: Clip, specs: Sequence[ModelSpec], settings: TrackerSettings, known: Known, jobs: Sequence[Job]) -> None:
    """What is still to be tracked, and the button; nothing where all is there.

    Raises:
        CowVisionError: The clip or the workspace cannot be used.
    """
    missing = [spec for spec in specs if is_missing(spec, settings, known)]
    asked = [spec for spec in missing if _is_asked_for(clip, spec, settings, jobs)]
    to_do = [spec for spec in missing if spec not in asked]
    _still_old(asked, known, settings)
    if not to_do:
        return
    with st.container(border=True, key="begin"):
        head, words = _said(to_do, known, settings)
        long = is_long(clip)
        left, right = st.columns([5, 3], gap="medium", vertical_alignment="center")
        with left:
            widgets.section(head, words)
            told = _estimates(clip, to_do, settings, at_once=long)
        agreed = not long or _ask(told)
        with right, st.container(horizontal=True, vertical_alignment="center", gap="small"):
            names = " and ".join(spec.title for spec in to_do)
            is_busy = any(tracking_jobs.is_open(job) for job in jobs)
            st.button(
                f"Track with {names}" + (" when the other is done" if is_busy else ""),
                key="track", type="primary", icon=":material/timeline:", disabled=not agreed,
                on_click=_start, args=(clip, to_do, settings, long),
            )  # fmt: skip
            if not told:
                st.button(
                    "How long will it take?", key="estimate", icon=":material/timer:", on_click=_ask_how_long,
                    args=(clip, to_do, settings), help="Has each model track the first seconds.",
                )  # fmt: skip


def _still_old(asked: Sequence[ModelSpec], known: Known, settings: TrackerSettings) -> None:
    """While the new result is on its way: that what is shown until then was tracked with other settings."""
    old = [spec.title for spec in asked if spec in known and known[spec].settings != settings]
    if old:
        head, words = _others(settings)
        st.info(
            f"**{head}: {widgets.plain(' and '.join(old))}.** {widgets.plain(words)} The new result takes its place "
            "when it is done.",
            icon=":material/history:",
        )


def _others(settings: TrackerSettings) -> tuple[str, str]:
    changed = tracking_settings.differences(settings) or "the usual ones"
    return "Not tracked with these settings yet", f"Chosen: {changed}. Below is what was tracked with others."


def is_missing(spec: ModelSpec, settings: TrackerSettings, known: Known) -> bool:
    """Whether there is more to track: nothing with these settings is there, or only a part of the clip."""
    return spec not in known or known[spec].settings != settings or _was_stopped(known[spec])


def _was_stopped(tracked: TrackedClip) -> bool:
    """Whether somebody ended it; a clip that breaks off by itself gives no more another time."""
    return not tracked.whole and any(note.startswith("Stopped") for note in tracked.notes)


def _is_asked_for(clip: Clip, spec: ModelSpec, settings: TrackerSettings, jobs: Sequence[Job]) -> bool:
    job = tracking_jobs.newest_for(clip, spec, [one for one in jobs if tracking_jobs.is_open(one)])
    return job is not None and tracking_jobs.settings_of(job) == settings


def _said(to_do: Sequence[ModelSpec], known: Known, settings: TrackerSettings) -> tuple[str, str]:
    there = [known[spec] for spec in to_do if spec in known]
    if there and all(one.settings == settings for one in there):
        return "Only a part was tracked", "It was stopped. Begin again to have the whole clip."
    if there:
        return _others(settings)
    return "Not tracked yet", "It runs in the background, one model after the other, and is kept."


def _estimates(
    clip: Clip, specs: Sequence[ModelSpec], settings: TrackerSettings, *, at_once: bool
) -> list[TrackEstimate]:
    """How long each model would take, where somebody asked or it is to be told at once; said, and given back."""
    if st.session_state.get(_ASKED) != _estimate_key(clip, specs, settings) and not at_once:
        return []
    with st.spinner("Tracking the first seconds …"):
        told = [_timed(clip.key, spec.id, settings, clip, spec) for spec in specs]
    seconds = sum(one.seconds for one in told)
    each = "; ".join(f"{spec.title} {about(one.seconds)}" for spec, one in zip(specs, told, strict=True))
    st.html(f'<p class="cv-estimate" data-seconds="{seconds:.0f}"><b>{about(seconds).capitalize()}</b></p>')
    widgets.note(f"Here and now: {each}.")
    return told


@st.cache_data(max_entries=50, ttl=3600, show_spinner=False)
def _timed(clip_key: str, model_id: str, settings: TrackerSettings, _clip: Clip, _spec: ModelSpec) -> TrackEstimate:
    del clip_key, model_id  # the key of the cache
    return estimate(_clip, cache.detection_box(_spec), settings, painter=TrackPainter)


def _ask(told: Sequence[TrackEstimate]) -> bool:
    """Before hours of work: whether somebody means it."""
    length = tracking_clips.length(float(told[0].frames / told[0].fps))
    work = about(sum(one.seconds for one in told))
    return bool(st.checkbox(f"This clip is {length} long. Track it all the same, for {work}", key=_AGREED))


def _ask_how_long(clip: Clip, specs: Sequence[ModelSpec], settings: TrackerSettings) -> None:
    st.session_state[_ASKED] = _estimate_key(clip, specs, settings)


def _estimate_key(clip: Clip, specs: Sequence[ModelSpec], settings: TrackerSettings) -> tuple[object, ...]:
    return (clip.key, *(spec.id for spec in specs), settings)


def _start(clip: Clip, specs: Sequence[ModelSpec], settings: TrackerSettings, agreed: bool) -> None:  # noqa: FBT001 - a callback
    with finetuning_news.told():
        for spec in specs:
            if not _is_asked_for(clip, spec, settings, tracking_jobs.trackings()):  # a second press is not meant
                tracking_jobs.start(clip, spec, settings, agreed=agreed)
