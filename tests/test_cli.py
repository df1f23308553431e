"""The command line: what it writes, what it says about bad input, and that good files are done all the same."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from cowvision.__main__ import app
from cowvision.commands.evaluate import evaluate
from cowvision.commands.reporting import say_timing
from cowvision.data.formats import write_coco
from cowvision.detection_box import DetectionBox
from cowvision.models.catalog import ModelSpec
from tests.detectors import untrained_box
from tests.samples import boxes, noise, truth

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> str:
    return str(untrained_box(("dog", "cow")).save(tmp_path_factory.mktemp("weights")).weights)


@pytest.fixture(autouse=True)
def quick_and_at_home(tmp_path_factory, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path_factory.getbasetemp() / "home"))
    monkeypatch.setenv("COWVISION_DEVICE", "cpu")
    monkeypatch.setenv("COWVISION_PRECISION", "float32")  # fewer ways to time


@pytest.fixture
def folder(tmp_path) -> Path:
    herd = tmp_path / "herd"
    (herd / "sub").mkdir(parents=True)
    Image.fromarray(noise(96, 64)).save(herd / "a.png")
    Image.fromarray(noise(64, 96, 1)).save(herd / "sub" / "a.jpg")
    return herd


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def one_line(result: Result) -> str:
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("cowvision: ")
    assert result.exit_code == 2
    return line


def detect(weights: str, out: Path, *arguments: object) -> tuple[Result, list[dict]]:
    result = run("detect", *arguments, "--model", weights, "--json", out)
    return result, json.loads(out.read_text())


def test_detect_writes_one_entry_a_picture(weights, folder, tmp_path) -> None:
    result, entries = detect(weights, tmp_path / "out.json", folder, "--threshold", "0.2")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [entry["image"] for entry in entries] == ["a.png", "sub/a.jpg"]
    assert list(entries[0]) == ["image", "image_id", "width", "height", "cows", "detections"]
    assert (entries[0]["width"], entries[0]["height"], len(entries[0]["image_id"])) == (96, 64, 64)
    for entry in entries:
        assert entry["cows"] == sum(row["class_name"] == "cow" for row in entry["detections"])
        for row in entry["detections"]:
            assert list(row) == ["xyxy", "score", "class_id", "class_name"]
            assert row["score"] >= 0.2
            assert row["class_name"] == {1: "dog", 2: "cow"}[row["class_id"]]


def test_a_higher_threshold_keeps_a_part_of_the_same(weights, folder, tmp_path) -> None:
    _, low = detect(weights, tmp_path / "low.json", folder / "a.png", "--threshold", "0.05")
    middle = low[0]["detections"][len(low[0]["detections"]) // 2]["score"] - 1e-5  # scores are written rounded
    _, high = detect(weights, tmp_path / "high.json", folder / "a.png", "--threshold", middle)
    kept = [row for row in low[0]["detections"] if row["score"] >= middle]
    assert 0 < len(kept) < len(low[0]["detections"])
    assert high[0]["detections"] == kept


def test_saved_pictures_do_not_overwrite_each_other(weights, folder, tmp_path) -> None:
    run("detect", folder, folder / "a.png", "--model", weights, "--save", tmp_path / "seen")
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == ["a-2.jpg", "a.jpg", "sub_a.jpg"]
    with Image.open(tmp_path / "seen" / "a.jpg") as saved:
        assert saved.size == (96, 64)


def test_every_nth_frame_of_a_clip(weights, tmp_path) -> None:
    with av.open(str(tmp_path / "walk.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(7):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise(96, 64, number), format="rgb24")))
        container.mux(stream.encode())
    _, entries = detect(weights, tmp_path / "o.json", tmp_path / "walk.mp4", "--every", 3, "--save", tmp_path / "seen")
    assert [(entry["image"], entry["frame"]) for entry in entries] == [
        ("walk.mp4#0", 0), ("walk.mp4#3", 3), ("walk.mp4#6", 6)
    ]  # fmt: skip
    assert [entry["seconds"] for entry in entries] == pytest.approx([0, 0.3, 0.6], abs=1e-3)
    assert (tmp_path / "seen" / "walk_000003.jpg").exists()


def test_bad_files_are_named_and_the_good_ones_done(weights, folder, tmp_path) -> None:
    (folder / "notes.jpg").write_text("not a picture")
    (folder / "clip.mp4").write_text("not a clip")
    result, entries = detect(weights, tmp_path / "out.json", folder, folder / "gone.jpg")
    assert result.exit_code == 2
    assert [entry["image"] for entry in entries] == ["a.png", "sub/a.jpg"]
    lines = result.stderr.strip().splitlines()
    assert [line.split(":")[0] for line in lines] == ["cowvision"] * 3
    for line, name in zip(lines, ("clip.mp4", "notes.jpg", "gone.jpg"), strict=True):
        assert name in line
        assert line.count(". ") >= 1


def test_wrong_usage_is_one_line_too(weights, folder, tmp_path) -> None:
    assert "Missing argument" in one_line(run("detect"))
    assert "--threshold" in one_line(run("detect", folder, "--threshold", 3))
    assert "--every" in one_line(run("detect", folder, "--every", 0))
    assert "No such command" in one_line(run("destroy"))
    assert "herd-of-unicorns: no model" in one_line(run("detect", folder, "--model", "herd-of-unicorns"))
    (tmp_path / "empty").mkdir()
    assert "no pictures or clips" in one_line(run("detect", tmp_path / "empty", "--model", weights))


def test_results_that_cannot_be_written(weights, folder) -> None:
    line = one_line(run("detect", folder / "a.png", "--model", weights, "--json", folder / "a.png" / "out.json"))
    assert "may write" in line


def test_a_spoilt_weights_file(folder, tmp_path) -> None:
    path = untrained_box().save(tmp_path).weights
    path.write_bytes(path.read_bytes()[:10_000])
    assert "truncated" in one_line(run("detect", folder, "--model", path))


@pytest.fixture
def truth_file(folder) -> Path:
    truths = [("a.png", (96, 64), truth([[10, 10, 50, 50]])), ("sub/a.jpg", (64, 96), truth([]))]
    write_coco(folder / "truth.json", truths)
    return folder / "truth.json"


def test_evaluate_against_itself(weights, folder, truth_file, tmp_path) -> None:
    out = tmp_path / "out.json"
    result = run(
        "evaluate", "--images", folder, "--truth", truth_file, "--model", weights, "--against", weights, "--json", out
    )
    assert (result.exit_code, result.stderr) == (0, "")
    figures = json.loads(out.read_text())
    assert figures["images"] == 2
    assert figures["model"] == weights
    assert {"map", "map_50", "map_75", "map_medium", "mar_1", "mar_10", "mar_100", "per_class"} <= figures.keys()
    assert figures["map_small"] is None
    assert figures["against"]["map"] == figures["map"]
    assert (figures["delta_map"], figures["interval_95"]) == (0.0, [0.0, 0.0])
    assert "2 pictures, 1 of them with something to find, are too few" in result.stdout


def test_the_gain_has_the_sign_of_model_minus_against(folder, tmp_path, monkeypatch) -> None:
    """One model finds the cow, the other nothing: whoever is named first has the gain."""
    write_coco(tmp_path / "t.json", [("a.png", (96, 64), truth([[5, 5, 40, 30]]))])
    answers = {"good": boxes([[5, 5, 40, 30]], [0.9]), "blind": boxes([], [])}
    seeing = {
        name: SimpleNamespace(predict=lambda _, found=found: [found], spec=ModelSpec(name, name, "none", ("cow",)))
        for name, found in answers.items()
    }
    monkeypatch.setattr("cowvision.commands.evaluate.DetectionBox", seeing.__getitem__)
    for model, against, gain in (("good", "blind", 1.0), ("blind", "good", -1.0)):
        out = tmp_path / f"{model}.json"
        evaluate(images=folder, truth=tmp_path / "t.json", model=model, against=against, json_file=out)
        assert json.loads(out.read_text())["delta_map"] == pytest.approx(gain)


def test_drawings_never_take_the_place_of_their_pictures(weights, folder) -> None:
    before = (folder / "a.png").read_bytes()
    assert "Give another folder with --save" in one_line(run("detect", folder, "--model", weights, "--save", folder))
    assert (folder / "a.png").read_bytes() == before
    assert not (folder / "a.jpg").exists()


@pytest.mark.parametrize(("option", "target"), [("--json", "herd"), ("--save", "herd/a.png")])
def test_what_cannot_be_written_is_said_before_the_work(weights, folder, option, target) -> None:
    result = run("detect", folder / "sub", "--model", weights, option, folder.parent / target)
    assert option in one_line(result)
    assert "cow" not in result.stdout


def test_a_hash_in_a_name_is_no_frame(weights, tmp_path) -> None:
    Image.fromarray(noise(96, 64)).save(tmp_path / "cow #1.png")
    assert run("detect", tmp_path / "cow #1.png", "--model", weights, "--save", tmp_path / "seen").exit_code == 0
    assert (tmp_path / "seen" / "cow #1.jpg").is_file()


@pytest.mark.parametrize("options", [("--seed", "-1"), ("--out", "/proc/nowhere")])
def test_herd_says_in_one_line_what_it_cannot_do(tmp_path, options) -> None:
    given = {"--count": "1", "--out": str(tmp_path), "--seed": "0"} | {options[0]: options[1]}
    assert one_line(run("herd", *(part for pair in given.items() for part in pair)))


def test_weights_refuses_a_part_it_does_not_know(tmp_path) -> None:
    assert "finetuned" in one_line(run("weights", "--only", "typo", "--out", tmp_path))


def test_evaluate_without_a_single_cow(weights, folder, tmp_path) -> None:
    write_coco(folder / "truth.json", [("a.png", (96, 64), truth([[1, 1, 9, 9]], "dog"))])
    out = tmp_path / "out.json"
    result = run("evaluate", "--images", folder, "--truth", folder / "truth.json", "--model", weights, "--json", out)
    assert result.exit_code == 0
    assert json.loads(out.read_text())["map"] is None
    assert "n/a" in result.stdout


def test_evaluate_on_files_that_are_not_there(weights, folder, truth_file) -> None:
    assert "gone.json" in one_line(
        run("evaluate", "--images", folder, "--truth", folder / "gone.json", "--model", weights)
    )
    (folder / "a.png").unlink()
    line = one_line(run("evaluate", "--images", folder, "--truth", truth_file, "--model", weights))
    assert "a.png does not exist" in line


def test_evaluate_leaves_out_a_picture_that_is_spoilt(weights, folder, truth_file, tmp_path) -> None:
    (folder / "sub" / "a.jpg").write_text("no picture")
    out = tmp_path / "out.json"
    result = run("evaluate", "--images", folder, "--truth", truth_file, "--model", weights, "--json", out)
    assert result.exit_code == 2
    assert json.loads(out.read_text())["images"] == 1


def test_as_a_process_of_its_own(tmp_path) -> None:
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png")
    command = [sys.executable, "-m", "cowvision", "detect", str(tmp_path / "a.png"), "--model", "herd-of-unicorns"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("cowvision: herd-of-unicorns: no model of that name. Known models:")
    assert "Traceback" not in result.stderr
    helped = subprocess.run([*command[:3], "--help"], capture_output=True, text=True, cwd=ROOT, check=True)
    assert all(name in helped.stdout for name in ("models", "detect", "evaluate", "herd"))


def test_models_trained_here_are_listed_and_a_damaged_one_hides_none(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    box = untrained_box()
    box.spec = replace(box.spec, name="model", title="Meadow")
    for name in ("bad", "meadow"):
        box.save(tmp_path / "runs" / name)
    (tmp_path / "runs" / "bad" / "model.json").write_text("{")
    listed = run("models")
    assert listed.exit_code == 0
    [line] = [line for line in listed.stdout.splitlines() if line.startswith("meadow")]
    assert "Meadow: compact-fpn-w32, cow; your own, in " in line
    assert "not the settings of a model" in listed.stderr


@pytest.mark.parametrize(("at_terminal", "is_timed"), [(True, False), (True, True), (False, False)])
def test_a_first_look_that_takes_long_is_told_at_a_terminal(
    weights, tmp_path, monkeypatch, at_terminal, is_timed
) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    box = DetectionBox(weights)
    assert not box.is_timed
    if is_timed:
        box.choose_execution()
        assert DetectionBox(weights).is_timed
    told = io.StringIO()
    told.isatty = lambda: at_terminal
    monkeypatch.setattr("sys.stderr", told)
    say_timing(box)
    assert ("up to a minute" in told.getvalue()) == (at_terminal and not is_timed)
