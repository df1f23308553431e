"""`track` and `mot`: files that play and read back, figures to the printed digit, and one line about what is wrong."""

import json
import os
import signal
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import supervision as sv
from PIL import Image
from typer.testing import CliRunner, Result

from cowvision.__main__ import app
from cowvision.commands import track_telling
from cowvision.data.mot import read_mot
from cowvision.errors import ClipError
from cowvision.tracking.pipeline import TrackProgress
from cowvision.tracking.video import frames
from cowvision.workspace import files, following, jobs
from cowvision.workspace.clips import CLIPS_FOLDER, Clip, own_clips, shipped_clips
from cowvision.workspace.job_log import events_after
from cowvision.workspace.job_process import JOB_VARIABLE, this_process
from cowvision.workspace.job_work import Work
from cowvision.workspace.store import Store
from cowvision.workspace.tracked_clips import find_tracked, remove_tracked, tracked_clips, tracked_folder
from tests.tracking.clips import cut_off, write_clip, write_empty, write_sound
from tests.tracking.walker import WALKER_SPEC, Walker, true_tracks


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("cowvision.detection_box.DetectionBox", Walker)


@pytest.fixture
def clip(tmp_path) -> Path:
    return write_clip(tmp_path / "c.mp4", 20)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def zip_flat(names: Sequence[str], values: Sequence[object]) -> list[object]:
    """--a 1 --b 2."""
    return [part for pair in zip(names, values, strict=True) for part in pair]


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
    assert "about 1 cow: 1 seen at once, 1 id in all; " in result.stdout
    assert "0 gaps, 0 suspected switches" in result.stdout
    assert "1 animal in truth, 1 id; " in result.stdout
    assert "at the same time as others: decode " in result.stdout, "the shares are not of one whole"
    assert f"IDF1 {judged['idf1']:.6f}" in again.stdout


def test_without_keep_nothing_stays(clip, tmp_path) -> None:
    assert run("track", clip).exit_code == 0
    assert not tracked_folder().exists() or list(tracked_folder().iterdir()) == []


def test_with_keep_the_page_finds_it(clip) -> None:
    assert run("track", clip, "--keep", "--every", "2", "--threshold", "0.4").exit_code == 0
    [found] = tracked_clips()[-1:]
    assert found.folder.parent == tracked_folder()
    assert (found.settings.every, found.settings.least_score) == (2, 0.4)


def test_with_keep_the_page_lists_the_clip_and_shows_the_result_beside_it(clip) -> None:
    assert own_clips(Store(files.store_path())) == []
    assert run("track", clip).exit_code == 0
    assert own_clips(Store(files.store_path())) == [], "without --keep nothing is kept"
    assert run("track", clip, "--keep").exit_code == 0
    [listed] = own_clips(Store(files.store_path()))
    assert listed.title == clip.name
    found = find_tracked(listed, WALKER_SPEC)
    assert (found.clip_key, found.clip_title) == (listed.key, clip.name)
    assert run("track", listed.key, "--keep").exit_code == 0
    assert own_clips(Store(files.store_path())) == [listed]


def test_a_clip_that_ships_is_not_listed_twice(tmp_path, clip, monkeypatch) -> None:
    monkeypatch.setattr("cowvision.workspace.clips.shipped_clips", lambda: [Clip("c", "C", "", clip)])
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip.read_bytes())
    assert run("track", copy, "--keep").exit_code == 0
    assert own_clips(Store(files.store_path())) == []


def test_a_clip_too_large_for_the_page_is_tracked_and_that_is_said_before_the_work(clip, monkeypatch) -> None:
    monkeypatch.setattr("cowvision.workspace.clips.MAX_CLIP_BYTES", 100)
    result = run("track", clip, "--keep")
    assert result.exit_code == 0
    assert "c.mp4 is too large for the page" in result.stderr
    assert own_clips(Store(files.store_path())) == []
    assert tracked_clips()[-1].folder.parent == tracked_folder()

    def follow(*_: object, **__: object) -> None:
        raise ClipError("c.mp4", "it fails", "Go on")

    monkeypatch.setattr(following, "follow", follow)
    assert "too large for the page" in run("track", clip, "--keep").stderr


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
    assert "overwritten" in one_line(run("track", clip, "--out", tmp_path / "x.mp4", "--mot", tmp_path / "x.mp4"))


