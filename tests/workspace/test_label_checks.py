"""Hints that teach: what is odd is named with its reason, and what is right is left in peace."""

import pytest

from cowvision.data.annotations import truth_boxes
from cowvision.workspace import files
from cowvision.workspace.herd_counts import herd_counts
from cowvision.workspace.herds import LabelState, add_picture, create_herd
from cowvision.workspace.label_checks import box_hints, neighbour_hints
from cowvision.workspace.labels import save
from cowvision.workspace.store import Store
from tests.samples import truth

SIZE = (400, 300)


def about(hints: list) -> list[tuple[int, ...]]:
    return [hint.boxes for hint in hints]


def test_ordinary_boxes_are_left_in_peace() -> None:
    assert box_hints(truth([[0, 0, 100, 100], [90, 90, 400, 300]]), SIZE) == []
    assert box_hints(truth([]), SIZE) == []


def test_a_tiny_box_and_one_outside() -> None:
    hints = box_hints(truth([[10, 10, 17.9, 60], [380, 10, 405, 60]]), SIZE)
    assert about(hints) == [(1,), (2,)]
    assert "7.9 × 50.0 pixels" in hints[0].words
    assert "5.0 pixels outside" in hints[1].words


def test_two_boxes_on_one_animal() -> None:
    pair = [[10, 10, 110, 110], [12, 10, 112, 110]]
    [hint] = box_hints(truth(pair), SIZE)
    assert hint.boxes == (1, 2)
    assert "96%" in hint.words
    assert box_hints(truth_boxes(pair, ["cow", "person"]), SIZE) == [], "a rider is no second horse"
    assert box_hints(truth_boxes(pair, ["cow", "cow"], crowd=[True, False]), SIZE) == []


@pytest.mark.parametrize(("cows", "odd"), [(2, 1), (3, 0), (6, 0), (17, 0), (18, 1), (0, 1)])
def test_a_picture_unlike_its_neighbours(cows, odd) -> None:
    assert len(neighbour_hints(cows, [5, 6, 6, 7, 6])) == odd


def test_a_small_herd_has_no_middle_yet() -> None:
    assert neighbour_hints(0, [9, 9, 9, 9]) == []


@pytest.mark.parametrize(("cows", "seen", "odd"), [(4, 8, 1), (4, 7, 0), (0, 2, 0), (0, 3, 1), (9, 9, 0)])
def test_a_model_that_sees_another_number(cows, seen, odd) -> None:
    hints = neighbour_hints(cows, [], ("Herd fine-tuned", seen))
    assert len(hints) == odd


def test_only_answers_are_neighbours(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    store = Store(files.store_path())
    herd = create_herd(store, "Meadow").herd_id
    ids = [add_picture(store, herd, bytes([number]), f"{number}.jpg", SIZE) for number in range(5)]
    two = truth_boxes([[0, 0, 9, 9], [9, 9, 50, 50]], ["cow", "cow"])
    save(store, herd, ids[0], two, based_on=0)
    save(store, herd, ids[1], two, based_on=0, state=LabelState.DRAFT)
    save(store, herd, ids[2], truth([]), based_on=0, state=LabelState.NO_COWS)
    last = save(store, herd, ids[3], two, based_on=0).revision
    save(store, herd, ids[3], truth([[0, 0, 9, 9]], name="dog"), based_on=last)
    counts = herd_counts(store, herd)
    assert counts.cows == {ids[0]: 2, ids[2]: 0, ids[3]: 0}
    assert counts.class_names == ("cow", "dog")
