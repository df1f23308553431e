"""Raw detections kept by picture and model: the same picture is never looked at twice, on any page or day."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

import numpy as np
import supervision as sv

from cowvision.models.catalog import ModelSpec
from cowvision.workspace.store import Store
from cowvision.workspace.trays import is_used

MOST_KEPT = 20_000
"""Predictions kept (at most some 3 KB each); the oldest go first."""


def kept_detections(store: Store, picture_id: str, spec: ModelSpec) -> sv.Detections | None:
    """What ``spec`` found on a picture before, as ``DetectionBox.predict`` returned it; None if it never looked.

    Raises:
        WorkspaceError: The workspace cannot be read.
    """
    return kept_for_all(store, [picture_id], spec).get(picture_id)


def kept_for_all(store: Store, picture_ids: Iterable[str], spec: ModelSpec) -> dict[str, sv.Detections]:
    """``kept_detections`` of many pictures in one query; those that it never looked at are left out.

    Raises:
        WorkspaceError: The workspace cannot be read.
    """
    sql = (
        "SELECT picture_id, xyxy, scores, class_ids FROM predictions "
        "WHERE model_id = ? AND picture_id IN (SELECT value FROM json_each(?))"
    )
    rows = store.rows(sql, spec.id, json.dumps(list(picture_ids)))
    return {str(picture_id): _detections(spec, *arrays) for picture_id, *arrays in rows}


def keep_detections(
    store: Store, picture_id: str, spec: ModelSpec, detections: sv.Detections, *, while_used: bool = False
) -> None:
    """Keep what ``predict`` returned for a picture.

    Args:
        store: The workspace.
        picture_id: sha256 of the picture's bytes.
        spec: The model.
        detections: What it found.
        while_used: Keep nothing if no tray and no herd has the picture any more: it was removed during the look.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    if detections.confidence is None or detections.class_id is None:
        raise ValueError("raw detections carry scores and class ids")
    arrays = (
        np.ascontiguousarray(detections.xyxy, np.float32),
        np.ascontiguousarray(detections.confidence, np.float32),
        np.ascontiguousarray(detections.class_id, np.int64),
    )
    with store.transaction() as connection:
        if while_used and not is_used(store, picture_id):
            return
        values = (picture_id, spec.id, time.time(), *(array.tobytes() for array in arrays))
        connection.execute("INSERT OR REPLACE INTO predictions VALUES (?, ?, ?, ?, ?, ?)", values)
        [count] = connection.execute("SELECT count(*) FROM predictions").fetchone()
        if count > MOST_KEPT:
            oldest = "SELECT picture_id, model_id FROM predictions ORDER BY made_at LIMIT ?"
            connection.execute(
                f"DELETE FROM predictions WHERE (picture_id, model_id) IN ({oldest})",  # noqa: S608 - no input in it
                (count - MOST_KEPT,),
            )


def _detections(spec: ModelSpec, xyxy: bytes, scores: bytes, class_ids: bytes) -> sv.Detections:
    labels = np.frombuffer(class_ids, np.int64).copy()
    return sv.Detections(
        xyxy=np.frombuffer(xyxy, np.float32).reshape(-1, 4).copy(),
        confidence=np.frombuffer(scores, np.float32).copy(),
        class_id=labels,
        data={"class_name": np.asarray([spec.class_name(int(label)) for label in labels], dtype=np.str_)},
    )