def test_no_target_is_a_clip_that_ships_nor_its_truth(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(following, "follow", lambda *_, **__: pytest.fail("worked before it checked"))
    [ships] = [one for one in shipped_clips() if one.key == "crossing"]
    link = tmp_path / "link.mp4"
    link.symlink_to(ships.path)
    for option, target in (("--out", ships.path), ("--out", link), ("--mot", ships.truth_path)):
        before = target.read_bytes()
        assert "would be overwritten" in one_line(run("track", "crossing", option, target))
        assert target.read_bytes() == before


@pytest.fixture
def idle(monkeypatch) -> None:
    monkeypatch.setattr(following, "follow", lambda *_, **__: pytest.fail("worked before it checked"))


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize("option", ["--out", "--mot", "--json"])
def test_what_cannot_be_written_is_told_before_the_work(clip, tmp_path, option: str) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    for target in (clip / "x.mp4", clip / "deep" / "x.mp4", tmp_path / f"{'x' * 250}.mp4"):
        assert "Choose a file in a folder you may write to" in one_line(run("track", clip, "--keep", option, target))
    folder = f"{tmp_path}/new/"
    assert "the name of a folder. Give the name of a file" in one_line(run("track", clip, option, folder))
    assert {path.name for path in tmp_path.iterdir()} - {"home"} == before


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize("name", ["x.avi", "x", "x.mp4.part"])
def test_a_drawn_clip_is_an_mp4(clip, tmp_path, name: str) -> None:
    line = one_line(run("track", clip, "--out", tmp_path / name))
    assert "an MP4, whatever its name says" in line
    assert f"Call it {Path(name).with_suffix('.mp4').name}." in line


def test_folders_on_the_way_are_made_and_large_suffixes_are_fine(clip, tmp_path) -> None:
    targets = tmp_path / "a" / "b" / "x.MP4", tmp_path / "c" / "x.txt", tmp_path / "d" / "x.json"
    assert run("track", clip, *zip_flat(("--out", "--mot", "--json"), targets)).exit_code == 0
    assert all(path.stat().st_size for path in targets)
    assert [path.name for path in targets[0].parent.iterdir()] == ["x.MP4"]


def test_a_result_that_is_kept_stays_although_a_file_cannot_be_written(clip, tmp_path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cowvision.commands.track_targets.shutil.copyfile", full)
    result = run("track", clip, "--keep", "--out", tmp_path / "o.mp4", "--mot", tmp_path / "o.txt")
    assert "o.mp4: No space left on device" in one_line(result)
    assert tracked_clips()[-1].folder.parent == tracked_folder()
    assert tracked_clips()[-1].whole
    assert (tmp_path / "o.txt").is_file(), "the other files are written"
    assert "walker: about 1 cow" in result.stdout


def test_a_drawn_clip_that_was_there_stays_until_the_new_one_is_whole(clip, tmp_path, monkeypatch) -> None:
    def half(source: Path, target: Path) -> None:
        Path(target).write_bytes(Path(source).read_bytes()[:100])
        raise OSError(28, "No space left on device")

    (tmp_path / "out").mkdir()
    (target := tmp_path / "out" / "o.mp4").write_bytes(b"the clip of yesterday")
    monkeypatch.setattr("cowvision.commands.track_targets.shutil.copyfile", half)
    assert "No space left on device" in one_line(run("track", clip, "--out", target))
    assert target.read_bytes() == b"the clip of yesterday"
    assert [path.name for path in target.parent.iterdir()] == ["o.mp4"], "half a clip is left under no name"


class Stopped(Walker):
    """A detector during whose sixth look somebody ends the work."""

    number = signal.SIGINT
    at = 6

    def predict(self, rgb: list[np.ndarray], **options: object) -> list[sv.Detections]:
        if len(self.looks) == self.at - 1:
            os.kill(os.getpid(), self.number)
        return super().predict(rgb, **options)


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def stopped(request, monkeypatch) -> None:
    monkeypatch.setattr(Stopped, "number", request.param)
    monkeypatch.setattr("cowvision.detection_box.DetectionBox", Stopped)


@pytest.mark.usefixtures("stopped")
def test_who_stops_it_is_told_what_is_where(clip, tmp_path) -> None:
    out, mot, told = tmp_path / "o.mp4", tmp_path / "o.txt", tmp_path / "o.json"
    result = run("track", clip, "--keep", "--out", out, "--mot", mot, "--json", told)
    assert result.exit_code == 130
    assert "Stopped after 0.5 s of the clip" in result.stderr
    where = f"the first 0.5 s of about 2.0 s are in {out}, {mot}, {told}, what is kept for the page Track"
    assert where in result.stderr
    assert (len(list(frames(out))), json.loads(told.read_text())["whole"], mot.is_file()) == (5, False, True)
    assert not tracked_clips()[-1].whole
    alone = run("track", clip)
    assert alone.exit_code == 130
    assert "nothing was written" in alone.stderr


@pytest.mark.usefixtures("stopped")
def test_a_stop_before_the_first_frame_is_a_stop(clip, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(Stopped, "at", 1)
    result = run("track", clip, "--out", tmp_path / "o.mp4")
    assert result.exit_code == 130
    assert "stopped before its first frame" in result.stderr
    assert not (tmp_path / "o.mp4").exists()


@pytest.mark.usefixtures("stopped")
def test_the_whole_result_from_before_is_said_to_stay(clip, monkeypatch) -> None:
    with monkeypatch.context() as quiet:
        quiet.setattr("cowvision.detection_box.DetectionBox", Walker)
        assert run("track", clip, "--keep").exit_code == 0
    result = run("track", clip, "--keep")
    assert "a result of the whole clip was there before, and stays" in result.stderr
    assert [one.whole for one in tracked_clips()[-2:]] == [True, False]


@pytest.mark.usefixtures("stopped")
def test_an_older_part_that_goes_further_is_said_to_be_what_is_told(clip, tmp_path, monkeypatch) -> None:
    (tmp_path / "gt.txt").write_text(true_tracks(20))
    asked = ("track", clip, "--keep", "--truth", tmp_path / "gt.txt", "--json", tmp_path / "o.json")
    assert "an older part" not in run(*asked).stderr
    (first,) = [one for one in tracked_clips() if not one.whole]
    remove_tracked(first)
    monkeypatch.setattr(Stopped, "at", 11)
    assert run("track", clip, "--keep").exit_code == 130
    monkeypatch.setattr(Stopped, "at", 6)
    result = run(*asked)
    assert result.exit_code == 130
    assert "an older part goes further (1.0 s, and now 0.5 s) and stays: it is what is told" in result.stderr
    assert "that part was tracked without truth, so there are no figures by it" in result.stderr
    facts = json.loads((tmp_path / "o.json").read_text())
    assert (facts["frames"], facts["identity"]) == (10, None)


def test_a_clip_that_breaks_off_is_no_stop(tmp_path) -> None:
    path = cut_off(write_clip(tmp_path / "c.mkv", 60, options={"g": "5"}), 0.6)
    result = run("track", path, "--out", tmp_path / "o.mp4")
    assert result.exit_code == 0
    assert "breaks off after" in result.stderr
    assert f"is in {tmp_path / 'o.mp4'}" in result.stderr


@pytest.fixture
def job(clip, monkeypatch) -> Callable[[], jobs.Job]:
    """This process works on a job that follows the clip; gives what reads it."""
    store = Store(files.store_path())
    monkeypatch.setattr(jobs, "begin", lambda *_: this_process())
    made = jobs.submit(store, "track", "C", ["track", str(clip), "--keep"])
    monkeypatch.setenv(JOB_VARIABLE, str(made.job_id))
    return lambda: jobs.read_job(store, made.job_id)


def test_a_job_shows_a_small_picture_once_a_second(job, monkeypatch) -> None:
    now, written = [100.0], []
    monkeypatch.setattr(track_telling.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(track_telling, "write_atomically", lambda path, data: written.append((path.name, data)))
    telling = track_telling.Telling(Work(job().job_id))
    shown = []
    for step in range(21):
        now[0] = 100 + step / 4
        telling.tell(TrackProgress(step + 1, 40, 1, np.zeros((720, 1280, 3), np.uint8)))
        shown.append(len(written))
    assert shown == [1 + step // 5 for step in range(21)], "more than a second lies between two"
    [name] = {name for name, _ in written}
    assert name == "preview.jpg"
    assert Image.open(BytesIO(written[0][1])).size == (640, 360)
    told = [event["done"] for event in events_after(job().job_id, 0)[0] if event["kind"] == "frame"]
    assert told == [1, 4, 7, 10, 13, 16, 19], "more than half a second lies between two"


def test_the_last_frame_is_always_told(job) -> None:
    telling = track_telling.Telling(Work(job().job_id))
    for done in (1, 2, 3):
        telling.tell(TrackProgress(done, 3, 1, None))
    assert [event["done"] for event in events_after(job().job_id, 0)[0]] == [1, 3]
    assert telling.total == 3


def test_a_job_that_the_page_stops_is_stopped_and_no_failure(clip, job, monkeypatch) -> None:
    class Asked(Walker):
        def predict(self, rgb: list[np.ndarray], **options: object) -> list[sv.Detections]:
            if len(self.looks) == 5:
                jobs.ask_to_stop(Store(files.store_path()), job().job_id)
            return super().predict(rgb, **options)

    monkeypatch.setattr("cowvision.detection_box.DetectionBox", Asked)
    assert run("track", clip, "--keep").exit_code == 0
    assert (job().state, job().problem, job().result) == ("stopped", "", {"whole": False, "frames": 5})


def test_settings_that_cannot_be_are_told(clip) -> None:
    assert "patience" in one_line(run("track", clip, "--patience", "2", "--confirm", "5"))
    assert "--every" in one_line(run("track", clip, "--every", "0"))


def test_truth_that_does_not_fit_is_told(clip, tmp_path) -> None:
    (tmp_path / "gt.txt").write_text(true_tracks(25))
    line = one_line(run("track", clip, "--truth", tmp_path / "gt.txt", "--out", tmp_path / "o.mp4"))
    assert "names frame 25, but the clip has 20" in line
    assert not (tmp_path / "o.mp4").exists()


def test_of_truth_only_what_counts_is_asked_for(clip, tmp_path) -> None:
    half = true_tracks(20).replace(",1,1,1\n", ",0.5,1,1\n")
    other = "".join(f"{number},2,30,30,20,15,{0.49 if number % 2 else 0},1,1\n" for number in range(1, 21))
    (tmp_path / "gt.txt").write_text(half + other)
    told = tmp_path / "o.json"
    assert run("track", clip, "--truth", tmp_path / "gt.txt", "--json", told).exit_code == 0
    assert json.loads(told.read_text())["identity"]["true_ids"] == 1


def identity_of(target: Path) -> dict:
    return json.loads(target.read_text())["identity"]


def test_track_takes_only_the_classes_that_are_asked_for(clip, tmp_path) -> None:
    dog = "".join(f"{number},2,30,30,20,15,1,16,1\n" for number in range(1, 21))
    (tmp_path / "gt.txt").write_text(true_tracks(20) + dog)
    asked = ("track", clip, "--truth", tmp_path / "gt.txt", "--json", tmp_path / "o.json")
    for classes, ids in (((), 2), ((1,), 1), ((1, 16), 2)):
        assert run(*asked, *[part for one in classes for part in ("--classes", one)]).exit_code == 0
        assert identity_of(tmp_path / "o.json")["true_ids"] == ids
    assert "the true tracks of this clip are not known" in one_line(run("track", clip, "--classes", "21"))


def test_the_truth_that_ships_counts_cows_alone_however_it_is_given(monkeypatch) -> None:
    given = []

    def follow(*_: object, truth: list[sv.Detections], **__: object) -> None:
        given.append(len({int(one) for boxes in truth for one in boxes.tracker_id}))
        raise ClipError("clip", "this is enough", "Go on")

    monkeypatch.setattr(following, "follow", follow)
    [ships] = [one for one in shipped_clips() if one.key == "cows_farmer_dog_horse"]
    for truth in ((), ("--truth", ships.truth_path), ("--classes", 21), ("--classes", 21, "--classes", 1)):
        assert "this is enough" in one_line(run("track", ships.key, *truth))
    assert "this is enough" in one_line(run("track", ships.path, "--truth", ships.truth_path))
    assert given == [4, 4, 4, 5, 4]


def test_truth_of_which_nothing_counts_is_said(clip, tmp_path) -> None:
    (tmp_path / "gt.txt").write_text(true_tracks(20).replace(",1,1,1\n", ",-1,1,1\n"))
    asked = ("track", clip, "--truth", tmp_path / "gt.txt", "--json", tmp_path / "o.json")
    assert run(*asked).exit_code == 0
    [note] = json.loads((tmp_path / "o.json").read_text())["notes"]
    assert "No box in gt.txt counts (a confidence below 0.5 does not): all that was tracked counts as false" in note
    (tmp_path / "gt.txt").write_text(true_tracks(20))
    assert "No box of these classes in gt.txt counts" in run(*asked, "--classes", "7").stderr
    (tmp_path / "gt.txt").write_text("")
    assert "There is no box in the truth" in run(*asked).stderr
    assert "counts (" not in run(*asked).stderr, "one word is enough"


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


def test_mot_says_that_there_is_nothing_to_judge(tmp_path) -> None:
    (tmp_path / "gt.txt").write_text("")
    (tmp_path / "t.txt").write_text("")
    asked = ("mot", "--truth", tmp_path / "gt.txt", "--tracks", tmp_path / "t.txt")
    assert "gt.txt and t.txt: there is no box in either" in one_line(run(*asked))
    (tmp_path / "gt.txt").write_text("1,1,0,0,5,5,0\n")
    assert "no box in either" in one_line(run(*asked)), "what does not count is nothing to judge by"
    (tmp_path / "t.txt").write_text(true_tracks(3))
    assert "MOTA n/a" in run(*asked).stdout


def test_classes_have_names_too_and_of_truth_that_ships_cows_count(tmp_path) -> None:
    truth = CLIPS_FOLDER / "cows_farmer_dog_horse.gt.txt"
    told = run("mot", "--truth", truth, "--tracks", truth)
    assert "4 animals in truth, 7 ids" in told.stdout
    assert run("mot", "--truth", truth, "--tracks", truth, "--classes", "Cow").stdout == told.stdout
    both = run("mot", "--truth", truth, "--tracks", truth, "--classes", "21", "--classes", "dog")
    assert "5 animals in truth" in both.stdout
    assert "“cwo” is no class of COCO's" in one_line(
        run("mot", "--truth", truth, "--tracks", truth, "--classes", "cwo")
    )


def test_what_is_no_clip_is_told_before_a_model_is_asked_for(tmp_path, monkeypatch) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("the model takes seconds to load")

    monkeypatch.setattr("cowvision.detection_box.DetectionBox.__init__", asked)
    (tmp_path / "note.mp4").write_text("no clip")
    assert "note.mp4: " in one_line(run("track", tmp_path / "note.mp4"))
    assert "this is a folder" in one_line(run("track", tmp_path))


def test_where_everything_went_is_said(clip, tmp_path) -> None:
    out, figures = tmp_path / "new" / "o.mp4", tmp_path / "o.json"
    result = run("track", clip, "--keep", "--out", out, "--json", figures)
    assert f"to be found in {out}, {figures}, the page Track" in result.stdout
    assert "to be found" not in run("track", clip).stdout


def test_mot_takes_only_the_classes_that_are_asked_for(tmp_path) -> None:
    (tmp_path / "gt.txt").write_text("1,1,0,0,10,10,1,21,1\n1,2,50,0,10,10,1,1,1\n")
    (tmp_path / "t.txt").write_text("1,7,0,0,10,10,1\n")
    both = run("mot", "--truth", tmp_path / "gt.txt", "--tracks", tmp_path / "t.txt")
    cows = run("mot", "--truth", tmp_path / "gt.txt", "--tracks", tmp_path / "t.txt", "--classes", "21")
    assert "2 animals in truth" in both.stdout
    assert "1 animal in truth" in cows.stdout
    assert "MOTA 1.000000" in cows.stdout


def test_mot_says_that_a_file_holds_nothing(tmp_path) -> None:
    (tmp_path / "full.txt").write_text("1,1,10,10,20,20,1,1,1\n")
    (tmp_path / "empty.txt").write_text("")
    result = run("mot", "--truth", tmp_path / "empty.txt", "--tracks", tmp_path / "full.txt")
    assert (result.exit_code, "empty.txt holds no box: every track counts as false" in result.stderr) == (0, True)
    result = run("mot", "--truth", tmp_path / "full.txt", "--tracks", tmp_path / "empty.txt")
    assert (result.exit_code, "empty.txt holds no box: every animal counts as missed" in result.stderr) == (0, True)
    result = run("mot", "--truth", tmp_path / "full.txt", "--tracks", tmp_path / "full.txt", "--classes", "3")
    assert "full.txt holds no box of these classes" in result.stderr
    assert run("mot", "--truth", tmp_path / "full.txt", "--tracks", tmp_path / "full.txt").stderr == ""
