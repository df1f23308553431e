"""What goes wrong on Detect: it is said in words, nothing is tried without end, and the rest goes on."""

import sqlite3
import sys

from cowvision.errors import ModelFileError, WorkspaceError
from tests.pages.driving import counted, run, upload, words


def test_what_cannot_be_counted_is_named_and_not_tried_without_end(page, a_png, fake_boxes, monkeypatch) -> None:
    run(page)
    slow, tries = fake_boxes["herd-finetuned"], []
    quick = slow.predict

    def failing(pictures: list) -> list:
        if pictures[0].name == "p2.png":
            tries.append(1)
            raise ModelFileError("herd-finetuned", "it broke", "Restore the file")
        return quick(pictures)

    monkeypatch.setattr(slow, "predict", failing)
    upload(page, a_png, 3)
    for _ in range(3):
        counted(page)
    assert tries == [1]
    assert "it broke" in words(page)
    assert "2 of 3 counted so far" in words(page)
    fake_boxes["herd-finetuned"].predict = quick
    page.button(key="go_on").click()
    run(page)
    counted(page)
    assert "3 pictures of yours, cows in all: **3** by Herd base, **9** by Herd fine-tuned" in words(page)
    assert "it broke" not in words(page)


def test_an_unforeseen_error_in_the_background_is_told_and_the_others_go_on(
    page, a_png, fake_boxes, monkeypatch
) -> None:
    run(page)
    slow = fake_boxes["herd-finetuned"]
    quick = slow.predict

    def failing(pictures: list) -> list:
        if pictures[0].name == "p1.png":
            raise RuntimeError("out of memory")
        return quick(pictures)

    monkeypatch.setattr(slow, "predict", failing)
    upload(page, a_png, 3)
    counted(page)
    assert "out of memory" in words(page)
    assert "2 of 3 counted so far" in words(page)


def test_a_full_disk_is_told_once_and_not_tried_without_end(page, a_png, fake_boxes, monkeypatch) -> None:
    run(page)
    seen = len(fake_boxes["herd-finetuned"].seen)

    def full(*_: object, **__: object) -> None:
        raise WorkspaceError(
            "workspace.sqlite3", "the workspace cannot be used (database or disk is full)", "Free some"
        )

    monkeypatch.setattr("cowvision.ui.cache.keep_detections", full)
    upload(page, a_png, 4)
    for _ in range(3):
        counted(page)
    assert words(page).count("disk is full") == 1
    shown_again = 5  # the picture that is shown is looked at with every rerun, for its answer cannot be kept
    assert len(fake_boxes["herd-finetuned"].seen) - seen <= 4 + shown_again


def test_a_model_that_is_damaged_does_not_keep_the_other_from_counting(page, a_png, fake_boxes, monkeypatch) -> None:
    make = sys.modules["cowvision.ui.cache"].DetectionBox

    def one_damaged(spec: object) -> object:
        if spec.name == "herd-base":
            raise ModelFileError("herd-base.safetensors", "the weights file is truncated", "Restore the file")
        return make(spec)

    monkeypatch.setattr("cowvision.ui.cache.DetectionBox", one_damaged)
    run(page)
    upload(page, a_png, 2)
    counted(page)
    assert "**6** by Herd fine-tuned" in words(page)
    assert "is truncated" in words(page)


def test_damaged_stills_do_not_hide_the_visitors_own_pictures(page, a_png, stills) -> None:
    (stills / "truth.json").write_text("{", encoding="utf-8")
    run(page)
    upload(page, a_png, 1)
    assert "p0" in [button.label for button in page.button]
    assert len(page.error) == 1


def test_a_removal_that_fails_is_told_and_the_picture_stays(page, a_png, monkeypatch) -> None:
    run(page)
    upload(page, a_png, 2)
    counted(page)

    def refused(*_: object) -> None:
        raise WorkspaceError("workspace.sqlite3", "attempt to write a readonly database", "Check the folder")

    monkeypatch.setattr("cowvision.ui.intake.take_out", refused)
    page.button(key="remove_all").click()
    run(page)
    assert "readonly database" in words(page)
    assert "2 pictures of yours" in words(page)


def test_an_answer_that_comes_after_the_removal_is_not_kept(page, a_png, fake_boxes, monkeypatch) -> None:
    run(page)
    upload(page, a_png, 1)
    counted(page)
    intake, cache = sys.modules["cowvision.ui.intake"], sys.modules["cowvision.ui.cache"]
    [spec] = [box.spec for box in fake_boxes.values() if box.spec.name == "herd-base"]
    own = cache.store().rows("SELECT picture_id FROM tray")[0]
    cache.store().rows("DELETE FROM predictions RETURNING 1")
    look, load = cache.looker(spec, are_own=True), lambda: intake.decode_picture(a_png, "late.png")
    cache.store().rows("DELETE FROM tray RETURNING 1")
    look(own[0], load)
    assert cache.store().rows("SELECT 1 FROM predictions") == []


def test_old_pictures_are_forgotten_while_the_server_runs(page, monkeypatch) -> None:
    tidied = []
    monkeypatch.setattr("cowvision.ui.cache.forget_old", lambda _: tidied.append(1))
    run(page)
    run(page)
    assert tidied == [1]
    sys.modules["cowvision.ui.cache"]._tidied.clear()  # as after an hour
    run(page)
    assert tidied == [1, 1]


def test_a_workspace_that_cannot_be_tidied_can_be_used(page, a_png, monkeypatch) -> None:
    def refused(_: object) -> None:
        raise WorkspaceError("workspace.sqlite3", "attempt to write a readonly database", "Check the folder")

    monkeypatch.setattr("cowvision.ui.cache.forget_old", refused)
    run(page)
    upload(page, a_png, 1)
    assert "1 picture of yours" in words(page)


def test_a_full_disk_leaves_neither_bytes_nor_row(page, a_png, tmp_path, monkeypatch) -> None:
    run(page)
    store = sys.modules["cowvision.ui.cache"].store()
    real = type(store)._connection

    class Full:
        """A connection whose commits find no space."""

        def __init__(self, connection: sqlite3.Connection) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> object:
            return getattr(self._connection, name)

        def commit(self) -> None:
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(type(store), "_connection", lambda self: Full(real(self)))
    page.file_uploader(key="uploads_0").set_value([("p.png", a_png, "image/png")])
    run(page)
    assert "disk is full" in words(page)
    monkeypatch.setattr(type(store), "_connection", real)
    assert not [path for path in (tmp_path / "home" / "blobs").rglob("*") if path.is_file()]
    upload_again = [("p.png", a_png, "image/png")]
    page.file_uploader(key="uploads_1").set_value(upload_again)
    run(page)
    assert "1 picture of yours" in words(page)
