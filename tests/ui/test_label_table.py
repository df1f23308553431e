"""Boxes as numbers: wrong rows are named, right ones kept to the last digit."""

import numpy as np
import pandas as pd
import pytest

from cowvision.data.annotations import areas_of, crowds_of, names_of, truth_boxes
from cowvision.errors import AnnotationError
from cowvision.ui.labelling_table import as_table, read_table

SIZE = (400, 300)
STORED = truth_boxes(
    [[1.23456789, 2, 30, 40], [50, 60, 70.7777777, 80]], ["cow", "dog"], area=[7, 8], crowd=[False, True]
)


def edited(**cells: object) -> pd.DataFrame:
    """The table with cells of its second row changed."""
    table = as_table(STORED)
    for column, value in cells.items():
        table[column] = table[column].astype(object)
        table.loc[2, column] = value
    return table


def read(table: pd.DataFrame):
    return read_table(table, as_table(STORED), STORED, SIZE)


def test_nothing_edited_is_nothing_changed() -> None:
    boxes = read(as_table(STORED)).boxes
    assert np.array_equal(boxes.xyxy, STORED.xyxy)
    assert areas_of(boxes).tolist() == [7, 8]


def test_one_number_changes_one_row() -> None:
    boxes = read(edited(x_min=51.5)).boxes
    assert boxes.xyxy[0].tolist() == STORED.xyxy[0].tolist()
    assert np.allclose(boxes.xyxy[1], [51.5, 60, 70.78, 80])
    assert crowds_of(boxes).tolist() == [False, True]


@pytest.mark.parametrize(
    ("cells", "cause"),
    [
        ({"x_max": 40}, "x_max (40) must be larger than x_min (50)"),
        ({"y_max": 60}, "y_max (60) must be larger than y_min (60)"),
        ({"y_min": float("inf")}, "not a finite number"),
        ({"x_max": 401}, "outside the picture of 400 x 300"),
        ({"x_min": -1}, "outside the picture"),
    ],
)
def test_a_wrong_row_is_named_in_one_sentence(cells, cause) -> None:
    with pytest.raises(AnnotationError) as caught:
        read(edited(**cells))
    assert caught.value.subject == "row 2"
    assert cause in caught.value.cause


@pytest.mark.parametrize("empty", [None, float("nan"), pd.NA])
def test_a_row_that_is_not_filled_in_yet_waits(empty) -> None:
    assert read(edited(y_max=empty)).unfinished == (2,)


def test_rows_come_and_go() -> None:
    table = as_table(STORED).drop(index=1)
    table.loc[9] = [5.0, 6.0, 7.5, 8.5, "horse"]
    boxes = read(table).boxes
    assert boxes.xyxy.tolist() == [STORED.xyxy[1].tolist(), [5, 6, 7.5, 8.5]]
    assert names_of(boxes).tolist() == ["dog", "horse"]


def test_an_empty_table_is_no_boxes() -> None:
    nothing = truth_boxes([], [])
    assert len(read_table(as_table(nothing), as_table(nothing), nothing, SIZE).boxes) == 0
