"""The Label page as a visitor uses it, without a browser: what the canvas reports is set by hand."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cowvision.data.annotations import names_of
from cowvision.data.pictures import MAX_BYTES
from cowvision.ui.canvas import MARGIN
from cowvision.workspace.files import store_path
from cowvision.workspace.herds import LabellingRule, LabelState, add_picture, all_herds, create_herd, pictures_of
from cowvision.workspace.labels import Labels, current, history, save
from cowvision.workspace.store import Store
from tests.pages.driving import run, words
from tests.samples import encoded, truth

LABEL = Path(__file__).resolve().parents[2] / "pages" / "label.py"


@pytest.fixture
def label(page, monkeypatch) -> AppTest:
    """The page, with the invented stills and models of Detect's tests."""
    monkeypatch.setattr("cowvision.ui.herd_picker.EXAMPLE_STILLS", ("many", "one"))
    test = AppTest.from_file(str(LABEL), default_timeout=30)
    test.session_state["_framed"] = True
    return test


@pytest.fixture
def example(label) -> AppTest:
    """The page with the tutorial's two pictures."""
    run(label)
    press(label, "example")
    return label


def store() -> Store:
    return Store(store_path())


def desk(page: AppTest):
    """The desk of the picture that is shown."""
    picture, herd = page.query_params["picture"], int(page.query_params["herd"])
    desks = page.session_state["_labelling"].desks
    return next(one for (number, digest), one in desks.items() if number == herd and digest.startswith(picture))


def stored(page: AppTest) -> Labels:
    return current(store(), desk(page).herd_id, desk(page).picture_id)


def press(page: AppTest, key: str) -> None:
    page.button(key=key).click()
    run(page)


def draw(page: AppTest, *boxes: tuple[float, float, float, float], label: str = "cow") -> None:
    """Have the canvas report these boxes (left, top, width, height in canvas pixels) beside those it began with."""
    objects = [*desk(page).drawing["objects"]]
    for left, top, width, height in boxes:
        one = {"type": "LabeledRect", "label": label, "left": left, "top": top, "width": width, "height": height}
        objects.append({**one, "originX": "left", "originY": "top", "scaleX": 1, "scaleY": 1})
    report(page, objects)


def report(page: AppTest, objects: list[dict]) -> None:
    page.session_state[desk(page).key] = {"drawing": {"raw": {"objects": objects}, "data": None}}
    run(page)


BOX = (MARGIN + 40, MARGIN + 20, 200, 100)


# --- herds


def test_without_a_herd_one_press_makes_the_tutorials_task(label) -> None:
    run(label)
    assert "No herd yet" in words(label)
    press(label, "example")
    [herd] = all_herds(store())
    assert (herd.name, herd.pictures, herd.labelled) == ("The tutorial's two pictures", 2, 0)
    assert "many.jpg" in words(label)
    assert "Nothing saved yet" in words(label)
    assert label.query_params["herd"] == str(herd.herd_id)


def test_herds_are_made_renamed_and_deleted_on_a_second_word(example) -> None:
    herd = all_herds(store())[0].herd_id
    example.text_input(key=f"rename_{herd}_The tutorial's two pictures").set_value("Two")
    run(example)
    press(example, "rename")
    assert [one.name for one in all_herds(store())] == ["Two"]
    assert example.button(key="delete_herd").disabled
    example.checkbox(key=f"sure_{herd}").check()
    run(example)
    press(example, "delete_herd")
    assert all_herds(store()) == []
    assert "No herd yet" in words(example)


def test_a_herd_made_from_the_popover_leaves_it_empty(example) -> None:
    [name] = [one for one in example.text_input if one.label == "Name of the new herd"]
    name.set_value("Meadow")
    next(one for one in example.button if one.label == "Make it").click()
    run(example)
    assert [one.name for one in all_herds(store())][-1] == "Meadow"
    [name] = [one for one in example.text_input if one.label == "Name of the new herd"]
    assert name.value == ""


