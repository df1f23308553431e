"""What counts as truth of a herd."""

import numpy as np
import pytest

from cowvision.data.annotations import crowds_of, names_of
from cowvision.workspace.herds import LabelState, add_picture, create_herd
from cowvision.workspace.labels import current, save
from cowvision.workspace.store import Store
from cowvision.workspace.truths import newest_revision, truths_of
from tests.samples import truth

COWS = truth([[1.25, 2, 30, 40], [50, 2, 90, 40]], crowd=[False, True])


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    return Store(tmp_path / "workspace.sqlite3")


def picture(store: Store, herd: int, number: int) -> str:
    return add_picture(store, herd, bytes([number]), f"{number}.jpg", (100, 50))


def test_only_confirmed_answers_are_truth(store) -> None:
    herd = create_herd(store, "Mine").herd_id
    states = [LabelState.LABELLED, LabelState.DRAFT, LabelState.NO_COWS, LabelState.UNLABELLED]
    ids = [picture(store, herd, number) for number in range(4)]
    for digest, state in zip(ids, states, strict=True):
        drawn = COWS if state in {LabelState.LABELLED, LabelState.DRAFT} else truth([])
        if state is not LabelState.UNLABELLED:
            save(store, herd, digest, drawn, based_on=0, state=state)
    found = truths_of(store, herd)
    assert found.keys() == {ids[0], ids[2]}
    assert len(found[ids[2]]) == 0
    np.testing.assert_array_equal(found[ids[0]].xyxy, COWS.xyxy)
    assert names_of(found[ids[0]]).tolist() == ["cow", "cow"]
    assert crowds_of(found[ids[0]]).tolist() == [False, True]


def test_the_newest_revision_counts_and_its_number_tells_of_it(store) -> None:
    herd, other = create_herd(store, "Mine").herd_id, create_herd(store, "Other").herd_id
    digest = picture(store, herd, 1)
    assert newest_revision(store, herd) == 0
    first = save(store, herd, digest, COWS, based_on=0)
    second = save(store, herd, digest, truth([[5, 5, 20, 20]]), based_on=first.revision)
    assert newest_revision(store, herd) == second.revision == current(store, herd, digest).revision
    assert truths_of(store, herd)[digest].xyxy.tolist() == [[5, 5, 20, 20]]
    assert truths_of(store, other) == {}
    assert newest_revision(store, other) == 0
