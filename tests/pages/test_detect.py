"""The Detect page as a visitor uses it, without a browser."""

import hashlib
import struct
import sys
import threading
import time
import zlib
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cowvision.errors import ModelFileError
from tests.pages.driving import counted, counts, run, upload, words
from tests.samples import encoded, noise


def test_it_opens_with_both_models_counting_the_first_still(page) -> None:
    run(page)
    assert counts(page) == {"herd-base": 1, "herd-finetuned": 3}
    assert "3 in truth: 1 found, 2 missed, 0 false" in words(page)
    assert "3 in truth: 2 found, 1 missed, 1 false" in words(page)
    assert "timed at the first picture" in words(page)


def test_the_threshold_changes_the_count_without_a_network_run(page, fake_boxes) -> None:
    run(page)
    page.slider(key="threshold").set_value(0.15)
    run(page)
    assert counts(page) == {"herd-base": 2, "herd-finetuned": 4}
    page.slider(key="threshold").set_value(0.95)
    run(page)
    assert counts(page) == {"herd-base": 0, "herd-finetuned": 0}
    assert [len(box.seen) for box in fake_boxes.values()] == [1, 1]
    assert 'data-network-runs="2"' in words(page)


def test_choosing_a_picture_puts_it_into_the_address(page) -> None:
    run(page)
    page.button(key="choose_one").click()
    run(page)
    assert page.query_params["picture"] == "one"
    assert "1 in truth" in words(page)


def test_the_address_names_picture_models_and_threshold(page) -> None:
    page.query_params["picture"] = "none"
    page.query_params["threshold"] = "0.7"
    page.query_params["models"] = "Herd fine-tuned"  # Streamlit names options as they are shown
    run(page)
    assert counts(page) == {"herd-finetuned": 2}
    assert "no cow in truth, 2 false" in words(page)


def test_an_address_of_a_picture_that_is_not_here(page) -> None:
    page.query_params["picture"] = "gone"
    run(page)
    assert "not here" in words(page)
    assert counts(page)


def test_an_upload_is_shown_at_once_and_counted(page, a_png) -> None:
    run(page)
    page.file_uploader(key="uploads_0").set_value([("mine.png", a_png, "image/png")])
    run(page)
    assert "mine" in words(page)
    assert "in truth" not in words(page)
    assert counts(page) == {"herd-base": 1, "herd-finetuned": 3}


def test_a_bad_upload_is_named_with_its_cause_and_the_others_go_on(page, a_png) -> None:
    run(page)
    files = [("broken.jpg", b"not a picture", "image/jpeg"), ("mine.png", a_png, "image/png")]
    page.file_uploader(key="uploads_0").set_value(files)
    run(page)
    assert len(page.error) == 1
    assert "broken\\.jpg" in page.error[0].value
    assert "not a picture in a known format" in page.error[0].value.replace("\\", "")
    assert "mine" in words(page)


def test_too_many_uploads_are_refused_by_name(page, a_png, monkeypatch) -> None:
    run(page)
    monkeypatch.setattr("cowvision.ui.intake.MOST_PICTURES", 3)
    files = [(f"p{number}.png", a_png + b" " * number, "image/png") for number in range(5)]
    page.file_uploader(key="uploads_0").set_value(files)
    run(page)
    assert len(page.error) == 1
    assert page.error[0].value.count("holds 3 pictures") == 2


def test_the_same_picture_twice_is_one_picture(page, a_png) -> None:
    run(page)
    page.file_uploader(key="uploads_0").set_value([("a.png", a_png, "image/png"), ("b.png", a_png, "image/png")])
    run(page)
    labels = [button.label for button in page.button if button.key.startswith("choose_")]
    assert labels == ["a", "many", "one", "none"]


def test_the_truth_is_offered_where_it_is_known(page, a_png) -> None:
    run(page)
    page.toggle(key="truth").set_value(True)
    run(page)
    assert "white corners" in words(page)
    page.file_uploader(key="uploads_0").set_value([("mine.png", a_png, "image/png")])
    run(page)
    assert "truth" not in [toggle.key for toggle in page.toggle]


def test_what_the_model_returns_is_the_tutorials_dictionary(page) -> None:
    run(page)
    assert len(page.code) == 2
    for name in ("pred_classes", "pred_boxes", "scores"):
        assert name in page.code[0].value
    table = page.dataframe[1].value
    assert table["class"].tolist() == ["cow"] * 4
    assert table["shown"].tolist() == [True, True, True, False]


def test_an_address_that_names_no_model_shows_one(page) -> None:
    page.query_params["models"] = "nonsense"
    run(page)
    assert counts(page)


def test_without_stills_it_asks_for_a_picture(page, stills) -> None:
    (stills / "truth.json").unlink()
    run(page)
    assert "Upload one" in words(page)


def test_without_models_it_shows_the_picture_and_the_remedy(page, monkeypatch) -> None:
    monkeypatch.setattr("cowvision.models.catalog.all_models", lambda **_: [])
    run(page)
    assert "make weights" in words(page)


