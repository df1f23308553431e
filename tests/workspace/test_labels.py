"""Boxes and their history: what was acknowledged is there after any death, and nobody overwrites unseen."""

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import supervision as sv

from cowvision.errors import AnnotationError, StaleEditError, WorkspaceError
from cowvision.workspace import files
from cowvision.workspace.herds import LabelState, add_picture, create_herd, pictures_of, remove_picture
from cowvision.workspace.labels import Labels, current, history, restore, save
from cowvision.workspace.origins import Tally, origins, tally
from cowvision.workspace.store import Store
from tests.samples import boxes as detections
from tests.samples import truth

A, B, C = [0, 0, 100, 100], [200, 0, 300, 100], [0, 200, 100, 300]
HERD = 1


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def store() -> Store:
    made = Store(files.store_path())
    assert create_herd(made, "Meadow").herd_id == HERD
    return made


@pytest.fixture
def picture(store) -> str:
    return add_picture(store, HERD, b"picture", "a.jpg", (400, 300))


def boxes_of(labels: Labels) -> list:
    return labels.boxes.xyxy.tolist()


# --- killed at any moment, and two at once


def boxes_number(number: int) -> sv.Detections:
    """Thirty boxes that only revision ``number`` has."""
    corners = np.arange(30)[:, None] * [1.0, 1.0, 1.0, 1.0] + [number, number / 3, number + 10.5, number + 20]
    return truth(corners.tolist())


def save_many(path: str, picture: str, told: str, die_at: int) -> None:
    """Save 200 revisions, telling of each once `save` came back; dies itself before statement ``die_at``, if given."""
    store, statements = Store(path), iter(range(10**9))
    if die_at:
        store._connection().set_trace_callback(lambda _: os._exit(9) if next(statements) == die_at else None)
    with Path(told).open("ab", buffering=0) as acknowledged:
        last = current(store, HERD, picture).revision
        for number in range(200):
            last = save(store, HERD, picture, boxes_number(number), based_on=last).revision
            acknowledged.write(f"{last} {number}\n".encode())


@pytest.mark.parametrize("seed", range(6))
def test_killed_while_saving_every_acknowledged_revision_is_there(store, picture, tmp_path, seed) -> None:
    chance, told = random.Random(seed), tmp_path / "told"
    die_at = chance.randint(20, 5000) if seed % 2 else 0
    told.touch()
    arguments = (str(store.path), picture, str(told), die_at)
    process = multiprocessing.get_context("spawn").Process(target=save_many, args=arguments)
    process.start()
    if not die_at:
        wanted, until = chance.randint(1, 150), time.monotonic() + 120
        while told.read_bytes().count(b"\n") < wanted and time.monotonic() < until:
            time.sleep(0.0005)
        time.sleep(chance.random() / 200)
        os.kill(process.pid, signal.SIGKILL)
    process.join(180)
    assert process.exitcode == (9 if die_at else -signal.SIGKILL), "it was to be killed before it was done"

    again = Store(store.path)
    acknowledged = [tuple(map(int, line.split())) for line in told.read_text().splitlines()]
    assert acknowledged
    assert again.rows("PRAGMA integrity_check") == [("ok",)]
    kept = sorted(one.revision for one in history(again, HERD, picture))
    assert len(kept) - len(acknowledged) in {0, 1}, "at most the one that was not told of yet"
    numbers = [number for _, number in acknowledged]
    for revision, number in zip(kept, [*numbers, len(numbers)], strict=False):
        assert boxes_of(current(again, HERD, picture, revision=revision)) == boxes_number(number).xyxy.tolist()
    assert [revision for revision, _ in acknowledged] == kept[: len(acknowledged)]
    assert save(again, HERD, picture, truth([A]), based_on=kept[-1]).revision > kept[-1]


def test_what_was_acknowledged_is_on_the_disk_before(store) -> None:
    full = 2  # SQLite's number for it; nothing less outlives a power cut, which no test can make
    assert store.rows("PRAGMA synchronous") == [(full,)]


def save_at_once(path: str, picture: str, side: int, barrier, answers) -> None:
    store = Store(path)
    for turn in range(15):
        seen = current(store, HERD, picture).revision
        mine = [[side, turn, side + 10.0, turn + 10.0]]
        barrier.wait(60)
        try:
            revision = save(store, HERD, picture, truth(mine), based_on=seen).revision
            answers.put((turn, "saved", revision, mine, None))
        except StaleEditError as error:
            answers.put((turn, "stale", error.revision, error.yours.xyxy.tolist(), error.theirs.xyxy.tolist()))
        barrier.wait(60)


