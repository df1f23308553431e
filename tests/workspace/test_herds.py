"""Herds: nothing that somebody still uses is removed, what nobody uses is, and older workspaces open."""

import hashlib
import multiprocessing
import os
from pathlib import Path

import pytest

from cowvision.errors import WorkspaceError
from cowvision.workspace import files, herds, trays
from cowvision.workspace import store as store_module
from cowvision.workspace.herds import (
    LabellingRule,
    LabelState,
    add_picture,
    all_herds,
    create_herd,
    delete_herd,
    pictures_of,
    read_herd,
    remove_picture,
    rename_herd,
    set_rule,
)
from cowvision.workspace.labels import current, save
from cowvision.workspace.predictions import keep_detections, kept_detections
from cowvision.workspace.store import MIGRATIONS, Store
from cowvision.workspace.trays import TrayPicture, forget_old, pictures_in, put_in, take_out
from tests.samples import boxes, truth
from tests.workspace.test_store import SPEC

FRONT = [[1.25, 2.5, 30, 40]]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def store() -> Store:
    return Store(files.store_path())


@pytest.fixture
def herd(store) -> int:
    return create_herd(store, "Meadow").herd_id


def add(store: Store, herd: int, data: bytes = b"picture", name: str = "a.jpg") -> str:
    digest = add_picture(store, herd, data, name, (40, 50))
    keep_detections(store, digest, SPEC, boxes(FRONT, [0.9]))
    return digest


def put(store: Store, visit: str, data: bytes = b"picture") -> None:
    put_in(store, visit, TrayPicture(hashlib.sha256(data).hexdigest(), "tray.jpg", (40, 50)), data)


def is_whole(store: Store, digest: str) -> bool:
    """Whether bytes and predictions are there; fails if only one of them is."""
    there = {files.blob_path(digest).exists(), kept_detections(store, digest, SPEC) is not None}
    assert len(there) == 1, "bytes and predictions go together"
    return there.pop()


