"""One or two clips with their tracks on one clock, over a timeline of what happened to ids."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache as once
from pathlib import Path
from typing import Any, cast

import streamlit as st
from streamlit.runtime import get_instance

from cowvision.errors import ClipError

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Mark:
    """Something to jump to: its kind (a `Kind`), its frame from 0, what a person reads, and how many events it is."""

    kind: str
    frame: int
    words: str
    count: int = 1


@dataclass(frozen=True)
class Kind:
    """A kind of marks - "birth", "loss", "gap" or "switch" -, what they are called, and a sentence on them."""

    kind: str
    title: str
    hint: str


@dataclass(frozen=True)
class TwinSide:
    """One of the clips.

    Attributes:
        title: Whose tracks they are.
        colour: Of its line and lane, as #rrggbb.
        video: H.264 MP4 of a constant rate.
        frames: How many it holds.
        marks: In order of time.
        changes: Pairs of frame and count: from this frame on, up to the next pair, so many are in sight.
        unsure: So many of its first frames are too early for any id.
        resolution_wh: Width and height in pixels, to keep its room free while it loads; None where not known.
    """

    title: str
    colour: str
    video: Path
    frames: int
    marks: tuple[Mark, ...] = ()
    changes: tuple[tuple[int, int], ...] = ()
    unsure: int = 0
    resolution_wh: tuple[int, int] | None = None


@dataclass(frozen=True)
class GoTo:
    """A frame to go to, from 0; another token asks anew, and into view brings the player too."""

    frame: int
    token: str = field(default="")
    into_view: bool = False


def twin_player(
    sides: Sequence[TwinSide],
    *,
    fps: Fraction,
    kinds: Sequence[Kind],
    key: str,
    go: GoTo | None = None,
    on_rest: Callable[[], object] = lambda: None,
) -> int | None:
    """Show the clips in step, with play, single frames, speed, and jumps from event to event.

    Args:
        sides: One or two, tracked at the same rate.
        fps: That rate.
        kinds: What marks there may be, in the order of the legend.
        key: Of the element; its `frame` in the session's state is what is returned.
        go: Where to go, once for each token.
        on_rest: Called before the page runs again because the clips came to rest at another frame.

    Returns:
        The frame they rest at, from 0; None before anybody moved them.

    Raises:
        ClipError: A video is gone.
    """
    shown = _component()(
        key=key,
        data={
            "sides": [_as_data(side, f"{key}_{number}") for number, side in enumerate(sides)],
            "fps": float(fps),
            "frames": max(side.frames for side in sides),
            "kinds": [vars(kind) for kind in kinds],
            "go": None if go is None else vars(go),
        },
        on_frame_change=on_rest,
    )
    return None if shown.frame is None else int(shown.frame)


def _as_data(side: TwinSide, place: str) -> dict[str, Any]:
    return {
        "title": side.title,
        "colour": side.colour,
        "source": video_address(side.video, place),
        "frames": side.frames,
        "events": [(mark.kind, mark.frame, mark.words, mark.count) for mark in side.marks],
        "changes": side.changes,
        "unsure": side.unsure,
        "size": side.resolution_wh,
    }


def video_address(video: Path, place: str) -> str:
    """Where the browser finds a video; asked for at every run of the page, as what nobody asks for is forgotten.

    Streamlit has no public call that gives a file's address: `st.video` uses the same manager, which answers requests
    for a part of a file. It takes bytes or a path that it reads at each run; of a file mapped into memory it reads only
    what is sent.

    Args:
        video: An MP4.
        place: Names the element that shows it.

    Raises:
        ClipError: It is gone.
    """
    try:
        with video.open("rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        cause = f"its drawn clip cannot be read ({getattr(error, 'strerror', None) or error})"
        raise ClipError(video.name, cause, "Track the clip again") from None
    address = get_instance().media_file_mgr.add(cast("bytes", content), "video/mp4", place)
    below = str(st.get_option("server.baseUrlPath")).strip("/")
    return f"/{below}{address}" if below else address


@once
def _component() -> Any:
    """Registered once a server: a second registration of the name would be a warning in the log."""
    html, css, js = ((_FOLDER / f"twin_player.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("cowvision.twin_player", html=html, css=css, js=js)
