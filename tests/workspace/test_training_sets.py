"""What a plan learns from: checked before anything begins, split for good, and never a picture on both sides."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cowvision.data.annotations import AnnotatedPicture
from cowvision.data.formats import write_coco
from cowvision.errors import AnnotationError, TrainingDataError, WorkspaceError, WorkStopped
from cowvision.models.weights import save_model
from cowvision.training.plans import Plan
from cowvision.workspace import files
from cowvision.workspace.coco_cows import ARCHIVE, coco_cows_folder
from cowvision.workspace.herds import LabelState, add_picture, create_herd, delete_herd
from cowvision.workspace.labels import save
from cowvision.workspace.reduced_pictures import reduced
from cowvision.workspace.store import Store
from cowvision.workspace.training_sets import gather
from tests.detectors import untrained_box
from tests.samples import encoded, noise, truth

COW = [[10, 10, 60, 50]]


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    return Store(files.store_path())


def labelled_folder(folder: Path, count: int, boxes: list | None = None, seed: int = 0) -> Plan:
    """Pictures that look nothing like each other, each with a cow, and their truth file."""
    folder.mkdir()
    rows = []
    for number in range(count):
        name = f"{number}.png"
        Image.fromarray(noise(96, 64, seed + number)).save(folder / name)
        rows.append((name, (96, 64), truth(COW if boxes is None else boxes)))
    write_coco(folder / "truth.json", rows)
    return Plan(images=str(folder), truth=str(folder / "truth.json"))


def labelled_herd(store: Store, count: int) -> Plan:
    herd = create_herd(store, "Meadow")
    for number in range(count):
        data = encoded(Image.fromarray(noise(96, 64, number)), "PNG")
        picture = add_picture(store, herd.herd_id, data, f"{number}.png", (96, 64))
        if number % 3 == 2:
            save(store, herd.herd_id, picture, truth([]), based_on=0, state=LabelState.NO_COWS)
        else:
            save(store, herd.herd_id, picture, truth(COW), based_on=0)
    return Plan(herd_id=herd.herd_id)


def test_both_sides_together_are_all_and_no_picture_is_on_both(store, tmp_path) -> None:
    data = gather(labelled_folder(tmp_path / "a", 20), store)
    assert len(data.train_ids) == len(data.train) == 14
    assert len(data.held_out_ids) == len(data.held_out) == 6
    assert len({*data.train_ids, *data.held_out_ids}) == 20


def test_a_stop_is_heard_between_two_pictures(store, tmp_path) -> None:
    plan, read = labelled_folder(tmp_path / "a", 20), []
    with pytest.raises(WorkStopped):
        gather(plan, store, on_picture=lambda done, _: read.append(done), should_stop=lambda: len(read) >= 3)
    assert read == [1, 2, 3]
    asked = iter([False] * 4)
    with pytest.raises(WorkStopped):
        gather(plan, store, should_stop=lambda: next(asked, True))


def test_a_stop_is_heard_between_two_copies(tmp_path) -> None:
    files_, pictures = tmp_path / "copies", []
    for number in range(4):
        Image.fromarray(noise(96, 64, number)).save(tmp_path / f"{number}.png")
        pictures.append(AnnotatedPicture(f"{number}.png", truth(COW), tmp_path / f"{number}.png"))
    with pytest.raises(WorkStopped):
        reduced(pictures, "abcd", 32, files_, should_stop=lambda: len(list(files_.glob("*.jpg"))) == 2)
    assert len(list(files_.iterdir())) == 2


def test_copies_are_as_sharp_as_the_detector_wants_them(tmp_path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (640, 960, 3), dtype=np.uint8)
    Image.fromarray(rgb).save(tmp_path / "large.png")
    large = AnnotatedPicture("large.png", truth(COW), tmp_path / "large.png")
    smooth, plain = (
        reduced([large], "a", 80, tmp_path / str(kind), smooth=kind)[0].picture().rgb.astype(float).std()
        for kind in (True, False)
    )
    assert plain > 2 * smooth, "sampled plainly, noise stays noise"


def test_the_same_pictures_are_split_the_same_whatever_they_are_called(store, tmp_path) -> None:
    one = gather(labelled_folder(tmp_path / "a", 20), store)
    other = gather(labelled_folder(tmp_path / "b", 20), store)
    assert one.held_out_ids == other.held_out_ids
    assert one.sha256 == other.sha256


def test_another_seed_holds_out_others_and_another_box_is_other_data(store, tmp_path) -> None:
    plan = labelled_folder(tmp_path / "a", 20)
    moved = labelled_folder(tmp_path / "b", 20, [[10, 10, 61, 50]])
    assert gather(plan, store).held_out_ids != gather(replace(plan, seed=1), store).held_out_ids
    assert gather(plan, store).sha256 != gather(moved, store).sha256


def test_twins_stay_on_one_side(store, tmp_path) -> None:
    plan = labelled_folder(tmp_path / "a", 8)
    rows = [(f"{n}.png", (96, 64), truth(COW)) for n in range(8)]
    for number in range(8):  # each once more, a little darker: another file, the same moment
        darker = (noise(96, 64, number) * 0.95).astype(np.uint8)
        Image.fromarray(darker).save(tmp_path / "a" / f"twin {number}.png")
        rows.append((f"twin {number}.png", (96, 64), truth(COW)))
    write_coco(tmp_path / "a" / "truth.json", rows)
    for seed in range(5):
        data = gather(replace(plan, seed=seed), store)
        kept_back = {one.name.removeprefix("twin ") for one in data.held_out}
        assert len(data.held_out) == 2 * len(kept_back)
        assert not kept_back & {one.name.removeprefix("twin ") for one in data.train}


def frames_of_one_clip(folder: Path, scenes: list[int]) -> Plan:
    """Frames with a cow each, in the order of their numbers; those of one scene look alike."""
    folder.mkdir()
    rows = []
    for number, scene in enumerate(scenes, start=1):
        name = f"frame_{number}.png"
        picture = noise(96, 64, scene)
        picture[0, 0] = number  # another file, and no other look
        Image.fromarray(picture).save(folder / name)
        rows.append((name, (96, 64), truth(COW)))
    write_coco(folder / "truth.json", rows)
    return Plan(images=str(folder), truth=str(folder / "truth.json"))


def test_of_a_single_clip_the_last_stretch_judges_and_that_is_said(store, tmp_path) -> None:
    plan = frames_of_one_clip(tmp_path / "a", list(range(20)))
    data = gather(plan, store)
    assert [one.name for one in data.held_out] == [f"frame_{number}.png" for number in range(15, 21)]
    assert len(data.train) == 14
    assert any("frames of one clip: its last 6 are held out. They show" in note for note in data.notes)
    assert gather(plan, store).sha256 == data.sha256, "so that it can go on"


def test_frames_that_look_like_held_out_ones_are_not_learnt_from(store, tmp_path) -> None:
    data = gather(frames_of_one_clip(tmp_path / "a", [*range(12), 15, 15, *range(14, 20)]), store)
    assert len(data.held_out) == 6
    assert {one.name for one in data.train} == {f"frame_{number}.png" for number in range(1, 13)}
    assert any("and 2 that look like them are not learnt from" in note for note in data.notes)


def test_a_clip_that_never_changes_leaves_nothing_to_judge_by(store, tmp_path) -> None:
    data = gather(frames_of_one_clip(tmp_path / "a", [3] * 12), store)
    assert data.held_out == ()
    assert len(data.train) == 12
    assert any("Nothing could be held out" in note for note in data.notes)


def test_a_herd_gives_what_was_answered(store) -> None:
    plan = labelled_herd(store, 12)
    add_picture(store, plan.herd_id, encoded(Image.fromarray(noise(96, 64, 99)), "PNG"), "new.png", (96, 64))
    data = gather(plan, store)
    assert len(data.train) + len(data.held_out) == 12, "what nobody answered teaches nothing"
    empty = [one for one in (*data.train, *data.held_out) if not len(one.truth)]
    assert len(empty) == 4
    assert all(one.picture().rgb.shape == (64, 96, 3) for one in data.train)


@pytest.mark.parametrize(("count", "told"), [(4, "4 labelled pictures are too few"), (0, "too few")])
def test_too_few_pictures_are_refused_with_a_remedy(store, tmp_path, count: int, told: str) -> None:
    with pytest.raises(TrainingDataError, match=f"{told}.*Label 5 or more"):
        gather(labelled_folder(tmp_path / "a", count), store)


def test_no_box_of_the_class_is_refused(store, tmp_path) -> None:
    plan = labelled_folder(tmp_path / "a", 6, [])
    with pytest.raises(TrainingDataError, match="none of the 6 pictures has a box named cow"):
        gather(plan, store)
    with pytest.raises(TrainingDataError, match="named goat"):
        gather(replace(labelled_folder(tmp_path / "b", 6), class_names=("goat",)), store)


def test_a_box_without_area_is_refused_by_name(store, tmp_path) -> None:
    plan = labelled_folder(tmp_path / "a", 6)
    path = tmp_path / "a" / "truth.json"
    path.write_text(path.read_text().replace('"bbox": [10.0, 10.0, 50.0, 40.0]', '"bbox": [10.0, 10.0, 0.0, 40.0]', 1))
    with pytest.raises(AnnotationError, match=r"0\.png.*no width or no height"):
        gather(plan, store)


def test_nothing_chosen_is_said(store) -> None:
    with pytest.raises(TrainingDataError, match="nothing to learn from was chosen"):
        gather(Plan(), store)


def test_a_herd_that_is_gone_is_said(store) -> None:
    plan = labelled_herd(store, 6)
    delete_herd(store, plan.herd_id)
    with pytest.raises(WorkspaceError, match="deleted"):
        gather(plan, store)


def test_one_broken_picture_is_left_out_and_named(store, tmp_path) -> None:
    plan = labelled_folder(tmp_path / "a", 10)
    (tmp_path / "a" / "3.png").write_bytes(b"no picture")
    data = gather(plan, store)
    assert len(data.train) + len(data.held_out) == 9
    assert any("3.png" in note for note in data.notes)


def test_a_held_out_side_too_small_to_judge_is_said(store, tmp_path) -> None:
    assert "too few to tell" in gather(labelled_folder(tmp_path / "a", 20), store).notes[0]
    assert gather(labelled_folder(tmp_path / "b", 50), store).notes == ()


def test_scenes_alone_are_judged_on_scenes_that_are_not_learnt(store) -> None:
    data = gather(Plan(scenes=1.0), store)
    assert data.train == ()
    assert len(data.held_out) == 40
    assert "composed scenes" in data.notes[0]
    assert gather(Plan(scenes=1.0, seed=1), store).sha256 != data.sha256


def test_large_pictures_are_learnt_from_smaller_copies_with_their_boxes(tmp_path) -> None:
    large, small = tmp_path / "large.png", tmp_path / "small.png"
    Image.fromarray(noise(960, 640)).save(large)
    Image.fromarray(noise(96, 64)).save(small)
    plan = [(large, [[100, 100, 600, 500]]), (small, COW)]
    pictures = [AnnotatedPicture(path.name, truth(xyxy), path) for path, xyxy in plan]
    copy, same = reduced(pictures, ("aa", "bb"), 160, tmp_path / "copies")
    assert copy.picture().rgb.shape == (160, 240, 3)
    np.testing.assert_allclose(copy.truth.xyxy, [[25, 25, 150, 125]])
    assert same is pictures[1]
    assert pictures[0].truth.xyxy[0, 2] == 600, "the original stays as it is"
    (other, again) = reduced(pictures[::-1], ("bb", "aa"), 160, tmp_path / "copies")
    assert other is pictures[1]
    assert (again.picture().rgb == copy.picture().rgb).all(), "in another order each still gets its own copy"


def test_cocos_cows_that_were_not_fetched_are_refused(store, tmp_path) -> None:
    plan = replace(labelled_folder(tmp_path / "a", 6), coco_cows=True)
    with pytest.raises(TrainingDataError, match=r"were not fetched yet\. .*fetch coco-cows`\.$"):
        gather(plan, store)
    coco_cows_folder().mkdir(parents=True)
    (coco_cows_folder() / f"{ARCHIVE}.part").write_bytes(b"PK")
    with pytest.raises(TrainingDataError, match=r"were not fetched to the end.*goes on where it was"):
        gather(plan, store)


def test_what_the_start_has_learnt_from_never_judges(store, tmp_path) -> None:
    plan = labelled_folder(tmp_path / "a", 20)
    before = gather(plan, store)
    learnt = before.held_out_ids[:4]
    box = untrained_box()
    save_model(box.network, box.spec, tmp_path, trained_on=learnt)
    data = gather(replace(plan, start=str(tmp_path / "untrained.safetensors")), store)
    assert not set(learnt) & set(data.held_out_ids)
    assert set(learnt) <= set(data.train_ids)
    assert len(data.held_out_ids) == 5
    assert len(data.train_ids) == 15


def test_a_single_frame_is_told_as_one(store, tmp_path) -> None:
    data = gather(frames_of_one_clip(tmp_path / "a", [*range(4), 9, 9]), store)
    assert len(data.held_out) == 2, "of six"
    few = gather(replace(frames_of_one_clip(tmp_path / "b", [*range(4), 9, 9]), held_out=0.1), store)
    [note] = [one for one in few.notes if "one clip" in one]
    assert "its last one is held out, and 1 that looks like it is not learnt from. It shows the same" in note


def test_frames_without_cows_that_look_like_held_out_ones_are_not_learnt_from_either(store, tmp_path) -> None:
    plan = frames_of_one_clip(tmp_path / "a", [*range(8), 19, *range(10, 20)])
    path = tmp_path / "a" / "truth.json"
    document = json.loads(path.read_text())
    [image] = [one["id"] for one in document["images"] if one["file_name"] == "frame_9.png"]
    document["annotations"] = [one for one in document["annotations"] if one["image_id"] != image]
    path.write_text(json.dumps(document))
    data = gather(plan, store)
    assert "frame_19.png" in {one.name for one in data.held_out}
    assert "frame_9.png" not in {one.name for one in (*data.train, *data.held_out)}


def test_of_a_clip_that_the_start_has_learnt_from_the_rest_may_judge(store, tmp_path) -> None:
    plan = frames_of_one_clip(tmp_path / "a", list(range(20)))
    learnt = gather(plan, store).train_ids
    box = untrained_box()
    save_model(box.network, box.spec, tmp_path, trained_on=learnt)
    data = gather(replace(plan, start=str(tmp_path / "untrained.safetensors")), store)
    assert [one.name for one in data.held_out] == ["frame_19.png", "frame_20.png"], "a third of six"
    assert not set(learnt) & set(data.held_out_ids)


def test_pictures_with_nothing_to_find_are_learnt_from_where_they_would_judge_alone(store, tmp_path) -> None:
    plan = labelled_folder(tmp_path / "a", 20)
    path = tmp_path / "a" / "truth.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"annotations": document["annotations"][:1]}))
    data = gather(plan, store)
    assert (len(data.train), data.held_out) == (20, ())
    assert "Nothing could be held out" in data.notes[0]
    assert "nobody will be able to say" in data.notes[0]