def count(store: Store, table: str) -> int:
    return store.rows(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608 - names of tables written below


def test_a_tray_that_is_emptied_leaves_what_a_herd_has(store, herd) -> None:
    put(store, "me")
    digest = add(store, herd)
    take_out(store, "me")
    assert pictures_in(store, "me") == []
    assert is_whole(store, digest)


def test_forgetting_old_trays_leaves_what_a_herd_has(store, herd) -> None:
    put(store, "me")
    digest = add(store, herd)
    [(added,)] = store.rows("SELECT added_at FROM tray")
    forget_old(store, now=added + trays.KEPT_DAYS * 86400 + 1)
    assert pictures_in(store, "me") == []
    assert is_whole(store, digest)


@pytest.mark.parametrize("remove", [remove_picture, lambda s, h, _: delete_herd(s, h)])
@pytest.mark.parametrize("user", ["tray", "herd", "nobody"])
def test_removing_from_a_herd_leaves_what_others_have(store, herd, remove, user) -> None:
    digest = add(store, herd)
    if user == "tray":
        put(store, "me")
    elif user == "herd":
        other = create_herd(store, "Other").herd_id
        add(store, other)
        save(store, other, digest, truth(FRONT), based_on=0)
    remove(store, herd, digest)
    assert is_whole(store, digest) == (user != "nobody")
    if user == "herd":
        assert current(store, other, digest).boxes.xyxy.tolist() == FRONT


def test_a_removed_picture_leaves_nothing_and_its_neighbour_everything(store, herd) -> None:
    one, other = add(store, herd, b"one"), add(store, herd, b"other")
    for digest in (one, other):
        draft = save(store, herd, digest, truth(FRONT), based_on=0, model_id="m")
        save(store, herd, digest, truth(FRONT), based_on=draft.revision)
    remove_picture(store, herd, one)
    assert [picture.picture_id for picture in pictures_of(store, herd)] == [other]
    assert (count(store, "revisions"), count(store, "boxes")) == (2, 2)
    assert is_whole(store, other)
    with pytest.raises(WorkspaceError, match="not in the herd"):
        current(store, herd, one)


def test_a_deleted_herd_leaves_no_row_and_its_number_is_never_given_again(store, herd) -> None:
    digest = add(store, herd)
    save(store, herd, digest, truth(FRONT), based_on=0)
    delete_herd(store, herd)
    delete_herd(store, herd)  # a second click
    assert [count(store, name) for name in ("herds", "herd_pictures", "revisions", "boxes", "released")] == [0] * 5
    assert create_herd(store, "Meadow").herd_id > herd
    for late in (lambda: pictures_of(store, herd), lambda: rename_herd(store, herd, "x")):
        with pytest.raises(WorkspaceError, match="deleted"):
            late()
    with pytest.raises(WorkspaceError, match="deleted"):
        set_rule(store, herd, LabellingRule.HEAD)


def test_a_picture_for_a_deleted_herd_leaves_no_bytes(store, herd) -> None:
    delete_herd(store, herd)
    with pytest.raises(WorkspaceError, match="deleted"):
        add_picture(store, herd, b"late", "late.jpg", (4, 3))
    assert not list(files.blob_folder().rglob("*"))


def test_bytes_go_only_after_the_rows_are_gone_for_good(store, herd, monkeypatch) -> None:
    digest, left = add(store, herd), []
    another_process = Store(store.path)
    monkeypatch.setattr(trays, "drop_blob", lambda _: left.append(pictures_of(another_process, herd)))
    remove_picture(store, herd, digest)
    assert left == [[]], "killed here, the picture would be in the herd without its bytes"


def test_bytes_that_could_not_be_removed_go_the_next_time(store, herd, monkeypatch) -> None:
    one, other = add(store, herd, b"one"), add(store, herd, b"other")

    def fails(_digest: str) -> None:
        raise PermissionError(13, "in use")

    with monkeypatch.context() as patch:
        patch.setattr(trays, "drop_blob", fails)
        with pytest.raises(WorkspaceError, match="in use"):
            remove_picture(store, herd, one)
    assert [picture.picture_id for picture in pictures_of(store, herd)] == [other]
    remove_picture(store, herd, other)
    assert not is_whole(store, one)
    assert not is_whole(store, other)


def test_bytes_that_came_back_before_they_were_removed_stay(store, herd) -> None:
    with store.transaction() as connection:  # what a process leaves that is killed between the two steps
        connection.execute("INSERT INTO released VALUES (?)", (hashlib.sha256(b"one").hexdigest(),))
    one, other = add(store, herd, b"one"), add(store, herd, b"other")
    remove_picture(store, herd, other)
    assert is_whole(store, one)


def test_the_same_picture_twice_keeps_its_place_name_and_boxes(store, herd) -> None:
    first = add(store, herd, b"b", "first.jpg")
    add(store, herd, b"a", "second.jpg")
    save(store, herd, first, truth(FRONT), based_on=0)
    assert add(store, herd, b"b", "again.jpg") == first
    assert [picture.name for picture in pictures_of(store, herd)] == ["first.jpg", "second.jpg"]
    assert len(current(store, herd, first).boxes) == 1


def test_a_picture_is_what_its_bytes_are(store, herd) -> None:
    digest = add(store, herd, b"bytes", "../../etc/passwd")
    assert digest == hashlib.sha256(b"bytes").hexdigest()
    assert files.read_blob(digest) == b"bytes"
    [picture] = pictures_of(Store(store.path), herd)
    assert (picture.picture_id, picture.name, picture.resolution_wh) == (digest, "../../etc/passwd", (40, 50))


def test_counts_tell_answers_from_drafts(store, herd) -> None:
    labelled, none, draft, emptied, _never = (add(store, herd, name.encode(), name) for name in "abcde")
    first = save(store, herd, labelled, truth(FRONT), based_on=0)
    save(store, herd, labelled, truth([*FRONT, [5, 5, 9, 9]]), based_on=first.revision)
    save(store, herd, none, truth([]), based_on=0, state=LabelState.NO_COWS)
    save(store, herd, draft, truth(FRONT), based_on=0, model_id="m")
    was = save(store, herd, emptied, truth(FRONT), based_on=0)
    save(store, herd, emptied, truth([]), based_on=was.revision)
    create_herd(store, "Empty")
    assert [(one.name, one.pictures, one.labelled, one.boxes) for one in all_herds(store)] == [
        ("Meadow", 5, 2, 2),
        ("Empty", 0, 0, 0),
    ]
    assert [one.state.value for one in pictures_of(store, herd)] == [
        "labelled", "no cows", "draft", "unlabelled", "unlabelled",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["", " \n ", "x" * (herds.LONGEST_NAME + 1), "Meadow", "  MEADOW "])
def test_a_name_that_is_empty_long_or_taken_is_refused(store, herd, name) -> None:
    other = create_herd(store, "Other").herd_id
    for attempt in (lambda: create_herd(store, name), lambda: rename_herd(store, other, name)):
        with pytest.raises(WorkspaceError, match="name"):
            attempt()
    assert [one.name for one in all_herds(store)] == ["Meadow", "Other"]


def test_a_name_is_kept_on_one_line_and_may_change_its_capitals(store, herd) -> None:
    assert create_herd(store, " Kühe \n am  Hang ").name == "Kühe am Hang"
    assert rename_herd(store, herd, "MEADOW").name == "MEADOW"
    with pytest.raises(WorkspaceError, match="already"):
        create_herd(store, "KÜHE am hang")


def test_the_rule_is_kept_and_not_asked_is_an_answer_too(store, herd) -> None:
    assert read_herd(store, herd).rule is None
    assert set_rule(store, herd, LabellingRule.WHOLE).rule is LabellingRule.WHOLE
    assert read_herd(Store(store.path), herd).rule is LabellingRule.WHOLE
    assert set_rule(store, herd, LabellingRule.HEAD).rule is LabellingRule.HEAD
    assert [rule.words for rule in LabellingRule] == ["head only", "whole animal, also what is hidden"]


def of_version_1(monkeypatch, path: Path) -> None:
    """Make a workspace as the first version did, with a picture in a tray and what a model found on it."""
    with monkeypatch.context() as patch:
        patch.setattr(store_module, "MIGRATIONS", MIGRATIONS[:1])
        first = Store(path)
        put(first, "me")
        keep_detections(first, hashlib.sha256(b"picture").hexdigest(), SPEC, boxes(FRONT, [0.5]))
        assert first.rows("PRAGMA user_version") == [(1,)]
        assert first.rows("SELECT name FROM sqlite_master WHERE name = 'herds'") == []


def check_version_1_rows(store: Store) -> None:
    digest = hashlib.sha256(b"picture").hexdigest()
    assert store.rows("SELECT visit, picture_id, name FROM tray") == [("me", digest, "tray.jpg")]
    assert kept_detections(store, digest, SPEC).xyxy.tolist() == FRONT
    assert store.rows("PRAGMA integrity_check") == [("ok",)]
    assert store.rows("PRAGMA foreign_key_check") == []


def test_a_workspace_of_version_1_opens_with_everything(monkeypatch) -> None:
    of_version_1(monkeypatch, files.store_path())
    store = Store(files.store_path())
    check_version_1_rows(store)
    assert store.rows("PRAGMA user_version") == [(len(MIGRATIONS),)]
    herd = create_herd(store, "Meadow").herd_id
    digest = add_picture(store, herd, b"picture", "a.jpg", (40, 50))
    take_out(store, "me")
    assert is_whole(store, digest), "the herd has it now"


def upgrade_and_die(path: str, statement: str) -> None:
    ordinary = Store._connection

    def watched(self: Store):
        connection = ordinary(self)
        connection.set_trace_callback(lambda sql: os._exit(9) if sql.strip().startswith(statement) else None)
        return connection

    Store._connection = watched
    Store(path)


@pytest.mark.parametrize("statement", ["CREATE TABLE herd_pictures", "CREATE VIEW", "PRAGMA user_version = ", "COMMIT"])
def test_an_upgrade_killed_in_the_middle_leaves_version_1_whole(monkeypatch, statement) -> None:
    of_version_1(monkeypatch, files.store_path())
    arguments = (str(files.store_path()), statement)
    process = multiprocessing.get_context("spawn").Process(target=upgrade_and_die, args=arguments)
    process.start()
    process.join(180)
    assert process.exitcode == 9, "it was to die in the middle"
    with monkeypatch.context() as patch:
        patch.setattr(store_module, "MIGRATIONS", MIGRATIONS[:1])
        left = Store(files.store_path())
        assert left.rows("PRAGMA user_version") == [(1,)]
        assert left.rows("SELECT count(*) FROM sqlite_master WHERE name LIKE 'herd%'") == [(0,)]
        check_version_1_rows(left)
    check_version_1_rows(Store(files.store_path()))