def test_of_two_processes_that_save_at_once_one_wins_and_the_other_is_shown_both(store, picture) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    processes = [
        context.Process(target=save_at_once, args=(str(store.path), picture, side, barrier, answers)) for side in (1, 2)
    ]
    for process in processes:
        process.start()
    told = [answers.get(timeout=120) for _ in range(30)]
    for process in processes:
        process.join(60)
    for turn in range(15):
        winner, loser = sorted((one for one in told if one[0] == turn), key=lambda one: one[1])
        assert (winner[1], loser[1]) == ("saved", "stale")
        assert loser[2] == winner[2]
        assert loser[4] == winner[3], "the loser is shown the winner's boxes"
        assert loser[3] != winner[3], "and has its own still"
    assert len(history(store, HERD, picture)) == 15


# --- one edit after another


def test_a_stale_edit_is_refused_with_both_versions_and_nothing_is_lost(store, picture) -> None:
    first = save(store, HERD, picture, truth([A]), based_on=0)
    theirs = save(store, HERD, picture, truth([A, B]), based_on=first.revision)
    with pytest.raises(StaleEditError, match=r"a\.jpg.*2 are saved now.*your 1 ") as caught:
        save(store, HERD, picture, truth([C]), based_on=first.revision)
    error = caught.value
    assert isinstance(error, WorkspaceError)
    assert (error.yours.xyxy.tolist(), error.theirs.xyxy.tolist()) == ([C], [A, B])
    assert error.revision == theirs.revision == current(store, HERD, picture).revision
    merged = save(store, HERD, picture, truth([A, B, C]), based_on=error.revision)
    assert boxes_of(merged) == [A, B, C]


@pytest.mark.parametrize("based_on", [0, 99])
def test_an_edit_based_on_what_never_was_is_stale(store, picture, based_on) -> None:
    save(store, HERD, picture, truth([A]), based_on=0)
    with pytest.raises(StaleEditError):
        save(store, HERD, picture, truth([B]), based_on=based_on)


def test_a_picture_that_left_and_came_back_does_not_take_an_edit_of_before(store, picture) -> None:
    before = save(store, HERD, picture, truth([A]), based_on=0)
    remove_picture(store, HERD, picture)
    with pytest.raises(WorkspaceError, match="not in the herd"):
        save(store, HERD, picture, truth([B]), based_on=before.revision)
    add_picture(store, HERD, b"picture", "a.jpg", (400, 300))
    save(store, HERD, picture, truth([C]), based_on=0)
    with pytest.raises(StaleEditError):
        save(store, HERD, picture, truth([B]), based_on=before.revision)


def test_a_second_click_changes_nothing(store, picture) -> None:
    first = save(store, HERD, picture, truth([A]), based_on=0)
    again = save(store, HERD, picture, truth([A]), based_on=0)
    assert again.revision == first.revision
    assert len(history(store, HERD, picture)) == 1


@pytest.mark.parametrize(
    "other",
    [
        truth([[0, 0, 100, 100.000001]]),
        truth([A], name="bull"),
        truth([A], crowd=[True]),
        truth([A], visible_fraction=[0.5]),
        truth([A], area=[17.0]),
    ],
    ids=["corner", "class", "crowd", "visible", "area"],
)
def test_every_change_is_a_revision(store, picture, other) -> None:
    first = save(store, HERD, picture, truth([A]), based_on=0)
    assert save(store, HERD, picture, other, based_on=first.revision).revision > first.revision


# --- what comes back


def test_boxes_come_back_to_the_last_digit(store, picture) -> None:
    given = truth([[0.1, 1 / 3, 1e5 + 1 / 7, 2e5], B], crowd=[False, True], visible_fraction=[0.3, 1], area=[12.5, 9.0])
    given.data["class_name"] = np.array(["Kuh 🐄", "cow"])
    save(store, HERD, picture, given, based_on=0, note="noted")
    labels = current(Store(store.path), HERD, picture)
    assert labels.boxes.xyxy.dtype == np.float64
    np.testing.assert_array_equal(labels.boxes.xyxy, given.xyxy)
    for key in ("class_name", "area", "crowd", "visible_fraction"):
        np.testing.assert_array_equal(labels.boxes.data[key], given.data[key])
        assert labels.boxes.data[key].dtype.kind == given.data[key].dtype.kind
    assert labels.boxes.data["origin"].tolist() == ["drawn", "drawn"]
    assert labels.note == "noted"
    assert abs(labels.saved_at - time.time()) < 60


