"""What must not be lost on Label: a drawing that cannot be saved, the other tab's boxes, a press for elsewhere."""

import io
import json
import zipfile
import zlib

import pytest

from cowvision.data.annotations import names_of
from cowvision.errors import WorkspaceError
from cowvision.workspace import labels
from cowvision.workspace.herds import LabelState, all_herds, create_herd
from tests.pages.driving import run, words
from tests.pages.test_label import (  # noqa: F401 - the fixtures are used by name
    BOX,
    desk,
    draw,
    example,
    label,
    other_tab_saves,
    press,
    report,
    store,
    stored,
)


@pytest.fixture
def full_disk(monkeypatch):
    """Call it, and nothing can be saved; call it again, and it can."""
    real, full = labels.save, []

    def save(*values: object, **options: object) -> labels.Labels:
        if full:
            raise WorkspaceError("workspace.sqlite3", "the workspace cannot be used (disk is full)", "Free some space")
        return real(*values, **options)

    monkeypatch.setattr(labels, "save", save)
    return lambda: full.clear() if full else full.append(1)


def test_a_drawing_that_cannot_be_saved_is_said_kept_and_not_left(example, full_disk) -> None:  # noqa: F811
    picture = example.query_params["picture"]
    full_disk()
    draw(example, BOX)
    assert "disk is full" in words(example)
    press(example, "next")
    assert example.query_params["picture"] == picture, "nobody leaves a drawing that is not saved"
    assert "disk is full" in words(example)
    full_disk()
    run(example)
    assert len(stored(example).boxes) == 1, "the canvas still has it"


def test_a_press_is_never_carried_out_on_another_picture(example, full_disk) -> None:  # noqa: F811
    from cowvision.ui.labelling_session import Asked

    first = desk(example)
    other_tab_saves(example, [[1, 1, 20, 20]])
    run(example)
    press(example, "next")
    example.session_state["_labelling"].asked = Asked("no cows", (first.herd_id, first.picture_id), at=0.0)
    run(example)
    assert stored(example).state is LabelState.UNLABELLED
    assert example.session_state["_labelling"].asked is None


def test_of_two_edits_neither_needs_the_session_to_survive(example) -> None:  # noqa: F811
    other_tab_saves(example, [[1, 1, 20, 20], [30, 30, 60, 60]])
    draw(example, BOX)
    now = stored(example)
    assert len(now.boxes) == 2, "theirs counts, as before"
    kept = labels.history(store(), 1, desk(example).picture_id)
    assert [(one.boxes, one.note) for one in kept][:2] == [(2, "as it was"), (1, "put aside")]
    press(example, "keep_theirs")
    assert stored(example).revision == now.revision


def test_saving_mine_over_theirs_fails_without_losing_mine(example, full_disk) -> None:  # noqa: F811
    other_tab_saves(example, [[1, 1, 20, 20], [30, 30, 60, 60]])
    draw(example, BOX)
    full_disk()
    press(example, "save_mine")
    assert "disk is full" in words(example)
    full_disk()
    press(example, "save_mine")
    assert len(stored(example).boxes) == 1


def test_undo_does_not_undo_another_tab(example) -> None:  # noqa: F811
    draw(example, BOX)
    other_tab_saves(example, [[1, 1, 20, 20], [30, 30, 60, 60]])
    run(example)
    assert example.button(key="label_undo").disabled
    assert len(stored(example).boxes) == 2


def test_an_emptied_label_stays_what_it_was_saved_as(example) -> None:  # noqa: F811
    horse = (300, 60, 50, 50)
    report(example, [*_drawn(BOX, "cow"), *_drawn(horse, "horse")])
    desk(example).begin_anew()
    run(example)
    assert [one["label"] for one in desk(example).drawing["objects"]] == ["cow", "horse"], "several classes have tags"
    report(example, [*_drawn(BOX, ""), *_drawn(horse, "horse")])
    assert names_of(stored(example).boxes).tolist() == ["cow", "horse"]
    assert [one["label"] for one in desk(example).drawing["objects"]] == ["cow", "horse"], "the canvas shows it too"


def test_a_taken_name_of_a_new_herd_leaves_the_page_there(example) -> None:  # noqa: F811
    name = all_herds(store())[0].name
    example.text_input(key=_new_name(example)).set_value(name)
    example.button(key=_make_it(example)).click()
    run(example)
    assert "a herd of that name already" in words(example)
    assert example.button(key="label_confirm")


def test_an_archive_with_one_byte_flipped_is_said(example) -> None:  # noqa: F811
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "annotations.json", json.dumps({"images": [{"id": n, "file_name": f"{n}"} for n in range(99)]})
        )
    data = bytearray(stream.getvalue())
    start = data.index(b"annotations.json") + len("annotations.json")
    data[start] ^= 0b110
    with pytest.raises((zlib.error, zipfile.BadZipFile)):
        zipfile.ZipFile(io.BytesIO(bytes(data))).read("annotations.json")
    example.session_state["open_import"] = True
    run(example)
    example.file_uploader(key="import_files_0").set_value([("a.zip", bytes(data), "application/zip")])
    run(example)
    press(example, "import_read")
    assert "the archive cannot be unpacked" in example.error[0].value


def test_a_cow_in_capitals_is_a_cow(example) -> None:  # noqa: F811
    from cowvision.ui.herd_import import with_known_names
    from tests.samples import truth

    draw(example, BOX, label="COW")
    assert names_of(stored(example).boxes).tolist() == ["cow"]
    assert names_of(with_known_names(truth([[0, 0, 9, 9]], "Cow"))).tolist() == ["cow"]
    assert names_of(with_known_names(truth([[0, 0, 9, 9]], "Bull"))).tolist() == ["Bull"]
    assert create_herd(store(), "x").name == "x"


def _drawn(box: tuple[float, float, float, float], label: str) -> list[dict]:  # noqa: F811
    left, top, width, height = box
    one = {"type": "LabeledRect", "label": label, "left": left, "top": top, "width": width, "height": height}
    return [{**one, "originX": "left", "originY": "top", "scaleX": 1, "scaleY": 1}]


def _new_name(page) -> str:
    return next(one.key for one in page.text_input if one.label == "Name of the new herd")


def _make_it(page) -> str:
    return next(one.key for one in page.button if one.label == "Make it")