def test_whoever_deletes_a_herd_is_told_of_its_drafts(example) -> None:
    draw(example, BOX, (300, 60, 50, 50))
    run(example)  # as when the popover is opened
    assert "2 pictures, 0 confirmed boxes and 2 in drafts," in example.checkbox(key="sure_1").label
    press(example, "label_confirm")
    assert "2 pictures and 2 confirmed boxes," in example.checkbox(key="sure_1").label


def test_a_deleted_herd_leaves_nothing_in_the_address(example) -> None:
    example.checkbox(key="sure_1").check()
    run(example)
    press(example, "delete_herd")
    assert not {"herd", "picture"} & set(example.query_params)


def test_a_taken_name_is_an_error_and_nothing_else(example) -> None:
    create_herd(store(), "Other")
    herd = all_herds(store())[0].herd_id
    run(example)
    example.text_input(key=f"rename_{herd}_The tutorial's two pictures").set_value("other")
    run(example)
    press(example, "rename")
    assert "there is a herd of that name already" in example.error[0].value


def test_the_rule_is_asked_once_and_can_be_changed_with_a_word(example) -> None:
    press(example, "rule_head")
    assert all_herds(store())[0].rule is LabellingRule.HEAD
    assert "rule_head" not in [one.key for one in example.button]
    draw(example, BOX)
    press(example, "label_confirm")
    example.radio(key="rule_of_1").set_value(LabellingRule.WHOLE)
    run(example)
    assert "follow the old rule" in words(example)
    press(example, "keep_rule")
    assert all_herds(store())[0].rule is LabellingRule.WHOLE


def test_uploads_come_into_the_herd_and_bad_ones_are_named(example, a_png) -> None:
    files = [("mine.png", a_png, "image/png"), ("bad.jpg", b"no picture", "image/jpeg")]
    example.file_uploader(key="herd_uploads_0").set_value(files)
    run(example)
    assert "not a picture in a known format" in example.error[0].value
    assert [one.name for one in pictures_of(store(), 1)] == ["many.jpg", "one.jpg", "mine.png"]
    assert "mine.png" in words(example)


def test_a_file_beyond_the_limit_is_named_beside_a_good_one(example, a_png) -> None:
    big = encoded(Image.new("RGB", (20, 20)), "BMP") + bytes(MAX_BYTES)
    uploader = example.file_uploader(key="herd_uploads_0")
    assert uploader.proto.max_upload_size_mb * 1024**2 > len(big), "the browser lets it come here to be named"
    uploader.set_value([("mine.png", a_png, "image/png"), ("big.bmp", big, "image/bmp")])
    run(example)
    assert "big\\.bmp**: 25\\.0 MB, 25 MB at most" in example.error[0].value
    assert "mine.png" in words(example)


def test_an_address_of_what_is_not_here(example) -> None:
    example.query_params["herd"], example.query_params["picture"] = "99", "f" * 16
    run(example)
    assert "herd this address names is not here" in words(example)
    assert "picture this address names is not in this herd" in words(example)


# --- drawing


def test_a_drawn_box_is_saved_at_once_where_it_was_drawn(example) -> None:
    draw(example, BOX)
    shape, labels = desk(example).fit, stored(example)
    assert labels.state is LabelState.DRAFT
    wanted = [(BOX[0] - MARGIN) / shape.scale[0], (BOX[1] - MARGIN) / shape.scale[1]]
    assert labels.boxes.xyxy[0].tolist()[:2] == pytest.approx(wanted)
    assert "Saved at" in words(example) and "1 box" in words(example)


def test_a_page_run_again_saves_nothing_again_and_keeps_its_canvas(example) -> None:
    draw(example, BOX)
    key = desk(example).key
    for _ in range(3):
        run(example)
    assert desk(example).key == key
    assert len(history(store(), 1, desk(example).picture_id)) == 1


def test_a_bare_click_is_no_box_and_the_canvas_begins_anew(example) -> None:
    key = desk(example).key
    draw(example, (200, 100, 4, 4))
    assert stored(example).revision == 0
    assert desk(example).key != key


