"""What people said is truly on a herd's pictures: the answers that count as truth, all at once."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

import supervision as sv

from cowvision.data.annotations import truth_boxes
from cowvision.workspace.store import Store

_TRUTHS = """
    SELECT picture_id, x_min, y_min, x_max, y_max, class_name, area, crowd, visible_fraction
    FROM current_revisions LEFT JOIN boxes USING (revision)
    WHERE herd_id = ? AND state IN ('labelled', 'no cows') ORDER BY picture_id, place
"""


def truths_of(store: Store, herd_id: int) -> dict[str, sv.Detections]:
    """Confirmed truth by picture id; "no cows here" is truth too, drafts and pictures without an answer are left out.

    Raises:
        WorkspaceError: The workspace cannot be read.
    """
    rows = store.rows(_TRUTHS, herd_id)
    truths = {}
    for picture_id, group in groupby(rows, key=itemgetter(0)):
        boxes = [row[1:] for row in group if row[1] is not None]
        names, area, crowd, visible = ([box[place] for box in boxes] for place in range(4, 8))
        truths[str(picture_id)] = truth_boxes(
            [box[:4] for box in boxes], names, area=area, crowd=crowd, visible_fraction=visible
        )
    return truths


def newest_revision(store: Store, herd_id: int) -> int:
    """Number of a herd's newest revision, 0 without any: as long as it and the herd's pictures stay, so do its truths.

    Raises:
        WorkspaceError: The workspace cannot be read.
    """
    [(newest,)] = store.rows("SELECT coalesce(max(revision), 0) FROM revisions WHERE herd_id = ?", herd_id)
    return int(newest)
