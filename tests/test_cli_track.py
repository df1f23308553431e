"""`track` and `mot`: files that play and read back, figures to the printed digit, and one line about what is wrong."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cowvision.__main__ import app
from cowvision.data.mot import read_mot
from cowvision.errors import ClipError
from cowvision.tracking.video import frames
from cowvision.workspace import following
from cowvision.workspace.tracked_clips import tracked_clips, tracked_folder
from tests.tracking.clips import write_clip, write_empty, write_sound
from tests.tracking.walker import Walker, true_tracks


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("cowvision.detection_box.DetectionBox", Walker)


@pytest.fixture
def clip(tmp_path) -> Path:
    return write_clip(tmp_path / "c.mp4", 20)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def one_line(result: Result) -> str:
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("cowvision: ")
    assert result.exit_code == 2
    return line


def test_all_three_files_are_written_and_agree(clip, tmp_path) -> None:
    out, mot, told = tmp_path / "o.mp4", tmp_path / "o.txt", tmp_path / "o.json"
    (tmp_path / "gt.txt").write_text(true_tracks(20))
    result = run("track", clip, "--out", out, "--mot", mot, "--json", told, "--truth", tmp_path / "gt.txt")
    assert result.exit_code == 0, result.output
    assert len(list(frames(out))) == 20
    facts = json.loads(told.read_text())
    tracks = read_mot(mot)
    assert {int(one) for boxes in tracks for one in boxes.tracker_id} == {1}
    assert facts["health"]["unique"] == 1
    assert facts["identity"]["true_boxes"] == 20
    again = run("mot", "--truth", tmp_path / "gt.txt", "--tracks", mot, "--json", tmp_path / "m.json")
    assert again.exit_code == 0
    judged = json.loads((tmp_path / "m.json").read_text())
    assert judged["misses"] == facts["identity"]["misses"]
    assert judged["idf1"] == pytest.approx(facts["identity"]["idf1"])
    assert "about 1 cows (between 1 and 1 if every box is one)" in result.stdout
    assert f"IDF1 {judged['idf1']:.6f}" in again.stdout


def test_without_keep_nothing_stays(clip, tmp_path) -> None:
    assert run("track", clip).exit_code == 0
    assert not tracked_folder().exists() or list(tracked_folder().iterdir()) == []


def test_with_keep_the_page_finds_it(clip) -> None:
    assert run("track", clip, "--keep", "--every", "2", "--threshold", "0.4").exit_code == 0
    [found] = tracked_clips()[-1:]
    assert found.folder.parent == tracked_folder()
    assert (found.settings.every, found.settings.least_score) == (2, 0.4)


def test_every_option_of_the_tracker_reaches_it(clip) -> None:
    given = {"every": 3, "threshold": 0.31, "inside": 0.71, "overlap": 0.21, "patience": 33, "coast": 7, "confirm": 2}
    options = [part for name, value in given.items() for part in (f"--{name}", value)]
    assert run("track", clip, "--keep", *options).exit_code == 0
    settings = tracked_clips()[-1].settings
    told = (settings.every, settings.least_score, settings.most_inside, settings.least_iou, settings.patience)
    assert (*told, settings.coast, settings.confirm) == tuple(given.values())


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (write_sound, "sound"),
        (write_empty, "not a single frame"),
        (lambda path: path.write_bytes(b"") and path, ""),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\nnot") and path, ""),
    ],
)
def test_what_is_no_clip_is_told_in_one_line_and_leaves_nothing(tmp_path, make, told: str) -> None:
    make(tmp_path / "bad.mp4")
    line = one_line(run("track", tmp_path / "bad.mp4", "--out", tmp_path / "o.mp4"))
    assert "bad.mp4" in line
    assert told in line
    assert not (tmp_path / "o.mp4").exists()


def test_a_clip_that_is_not_there_names_those_that_ship() -> None:
    line = one_line(run("track", "nowhere.mp4"))
    assert "no such clip" in line
    assert "crossing" in line


def test_targets_are_checked_before_the_work(clip, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(following, "follow", lambda *_, **__: pytest.fail("worked before it checked"))
    assert "folder" in one_line(run("track", clip, "--out", tmp_path))
    assert "overwritten" in one_line(run("track", clip, "--out", clip))
    assert clip.stat().st_size > 0
    (tmp_path / "gt.txt").write_text(true_tracks(20))
    assert "overwritten" in one_line(run("track", clip, "--truth", tmp_path / "gt.txt", "--mot", tmp_path / "gt.txt"))
    assert "overwritten" in one_line(run("track", clip, "--out", tmp_path / "x", "--mot", tmp_path / "x"))


def test_settings_that_cannot_be_are_told(clip) -> None:
    assert "patience" in one_line(run("track", clip, "--patience", "2", "--confirm", "5"))
    assert "--every" in one_line(run("track", clip, "--every", "0"))


def test_truth_that_does_not_fit_is_told(clip, tmp_path) -> None:
    (tmp_path / "gt.txt").write_text(true_tracks(25))
    line = one_line(run("track", clip, "--truth", tmp_path / "gt.txt", "--out", tmp_path / "o.mp4"))
    assert "names frame 25, but the clip has 20" in line
    assert not (tmp_path / "o.mp4").exists()


def test_more_than_an_hour_is_asked_for_twice(clip, monkeypatch) -> None:
    monkeypatch.setattr(following, "LONG_SECONDS", 1.5)
    line = one_line(run("track", clip))
    assert "hours" in line
    assert "--yes" in line
    assert run("track", clip, "--yes").exit_code == 0


def test_a_full_disk_is_told(clip, tmp_path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise ClipError("clip.mp4", "it cannot be written: the disk is full", "Free some space")

    monkeypatch.setattr("cowvision.tracking.pipeline.ClipWriter.write", full)
    assert "disk is full" in one_line(run("track", clip, "--keep"))
    assert list(tracked_folder().iterdir()) == []


def test_the_reference_sequence_from_the_command_line(tmp_path) -> None:
    reference = Path(__file__).resolve().parents[2] / "shared" / "real" / "mot_reference" / "TUD-Campus"
    if not reference.is_dir():
        pytest.skip("the real reference sequence is not here")
    result = run("mot", "--truth", reference / "gt.txt", "--tracks", reference / "test.txt")
    for figure in ("MOTA 0.526462", "MOTP 0.277201", "IDF1 0.557659", "13 false", "150 missed", "7 id switches"):
        assert figure in result.stdout


def test_mot_says_what_is_wrong_with_a_file(tmp_path) -> None:
    (tmp_path / "gt.txt").write_text("nonsense\n")
    (tmp_path / "t.txt").write_text(true_tracks(3))
    assert "line 1" in one_line(run("mot", "--truth", tmp_path / "gt.txt", "--tracks", tmp_path / "t.txt"))
    assert "t2.txt" in one_line(run("mot", "--truth", tmp_path / "t.txt", "--tracks", tmp_path / "t2.txt"))


def test_mot_takes_only_the_classes_that_are_asked_for(tmp_path) -> None:
    (tmp_path / "gt.txt").write_text("1,1,0,0,10,10,1,21,1\n1,2,50,0,10,10,1,1,1\n")
    (tmp_path / "t.txt").write_text("1,7,0,0,10,10,1\n")
    both = run("mot", "--truth", tmp_path / "gt.txt", "--tracks", tmp_path / "t.txt")
    cows = run("mot", "--truth", tmp_path / "gt.txt", "--tracks", tmp_path / "t.txt", "--classes", "21")
    assert "2 animals in truth" in both.stdout
    assert "1 animals in truth" in cows.stdout
    assert "MOTA 1.000000" in cows.stdout
