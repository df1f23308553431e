"""`evaluate` on COCO results files: the figures, what counts, and one line about each thing that is wrong."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from cowvision.__main__ import app
from cowvision.data.formats import write_coco
from cowvision.models.catalog import ModelSpec
from tests.samples import boxes, truth

TRUTH = {
    "images": [{"id": 7, "file_name": "a.jpg"}, {"id": "b", "file_name": "b.jpg"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 3, "bbox": [0, 0, 40, 40]},
        {"id": 2, "image_id": 7, "category_id": 9, "bbox": [100, 0, 40, 40]},
    ],
    "categories": [{"id": 3, "name": "cow"}, {"id": 9, "name": "horse"}],
}
COW = {"image_id": 7, "category_id": 3, "bbox": [0, 0, 40, 40], "score": 0.9}
ALARM = {"image_id": "b", "category_id": 3, "bbox": [5, 5, 30, 30], "score": 0.95}


@pytest.fixture(autouse=True)
def no_model_is_loaded(monkeypatch) -> None:
    def loaded(_: str) -> None:
        raise AssertionError("a results file needs no model")

    monkeypatch.setattr("cowvision.commands.evaluate.DetectionBox", loaded)


@pytest.fixture
def truth_file(tmp_path) -> Path:
    return written(tmp_path / "truth.json", TRUTH)


def written(path: Path, document: object) -> Path:
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *(str(argument) for argument in arguments)])


def figures(truth_file: Path, rows: list, *arguments: object) -> dict:
    out = truth_file.with_name("figures.json")
    given = written(truth_file.with_name("results.json"), rows)
    result = evaluate("--truth", truth_file, "--predictions", given, "--json", out, *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(out.read_text())


def one_line(result: Result) -> str:
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("cowvision: ")
    assert result.exit_code == 2
    return line


def test_a_perfect_answer_is_1_and_needs_neither_model_nor_picture(truth_file) -> None:
    told = figures(truth_file, [COW])
    assert (told["map"], told["images"], told["truths"]) == (1.0, 2, 1)


def test_a_picture_without_cows_counts(truth_file) -> None:
    assert figures(truth_file, [COW, ALARM])["map"] == pytest.approx(0.5)


def test_a_crowd_of_the_truth_neither_gains_nor_costs(tmp_path) -> None:
    crowd = {"id": 3, "image_id": "b", "category_id": 3, "bbox": [0, 0, 90, 90], "iscrowd": 1, "area": 8100}
    truth_file = written(tmp_path / "truth.json", TRUTH | {"annotations": [*TRUTH["annotations"], crowd]})
    told = figures(truth_file, [COW, ALARM])
    assert (told["map"], told["truths"]) == (1.0, 1)


def test_cows_only_unless_asked_otherwise(truth_file) -> None:
    assert set(figures(truth_file, [COW])["per_class"]) == {"cow"}
    every = figures(truth_file, [COW], "--classes", "all")
    assert {name: row["map"] for name, row in every["per_class"].items()} == {"cow": 1.0, "horse": 0.0}
    assert figures(truth_file, [COW], "--classes", "horse, cow")["map"] == pytest.approx(0.5)


def test_two_files_against_each_other(truth_file) -> None:
    other = written(truth_file.with_name("other.json"), [ALARM])
    told = figures(truth_file, [COW], "--against", other)
    assert told["delta_map"] == 1.0
    assert told["against"]["model"] == str(other)
    assert (told["seed"], told["resamples"], told["verdict"]) == (0, 1000, "too few pictures")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([COW, COW | {"image_id": 8}], "entry 2: its image_id 8 is not among the images"),
        ([COW | {"category_id": 1}], "entry 1: its category_id 1 is not among the categories"),
        ([COW | {"bbox": [0, 0, float("nan"), 5]}], "entry 1: its bbox is [0, 0, nan, 5]"),
        ([COW | {"bbox": [50, 50, -40, 5]}], "has no width or no height: [50, 50, -40, 5]"),
        ([COW | {"bbox": [50, 50, 0, 5]}], "has no width or no height: [50, 50, 0, 5]"),
        ([COW | {"bbox": [1, 2, 3]}], "not four numbers"),
        ([COW | {"score": float("nan")}], "its score is nan"),
        ([{key: COW[key] for key in ("image_id", "category_id", "bbox")}], "its score"),
        ([7], "the entry is 7, not an object"),
        (TRUTH, "no list of detections but a dict"),
        ("", "not JSON"),
        ("[{", "not JSON"),
    ],
)
def test_a_bad_results_file_is_one_line(truth_file, document, words) -> None:
    given = written(truth_file.with_name("results.json"), document)
    assert words in one_line(evaluate("--truth", truth_file, "--predictions", given))
    good = written(truth_file.with_name("good.json"), [COW])
    assert words in one_line(evaluate("--truth", truth_file, "--predictions", good, "--against", given))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": None}, "it has no list of images"),
        ({"images": [{"id": 7}, {"id": 7}]}, "image 2: an entry before it has the id 7 too"),
        ({"annotations": [{"image_id": 8, "category_id": 3, "bbox": [0, 0, 4, 4]}]}, "annotation 1: its image_id 8"),
        ({"annotations": [{"image_id": 7, "category_id": 3, "bbox": [0, 0, 0, 4]}]}, "no width or no height"),
        ({"annotations": [{"image_id": 7, "category_id": 3, "bbox": [0, 0, 4, 4], "area": -1}]}, "annotation 1: its"),
        ({"categories": [{"id": 3, "name": "dog"}, {"id": 9, "name": "horse"}]}, "it has no class cow"),
        ({"categories": [{"id": 3, "name": ""}]}, "category 3: the name"),
    ],
)
def test_bad_truth_is_one_line(tmp_path, change, words) -> None:
    truth_file = written(tmp_path / "truth.json", TRUTH | change)
    given = written(tmp_path / "results.json", [COW])
    assert words in one_line(evaluate("--truth", truth_file, "--predictions", given))


def test_results_given_as_truth_and_files_that_are_not_there(truth_file) -> None:
    given = written(truth_file.with_name("results.json"), [COW])
    assert "not ground truth but a list" in one_line(evaluate("--truth", given, "--predictions", given))
    assert "No such file" in one_line(evaluate("--truth", truth_file, "--predictions", "gone.json"))


def test_a_model_that_found_nothing_is_measured(truth_file) -> None:
    assert figures(truth_file, [])["map"] == 0.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--predictions", "results.json", "--against", "herd-base"), "cannot be compared with the model herd-base"),
        (("--images", ".", "--against", "half.json"), "--against: half.json is a results file, not a model"),
        (("--images", ".", "--model", "half.json"), "--model: half.json is a results file, not a model"),
        (("--model", "herd-base"), "--images: is missing: a model needs pictures"),
        (("--against", "herd-base"), "--images: is missing: a model needs pictures"),
    ],
)
def test_a_model_and_a_results_file_are_not_mixed(truth_file, arguments, words) -> None:
    line = one_line(evaluate("--truth", truth_file, *arguments))
    assert words in line
    assert "Give" in line or "give" in line


def test_a_class_that_the_truth_lacks_is_refused_with_pictures_too(truth_file, tmp_path) -> None:
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (200, 100)).save(tmp_path / name)
    numbered = [*TRUTH["images"][:1], {"id": 8, "file_name": "b.jpg"}]
    truth_file = written(tmp_path / "truth.json", TRUTH | {"images": numbered})
    line = one_line(evaluate("--truth", truth_file, "--images", tmp_path, "--classes", "unicorn"))
    assert "it has no class unicorn" in line and "There are: cow, horse" in line


def test_pictures_that_a_model_was_trained_on_are_told(tmp_path, monkeypatch) -> None:
    for number, name in enumerate(("a.jpg", "b.jpg")):
        Image.new("RGB", (200, 100), (number, 0, 0)).save(tmp_path / name)
    write_coco(tmp_path / "truth.json", [(name, (200, 100), truth([[0, 0, 40, 40]])) for name in ("a.jpg", "b.jpg")])
    settings = {"trained_on": [hashlib.sha256((tmp_path / "a.jpg").read_bytes()).hexdigest()]}
    written(tmp_path / "mine.json", settings)
    specs = {
        "mine": ModelSpec("mine", "Mine", "none", ("cow",), weights=tmp_path / "mine.safetensors"),
        "unknown": ModelSpec("unknown", "Unknown", "none", ("cow",)),
    }
    monkeypatch.setattr(
        "cowvision.commands.evaluate.DetectionBox",
        lambda name: SimpleNamespace(spec=specs[name], predict=lambda _: [boxes([[0, 0, 40, 40]], [0.9])]),
    )
    given = ("--truth", tmp_path / "truth.json", "--images", tmp_path, "--json", tmp_path / "out.json")
    result = evaluate(*given, "--model", "mine", "--against", "unknown")
    assert result.exit_code == 0, result.stderr
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("cowvision: mine was trained on 1 of these 2 pictures")
    told = json.loads((tmp_path / "out.json").read_text())
    assert (told["trained_on"], told["against"]["trained_on"]) == (1, None)


def test_options_that_do_not_go_together(truth_file, tmp_path) -> None:
    given = written(tmp_path / "results.json", [COW])
    for option, value in (("--images", tmp_path), ("--model", "herd-base")):
        line = one_line(evaluate("--truth", truth_file, "--predictions", given, option, value))
        assert "needs neither --images nor --model" in line
    assert "nothing is given to be measured" in one_line(evaluate("--truth", truth_file))
    assert "--truth" in one_line(evaluate("--predictions", given))
    assert "no class is named" in one_line(evaluate("--truth", truth_file, "--predictions", given, "--classes", " , "))
    assert "There are: cow, horse" in one_line(
        evaluate("--truth", truth_file, "--predictions", given, "--classes", "cows")
    )