def test_corners_are_free_and_one_class_needs_no_tags(example) -> None:
    draw(example, BOX)
    press(example, "next")
    press(example, "previous")
    begun = desk(example).drawing
    assert begun["uniformScaling"] is False
    assert [one["label"] for one in begun["objects"]] == [""]
    draw(example, (300, 60, 50, 50), label="horse")
    press(example, "next")
    press(example, "previous")
    assert {one["label"] for one in desk(example).drawing["objects"]} == {"cow", "horse"}


def test_a_box_moved_off_the_picture_comes_back_under_the_pencil(example) -> None:
    draw(example, BOX)
    before, key = stored(example), desk(example).key
    [away] = [dict(one, left=-500.0) for one in _as_objects(BOX)]
    report(example, [away])
    assert stored(example).revision == before.revision
    assert desk(example).key == key, "the canvas is not mounted anew, so the pencil stays pressed"
    assert desk(example).drawing["redrawn"] == 1
    assert [round(one["left"]) for one in desk(example).drawing["objects"]] == [BOX[0]]
    assert "moved beyond the picture" in example.toast[0].value
    run(example)
    assert desk(example).drawing["redrawn"] == 1, "told once, however often the page runs"
    report(example, [dict(away, left=BOX[0])])
    report(example, [away])
    assert desk(example).drawing["redrawn"] == 2


def _as_objects(*boxes: tuple[float, float, float, float]) -> list[dict]:
    place = {"type": "LabeledRect", "label": "cow", "originX": "left", "originY": "top", "scaleX": 1, "scaleY": 1}
    return [{**place, "left": left, "top": top, "width": width, "height": height} for left, top, width, height in boxes]


def test_no_cows_tells_what_it_took_away_and_brings_it_back(example) -> None:
    draw(example, BOX, (300, 60, 50, 50))
    first = desk(example).picture_id
    press(example, "label_no_cows")
    assert desk(example).picture_id != first
    assert "many\\.jpg** has no cows now: its 2 boxes are gone" in words(example)
    press(example, "bring_back")
    assert desk(example).picture_id == first
    assert len(stored(example).boxes) == 2 and stored(example).state is LabelState.DRAFT
    assert "has no cows now" not in words(example)


def test_no_cows_where_nothing_was_says_nothing(example) -> None:
    press(example, "label_no_cows")
    assert "has no cows now" not in words(example)


def test_turned_boxes_are_put_back(example) -> None:
    draw(example, BOX)
    before = stored(example).boxes.xyxy.tolist()
    press(example, "next")
    press(example, "previous")
    objects = desk(example).drawing["objects"]
    report(example, [{**objects[0], "angle": 30, "left": 300}])
    assert stored(example).boxes.xyxy.tolist() == before


def test_save_and_next_confirms_and_goes_on(example) -> None:
    first = desk(example).picture_id
    draw(example, BOX)
    press(example, "label_confirm")
    assert current(store(), 1, first).state is LabelState.LABELLED
    assert "one.jpg" in words(example)
    press(example, "label_confirm")
    assert "There are no boxes to save" in words(example)
    press(example, "label_no_cows")
    assert stored(example).state is LabelState.NO_COWS
    assert "Every picture of this herd has an answer" in words(example)


def test_no_cows_keeps_other_animals(example) -> None:
    draw(example, BOX)
    draw(example, BOX, (300, 60, 50, 50), label="horse")
    first = desk(example).picture_id
    press(example, "label_no_cows")
    labels = current(store(), 1, first)
    assert labels.state is LabelState.LABELLED
    assert set(names_of(labels.boxes).tolist()) == {"horse"}


