"""The clips there are to track, as cards; bringing own ones, and letting them go."""

from __future__ import annotations

import streamlit as st

from cowvision.errors import CowVisionError
from cowvision.tracking.clip_info import ClipInfo, probe, steady_fps
from cowvision.tracking.video import TRACKED_SUFFIXES, frames
from cowvision.ui import cache, finetuning_news, scrolling, tracking_jobs, widgets
from cowvision.ui.intake import display_name
from cowvision.viz.encoding import thumbnail_jpeg
from cowvision.workspace.clips import MAX_CLIP_BYTES, Clip, add_clip, own_clips, remove_clip, shipped_clips
from cowvision.workspace.tracked_folders import forget_tracked

FIRST = "crossing"
"""Key of the clip that is shown when nobody asked for another."""

CARD_WIDTH = 148  # pixels
ADDRESS, FRAME = "clip", "frame"
_BROUGHT, _SHOWN, _REFUSED = "_clips_brought", "_track_clip", "_clips_refused"
_CARD_KEY = 16  # characters of a digest that tell own clips apart


def short_key(clip: Clip) -> str:
    """What a clip is called in the address and in keys."""
    return clip.key[:_CARD_KEY] if clip.is_own else clip.key


def intake() -> None:
    """Where own clips come in; starts the page again once there is one."""
    number = st.session_state.setdefault(_BROUGHT, 0)
    most = min(MAX_CLIP_BYTES // 1024**2, int(st.get_option("server.maxUploadSize")))
    with st.container(key="clip_uploads"):
        files = st.file_uploader(
            f"Your own clip: MP4, MOV, AVI, MKV, WebM or GIF, up to {most:,} MB", max_upload_size=most,
            type=sorted(suffix.removeprefix(".") for suffix in TRACKED_SUFFIXES),
            accept_multiple_files=True, key=f"clips_{number}",
            help="It is kept in the workspace on this machine until you remove it, and never leaves it. Larger ones: "
            "`python -m cowvision track FILE`.",
        )  # fmt: skip
    if files:
        st.session_state[_REFUSED] = refused = []
        for file in files:
            try:
                with st.spinner("Reading the clip …"):
                    look_at(short_key(add_clip(cache.store(), file.getvalue(), display_name(file.name))))
            except CowVisionError as error:
                refused.append(error)
        st.session_state[_BROUGHT] = number + 1
        st.rerun()
    if st.session_state.get(_REFUSED):
        with st.container(key="clips_refused", gap="xsmall"):
            widgets.show_errors(st.session_state[_REFUSED])
            st.button("Close", key="close_refused", type="tertiary", on_click=_close_refused)


def _close_refused() -> None:
    st.session_state.pop(_REFUSED, None)


def look_at(key: str) -> None:
    """Choose a clip; the frame in the address belongs to the one before."""
    st.query_params[ADDRESS] = key
    st.query_params.pop(FRAME, None)


def choose() -> Clip | None:
    """The clip the address names, the one looked at last, or the first, as a row of cards; None where there is none."""
    clips: dict[str, Clip] = {}
    with widgets.errors_shown():
        clips |= {short_key(clip): clip for clip in shipped_clips()}
    with widgets.errors_shown():
        clips |= {short_key(clip): clip for clip in own_clips(cache.store())}
    if not clips:
        return None
    wanted = st.query_params.get(ADDRESS) or st.session_state.get(_SHOWN)
    current = str(wanted if wanted in clips else FIRST if FIRST in clips else next(iter(clips)))
    if wanted and wanted not in clips:
        here = widgets.plain(clips[current].title)
        st.info(f"The clip this address names is not here (any more); here is {here}.", icon=":material/search:")
    st.session_state[_SHOWN] = current
    if st.query_params.get(ADDRESS) in {None, *clips}:
        st.query_params[ADDRESS] = current
    with st.container(key="gallery", horizontal=True, wrap=False, gap="small"):
        for key, clip in clips.items():
            _card(key, clip, is_current=key == current)
    scrolling.bring_into_view(f"card_{current}")
    return clips[current]


def about(clip: Clip) -> None:
    """What a clip is, and for an own one the way to let it go."""
    with st.container(key="clip_about", gap="xsmall"):
        widgets.section(clip.title, clip.caption)
        with widgets.errors_shown():
            widgets.note(in_words(info_of(clip)) + (" Its true tracks are known." if clip.truth_path else ""))
        if clip.is_own:
            with st.popover("Remove this clip", icon=":material/delete:", type="tertiary"):
                st.write("The clip and what was tracked on it are forgotten for good.")
                st.write("What still tracks it, or waits to, is stopped.")
                st.button("Remove it", key="remove_clip", type="primary", on_click=_remove, args=(clip,))


def info_of(clip: Clip) -> ClipInfo:
    """What a clip states; errors as of `probe`."""
    return _info(clip.key, str(clip.path), clip)


def in_words(info: ClipInfo) -> str:
    """Size, length and rate."""
    width, height = info.resolution_wh
    rate, tracked = float(info.fps), float(steady_fps(info))
    words = [f"{width} × {height} pixels"]
    if info.seconds is not None:
        words.append(length(info.seconds))
    taken = "" if abs(rate - tracked) < rate / 100 else f", tracked at {tracked:.4g}"
    words.append(f"{rate:.4g} {'frame' if f'{rate:.4g}' == '1' else 'frames'} a second{taken}")
    return f"{', '.join(words)}."


def length(seconds: float) -> str:
    """A length for people: "8.0 s", "12:05 min", "1:02:03 h"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d} h" if hours else f"{minutes}:{rest:02d} min"


def _card(key: str, clip: Clip, *, is_current: bool) -> None:
    with st.container(key=f"card_{key}", width=CARD_WIDTH), widgets.errors_shown():
        st.image(_poster(clip.key, str(clip.path), clip), width="stretch", alt="")
        st.button(
            widgets.plain(clip.title), key=f"choose_{key}", type="primary" if is_current else "secondary",
            help=clip.caption or None, on_click=look_at, args=(key,),
        )  # fmt: skip


def _remove(clip: Clip) -> None:
    with finetuning_news.told():
        tracking_jobs.stop_all(clip)  # before the clip goes: one that waits is not to begin without it
        remove_clip(cache.store(), clip.key)
        forget_tracked(clip.key)
        tracking_jobs.forget_removed()
        st.query_params.pop(ADDRESS, None)
        st.query_params.pop(FRAME, None)
        st.session_state.pop(_SHOWN, None)


@st.cache_data(max_entries=200, show_spinner=False)
def _poster(key: str, path: str, _clip: Clip) -> bytes:
    """The clip's first picture, cut to a card's shape."""
    del key, path  # the key of the cache
    return thumbnail_jpeg(next(frames(_clip.path)).rgb, cache.THUMBNAIL_WH)


@st.cache_data(max_entries=50, show_spinner=False)
def _info(key: str, path: str, _clip: Clip) -> ClipInfo:
    del key, path  # the key of the cache
    return probe(_clip.path, _clip.file_name)