def test_damaged_stills_are_an_error_with_a_remedy(page, stills) -> None:
    (stills / "truth.json").write_text("{", encoding="utf-8")
    run(page)
    assert len(page.error) == 1
    assert "truth" in page.error[0].value


def damaged_model(*_: object) -> None:
    raise ModelFileError("herd-base.safetensors", "the weights file is truncated or damaged", "Restore the file")


def test_a_damaged_model_is_an_error_with_a_remedy(page, monkeypatch) -> None:
    monkeypatch.setattr("cowvision.ui.cache.DetectionBox", damaged_model)
    run(page)
    assert page.error
    assert "Restore the file" in page.error[0].value


def test_a_damaged_model_does_not_hide_the_other(page, monkeypatch, fake_boxes) -> None:
    from cowvision.ui import cache

    whole = cache.DetectionBox
    monkeypatch.setattr(
        cache, "DetectionBox", lambda spec: damaged_model() if spec.name == "herd-base" else whole(spec)
    )
    run(page)
    assert counts(page) == {"herd-finetuned": 3}
    assert len(page.error) == 1


def test_uploads_are_counted_in_one_table_and_can_be_removed(page, a_png) -> None:
    run(page)
    upload(page, a_png, 3)
    counted(page)
    assert "3 pictures of yours, cows in all: **3** by Herd base, **9** by Herd fine-tuned" in words(page)
    page.button(key="remove").click()
    run(page)
    assert "2 pictures of yours" in words(page)
    page.button(key="remove_all").click()
    run(page)
    assert "of yours" not in words(page)
    assert "not here" not in words(page)
    assert "visit" not in page.query_params
    assert "picture" not in page.query_params


def test_a_row_opens_its_picture_once_and_the_gallery_works_on(page, a_png) -> None:
    run(page)
    upload(page, a_png, 3)
    counted(page)
    table = SimpleNamespace(selection=SimpleNamespace(rows=[2]))
    batch = sys.modules["cowvision.ui.batch"]
    with patch.object(batch.st, "session_state", {batch.TABLE: table}):
        opened = []
        with patch.object(batch.session, "look_at", lambda key, **_: opened.append(key)):
            batch._open_row([SimpleNamespace(key=key) for key in "abc"])
    assert opened == ["c"]
    page.button(key="choose_one").click()
    run(page)
    assert page.query_params["picture"] == ["one"] or page.query_params["picture"] == "one"


def test_what_was_stopped_stays_counted_and_goes_on(page, a_png, fake_boxes, monkeypatch) -> None:
    run(page)
    seen = [len(box.seen) for box in fake_boxes.values()]
    gate = threading.Event()
    slow = fake_boxes["herd-finetuned"]
    quick = slow.predict

    def waiting(pictures: list) -> list:
        if len(slow.seen) > seen[1]:  # the picture that is shown is looked at first, by the page itself
            gate.wait(20)
        return quick(pictures)

    monkeypatch.setattr(slow, "predict", waiting)
    upload(page, a_png, 4)
    assert "counted so far" in words(page)
    counting = page.session_state["_visit"].counting
    counting.stop()
    page.session_state["_visit"].stopped = True
    gate.set()
    counted(page)
    assert "1 of 4 counted so far" in words(page) or "2 of 4 counted so far" in words(page)
    page.button(key="go_on").click()
    run(page)
    counted(page)
    assert "4 pictures of yours, cows in all: **4** by Herd base, **12** by Herd fine-tuned" in words(page)
    assert [len(box.seen) - before for box, before in zip(fake_boxes.values(), seen, strict=True)] == [4, 4]


def test_a_count_that_nobody_looks_at_ends(monkeypatch) -> None:
    from cowvision.ui import counting

    monkeypatch.setattr(counting, "UNSEEN_SECONDS", 0.05)
    looked = []
    alone = counting.Counting([(("a", "b"), lambda: (looked.append(1), time.sleep(0.1)))] * 50)
    alone.start()
    alone.finish(10)
    assert len(looked) < 5


def test_the_same_picture_under_two_names_is_said(page, a_png) -> None:
    run(page)
    page.file_uploader(key="uploads_0").set_value([("a.png", a_png, "image/png"), ("b.png", a_png, "image/png")])
    run(page)
    assert "1 file held a picture that is here already" in words(page)


def test_a_reload_finds_the_visitors_pictures_and_nobody_else_does(page, a_png) -> None:
    run(page)
    page.file_uploader(key="uploads_0").set_value([("mine.png", a_png, "image/png")])
    run(page)
    token = page.query_params["visit"]
    token = token[0] if isinstance(token, list) else token
    for told, sees in ((token, True), (None, False), ("0" * 32, False), ("../" + token, False)):
        again = AppTest.from_file(page._script_path, default_timeout=30)
        again.session_state["_framed"] = True
        if told:
            again.query_params["visit"] = told
        run(again)
        assert ("mine" in [button.label for button in again.button]) is sees


def test_the_same_picture_again_asks_no_network_even_after_a_restart(page, fake_boxes) -> None:
    import streamlit as st

    run(page)
    seen = [len(box.seen) for box in fake_boxes.values()]
    st.cache_data.clear()
    st.cache_resource.clear()
    run(page)
    assert [len(box.seen) for box in fake_boxes.values()] == seen == [1, 1]
    assert counts(page) == {"herd-base": 1, "herd-finetuned": 3}


