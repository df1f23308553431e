"""What a herd's boxes are, counted: for comparing a picture with its neighbours, and for the choice of classes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from cowvision.workspace.herds import LabelState
from cowvision.workspace.store import Store

_COUNTS = """
    SELECT picture_id, state, class_name, count(class_name)
    FROM current_revisions LEFT JOIN boxes USING (revision)
    WHERE herd_id = ? GROUP BY picture_id, class_name
"""
_ANSWERED = {LabelState.LABELLED.value, LabelState.NO_COWS.value}


@dataclass(frozen=True)
class HerdCounts:
    """The boxes of a herd.

    Attributes:
        cows: Cows on each picture with an answer, by the picture's id; drafts are not counted.
        class_names: The classes in use, drafts included, the most frequent first.
        boxes: All boxes, drafts included.
    """

    cows: dict[str, int]
    class_names: tuple[str, ...]
    boxes: int = 0


def herd_counts(store: Store, herd_id: int) -> HerdCounts:
    """Count the newest boxes of all pictures of a herd; errors as those of `Store.rows`."""
    cows: dict[str, int] = {}
    names: Counter[str] = Counter()
    for picture_id, state, name, count in store.rows(_COUNTS, herd_id):
        if name is not None:
            names[str(name)] += count
        if state in _ANSWERED:
            cows[str(picture_id)] = cows.get(str(picture_id), 0) + (count if name == "cow" else 0)
    return HerdCounts(cows, tuple(name for name, _ in names.most_common()), names.total())