def test_undo_redo_and_remove_all(example) -> None:
    assert example.button(key="label_undo").disabled
    draw(example, BOX)
    draw(example, BOX, (300, 60, 50, 50))
    press(example, "label_remove_all")
    assert len(stored(example).boxes) == 0 and stored(example).state is LabelState.UNLABELLED
    press(example, "label_undo")
    assert len(stored(example).boxes) == 2
    press(example, "label_undo")
    assert len(stored(example).boxes) == 1
    press(example, "label_undo")
    assert stored(example).state is LabelState.UNLABELLED
    assert example.button(key="label_undo").disabled
    press(example, "label_redo")
    press(example, "label_redo")
    assert len(stored(example).boxes) == 2
    draw(example, (10, 10, 30, 30))
    assert example.button(key="label_redo").disabled, "after something new there is nothing to redo"
    assert len(stored(example).boxes) == 3


def test_a_version_of_the_history_comes_back(example) -> None:
    draw(example, BOX)
    earlier = stored(example).revision
    press(example, "label_remove_all")
    example.session_state["open_history"] = True
    run(example)
    choice = _history(example)
    assert choice.value == stored(example).revision
    choice.set_value(earlier)
    run(example)
    press(example, "restore")
    assert len(stored(example).boxes) == 1
    newest = history(store(), 1, desk(example).picture_id)[0]
    assert newest.note == f"restored no. {earlier}"
    assert _history(example).value == newest.revision, "what is shown is the newest again"


def _history(page: AppTest):
    return next(one for one in page.selectbox if str(one.key).startswith("history_"))


def test_hints_teach(example) -> None:
    draw(example, BOX, (BOX[0] + 2, BOX[1], BOX[2], BOX[3]))
    assert "nearly cover each other" in words(example)


# --- a model's boxes


def test_a_models_boxes_become_the_draft_and_are_counted(example) -> None:
    example.selectbox(key="draft_model").set_value("herd-finetuned")
    example.slider(key="draft_threshold").set_value(0.55)
    run(example)
    press(example, "draft_use")
    labels = stored(example)
    assert (labels.state, len(labels.boxes)) == (LabelState.DRAFT, 3)
    assert "3 as they were" in words(example)
    assert "3 boxes of Herd fine\\-tuned drawn" in example.toast[0].value, "to be seen where the canvas is not"
    objects = desk(example).drawing["objects"]
    report(example, objects[:2])
    assert "2 as they were, 0 corrected, 1 removed; 0 drawn by hand" in words(example)
    press(example, "label_undo")
    assert len(stored(example).boxes) == 3


def test_where_the_fairest_threshold_is_shown_is_said_beside_the_slider(example) -> None:
    assert "counts fairest" not in words(example), "not worked out before it is seen"
    example.session_state["open_draft"] = True
    run(example)
    assert "counts fairest is shown in the threshold studio of Compare" in words(example)


def test_a_model_that_sees_nothing_says_so(example) -> None:
    example.slider(key="draft_threshold").set_value(0.95)
    run(example)
    press(example, "draft_use")
    assert "sees nothing here" in words(example)
    assert stored(example).revision == 0


def test_what_detect_sends_comes_with_its_boxes_once(label) -> None:
    label.query_params["picture"], label.query_params["model"] = "one", "herd-finetuned"
    run(label)
    [herd] = all_herds(store())
    assert herd.name == "My herd"
    labels = stored(label)
    assert (labels.state, len(labels.boxes)) == (LabelState.DRAFT, 3)
    assert "with 3 boxes of Herd fine-tuned as a draft" in words(label)
    assert "model" not in label.query_params
    run(label)
    press(label, "label_remove_all")
    label.query_params["picture"], label.query_params["model"] = "one", "herd-finetuned"
    run(label)
    assert len(stored(label).boxes) == 0, "boxes that are there, or were removed, are never written over"
    assert "its boxes stay as they are" in words(label)
    assert len(pictures_of(store(), herd.herd_id)) == 1


def test_an_upload_is_sent_by_its_digest(label, page, a_png) -> None:
    run(page)
    page.file_uploader(key="uploads_0").set_value([("mine.png", a_png, "image/png")])
    run(page)
    label.session_state["_visit"] = page.session_state["_visit"]
    label.query_params["picture"], label.query_params["model"] = page.query_params["picture"], "herd-base"
    run(label)
    assert [one.name for one in pictures_of(store(), 1)] == ["mine.png"]
    assert len(stored(label).boxes) == 1