def test_a_models_detections_are_taken_as_they_are(store, picture) -> None:
    labels = save(store, HERD, picture, detections([A], [0.9]), based_on=0, model_id="m")
    assert labels.boxes.data["area"].tolist() == [10000.0]
    assert labels.boxes.data["visible_fraction"].tolist() == [1.0]
    assert labels.boxes.data["crowd"].tolist() == [False]


def test_what_is_changed_in_memory_is_not_changed_in_the_workspace(store, picture) -> None:
    given = truth([A])
    labels = save(store, HERD, picture, given, based_on=0)
    given.xyxy[:] = 7
    labels.boxes.xyxy[:] = 7
    assert boxes_of(current(store, HERD, picture)) == [A]
    assert "origin" not in given.data, "what was given stays as it was"


def test_a_box_without_width_is_refused_and_nothing_is_saved(store, picture) -> None:
    flat = truth([A, B])
    flat.xyxy[1, 2] = flat.xyxy[1, 0]
    with pytest.raises(AnnotationError, match="box 2 of 2"):
        save(store, HERD, picture, flat, based_on=0)
    assert current(store, HERD, picture).revision == 0


def test_the_states_can_be_told_apart(store, picture) -> None:
    never = current(store, HERD, picture)
    assert (never.state, never.revision, never.saved_at, len(never.boxes)) == (LabelState.UNLABELLED, 0, None, 0)
    draft = save(store, HERD, picture, truth([A]), based_on=0, model_id="m")
    assert draft.state is LabelState.DRAFT
    edited = save(store, HERD, picture, truth([A, B]), based_on=draft.revision, state=LabelState.DRAFT)
    assert edited.state is LabelState.DRAFT
    labelled = save(store, HERD, picture, truth([A, B]), based_on=edited.revision)
    assert labelled.state is LabelState.LABELLED
    assert labelled.revision > edited.revision, "to confirm is a revision although no box changed"
    emptied = save(store, HERD, picture, truth([]), based_on=labelled.revision)
    assert emptied.state is LabelState.UNLABELLED, "taking boxes away does not say that there are no cows"
    none = save(store, HERD, picture, truth([]), based_on=emptied.revision, state=LabelState.NO_COWS)
    assert (none.state, len(none.boxes)) == (LabelState.NO_COWS, 0)
    assert current(Store(store.path), HERD, picture).state is LabelState.NO_COWS


def test_a_model_that_found_nothing_left_a_draft_and_no_answer(store, picture) -> None:
    assert save(store, HERD, picture, truth([]), based_on=0, model_id="m").state is LabelState.DRAFT


@pytest.mark.parametrize("state", [LabelState.NO_COWS, LabelState.UNLABELLED])
def test_no_cows_with_boxes_is_refused(store, picture, state) -> None:
    with pytest.raises(ValueError, match="1 boxes"):
        save(store, HERD, picture, truth([A]), based_on=0, state=state)


def test_two_herds_label_the_same_picture_apart(store, picture) -> None:
    other = create_herd(store, "Other").herd_id
    add_picture(store, other, b"picture", "b.jpg", (400, 300))
    save(store, HERD, picture, truth([A]), based_on=0)
    assert current(store, other, picture).revision == 0
    assert [one.state for one in pictures_of(store, other)] == [LabelState.UNLABELLED]
    elsewhere = save(store, other, picture, truth([B]), based_on=0)
    assert [one.state for herd in (HERD, other) for one in pictures_of(store, herd)] == [LabelState.LABELLED] * 2
    with pytest.raises(WorkspaceError, match="no revision"):
        current(store, HERD, picture, revision=elsewhere.revision)
    assert boxes_of(current(store, HERD, picture)) == [A]


# --- history


def test_history_tells_every_revision_and_restore_writes_a_new_one(store, picture) -> None:
    first = save(store, HERD, picture, truth([A, B]), based_on=0, note="both")
    second = save(store, HERD, picture, truth([]), based_on=first.revision, state=LabelState.NO_COWS)
    back = restore(store, HERD, picture, first.revision, based_on=second.revision)
    assert back.revision > second.revision
    assert (boxes_of(back), back.state) == ([A, B], LabelState.LABELLED)
    assert [(one.revision, one.state.value, one.boxes, one.note) for one in history(store, HERD, picture)] == [
        (back.revision, "labelled", 2, "restored"),
        (second.revision, "no cows", 0, ""),
        (first.revision, "labelled", 2, "both"),
    ]
    times = [one.saved_at for one in history(store, HERD, picture)]
    assert times == sorted(times, reverse=True)
    assert back.saved_at > first.saved_at


