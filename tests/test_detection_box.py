"""DetectionBox on every kind of picture, in two threads, with nothing to do and with nothing to learn from."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import supervision as sv
import torch
from PIL import Image

from cowvision.data.annotations import AnnotatedPicture
from cowvision.data.detections import as_tutorial_dict, count_named
from cowvision.data.pictures import decode_picture, picture_from_array
from cowvision.detection_box import DetectionBox
from cowvision.errors import ModelFileError, ModelNotFoundError, PictureError, TrainingDataError
from cowvision.models.catalog import ModelSpec
from cowvision.models.torchvision_engine import raw_detections
from cowvision.models.weights import network_sha256
from tests.detectors import PLAIN, untrained_box
from tests.samples import boxes, encoded, noise, truth


@pytest.fixture(scope="module")
def box() -> DetectionBox:
    return untrained_box(("dog", "cow"))


def same(one: sv.Detections, other: sv.Detections) -> bool:
    return (
        np.allclose(one.xyxy, other.xyxy, atol=1e-2)
        and np.allclose(one.confidence, other.confidence, atol=1e-4)
        and one.class_id.tolist() == other.class_id.tolist()
    )


def test_importing_the_package_brings_no_torch() -> None:
    code = "import sys, cowvision; cowvision.DetectionBox; print([m for m in sys.modules if m.startswith('torch')])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_raw_detections_keep_their_promises(box) -> None:
    [found] = box.predict([noise(160, 120)])
    assert 0 < len(found) <= 100
    assert found.xyxy.dtype == np.float32
    assert (found.xyxy >= 0).all()
    assert (found.xyxy <= [160, 120, 160, 120]).all()
    assert (found.confidence >= 0.05).all()
    assert (np.diff(found.confidence) <= 0).all()
    names = np.array(["", "dog", "cow"])
    assert found.data["class_name"].tolist() == names[found.class_id].tolist()


def test_no_pictures_no_answers(box) -> None:
    assert box.predict([]) == []


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2), (7, 5)])
def test_tiny_and_thin_pictures(box, size: tuple[int, int]) -> None:
    [found] = box.predict([noise(*size)])
    assert found.xyxy.shape == (len(found), 4)
    assert (found.xyxy <= [*size, *size]).all()


def test_a_huge_picture(box) -> None:
    [found] = box.predict([noise(5000, 3400)])
    assert (found.xyxy[:, 2] <= 5000).all()
    assert found.xyxy[:, 2].max() > 1000


def test_grey_is_seen_like_the_same_grey_in_rgb(box) -> None:
    grey = noise(96, 64)[:, :, 0]
    flat, full, file = box.predict(
        [grey, np.repeat(grey[:, :, None], 3, axis=2), decode_picture(encoded(Image.fromarray(grey), "PNG"), "g.png")]
    )
    assert same(flat, full)
    assert same(flat, file)


def test_paths_arrays_and_pictures_in_one_batch_of_mixed_sizes(box, tmp_path) -> None:
    pictures = [noise(160, 120), noise(90, 140, 1), noise(200, 64, 2)]
    (tmp_path / "a.png").write_bytes(encoded(Image.fromarray(pictures[0]), "PNG"))
    mixed = [tmp_path / "a.png", picture_from_array(pictures[1]), pictures[2]]
    alone = [box.predict([picture])[0] for picture in pictures]
    for together in (box.predict(mixed), box.predict(mixed, batch_size=2)):
        assert len(together) == 3
        assert same(together[0], alone[0])


def test_a_read_only_picture_is_left_as_it_is(box) -> None:
    picture = picture_from_array(noise(64, 64))
    before = picture.rgb.copy()
    box.predict([picture])
    assert np.array_equal(picture.rgb, before)


def test_an_unreadable_picture_is_named(box, tmp_path) -> None:
    with pytest.raises(PictureError, match=r"gone\.jpg: no such file"):
        box.predict([tmp_path / "gone.jpg"])
    with pytest.raises(PictureError, match="float64"):
        box.predict([np.zeros((4, 4, 3))])


def test_two_threads_one_box_one_answer(box) -> None:
    pictures = [noise(160, 120, seed) for seed in range(4)]
    alone = box.predict(pictures)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(box.predict, [pictures, pictures]))
    for answer in answers:
        assert all(same(one, other) for one, other in zip(answer, alone, strict=True))


def test_progress_and_stop(box) -> None:
    seen: list[tuple[int, int]] = []
    pictures = [noise(48, 48, seed) for seed in range(5)]
    stopped = box.predict(
        pictures, batch_size=2, on_progress=lambda *step: seen.append(step), should_stop=lambda: len(seen) == 2
    )
    assert seen == [(2, 5), (4, 5)]
    assert len(stopped) == 4


def test_counting_is_by_name_and_at_or_above_the_threshold() -> None:
    cows = boxes([[0, 0, 4, 4]] * 3, [0.5, 0.499, 0.9])
    assert count_named(cows, 0.5) == 2
    assert count_named(cows, 0.0) == 3
    assert count_named(boxes([[0, 0, 4, 4]], [0.9], "dog"), 0.5) == 0
    assert count_named(sv.Detections.empty(), 0.5) == 0


def test_the_tutorials_dictionary() -> None:
    answer = as_tutorial_dict(boxes([[1, 2, 3, 4]], [0.75]))
    assert list(answer) == ["pred_classes", "pred_boxes", "scores"]
    assert answer["pred_boxes"].tolist() == [[1, 2, 3, 4]]
    assert answer["pred_classes"].tolist() == [1]
    assert as_tutorial_dict(boxes([], []))["pred_boxes"].shape == (0, 4)


def test_a_saved_box_answers_like_itself(tmp_path) -> None:
    other = untrained_box(("dog", "cow"))
    spec = other.save(tmp_path)
    again = DetectionBox(spec.weights, execution=PLAIN)
    assert again.spec == spec
    [one], [two] = other.predict([noise(160, 120)]), again.predict([noise(160, 120)])
    assert abs(len(one) - len(two)) <= 5
    assert np.allclose(one.confidence[:5], two.confidence[:5], atol=0.02)


def test_models_that_are_not_there(tmp_path) -> None:
    with pytest.raises(ModelNotFoundError, match="Known models"):
        DetectionBox("herd-of-unicorns")
    with pytest.raises(ModelFileError, match="no such weights file"):
        DetectionBox(tmp_path / "gone.safetensors")


def test_weights_of_five_classes_under_settings_of_one(tmp_path) -> None:
    path = untrained_box(("person", "dog", "horse", "sheep", "cow")).save(tmp_path).weights
    spec = ModelSpec("untrained", "Untrained", "compact-fpn-w32", ("cow",))
    path.with_suffix(".json").write_text(spec.to_json())
    with pytest.raises(ModelFileError, match="weights of another network"):
        DetectionBox(path)


def test_training_on_nothing_is_refused(box) -> None:
    with pytest.raises(TrainingDataError, match="there are no pictures"):
        box.train([])
    empty = AnnotatedPicture("a.jpg", truth([]), noise(64, 48))
    horses = AnnotatedPicture("b.jpg", truth([[0, 0, 20, 20]], "horse"), noise(64, 48))
    with pytest.raises(TrainingDataError, match="none of the 2 pictures has a box named cow"):
        box.train([empty, horses])


def test_training_returns_a_new_box_and_leaves_its_own(box, monkeypatch) -> None:
    def learn(network, *_, **__):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.01)
        return network

    monkeypatch.setattr("cowvision.training.finetune.finetune", learn)
    before, [found] = network_sha256(box.network), box.predict([noise(96, 64)])
    cows = [AnnotatedPicture("a.jpg", truth([[4, 4, 40, 40]]), noise(64, 48))]
    trained = box.train(cows, name="mine")
    assert network_sha256(box.network) == before
    assert same(box.predict([noise(96, 64)])[0], found)
    assert (trained.spec.name, trained.spec.class_names, trained.spec.weights) == ("mine", ("cow",), None)
    assert trained.spec.id != box.spec.id
    assert set(trained.predict([noise(96, 64)])[0].data["class_name"]) <= {"cow"}


def test_evaluating_without_truth_says_none(box) -> None:
    report = box.evaluate([AnnotatedPicture("a.jpg", truth([]), noise(64, 48))])
    assert report.map is None
    assert report.pictures == 1
    assert box.evaluate([]).map is None


def test_pictures_are_scaled_to_the_models_own_short_side() -> None:
    box = untrained_box()
    [found] = box.predict([noise(200, 120)])
    [(xyxy, _, _)] = raw_detections(box.network, [noise(200, 120)], short_side=box.spec.short_side)
    [(unscaled, _, _)] = raw_detections(box.network, [noise(200, 120)], short_side=200)
    np.testing.assert_allclose(found.xyxy, xyxy[: len(found)], atol=1e-2)
    assert len(unscaled) != len(xyxy) or not np.allclose(unscaled, xyxy, atol=1)
