"""What one visitor's labelling holds between two runs of the page, in one typed place."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from cowvision.data.imports import Imported
from cowvision.errors import CowVisionError, StaleEditError
from cowvision.ui.canvas import CanvasBox, Fit
from cowvision.workspace.labels import Labels

_KEY = "_labelling"
USUAL_CLASSES = ("cow", "horse", "sheep", "dog", "person")
MOST_DESKS = 200


@dataclass
class Desk:
    """One picture under work in this session.

    Attributes:
        herd_id: Its herd.
        picture_id: sha256 of its bytes.
        labels: The revision this session has seen; edits start from it.
        mount: Counted up whenever the canvas is to begin anew with `labels`; part of its key.
        fit: How the picture lies on the mounted canvas.
        drawing: What the mounted canvas began with; never changed while it is mounted.
        past: Revisions that undo goes back to, the last one first to go.
        future: Revisions that redo goes forward to.
        conflict: An edit that was not saved because somebody else saved before it.
        untagged: The class whose boxes carry no tag on the mounted canvas, because all are of it; empty if tags are on.
        on_canvas: What the mounted canvas holds, as it reported it.
        put_right: What it held when it was last told to show what is stored instead.
        redrawn: How many times it was told so.
    """

    herd_id: int
    picture_id: str
    labels: Labels
    mount: int = 0
    fit: Fit | None = None
    drawing: dict[str, Any] | None = None
    past: list[int] = field(default_factory=list)
    future: list[int] = field(default_factory=list)
    conflict: StaleEditError | None = None
    untagged: str = ""
    on_canvas: list[CanvasBox] = field(default_factory=list)
    put_right: list[CanvasBox] = field(default_factory=list)
    redrawn: int = 0

    @property
    def key(self) -> str:
        """Key of the canvas."""
        return f"canvas_{self.herd_id}_{self.picture_id[:16]}_{self.mount}"

    def begin_anew(self) -> None:
        """Have the canvas follow what is stored."""
        self.mount, self.drawing = self.mount + 1, None


@dataclass(frozen=True)
class Asked:
    """Something a visitor pressed, to be done once what is still on its way from the canvas has arrived.

    Attributes:
        what: What to do: one of the names in `labelling_actions`.
        where: Herd and picture it was pressed for; it is done on no other.
        value: With what: a picture's id, a revision.
        at: When it was pressed, seconds of `time.monotonic`.
    """

    what: str
    where: tuple[int, str]
    value: Any = None
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, eq=False)
class Reading:
    """Ground truth that was read and waits for a word: what it holds, and the folder its files lie in until then."""

    imported: Imported
    folder: Any


@dataclass(frozen=True)
class TakenOff:
    """Cows that the answer "no cows here" took off a picture: herd, picture, its name, how many, and the revision."""

    herd_id: int
    picture_id: str
    name: str
    boxes: int
    revision: int


@dataclass
class Labelling:
    """One visitor's labelling.

    Attributes:
        herd_id: The herd worked on last; 0 before there is one.
        pictures: The picture looked at last in each herd.
        desks: Pictures under work; the oldest are forgotten first.
        asked: What was pressed and is not done yet.
        notes: What is to be said at the top, until something is pressed.
        flashes: What is to be said for a few seconds over the page, wherever it is scrolled to.
        taken_off: Boxes that an answer took away just now, to be brought back from the picture after it.
        problems: What went wrong, until it is dismissed.
        intake: Counted up after each intake; numbers the upload widgets, which begin empty again.
        reading: Ground truth that was read and is not imported yet.
        own_classes: Class names the visitor typed.
    """

    herd_id: int = 0
    pictures: dict[int, str] = field(default_factory=dict)
    desks: dict[tuple[int, str], Desk] = field(default_factory=dict)
    asked: Asked | None = None
    notes: list[str] = field(default_factory=list)
    flashes: list[str] = field(default_factory=list)
    taken_off: TakenOff | None = None
    problems: list[CowVisionError] = field(default_factory=list)
    intake: int = 0
    reading: Reading | None = None
    own_classes: list[str] = field(default_factory=list)


def ensure() -> Labelling:
    """The visitor's labelling, made on the first call."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Labelling()
    labelling: Labelling = st.session_state[_KEY]
    return labelling


def desk_of(herd_id: int, picture_id: str, now: Labels) -> Desk:
    """The desk of a picture, as it was left, or a new one with what is stored now."""
    desks = ensure().desks
    desk = desks.pop((herd_id, picture_id), None) or Desk(herd_id, picture_id, now)
    desks[herd_id, picture_id] = desk
    while len(desks) > MOST_DESKS:
        desks.pop(next(iter(desks)))
    return desk


def ask(what: str, value: Any = None) -> None:
    """Keep in mind what was pressed; what was said before it has been read."""
    labelling = ensure()
    labelling.asked, labelling.notes, labelling.taken_off = Asked(what, here(), value), [], None


def here() -> tuple[int, str]:
    """The herd and the picture that are shown."""
    labelling = ensure()
    return labelling.herd_id, labelling.pictures.get(labelling.herd_id, "")


def go_to_herd(herd_id: int, picture_id: str = "") -> None:
    """Choose a herd, and a picture of it, in the address too."""
    labelling = ensure()
    labelling.herd_id = herd_id
    st.query_params["herd"] = str(herd_id)
    go_to_picture(herd_id, picture_id or labelling.pictures.get(herd_id, ""))


def go_to_picture(herd_id: int, picture_id: str) -> None:
    """Choose a picture, in the address too."""
    if picture_id:
        ensure().pictures[herd_id] = picture_id
        st.query_params["picture"] = picture_id[:16]
    else:
        ensure().pictures.pop(herd_id, None)
        st.query_params.pop("picture", None)


def say(words: str) -> None:
    """Say something at the top of the page on its next run."""
    ensure().notes.append(words)


def flash(words: str) -> None:
    """Say something for a few seconds over the page, at the end of its next run that is not cut short."""
    ensure().flashes.append(words)


def dismiss() -> None:
    """Say no more about what went wrong or is to be noted."""
    labelling = ensure()
    labelling.problems, labelling.notes, labelling.taken_off = [], [], None
