"""Herds: named sets of pictures that are labelled by one rule."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from enum import StrEnum

from cowvision.errors import WorkspaceError
from cowvision.workspace.store import Store
from cowvision.workspace.trays import kept_with_its_row, release

LONGEST_NAME = 80

_HERDS = """
    SELECT herd_id, name, rule,
        (SELECT count(*) FROM herd_pictures AS one WHERE one.herd_id = herds.herd_id),
        (SELECT count(*) FROM current_revisions AS one
            WHERE one.herd_id = herds.herd_id AND state IN ('labelled', 'no cows')),
        (SELECT count(*) FROM current_revisions AS one JOIN boxes USING (revision)
            WHERE one.herd_id = herds.herd_id AND state = 'labelled')
    FROM herds WHERE herd_id = coalesce(?, herd_id) ORDER BY herd_id
"""
_PICTURES = """
    SELECT one.picture_id, name, width, height, coalesce(state, 'unlabelled')
    FROM herd_pictures AS one LEFT JOIN current_revisions USING (herd_id, picture_id)
    WHERE herd_id = ? ORDER BY one.rowid
"""


class LabellingRule(StrEnum):
    """What a box goes around where a part of the animal is hidden; a herd keeps to one."""

    HEAD = "head"
    WHOLE = "whole"

    @property
    def words(self) -> str:
        """The rule as people read it."""
        return "head only" if self is LabellingRule.HEAD else "whole animal, also what is hidden"


class LabelState(StrEnum):
    """How far the labelling of a picture is."""

    UNLABELLED = "unlabelled"  # no answer: never saved, or all boxes taken away without a word
    DRAFT = "draft"  # boxes nobody confirmed yet: a model's, or somebody's in the middle of it
    LABELLED = "labelled"  # at least one box, and all were confirmed
    NO_COWS = "no cows"  # somebody said that there are none


@dataclass(frozen=True)
class Herd:
    """A herd and how far its labelling is.

    Attributes:
        herd_id: Its number; never given again, also not after it was deleted.
        name: Its name, unlike that of every other herd.
        rule: Its labelling rule; None as long as nobody was asked.
        pictures: How many pictures it has.
        labelled: How many of them have boxes somebody confirmed, or the answer "no cows here".
        boxes: Confirmed boxes on them; drafts are not counted.
    """

    herd_id: int
    name: str
    rule: LabellingRule | None
    pictures: int
    labelled: int
    boxes: int


@dataclass(frozen=True)
class HerdPicture:
    """A picture of a herd: sha256 of its bytes, name for people, upright width and height in pixels, how far it is."""

    picture_id: str
    name: str
    resolution_wh: tuple[int, int]
    state: LabelState


def all_herds(store: Store) -> list[Herd]:
    """All herds, the oldest first.

    Raises:
        WorkspaceError: The workspace cannot be read.
    """
    return _herds(store, None)


def read_herd(store: Store, herd_id: int) -> Herd:
    """One herd.

    Raises:
        WorkspaceError: There is no such herd (any more), or the workspace cannot be read.
    """
    found = _herds(store, herd_id)
    if not found:
        raise WorkspaceError("herd", "it was deleted, perhaps in another tab", "Choose another herd, or make a new one")
    return found[0]


def create_herd(store: Store, name: str) -> Herd:
    """Make an empty herd.

    Raises:
        WorkspaceError: The name is empty, too long or taken, or the workspace cannot be written.
    """
    with store.transaction() as connection:
        values = (_free_name(store, name), time.time())
        made = connection.execute("INSERT INTO herds (name, made_at) VALUES (?, ?)", values)
        return read_herd(store, int(made.lastrowid or 0))


def rename_herd(store: Store, herd_id: int, name: str) -> Herd:
    """Give a herd another name.

    Raises:
        WorkspaceError: There is no such herd, or as for `create_herd`.
    """
    with store.transaction() as connection:
        values = (_free_name(store, name, but=read_herd(store, herd_id)), herd_id)
        connection.execute("UPDATE herds SET name = ? WHERE herd_id = ?", values)
        return read_herd(store, herd_id)


def set_rule(store: Store, herd_id: int, rule: LabellingRule) -> Herd:
    """Keep the answer to "head only, or the whole animal?".

    Raises:
        WorkspaceError: There is no such herd, or the workspace cannot be written.
    """
    with store.transaction() as connection:
        connection.execute("UPDATE herds SET rule = ? WHERE herd_id = ?", (rule.value, herd_id))
        return read_herd(store, herd_id)


def delete_herd(store: Store, herd_id: int) -> None:
    """Delete a herd, its boxes with their history, and those pictures that no tray and no other herd has.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    pictures = "DELETE FROM herd_pictures WHERE herd_id = ? RETURNING picture_id"
    release(store, (herd_id,), pictures, "DELETE FROM herds WHERE herd_id = ?")


def pictures_of(store: Store, herd_id: int) -> list[HerdPicture]:
    """A herd's pictures, in the order in which they came.

    Raises:
        WorkspaceError: There is no such herd, or the workspace cannot be read.
    """
    read_herd(store, herd_id)
    return [
        HerdPicture(str(digest), str(name), (int(width), int(height)), LabelState(state))
        for digest, name, width, height, state in store.rows(_PICTURES, herd_id)
    ]


def add_picture(store: Store, herd_id: int, data: bytes, name: str, resolution_wh: tuple[int, int]) -> str:
    """Add a picture and keep its bytes; one that is there already keeps its place, name and boxes.

    Args:
        store: The workspace.
        herd_id: The herd.
        data: The file's bytes, which decoded as a picture before.
        name: Its name for people.
        resolution_wh: Width and height in pixels, upright.

    Returns:
        The picture's id, the sha256 of its bytes.

    Raises:
        WorkspaceError: There is no such herd, or the workspace cannot be written.
    """
    digest = hashlib.sha256(data).hexdigest()
    with kept_with_its_row(store, data) as connection:
        read_herd(store, herd_id)
        values = (herd_id, digest, name, *resolution_wh, time.time())
        connection.execute("INSERT OR IGNORE INTO herd_pictures VALUES (?, ?, ?, ?, ?, ?)", values)
    return digest


def remove_picture(store: Store, herd_id: int, picture_id: str) -> None:
    """Remove a picture with its boxes and their history; its bytes stay while a tray or another herd has it.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    sql = "DELETE FROM herd_pictures WHERE herd_id = ? AND picture_id = ? RETURNING picture_id"
    release(store, (herd_id, picture_id), sql)


def _herds(store: Store, herd_id: int | None) -> list[Herd]:
    return [
        Herd(int(number), str(name), LabellingRule(rule) if rule else None, int(pictures), int(labelled), int(boxes))
        for number, name, rule, pictures, labelled, boxes in store.rows(_HERDS, herd_id)
    ]


def _free_name(store: Store, name: str, but: Herd | None = None) -> str:
    """The name as it is kept: of one line; taken is also what differs in capitals only."""
    kept = " ".join(name.split())
    if not 0 < len(kept) <= LONGEST_NAME:
        cause = f"a name has 1 to {LONGEST_NAME} signs, this one has {len(kept)}"
        raise WorkspaceError("name of the herd", cause, "Give it another name")
    taken = {
        str(other).casefold()
        for number, other in store.rows("SELECT herd_id, name FROM herds")
        if but is None or number != but.herd_id
    }
    if kept.casefold() in taken:
        raise WorkspaceError(kept, "there is a herd of that name already", "Choose another name")
    return kept