@pytest.mark.parametrize(("picture", "model", "said"), [("gone", "herd-base", "not here"), ("one", "gone", "not here")])
def test_what_cannot_be_sent_is_said(label, picture, model, said) -> None:
    label.query_params["picture"], label.query_params["model"] = picture, model
    run(label)
    assert said in words(label)
    assert "model" not in label.query_params


# --- two tabs


def other_tab_saves(page: AppTest, boxes: list) -> None:
    now = stored(page)
    save(store(), 1, desk(page).picture_id, truth(boxes), based_on=now.revision, state=LabelState.DRAFT)


def test_what_another_tab_saved_is_shown_and_a_blind_press_is_not_done(example) -> None:
    draw(example, BOX)
    other_tab_saves(example, [[1, 1, 20, 20], [30, 30, 60, 60]])
    press(example, "label_confirm")
    assert "changed in another tab" in words(example)
    assert stored(example).state is LabelState.DRAFT
    assert len(desk(example).drawing["objects"]) == 2


@pytest.mark.parametrize(("choice", "left"), [("keep_theirs", 2), ("save_mine", 1)])
def test_two_edits_at_once_are_both_shown_and_both_kept(example, choice, left) -> None:
    other_tab_saves(example, [[1, 1, 20, 20], [30, 30, 60, 60]])
    draw(example, BOX)
    assert "were changed in the meantime" in example.error[0].value
    assert len(stored(example).boxes) == 2
    press(example, choice)
    assert len(stored(example).boxes) == left
    counts = [one.boxes for one in history(store(), 1, desk(example).picture_id)]
    assert {1, 2} <= set(counts), "the other version is in the history"
    draw(example, (400, 60, 50, 50))
    assert len(stored(example).boxes) == left + 1


# --- the list


def test_the_list_is_filtered_and_paged(label) -> None:
    herd = create_herd(store(), "Many").herd_id
    ids = [add_picture(store(), herd, bytes([number]), f"cow {number:02d}.jpg", (160, 96)) for number in range(30)]
    save(store(), herd, ids[20], truth([[1, 1, 50, 50]]), based_on=0)
    label.query_params["herd"], label.query_params["picture"] = str(herd), ids[20][:16]
    run(label)
    shown = [one.key for one in label.button if one.key.startswith("go_")]
    assert len(shown) == 12 and f"go_{ids[20][:16]}" in shown
    label.selectbox(key=f"list_state_{herd}").set_value(LabelState.LABELLED)
    run(label)
    assert [one.key for one in label.button if one.key.startswith("go_")] == [f"go_{ids[20][:16]}"]


def test_a_picture_whose_bytes_are_gone_is_an_error_with_a_remedy(label) -> None:
    herd = create_herd(store(), "Gone").herd_id
    add_picture(store(), herd, b"no picture at all", "a.jpg", (160, 96))
    run(label)
    assert "not a picture in a known format" in label.error[0].value.replace("\\", "")


def test_a_picture_is_removed_on_a_second_word(example) -> None:
    first = desk(example).picture_id
    draw(example, BOX)
    press(example, "remove_picture")
    assert [one.name for one in pictures_of(store(), 1)] == ["one.jpg"]
    assert not desk(example).picture_id.startswith(first[:16])


# --- in and out


def coco(*names: str, bad: bool = False) -> bytes:
    images = [{"id": n, "file_name": name, "width": 160, "height": 96} for n, name in enumerate(names, 1)]
    rows = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [10, 10, 50 - 100 * (bad and n == 1), 20], "iscrowd": 0}
        for n in range(1, len(names) + 1)
    ]
    return json.dumps({"images": images, "annotations": rows, "categories": [{"id": 1, "name": "cow"}]}).encode()


def bring(page: AppTest, data: bytes) -> None:
    page.session_state["open_import"] = True
    run(page)
    page.file_uploader(key="import_files_0").set_value([("truth.json", data, "application/json")])
    run(page)
    press(page, "import_read")