def test_restoring_is_an_edit_and_may_be_stale(store, picture) -> None:
    first = save(store, HERD, picture, truth([A]), based_on=0)
    second = save(store, HERD, picture, truth([B]), based_on=first.revision)
    save(store, HERD, picture, truth([C]), based_on=second.revision)
    with pytest.raises(StaleEditError) as caught:
        restore(store, HERD, picture, first.revision, based_on=second.revision)
    assert (caught.value.yours.xyxy.tolist(), caught.value.theirs.xyxy.tolist()) == ([A], [C])
    with pytest.raises(WorkspaceError, match="no revision 999"):
        restore(store, HERD, picture, 999, based_on=0)


def test_a_restored_draft_is_a_draft_of_the_same_model(store, picture) -> None:
    draft = save(store, HERD, picture, truth([A, B]), based_on=0, model_id="m")
    drawn = save(store, HERD, picture, truth([C]), based_on=draft.revision)
    other = save(store, HERD, picture, truth([C]), based_on=drawn.revision, model_id="other")
    back = restore(store, HERD, picture, draft.revision, based_on=other.revision)
    assert (back.state, back.model_id, back.draft) == (LabelState.DRAFT, "m", draft.revision)
    done = save(store, HERD, picture, truth([A]), based_on=back.revision)
    assert (done.model_id, done.tally) == ("m", Tally(accepted=1, removed=1))


# --- what became of the draft


def test_boxes_remember_the_draft_through_many_saves(store, picture) -> None:
    draft = save(store, HERD, picture, truth([A, B]), based_on=0, model_id="m")
    assert (draft.draft, draft.model_id, draft.tally) == (draft.revision, "m", Tally(accepted=2))
    moved = save(store, HERD, picture, truth([[10, 0, 110, 100], B, C]), based_on=draft.revision)
    assert moved.boxes.data["origin"].tolist() == ["corrected", "accepted", "drawn"]
    assert (moved.tally, moved.model_id) == (Tally(1, 1, 1, 0), "m")
    last = save(store, HERD, picture, truth([[10, 0, 110, 100], C]), based_on=moved.revision)
    assert current(Store(store.path), HERD, picture).tally == last.tally == Tally(0, 1, 1, 1)
    none = save(store, HERD, picture, truth([]), based_on=last.revision, state=LabelState.NO_COWS)
    assert none.tally == Tally(removed=2)


def test_without_a_draft_every_box_is_drawn(store, picture) -> None:
    labels = save(store, HERD, picture, truth([A, B]), based_on=0)
    assert (labels.tally, labels.draft, labels.model_id) == (Tally(drawn=2), None, "")


@pytest.mark.parametrize(
    ("width", "origin"),
    [(100, "accepted"), (99.1, "accepted"), (98.9, "corrected"), (50.1, "corrected"), (50, "corrected"), (49, "drawn")],
)
def test_the_rule_at_its_borders(width, origin) -> None:
    assert origins(truth([A]), truth([[0, 0, width, 100]])).tolist() == [origin]


def test_another_class_or_crowd_flag_is_a_correction() -> None:
    assert origins(truth([A]), truth([A], name="bull")).tolist() == ["corrected"]
    assert origins(truth([A]), truth([A], crowd=[True])).tolist() == ["corrected"]


def test_a_draft_box_answers_for_one_box_and_the_closest() -> None:
    near, exact = [0, 0, 100, 90], A
    assert origins(truth([A]), truth([near, exact])).tolist() == ["drawn", "accepted"]
    assert tally(truth([A]), truth([near, exact])) == Tally(accepted=1, drawn=1)
    assert origins(truth([A]), truth([[0, 0, 100, 70], near])).tolist() == ["drawn", "corrected"]


def test_of_two_classes_at_one_place_the_one_that_was_kept_is_accepted() -> None:
    draft = truth([A, A])
    draft.data["class_name"] = np.array(["horse", "cow"])
    assert tally(draft, truth([A])) == Tally(accepted=1, removed=1)


def test_the_tally_of_nothing() -> None:
    assert tally(truth([]), truth([])) == Tally()
    assert tally(truth([A, B]), truth([])) == Tally(removed=2)
    assert tally(truth([]), truth([A])) == Tally(drawn=1)
