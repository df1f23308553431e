"""The boxes of a herd's pictures, with their history: nothing is overwritten, and no edit is lost silently.

All revisions are kept while the picture is in the herd: one of thirty boxes takes some 3 KB, far less than the picture.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import supervision as sv

from cowvision.data.annotations import areas_of, crowds_of, names_of, truth_boxes
from cowvision.errors import StaleEditError, WorkspaceError
from cowvision.workspace.herds import LabelState
from cowvision.workspace.origins import Origin, Tally, origins, tally
from cowvision.workspace.store import Store

_READ = """
    SELECT revision, state, saved_at, note, draft, model_id, removed,
        x_min, y_min, x_max, y_max, class_name, area, crowd, visible_fraction, origin
    FROM revisions LEFT JOIN boxes USING (revision)
    WHERE herd_id = ? AND picture_id = ? AND revision = coalesce(
        ?, (SELECT max(revision) FROM revisions WHERE herd_id = ? AND picture_id = ?))
    ORDER BY place
"""
_HISTORY = """
    SELECT revision, saved_at, state, (SELECT count(*) FROM boxes WHERE boxes.revision = one.revision), note
    FROM revisions AS one WHERE herd_id = ? AND picture_id = ? ORDER BY revision DESC
"""


@dataclass(frozen=True, eq=False)
class Labels:
    """One revision of a picture's boxes.

    Attributes:
        revision: Its number, larger than all before it and never given again; 0 where nothing was ever saved.
        state: How far the labelling is.
        boxes: As `truth_boxes` makes them, and ``data["origin"]``, (n,) str, an `Origin` each.
        saved_at: Seconds since 1970; None where nothing was ever saved.
        note: What was said about it; may be empty.
        draft: The revision with the model's boxes it was started from; None without one.
        model_id: The model that accepted and corrected boxes are owed to; empty without one.
        tally: What became of the draft; in the draft itself "accepted" means not touched so far.
    """

    revision: int
    state: LabelState
    boxes: sv.Detections
    saved_at: float | None
    note: str
    draft: int | None
    model_id: str
    tally: Tally


@dataclass(frozen=True)
class Revision:
    """A line of the history: number, seconds since 1970, state, how many boxes, and what was said about it."""

    revision: int
    saved_at: float
    state: LabelState
    boxes: int
    note: str


def current(store: Store, herd_id: int, picture_id: str, *, revision: int | None = None) -> Labels:
    """The newest boxes of a picture, or those of one revision of its history.

    Raises:
        WorkspaceError: The picture is not in the herd, the revision is none of its, or the workspace cannot be read.
    """
    name = _name_of(store, herd_id, picture_id)
    rows = store.rows(_READ, herd_id, picture_id, revision, herd_id, picture_id)
    if rows:
        return _labels(rows)
    if revision is not None:
        raise WorkspaceError(name, f"its history has no revision {revision}", "Choose one of its history")
    return Labels(0, LabelState.UNLABELLED, _boxes([]), None, "", None, "", Tally())


def history(store: Store, herd_id: int, picture_id: str) -> list[Revision]:
    """All revisions of a picture, the newest first; errors as those of `Store.rows`."""
    rows = store.rows(_HISTORY, herd_id, picture_id)
    return [Revision(int(n), float(at), LabelState(state), int(count), str(note)) for n, at, state, count, note in rows]


def save(
    store: Store,
    herd_id: int,
    picture_id: str,
    boxes: sv.Detections,
    *,
    based_on: int,
    state: LabelState = LabelState.LABELLED,
    model_id: str | None = None,
    note: str = "",
) -> Labels:
    """Save boxes as a new revision; saving what is saved already (a second click) changes nothing.

    Args:
        store: The workspace.
        herd_id: The herd.
        picture_id: One of its pictures.
        boxes: Pixels of the upright picture; what ``data`` does not say is taken as `truth_boxes` takes it.
        based_on: The revision the edit started from; 0 where nothing was saved.
        state: LABELLED for confirmed boxes (without a box it becomes UNLABELLED, for nobody said that there are no
            cows), NO_COWS for that answer, DRAFT for boxes to be confirmed later.
        model_id: The model whose untouched boxes these are: they become the picture's draft.
        note: What there is to say about it.

    Raises:
        StaleEditError: The boxes were changed since ``based_on``; the error holds both versions.
        AnnotationError: A box has no width or no height.
        WorkspaceError: The picture is not in the herd, or the workspace cannot be written.
        ValueError: NO_COWS or UNLABELLED with boxes.
    """
    known: dict[str, Any] = {key: boxes.data.get(key) for key in ("area", "crowd", "visible_fraction")}
    boxes = truth_boxes(boxes.xyxy.astype(np.float64), names_of(boxes).tolist(), subject="labels", **known)
    if len(boxes) and state in {LabelState.NO_COWS, LabelState.UNLABELLED}:
        raise ValueError(f"{len(boxes)} boxes, and yet {state}")
    state = LabelState.UNLABELLED if state is LabelState.LABELLED and not len(boxes) else state

    def edit(now: Labels) -> Labels:
        new = replace(now, state=state, note=note)
        draft = _boxes([]) if now.draft is None else current(store, herd_id, picture_id, revision=now.draft).boxes
        if model_id is not None:
            new, draft = replace(new, state=LabelState.DRAFT, draft=None, model_id=model_id), boxes
        boxes.data["origin"] = origins(draft, boxes)
        return replace(new, boxes=boxes, tally=tally(draft, boxes))

    return _write(store, herd_id, picture_id, edit, based_on)


def restore(
    store: Store, herd_id: int, picture_id: str, revision: int, *, based_on: int, note: str = "restored"
) -> Labels:
    """Save an earlier revision again, as a new one; those between stay in the history.

    Raises:
        StaleEditError: The boxes were changed since ``based_on``, the newest revision when this was asked.
        WorkspaceError: The revision is none of this picture's, or the workspace cannot be written.
    """
    earlier = replace(current(store, herd_id, picture_id, revision=revision), note=note)
    return _write(store, herd_id, picture_id, lambda _: earlier, based_on)


def put_aside(store: Store, herd_id: int, picture_id: str, boxes: sv.Detections, *, based_on: int) -> Labels:
    """Keep boxes in the history without changing what counts: they are saved, and the newest revision once more after.

    Args:
        store: The workspace.
        herd_id: The herd.
        picture_id: One of its pictures.
        boxes: As a `StaleEditError` holds them.
        based_on: The newest revision.

    Returns:
        The newest revision, which holds what it held before.

    Raises:
        StaleEditError: The boxes were changed since ``based_on``.
        WorkspaceError: The picture is not in the herd, or the workspace cannot be written.
    """
    with store.transaction() as connection:
        now = current(store, herd_id, picture_id)
        if now.revision != based_on:
            raise StaleEditError(_name_of(store, herd_id, picture_id), boxes, now.boxes, now.revision)
        state = LabelState.DRAFT if len(boxes) else LabelState.UNLABELLED
        aside = Labels(0, state, boxes, None, "put aside", None, "", Tally())
        for one in (aside, replace(now, note="as it was")):
            _insert(connection, (herd_id, picture_id), one)
        return current(store, herd_id, picture_id)


def _write(store: Store, herd_id: int, picture_id: str, edit: Callable[[Labels], Labels], based_on: int) -> Labels:
    """Save what ``edit`` makes of the newest revision, if that is the one it is based on; give back what is saved."""
    with store.transaction() as connection:  # one writer at a time: nobody saves between the look and the writing
        now = current(store, herd_id, picture_id)
        new = edit(now)
        if _same(now, new):
            return now
        if now.revision != based_on:
            raise StaleEditError(_name_of(store, herd_id, picture_id), new.boxes, now.boxes, now.revision)
        _insert(connection, (herd_id, picture_id), new)
        return current(store, herd_id, picture_id)


def _insert(connection: Any, where: tuple[int, str], new: Labels) -> None:
    """Add a revision to a picture's history."""
    kept = (new.state.value, time.time(), new.note, new.draft, new.model_id, new.tally.removed)
    sql = "INSERT INTO revisions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)"
    number = connection.execute(sql, (*where, *kept)).lastrowid
    if new.model_id and new.draft is None:
        connection.execute("UPDATE revisions SET draft = revision WHERE revision = ?", (number,))
    rows = [(number, place, *row) for place, row in enumerate(_rows(new.boxes))]
    connection.executemany("INSERT INTO boxes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _same(one: Labels, other: Labels) -> bool:
    return (one.state, one.model_id, _rows(one.boxes)) == (other.state, other.model_id, _rows(other.boxes))


def _rows(boxes: sv.Detections) -> list[tuple[Any, ...]]:
    """A row a box: corners, class name, area, crowd, visible fraction, origin."""
    columns = (names_of(boxes), areas_of(boxes), crowds_of(boxes), boxes.data["visible_fraction"], boxes.data["origin"])
    return list(zip(*boxes.xyxy.T.tolist(), *(np.asarray(column).tolist() for column in columns), strict=True))


def _boxes(rows: Sequence[tuple[Any, ...]]) -> sv.Detections:
    names, area, crowd, visible, origin = ([row[place] for row in rows] for place in range(4, 9))
    boxes = truth_boxes([row[:4] for row in rows], names, area=area, crowd=crowd, visible_fraction=visible)
    boxes.data["origin"] = np.asarray(origin, dtype=np.str_)
    return boxes


def _labels(rows: Sequence[tuple[Any, ...]]) -> Labels:
    number, state, saved_at, note, draft, model_id, removed = rows[0][:7]
    boxes = _boxes([row[7:] for row in rows if row[7] is not None])
    accepted, corrected, drawn = ([row[15] for row in rows].count(origin.value) for origin in Origin)
    counts = Tally(accepted, corrected, drawn, removed)
    return Labels(number, LabelState(state), boxes, saved_at, note, draft, model_id, counts)


def _name_of(store: Store, herd_id: int, picture_id: str) -> str:
    rows = store.rows("SELECT name FROM herd_pictures WHERE herd_id = ? AND picture_id = ?", herd_id, picture_id)
    if not rows:
        raise WorkspaceError("picture", "it is not in the herd (any more)", "Choose another one, or add it again")
    return str(rows[0][0])