def test_a_class_filter_changes_what_is_drawn_and_not_the_count(page) -> None:
    run(page)
    page.multiselect(key="classes").set_value(["dog"])
    run(page)
    assert counts(page) == {"herd-base": 1, "herd-finetuned": 3}
    assert "nothing of these classes at this threshold" in words(page)


def test_markup_in_a_name_is_shown_as_it_is(page, a_png) -> None:
    run(page)
    page.file_uploader(key="uploads_0").set_value([("**<i>x** [a](b).png", a_png, "image/png")])
    run(page)
    [label] = [button.label for button in page.button if "x" in button.label]
    assert label.startswith("\\*\\*\\<i\\>")
    assert "**&lt;i&gt;x** [a](b)</h2>" in words(page)


def test_zoom_shows_figures_instead_of_pictures(page) -> None:
    page.query_params["zoom"] = "true"
    run(page)
    assert len(page.get("plotly_chart")) == 2


def bomb() -> bytes:
    """A PNG of 30,000 x 30,000 pixels in a few hundred bytes: its header says so, and nobody unpacks it."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


BAD_FILES = {
    "truncated": (encoded(Image.fromarray(noise(96, 64)), "JPEG")[:400], "damaged or incomplete"),
    "empty": (b"", "the file is empty"),
    "text": (b"a letter about cows", "not a picture in a known format"),
    "pixel": (encoded(Image.new("RGB", (1, 1)), "PNG"), "too few to see a cow on"),
    "bomb": (bomb(), "megapixels"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_costs_one_sentence_and_nothing_else(page, a_png, tmp_path, kind) -> None:
    data, cause = BAD_FILES[kind]
    run(page)
    page.file_uploader(key="uploads_0").set_value(
        [(f"{kind}.jpg", data, "image/jpeg"), ("good.png", a_png, "image/png")]
    )
    run(page)
    [error] = page.error
    assert cause in error.value.replace("\\", "")
    assert error.value.startswith(f"**{kind}")
    assert "1 picture of yours" in words(page)
    assert len(list((tmp_path / "home" / "blobs").rglob("*"))) == 2, "only the good picture, in its folder"


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd.png", "quo\"te's.png", "🐄🐄.png", "x" * 300 + ".png", "<script>alert(1)</script>.png"],
)
def test_no_name_of_a_file_does_harm(page, a_png, tmp_path, name) -> None:
    run(page)
    page.file_uploader(key="uploads_0").set_value([(name, a_png, "image/png")])
    run(page)
    assert not page.error
    assert "1 picture of yours" in words(page)
    assert "<script" not in words(page)
    kept = {path.relative_to(tmp_path / "home").parts[0] for path in (tmp_path / "home").rglob("*")}
    assert kept <= {"blobs", "workspace.sqlite3", "workspace.sqlite3-wal", "workspace.sqlite3-shm"}
    [label] = [button.label for button in page.button if button.key.startswith("choose_")][:1]
    assert len(label) < 200


def test_of_an_animation_the_first_frame_is_used_and_that_is_said(page) -> None:
    frames = [Image.fromarray(noise(96, 64, seed)) for seed in range(3)]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    run(page)
    page.file_uploader(key="uploads_0").set_value([("moving.webp", data, "image/webp")])
    run(page)
    assert "holds several pictures" in words(page)
    assert counts(page) == {"herd-base": 1, "herd-finetuned": 3}
    page.button(key="dismiss").click()
    run(page)
    assert "holds several pictures" not in words(page)


def test_the_zip_of_a_tray_holds_what_is_shown(page, a_png) -> None:
    run(page)
    upload(page, a_png, 2)
    counted(page)
    made = []
    downloads = sys.modules["cowvision.ui.downloads"]
    with patch.object(downloads.exports, "as_zip", lambda pictures, *_, **__: made.extend(pictures) or b"PK"):
        page.checkbox(key="zip_pictures").set_value(True)
        page.button(key="make_zip").click()
        run(page)
    assert [picture.name for picture in made] == ["p0.png", "p1.png"]
    assert [len(picture.detections) for picture in made] == [3, 3], "the fine-tuned model's, from the threshold up"
    assert "Save the zip (0.1 MB)" in [button.label for button in page.get("download_button")]


def test_nothing_of_a_removed_picture_stays(page, a_png, tmp_path) -> None:
    run(page)
    upload(page, a_png, 3)
    counted(page)
    cache = sys.modules["cowvision.ui.cache"]
    digest = hashlib.sha256(a_png).hexdigest()
    page.button(key="remove_all").click()
    run(page)
    assert not [path for path in (tmp_path / "home" / "blobs").rglob("*") if path.is_file()]
    assert cache.store().rows("SELECT 1 FROM predictions WHERE picture_id = ?", digest) == []
    with pytest.raises(LookupError):
        cache.thumbnail(digest, cache._nothing)
    with pytest.raises(LookupError):
        cache.picture(digest, cache._nothing)
