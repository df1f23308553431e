"""The sets that models are judged on: what is in them, and what tells them apart."""

from dataclasses import replace

import pytest
import streamlit as st

from cowvision.ui import evaluation_sets
from cowvision.ui.evaluation_sets import EvaluationSet
from cowvision.ui.gallery import GalleryPicture
from tests.samples import truth


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    st.cache_resource.clear()


def picture(number: int, cows: int = 1) -> GalleryPicture:
    drawn = truth([[10 * n, 0, 10 * n + 9, 9] for n in range(cows)])
    return GalleryPicture(f"p{number}", f"P{number}", "", f"p{number}.jpg", f"{number:064x}", truth=drawn)


def test_what_ships_is_there_and_read_lazily() -> None:
    assert list(evaluation_sets.set_titles()) == ["test-herd", "stills", "tutorial"]
    herd = evaluation_sets.read_set("test-herd")
    assert len(herd.pictures) == len(herd.truths) == 128
    assert len({one.id for one in herd.pictures}) == 128
    assert herd.pictures[0].picture().id == herd.pictures[0].id


def test_the_tutorial_has_its_two_pictures() -> None:
    assert [one.key for one in evaluation_sets.read_set("tutorial").pictures] == ["farmer_and_cows", "many_cows"]


def test_the_id_follows_pictures_truth_and_order() -> None:
    one, two = picture(1), picture(2)
    base = EvaluationSet("k", "T", "", [one, two])
    others = [[two, one], [one], [one, picture(2, cows=2)], [one, replace(two, truth=truth([[0, 0, 9, 9]], "dog"))]]
    ids = {EvaluationSet("k", "T", "", some).id for some in others}
    assert len(ids | {base.id}) == 5
    assert EvaluationSet("other", "Name", "", [one, two]).id == base.id


def test_a_part_of_a_set_is_another_set_and_the_whole_is_itself() -> None:
    whole = EvaluationSet("k", "T", "", [picture(1), picture(2)], left_out=3, herd_id=7)
    assert whole.only([one.id for one in whole.pictures]) is whole
    part = whole.only([picture(2).id])
    assert [one.key for one in part.pictures] == ["p2"]
    assert (part.left_out, part.herd_id) == (3, 7)
    assert part.id != whole.id
