"""What is kept between visits: nothing is lost when a process dies, nobody sees another's pictures."""

import hashlib
import multiprocessing
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import supervision as sv

from cowvision.errors import WorkspaceError
from cowvision.models.catalog import ModelSpec
from cowvision.workspace import files, predictions, trays
from cowvision.workspace.predictions import keep_detections, kept_detections
from cowvision.workspace.store import MIGRATIONS, Store
from cowvision.workspace.trays import TrayPicture, forget_old, pictures_in, put_in, take_out
from tests.samples import boxes

SPEC = ModelSpec("herd", "Herd", "compact-fpn-w32", ("cow",), weights_sha256="a")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def store() -> Store:
    return Store(files.store_path())


def put(store: Store, visit: str, data: bytes, name: str = "x") -> str:
    """Put bytes into a tray as if they were a picture; returns their sha256."""
    digest = hashlib.sha256(data).hexdigest()
    put_in(store, visit, TrayPicture(digest, name, (4, 3)), data)
    return digest


def test_detections_come_back_as_they_were(store) -> None:
    found = boxes([[1.25, 2.5, 30, 40], [5, 6, 7.125, 8]], [0.9, 0.0625])
    keep_detections(store, "p" * 64, SPEC, found)
    again = kept_detections(Store(store.path), "p" * 64, SPEC)
    np.testing.assert_array_equal(again.xyxy, found.xyxy)
    np.testing.assert_array_equal(again.confidence, found.confidence)
    assert again.data["class_name"].tolist() == ["cow", "cow"]
    assert again.xyxy.dtype == np.float32


def test_nothing_found_is_an_answer_and_never_looked_is_none(store) -> None:
    keep_detections(store, "p", SPEC, boxes([], []))
    assert len(kept_detections(store, "p", SPEC)) == 0
    assert kept_detections(store, "q", SPEC) is None


def test_another_model_has_not_looked(store) -> None:
    keep_detections(store, "p", SPEC, boxes([[0, 0, 4, 4]], [0.9]))
    other = ModelSpec("herd", "Herd", "compact-fpn-w32", ("cow",), weights_sha256="b")
    assert kept_detections(store, "p", other) is None


def test_detections_without_scores_are_refused(store) -> None:
    with pytest.raises(ValueError, match="scores"):
        keep_detections(store, "p", SPEC, sv.Detections(xyxy=np.zeros((1, 4), np.float32)))


def test_the_oldest_predictions_go_first(store, monkeypatch) -> None:
    monkeypatch.setattr(predictions, "MOST_KEPT", 3)
    for name in "abcde":
        keep_detections(store, name, SPEC, boxes([], []))
    assert [name for name in "abcde" if kept_detections(store, name, SPEC) is not None] == ["c", "d", "e"]


def test_trays_are_private_and_keep_their_order(store) -> None:
    for name in ("b", "a", "c"):
        put(store, "me", name.encode(), name)
    put(store, "you", b"a", "yours")
    assert [picture.name for picture in pictures_in(store, "me")] == ["b", "a", "c"]
    assert [picture.name for picture in pictures_in(store, "you")] == ["yours"]
    assert pictures_in(store, "somebody else") == []


def test_the_same_picture_twice_is_one(store) -> None:
    for name in ("first", "second"):
        put(store, "me", b"a", name)
    assert [picture.name for picture in pictures_in(store, "me")] == ["first"]


def test_removing_a_picture_leaves_another_visitors_copy(store) -> None:
    shared, own = (put(store, "me", data) for data in (b"shared", b"own"))
    put(store, "you", b"shared")
    for digest in (shared, own):
        keep_detections(store, digest, SPEC, boxes([], []))
    take_out(store, "me")
    assert pictures_in(store, "me") == []
    assert files.read_blob(shared) == b"shared"
    assert kept_detections(store, shared, SPEC) is not None
    assert kept_detections(store, own, SPEC) is None, "what was found on a removed picture goes with it"
    with pytest.raises(WorkspaceError, match="Upload it again"):
        files.read_blob(own)


def test_old_pictures_are_forgotten_and_new_ones_are_not(store) -> None:
    digest = put(store, "me", b"a")
    forget_old(store)
    assert len(pictures_in(store, "me")) == 1
    [(added,)] = store.rows("SELECT added_at FROM tray")
    forget_old(store, now=added + trays.KEPT_DAYS * 86400 + 1)
    assert pictures_in(store, "me") == []
    assert not files.blob_path(digest).exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "A" * 64, "a" * 63, ""])
def test_a_name_is_never_a_path(name) -> None:
    with pytest.raises(ValueError, match="not a sha256"):
        files.blob_path(name)


def test_a_transaction_that_fails_leaves_nothing(store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as connection:
        connection.execute("INSERT INTO tray VALUES ('me', 'x', 'x', 1, 1, 0)")
        raise ZeroDivisionError
    assert pictures_in(store, "me") == []


def put_and_die(path: str) -> None:
    store = Store(path)
    put_in(store, "me", TrayPicture("acknowledged", "a", (4, 3)), b"bytes")
    with store.transaction() as connection:
        connection.execute("INSERT INTO tray VALUES ('me', 'unfinished', 'x', 1, 1, 0)")
        os._exit(9)


def test_a_killed_process_loses_nothing_it_acknowledged(store) -> None:
    process = multiprocessing.get_context("spawn").Process(target=put_and_die, args=(str(store.path),))
    process.start()
    process.join(180)
    assert process.exitcode == 9
    assert [picture.picture_id for picture in pictures_in(Store(store.path), "me")] == ["acknowledged"]


def test_many_threads_write_at_once(store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: put(store, "me", b"%d" % n), range(60)))
    assert len(pictures_in(store, "me")) == 60


def test_a_newer_file_is_left_alone(store) -> None:
    with sqlite3.connect(store.path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(WorkspaceError, match="newer CowVision"):
        Store(store.path)


def test_a_file_that_is_no_database_is_named_with_a_remedy(home) -> None:
    files.store_path().write_bytes(b"this is not a database, whatever it says" * 50)
    with pytest.raises(WorkspaceError, match="Move the file away"):
        Store(files.store_path())


def test_a_place_that_cannot_be_written(home, monkeypatch) -> None:
    blocked = home / "file"
    blocked.write_text("")
    monkeypatch.setenv("COWVISION_HOME", str(blocked))
    with pytest.raises(WorkspaceError, match="COWVISION_HOME"):
        Store(files.store_path())
    with pytest.raises(WorkspaceError, match="COWVISION_HOME"):
        files.keep_blob(b"x")


def test_free_space_is_known_before_the_workspace_exists(home, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(home / "not" / "yet"))
    assert files.free_bytes() > 0
