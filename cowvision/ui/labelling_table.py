"""The same boxes as numbers: the way for whoever draws with keys, and for whoever wants the very pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
import supervision as sv

from cowvision.data.annotations import areas_of, crowds_of, names_of, truth_boxes
from cowvision.errors import AnnotationError
from cowvision.ui import labelling_actions as actions
from cowvision.ui import widgets
from cowvision.ui.canvas import NARROW_ROOM
from cowvision.ui.labelling_room import whole_width
from cowvision.ui.labelling_session import Desk

SIDES = ("x_min", "y_min", "x_max", "y_max")
DIGITS = 2
_NARROW = 52  # pixels of a column


@dataclass(frozen=True, eq=False)
class TableReading:
    """What a table says: the boxes of its rows, or rows that are not filled in yet."""

    boxes: sv.Detections
    unfinished: tuple[int, ...]


def edit_boxes(desk: Desk, resolution_wh: tuple[int, int], class_names: list[str]) -> None:
    """Show the table; a change that can be saved is saved, and the canvas follows."""
    shown = as_table(desk.labels.boxes)
    width, height = resolution_wh
    limits = {"x_min": width, "x_max": width, "y_min": height, "y_max": height}
    is_narrow = whole_width() < NARROW_ROOM  # on a phone every column is to be seen, if in short
    numbers = {
        side: st.column_config.NumberColumn(
            short if is_narrow else side, help=f"{side}, in pixels, 0 to {limits[side]}", step=0.01,
            format="%.0f" if is_narrow else "%.1f", width=_NARROW if is_narrow else None,
        )
        for side, short in zip(SIDES, ("x0", "y0", "x1", "y1"), strict=True)
    }  # fmt: skip
    edited = st.data_editor(
        shown,
        num_rows="dynamic",
        hide_index=is_narrow,
        width="stretch",
        key=f"table_{desk.key}_{desk.labels.revision}",
        column_config={
            **numbers,
            "class": st.column_config.SelectboxColumn(
                "class", options=class_names, default=class_names[0], width=_NARROW + 8 if is_narrow else None
            ),
        },
    )
    try:
        reading = read_table(edited, shown, desk.labels.boxes, resolution_wh)
    except AnnotationError as error:
        widgets.show_error(error)
        st.caption("The table keeps what you typed; nothing of it is saved before this is right.")
        return
    if reading.unfinished:
        rows = ", ".join(map(str, reading.unfinished))
        st.caption(f"Row {rows} is not filled in yet; the table is saved as soon as it is.")
    elif edited.shape != shown.shape or not edited.equals(shown):
        actions.keep(desk, reading.boxes, "numbers edited")
        desk.begin_anew()
        st.rerun()


def as_table(boxes: sv.Detections) -> pd.DataFrame:
    """A row a box, counted from 1, with numbers of two digits."""
    sides = np.asarray(boxes.xyxy, np.float64).reshape(-1, 4).round(DIGITS)
    columns: dict[str, Any] = {side: sides[:, place] for place, side in enumerate(SIDES)}
    columns["class"] = names_of(boxes).astype(object)
    return pd.DataFrame(columns, index=pd.RangeIndex(1, len(boxes) + 1))


def read_table(
    edited: pd.DataFrame, shown: pd.DataFrame, stored: sv.Detections, resolution_wh: tuple[int, int]
) -> TableReading:
    """Boxes of an edited table; rows nobody touched keep every digit, and their area and marks.

    Args:
        edited: The table as it is now; its index names the rows of ``shown`` it began with.
        shown: The table as it was shown, made by `as_table` of ``stored``.
        stored: The boxes that are stored.
        resolution_wh: Width and height of the picture in pixels.

    Raises:
        AnnotationError: A row is inverted, not finite or outside the picture; the error names it.
    """
    corners: list[tuple[float, ...]] = []
    about: list[tuple[str, float, bool, float]] = []
    unfinished = []
    visible = np.asarray(stored.data.get("visible_fraction", np.ones(len(stored))), dtype=np.float64)
    for number, (index, row) in enumerate(edited.iterrows(), start=1):
        known = index - 1 if isinstance(index, int | np.integer) and index in shown.index else None
        if known is not None and row.equals(shown.loc[index]):
            corners.append(tuple(stored.xyxy[known].tolist()))
            about.append(
                (str(row["class"]), float(areas_of(stored)[known]), bool(crowds_of(stored)[known]), visible[known])
            )
        elif any(_is_empty(row[column]) for column in (*SIDES, "class")):
            unfinished.append(number)
        else:
            box = _checked(number, [float(row[side]) for side in SIDES], resolution_wh)
            corners.append(box)
            crowd = known is not None and bool(crowds_of(stored)[known])
            about.append((str(row["class"]), (box[2] - box[0]) * (box[3] - box[1]), crowd, 1.0))
    boxes = truth_boxes(
        corners,
        [name for name, *_ in about],
        area=[area for _, area, *_ in about],
        crowd=[crowd for *_, crowd, _ in about],
        visible_fraction=[share for *_, share in about],
    )
    return TableReading(boxes, tuple(unfinished))


def _is_empty(value: Any) -> bool:
    return value is None or value is pd.NA or value == "" or (isinstance(value, float) and math.isnan(value))


def _checked(number: int, sides: list[float], resolution_wh: tuple[int, int]) -> tuple[float, float, float, float]:
    subject, (x_min, y_min, x_max, y_max) = f"row {number}", sides
    width, height = resolution_wh
    if not all(map(math.isfinite, sides)):
        raise AnnotationError(subject, "a side of the box is not a finite number", "Type the pixels again")
    for axis, low, high in (("x", x_min, x_max), ("y", y_min, y_max)):
        if high <= low:
            cause = f"{axis}_max ({high:g}) must be larger than {axis}_min ({low:g})"
            raise AnnotationError(subject, cause, "Exchange the two, or correct one")
    if x_min < 0 or y_min < 0 or x_max > width or y_max > height:
        cause = f"the box reaches outside the picture of {width} x {height} pixels"
        raise AnnotationError(subject, cause, f"Keep x within 0 to {width} and y within 0 to {height}")
    return x_min, y_min, x_max, y_max
