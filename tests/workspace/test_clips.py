"""Clips: what is brought is kept once, under no name of an upload, and what is no clip leaves nothing behind."""

import hashlib
import json
import shutil
from functools import partial

import pytest
from PIL import Image

from cowvision.errors import AnnotationError, ClipError
from cowvision.workspace import clips, files
from cowvision.workspace.clips import add_clip, find_clip, own_clips, remove_clip, shipped_clips
from cowvision.workspace.store import Store
from cowvision.workspace.trays import TrayPicture, put_in, take_out
from tests.samples import encoded, noise
from tests.tracking.clips import write_clip, write_sound


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    return Store(files.store_path())


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> bytes:
    return write_clip(tmp_path_factory.mktemp("clip") / "c.mp4", 6).read_bytes()


def blobs() -> list:
    return [path for path in files.blob_folder().rglob("*") if path.is_file()]


def test_the_shipped_clips_have_words_and_the_truth_of_their_cows() -> None:
    shipped = {clip.key: clip for clip in shipped_clips()}
    assert set(shipped) == {"crossing", "grazing_herd", "cows_farmer_dog_horse"}
    cows = {key: {int(one) for boxes in clip.truth() for one in boxes.tracker_id} for key, clip in shipped.items()}
    assert {key: len(ids) for key, ids in cows.items()} == {
        "crossing": 6,
        "grazing_herd": 9,
        "cows_farmer_dog_horse": 4,
    }, "the farmer, the dog and the horse are no cows"
    assert all(clip.title and clip.caption and not clip.is_own for clip in shipped.values())


def test_a_clip_is_kept_and_found_again(store, data) -> None:
    clip = add_clip(store, data, "my cows.mp4")
    assert (clip.title, clip.is_own, clip.sha256) == ("my cows.mp4", True, clip.key)
    assert clip.path.read_bytes() == data
    assert own_clips(Store(store.path)) == [clip]
    assert find_clip(store, clip.key) == clip
    [ships, *_] = shipped_clips()
    assert {find_clip(store, one) for one in (ships.title, ships.key.upper(), ships.path.name)} == {ships}
    assert clip.truth() is None


def test_the_same_bytes_are_kept_once_and_keep_their_name(store, data) -> None:
    first = add_clip(store, data, "a.mp4")
    assert add_clip(store, data, "b.mp4") == first
    assert len(blobs()) == 1


def test_the_newest_comes_first(store, data, tmp_path) -> None:
    add_clip(store, data, "a.mp4")
    add_clip(store, write_clip(tmp_path / "d.mp4", 7).read_bytes(), "b.mp4")
    assert [clip.title for clip in own_clips(store)] == ["b.mp4", "a.mp4"]


@pytest.mark.parametrize("name", ["../../etc/x.mp4", "/x.mp4", "a/b.mp4", "", "🐄.mp4", "x" * 300])
def test_names_of_uploads_are_never_paths(store, data, name: str) -> None:
    clip = add_clip(store, data, name)
    assert clip.title == name
    assert clip.path.is_relative_to(files.blob_folder())


def test_what_is_no_clip_is_told_by_its_name_and_leaves_nothing(store, tmp_path) -> None:
    sound = write_sound(tmp_path / "s.mp4").read_bytes()
    for content in (b"", b"no clip", sound):
        with pytest.raises(ClipError, match=r"holiday\.mp4"):
            add_clip(store, content, "holiday.mp4")
    assert own_clips(store) == []
    assert blobs() == []


def test_too_large_a_file_is_refused_before_it_is_kept(store, data, monkeypatch) -> None:
    monkeypatch.setattr(clips, "MAX_CLIP_BYTES", 100)
    with pytest.raises(ClipError, match="at most"):
        add_clip(store, data, "a.mp4")
    assert blobs() == []


def test_a_removed_clip_is_gone_and_can_be_brought_again(store, data) -> None:
    clip = add_clip(store, data, "a.mp4")
    remove_clip(store, clip.key)
    remove_clip(store, clip.key)
    assert own_clips(store) == []
    assert blobs() == []
    with pytest.raises(ClipError, match="no such clip"):
        find_clip(store, clip.key)
    assert add_clip(store, data, "again.mp4").title == "again.mp4"


def test_removing_a_clip_never_touches_a_picture_of_that_name(store, data) -> None:
    digest = files.keep_blob(b"a picture")
    remove_clip(store, digest)
    assert files.read_blob(digest) == b"a picture"


def test_bytes_that_went_missing_are_kept_anew(store, data) -> None:
    clip = add_clip(store, data, "a.mp4")
    clip.path.unlink()
    assert add_clip(store, data, "b.mp4").path.read_bytes() == data


def test_damaged_words_or_truth_of_a_shipped_clip_are_told(tmp_path, data, monkeypatch) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "c.mp4").write_bytes(data)
    monkeypatch.setattr(clips, "CLIPS_FOLDER", folder)
    with pytest.raises(ClipError, match=r"c\.mp4"):
        shipped_clips()
    shutil.copytree(folder, tmp_path / "other")
    monkeypatch.setattr(clips, "CLIPS_FOLDER", tmp_path / "other")
    (tmp_path / "other" / "c.json").write_text(json.dumps({"title": "C", "caption": "One."}))
    (tmp_path / "other" / "c.gt.txt").write_text("nonsense\n")
    with pytest.raises(AnnotationError, match="line 1"):
        shipped_clips()[0].truth()


def test_a_refused_clip_never_takes_a_picture_with_it(store, tmp_path) -> None:
    photo = encoded(Image.fromarray(noise(96, 64)), "JPEG")
    digest = hashlib.sha256(photo).hexdigest()
    put_in(store, "a" * 32, TrayPicture(digest, "cow.jpg", (96, 64)), photo)
    with pytest.raises(ClipError):
        add_clip(store, photo, "cow.mp4")
    assert files.read_blob(digest) == photo


def test_bytes_that_are_a_clip_and_a_picture_stay_until_both_are_removed(store, tmp_path) -> None:
    data = write_clip(tmp_path / "c.gif", 5, codec="gif", pix_fmt="rgb8").read_bytes()
    for first_goes in ("picture", "clip"):
        key = add_clip(store, data, "c.gif").key
        put_in(store, "a" * 32, TrayPicture(key, "c.gif", (64, 48)), data)
        removals = [partial(take_out, store, "a" * 32), partial(remove_clip, store, key)]
        first, second = removals if first_goes == "picture" else removals[::-1]
        first()
        assert files.read_blob(key) == data
        second()
        assert blobs() == []