def test_truth_is_imported_for_pictures_that_are_here(example) -> None:
    bring(example, coco("many.jpg", "one.jpg"))
    assert "2 pictures with 2 boxes can be read" in words(example)
    press(example, "import_go")
    assert stored(example).state is LabelState.LABELLED
    assert stored(example).boxes.xyxy.tolist() == [[10, 10, 60, 30]]
    assert all_herds(store())[0].labelled == 2


def test_ones_own_import_is_no_news_from_another_tab(example) -> None:
    draw(example, BOX)
    bring(example, coco("many.jpg"))
    example.checkbox(key="import_replace").check()
    run(example)
    press(example, "import_go")
    assert stored(example).boxes.xyxy.tolist() == [[10, 10, 60, 30]]
    assert "another tab" not in words(example)
    assert "1 picture imported" in words(example)


def test_files_that_are_no_truth_are_named(example) -> None:
    bring(example, b"{images")
    told = example.error[0].value.replace("\\", "")
    assert told.startswith("**truth.json**: not JSON (") and "line 1 column 2" in told
    files = [(f"{name}.json", coco("many.jpg"), "application/json") for name in "ab"]
    example.file_uploader(key="import_files_0").set_value([*files, ("c.json", b"{", "application/json")])
    run(example)
    press(example, "import_read")
    told = example.error[0].value.replace("\\", "")
    assert told.startswith(
        "**The 3 files**: holds a.json and b.json, of which only one can be meant; c.json is not JSON"
    )


def test_the_good_rest_is_imported_only_on_a_word(example) -> None:
    bring(example, coco("many.jpg", "one.jpg", bad=True))
    assert "1 thing left out" in words(example)
    assert example.button(key="import_go").disabled
    example.checkbox(key="import_rest").check()
    run(example)
    press(example, "import_go")
    assert stored(example).state is LabelState.UNLABELLED, "that nothing is on it, nobody said"
    assert all_herds(store())[0].labelled == 1


def test_pictures_that_are_elsewhere_are_one_finding_and_no_trouble(example) -> None:
    bring(example, coco("many.jpg", *(f"foreign {number}.jpg" for number in range(9))))
    assert "0 things left out" in words(example)
    assert "9 pictures named in the file are not in this herd." in words(example)
    assert not any(box.key == "import_rest" for box in example.checkbox)
    assert not example.button(key="import_go").disabled


def test_an_import_never_writes_over_boxes_unasked(example) -> None:
    draw(example, BOX)
    mine = stored(example).boxes.xyxy.tolist()
    bring(example, coco("many.jpg"))
    press(example, "import_go")
    assert stored(example).boxes.xyxy.tolist() == mine
    assert "had boxes here already and kept them" in words(example)


def test_an_export_holds_the_answered_pictures_only(example) -> None:
    draw(example, BOX)
    press(example, "label_confirm")
    example.session_state["open_export"] = True
    run(example)
    press(example, "export_make")
    assert "1 picture." in words(example)
    assert "Nothing is lost" in words(example)
    [button] = [one for one in example.get("download_button") if one.proto.label.startswith("Save the zip")]
    assert button


def test_a_damaged_archive_is_said(example) -> None:
    example.session_state["open_import"] = True
    run(example)
    example.file_uploader(key="import_files_0").set_value([("a.zip", b"PK no zip", "application/zip")])
    run(example)
    press(example, "import_read")
    assert "the archive cannot be unpacked" in example.error[0].value


def test_a_zip_with_pictures_fills_a_new_herd(label, stills) -> None:
    create_herd(store(), "New")
    run(label)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("annotations.json", coco("many.jpg", "none.jpg"))
        for name in ("many.jpg", "none.jpg"):
            archive.write(stills / name, f"images/{name}")
    label.session_state["open_import"] = True
    run(label)
    label.file_uploader(key="import_files_0").set_value([("set.zip", stream.getvalue(), "application/zip")])
    run(label)
    press(label, "import_read")
    press(label, "import_go")
    assert [one.state for one in pictures_of(store(), 1)] == [LabelState.LABELLED] * 2
