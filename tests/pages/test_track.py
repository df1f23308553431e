"""The Track page as a visitor uses it, without a browser and without a process that tracks."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import supervision as sv
from streamlit.testing.v1 import AppTest

from cowvision.models.catalog import ModelSpec
from cowvision.tracking.clip_info import probe
from cowvision.tracking.health import Event, EventKind, judge_health
from cowvision.tracking.identity import judge_identity
from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.track_table import TrackTable
from cowvision.tracking.writer import ClipWriter
from cowvision.ui import tracking_figures, tracking_jobs, tracking_timeline
from cowvision.ui.tracking_downloads import as_csv, as_json, stem_of
from cowvision.ui.tracking_making import in_percent, shares
from cowvision.ui.tracking_models import candidates
from cowvision.ui.tracking_tables import event_rows, pressed, track_rows
from cowvision.viz.encoding import as_jpeg
from cowvision.viz.tracking_charts import MOST_STEPS, HerdCounts, cows_per_frame
from cowvision.workspace import clips, jobs
from cowvision.workspace.clips import Clip, own_clips
from cowvision.workspace.files import store_path
from cowvision.workspace.following import TrackEstimate
from cowvision.workspace.job_log import append_event, job_folder
from cowvision.workspace.jobs import Job, all_jobs
from cowvision.workspace.store import Store
from cowvision.workspace.tracked_clips import TRACKS, VIDEO, TrackedClip, folder_name, tracked_clips, write_summary
from cowvision.workspace.tracked_folders import new_folder
from tests.pages.conftest import SPECS
from tests.pages.driving import run, words
from tests.samples import noise

TRACK = Path(__file__).resolve().parents[2] / "pages" / "track.py"
FPS, FRAMES = Fraction(10), 20


def write_clip(path: Path, frames: int = FRAMES, seed: int = 0) -> Path:
    with ClipWriter(path, fps=FPS, resolution_wh=(96, 64)) as writer:
        for number in range(frames):
            writer.write(np.roll(noise(96, 64, seed), number, axis=1))
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Two invented clips that ship, one with known truth."""
    made = tmp_path / "clips"
    made.mkdir()
    for seed, (key, title) in enumerate({"crossing": "Crossing cows", "other": "Another *clip*"}.items()):
        write_clip(made / f"{key}.mp4", seed=seed)
        (made / f"{key}.json").write_text(f'{{"title": "{title}", "caption": "What happens."}}', encoding="utf-8")
    rows = [f"{frame},1,10,10,20,20,1,21,1" for frame in range(1, FRAMES + 1)]
    (made / "crossing.gt.txt").write_text("\n".join(rows), encoding="utf-8")
    monkeypatch.setattr(clips, "CLIPS_FOLDER", made)
    monkeypatch.setattr("cowvision.workspace.tracked_clips.SHIPPED_FOLDER", made / "tracked")
    return made


@pytest.fixture
def track(page, begun, folder) -> AppTest:
    """The page, with the invented models of Detect's tests."""
    return tab()


def tab() -> AppTest:
    test = AppTest.from_file(str(TRACK), default_timeout=30)
    test.session_state["_framed"] = True
    return test


def store() -> Store:
    return Store(store_path())


def clip(key: str = "crossing") -> Clip:
    return next(one for one in clips.shipped_clips() if one.key == key)


def boxes(*ids: int) -> sv.Detections:
    xyxy = np.array([[10 + 30 * n, 10, 30 + 30 * n, 30] for n in range(len(ids))], np.float32).reshape(-1, 4)
    return sv.Detections(xyxy=xyxy, tracker_id=np.array(ids, np.int64), confidence=np.full(len(ids), 0.9, np.float32))


def followed(
    spec: ModelSpec, ids: tuple[tuple[int, ...], ...] = ((1,),) * FRAMES, *, of: Clip | None = None, **facts
) -> TrackedClip:
    """A result in the workspace; `ids` are those of each frame."""
    of, settings = of or clip(), facts.pop("settings", TrackerSettings())
    table = TrackTable.of([boxes(*one) for one in ids])
    truth = of.truth()
    known = None if truth is None else judge_identity(truth[: table.frames], table.by_frame())
    with new_folder(folder_name(of.sha256, spec.id, settings)) as made:
        table.save(made / TRACKS)
        write_clip(made / VIDEO, max(1, table.frames))
        tracked = TrackedClip(
            of.key, of.title, of.sha256, spec.name, spec.title, spec.id, settings, str(FPS), table.frames, (96, 64),
            facts.pop("whole", True), facts.pop("notes", ()), 3.0, {"detect": 2.0},
            judge_health(table, float(FPS), settings), known,
        )  # fmt: skip
        write_summary(replace(tracked, **facts), made)
    return tracked_clips()[-1]


def opened(page: AppTest, **address: str) -> AppTest:
    for name, value in address.items():
        page.query_params[name] = value
    return run(page)


def press(page: AppTest, key: str) -> None:
    page.button(key=key).click()
    run(page)


def is_there(page: AppTest, key: str) -> bool:
    return any(button.key == key for button in page.button)


def trackings() -> list[Job]:
    return all_jobs(store(), "track")


def fail(job: Job, problem: str) -> None:
    with store().transaction() as connection:
        sql = "UPDATE jobs SET state = 'failed', problem = ? WHERE job_id = ?"
        connection.execute(sql, (problem, job.job_id))


# --- which clip


def test_without_any_clip_it_says_so(track, folder) -> None:
    for path in folder.glob("*.mp4"):
        path.unlink()
    opened(track)
    assert "There are no shipped clips here" in words(track)


def test_without_models_it_says_so(track, monkeypatch) -> None:
    monkeypatch.setattr("cowvision.models.catalog.all_models", lambda **_: [])
    opened(track)
    assert "no trained models" in words(track)


def test_it_opens_on_the_crossing_cows_and_the_address_names_clip_and_models(track) -> None:
    opened(track)
    told = (track.query_params[name] for name in ("clip", "model", "other"))
    assert list(told) == ["crossing", "herd-base", "herd-finetuned"]
    assert "96 × 64 pixels, 2.0 s, 10 frames a second." in words(track)


def test_a_press_on_a_card_chooses_another_and_forgets_the_frame(track) -> None:
    opened(track, clip="crossing", frame="7")
    press(track, "choose_other")
    assert track.query_params["clip"] == "other"
    assert "frame" not in track.query_params


def test_an_address_with_a_clip_that_is_gone_says_so_and_keeps_it(track) -> None:
    opened(track, clip="gone")
    assert "The clip this address names is not here (any more); here is Crossing cows." in words(track)
    assert track.query_params["clip"] == "gone"


@pytest.mark.parametrize(
    ("frame", "here"),
    [("21", "the last"), ("9" * 5000, "one a second"), ("0", "one a second"), ("x<b>", "one a second")],
)
def test_an_address_with_a_frame_that_is_not_there_says_so(track, frame: str, here: str) -> None:
    followed(SPECS[0])
    opened(track, frame=frame)
    told = words(track).replace("\\", "")
    assert f"This address names frame “{frame[:20]}”; there are frames 1 to 20. Here is {here}" in told


def test_the_last_frame_is_one_that_is_there(track) -> None:
    followed(SPECS[0])
    opened(track, frame="20")
    assert "This address names frame" not in words(track)


def test_settings_that_no_slider_has_are_told_and_not_taken(track) -> None:
    opened(track, every="99", score="nan", patience="60")
    told = words(track).replace("\\", "")
    assert "“Look at every n-th frame” from 1 to 10, “Lowest score” from 0.05 to 0.95; what was chosen before" in told
    assert track.slider(key="every").value == 1
    assert track.slider(key="patience").value == 60


def test_what_a_model_tracked_that_is_gone_can_still_be_seen(track) -> None:
    gone = replace(SPECS[0], name="my-herd", title="My [herd]", weights_sha256="c")
    followed(gone)
    followed(SPECS[1])
    opened(track, model="my-herd", other="herd-finetuned")
    told = words(track).replace("\\", "")
    assert "**My [herd] (not here any more)**: This is what it tracked." in told
    assert "My [herd] (not here any more) sees about 1 (1 to 1)" in told
    assert not is_there(track, "track")
    assert track.query_params["model"] == "my-herd"


def test_of_models_that_are_gone_the_whole_result_is_kept_apart_from_others_and_from_parts(track) -> None:
    one, other = (replace(SPECS[0], name="my-herd", title="My herd", weights_sha256=sha) for sha in "cd")
    whole = followed(one, ((1, 2),) * FRAMES)
    part = replace(whole, whole=False, frames=3)
    another = followed(other)
    known = candidates(clip(), SPECS, [whole, part, another])
    assert list(known) == ["herd-base", "herd-finetuned", "my-herd", f"my-herd@{other.id[:8]}"]
    assert known["my-herd"].left == whole
    assert known[f"my-herd@{other.id[:8]}"].left == another
    assert "my-herd" not in candidates(clip("other"), SPECS, [whole])


def test_a_model_that_was_trained_anew_stands_beside_what_it_was(track) -> None:
    before = replace(SPECS[0], weights_sha256="before")
    followed(before)
    opened(track, model=f"herd-base@{before.id[:8]}", other="herd-base")
    assert "Herd base (as it was before) sees about 1" in words(track)
    assert track.button(key="track").label == "Track with Herd base"


def test_of_an_empty_clip_nothing_but_its_tracking_is_offered(track) -> None:
    opened(track, clip="other")
    told = words(track)
    assert "Not tracked yet" in told
    assert "All figures" not in told


def test_a_model_is_not_put_beside_itself(track) -> None:
    opened(track, model="herd-finetuned", other="herd-finetuned")
    assert track.query_params["other"] != "herd-finetuned"


def test_an_own_clip_is_taken_in_listed_and_removed_with_its_results(track, tmp_path) -> None:
    opened(track)
    data = write_clip(tmp_path / "mine.mp4", seed=5).read_bytes()
    track.file_uploader(key="clips_0").set_value([("my [herd].mp4", data, "video/mp4")])
    run(track)
    [own] = own_clips(store())
    assert track.query_params["clip"] == own.key[:16]
    assert "my [herd].mp4" in words(track)
    result = followed(SPECS[0], of=own)
    unfinished = result.folder.with_name(f".{result.folder.name}.99999999")
    unfinished.mkdir()
    press(track, "remove_clip")
    assert own_clips(store()) == []
    assert tracked_clips() == []
    assert not unfinished.exists(), "what a killed job left is forgotten as well"
    assert track.query_params["clip"] == "crossing"


def test_with_an_own_clip_its_jobs_stop_and_what_they_told_and_drew_goes(track, tmp_path, begun) -> None:
    own = clips.add_clip(store(), write_clip(tmp_path / "mine.mp4", seed=5).read_bytes(), "mine.mp4")
    opened(track, clip=own.key[:16])
    press(track, "track")
    running, _ = trackings()
    append_event(running.job_id, {"kind": "frame", "done": 1, "total": 20, "cows": 0})
    (job_folder(running.job_id) / "preview.jpg").write_bytes(as_jpeg(noise(96, 64, 0)))
    press(track, "remove_clip")
    [left] = trackings()  # the one that waited never begins, and nothing of it is kept
    assert (left.job_id, len(begun)) == (running.job_id, 1)
    assert left.stop_asked_at is not None
    followed(SPECS[0], of=own)  # it ends after its clip has gone, and keeps what it has
    with store().transaction() as connection:
        connection.execute("UPDATE jobs SET state = 'stopped' WHERE job_id = ?", (running.job_id,))
    run(track)
    assert trackings() == []
    assert tracked_clips() == []
    assert not job_folder(running.job_id).exists()


def test_jobs_of_shipped_clips_are_kept(track) -> None:
    opened(track)
    press(track, "track")
    for job in reversed(trackings()):
        jobs.ask_to_stop(store(), job.job_id)
    run(track)
    assert len(trackings()) == 2


@pytest.mark.parametrize(
    ("name", "data"), [("words.mp4", b"no video at all"), ("empty.mov", b""), ("cut.mp4", None)], ids=str
)
def test_a_bad_upload_is_told_in_words_and_nothing_is_kept(track, tmp_path, name: str, data: bytes | None) -> None:
    opened(track)
    cut = write_clip(tmp_path / "whole.mp4").read_bytes()[:300]
    track.file_uploader(key="clips_0").set_value([(name, cut if data is None else data, "video/mp4")])
    run(track)
    [error] = track.error
    assert error.value.startswith(f"**{name.replace('.', chr(92) + '.')}**")
    assert own_clips(store()) == []
    assert track.query_params["clip"] == "crossing"


def test_errors_of_uploads_do_not_pile_up_and_can_be_closed(track, tmp_path) -> None:
    opened(track)
    for number in range(2):
        bad = [(f"bad{number}{letter}.mp4", b"no video", "video/mp4") for letter in "ab"]
        track.file_uploader(key=f"clips_{number}").set_value(bad)
        run(track)
        [error] = track.error
        assert error.value.count("bad") == 2
        assert f"bad{number}b" in error.value
    press(track, "close_refused")
    assert not track.error
    track.file_uploader(key="clips_2").set_value([("bad.mp4", b"no video", "video/mp4")])
    run(track)
    good = write_clip(tmp_path / "mine.mp4", seed=5).read_bytes()
    track.file_uploader(key="clips_3").set_value([("mine.mp4", good, "video/mp4")])
    run(track)
    assert not track.error


# --- asking for it


def test_both_models_are_asked_for_at_once_and_a_second_press_asks_for_nothing(track, begun) -> None:
    opened(track)
    assert "Not tracked yet" in words(track)
    press(track, "track")
    assert [job.arguments for job in trackings()] == [
        ("track", "crossing", "--model", "herd-base", "--keep"),
        ("track", "crossing", "--model", "herd-finetuned", "--keep"),
    ]
    assert begun == [trackings()[0].arguments]  # the other waits
    assert not is_there(track, "track")
    assert "waits for 1 job before it" in words(track)


def test_presses_in_two_tabs_ask_for_each_model_once(track, begun) -> None:
    first, second = opened(track), opened(tab())
    assert is_there(second, "track")
    press(first, "track")
    press(second, "track")  # it still shows the button
    assert [job.arguments[3] for job in trackings()] == ["herd-base", "herd-finetuned"]
    assert len(begun) == 1
    assert not is_there(second, "track")


def test_a_press_in_another_tab_with_other_settings_is_another_tracking(track) -> None:
    first, second = opened(track), opened(tab(), every="2")
    press(first, "track")
    press(second, "track")
    assert [tracking_jobs.settings_of(job).every for job in trackings()] == [1, 1, 2, 2]


def test_settings_stand_in_the_address_and_the_command_follows_them(track) -> None:
    opened(track, every="2", score="0.4", patience="60")
    press(track, "track")
    settings = TrackerSettings(least_score=0.4, patience=60, every=2)
    assert [tracking_jobs.settings_of(job) for job in trackings()] == [settings] * 2
    assert trackings()[0].arguments[5:] == ("--threshold", "0.4", "--patience", "60", "--every", "2")


def test_changed_settings_are_counted_stay_with_the_visit_and_go_back(track) -> None:
    opened(track, every="2", score="0.4", patience="nonsense", confirm="1000")
    [told] = [one.label for one in track.expander if one.label.startswith("How it follows")]
    assert told.endswith("- 2 settings changed")
    track.slider(key="every").set_value(3)
    run(track)
    assert track.query_params["every"] == "3"
    del track.query_params["every"]  # as another page does
    run(track)
    assert track.slider(key="every").value == 3
    assert track.query_params["every"] == "3"
    press(track, "usual_settings")
    assert track.slider(key="every").value == 1
    assert track.slider(key="score").value == TrackerSettings().least_score
    assert not {"every", "score", "patience", "confirm"} & set(track.query_params)
    assert not any("changed" in one.label for one in track.expander)


def test_settings_that_do_not_go_together_are_told(track) -> None:
    opened(track, patience="2")
    assert "patience of 2 frames is too short" in words(track).replace("\\", "")
    assert not is_there(track, "track")


@pytest.fixture
def timed(monkeypatch) -> list[str]:
    """Names of the models that were timed; each look takes a second."""
    asked: list[str] = []

    def estimate(chosen: Clip, box, settings: TrackerSettings, **_) -> TrackEstimate:
        asked.append(box.spec.name)
        return TrackEstimate(probe(chosen.path), FPS, FRAMES, FRAMES / settings.every)

    monkeypatch.setattr("cowvision.ui.tracking_begin.estimate", estimate)
    return asked


def test_a_very_long_clip_is_asked_about(track, timed, monkeypatch) -> None:
    monkeypatch.setattr("cowvision.ui.tracking_begin.is_long", lambda _: True)
    opened(track)
    assert timed == ["herd-base", "herd-finetuned"]
    assert track.button(key="track").disabled
    asked = "This clip is 2.0 s long. Track it all the same, for about 40 seconds"
    assert track.checkbox(key="agreed_to_hours").label == asked
    track.checkbox(key="agreed_to_hours").check()
    run(track)
    press(track, "track")
    assert all(job.arguments[-1] == "--yes" for job in trackings())


def test_how_long_it_will_take_is_told_when_somebody_asks(track, timed) -> None:
    opened(track, every="2")
    assert timed == []
    press(track, "estimate")
    assert 'data-seconds="20"' in words(track)
    assert not is_there(track, "estimate")


# --- at work


def test_a_tracking_at_work_tells_how_far_it_is_and_can_be_stopped(track) -> None:
    opened(track)
    press(track, "track")
    first, second = trackings()
    for done in (4, 8, 12):
        append_event(first.job_id, {"kind": "frame", "done": done, "total": 20, "cows": 3})
    run(track)
    assert 'data-done="12" data-total="20"' in words(track)
    assert "<b>3 cows</b> in sight now" in words(track)
    assert "Its first picture comes in a moment" in words(track)
    (job_folder(first.job_id) / "preview.jpg").write_bytes(as_jpeg(noise(96, 64, 0)))
    run(track)
    assert 'src="data:image/jpeg;base64,' in words(track)  # an address would be gone with the next one
    assert track.button(key="stop_all").label == "Stop all"
    press(track, f"stop_{second.job_id}")  # it never begins
    assert not is_there(track, "stop_all")
    assert trackings()[1].state == "stopped"
    press(track, f"stop_{first.job_id}")
    assert trackings()[0].stop_asked_at is not None
    assert track.button(key=f"stop_{first.job_id}").disabled
    assert track.button(key=f"stop_{first.job_id}").label == "Stopping …"


def test_all_can_be_stopped_at_once(track) -> None:
    opened(track)
    press(track, "track")
    press(track, "stop_all")
    first, second = trackings()
    assert first.stop_asked_at is not None
    assert second.state == "stopped", "it never begins"


def test_the_pace_and_the_rest_come_from_what_was_told_lately(track) -> None:
    course = tracking_jobs.Course(done=10, total=50, cows=2, per_second=4.0)
    assert course.seconds_left == 10
    assert replace(course, total=None).seconds_left is None
    assert replace(course, per_second=None).seconds_left is None


def test_a_failed_tracking_is_told_with_its_remedy_and_can_be_tried_again(track, begun, monkeypatch) -> None:
    opened(track)
    press(track, "track")
    first, second = trackings()
    jobs.ask_to_stop(store(), second.job_id)
    fail(first, "out of memory")
    run(track)
    assert "Herd base could not track it: out of memory. Then try again." in words(track).replace("\\", "")
    press(track, f"again_{first.job_id}")
    assert trackings()[0].state == "running"
    assert len(begun) == 2


def test_a_failed_tracking_is_told_although_there_is_a_result_with_other_settings(track) -> None:
    for spec in SPECS:
        followed(spec)
    opened(track, every="3")
    press(track, "track")
    for job in trackings():
        fail(job, "the disk is full.")
    run(track)
    told = words(track).replace("\\", "")
    for title in ("Herd base", "Herd fine-tuned"):
        assert f"{title} could not track it: the disk is full. Then try again." in told
    press(track, "usual_settings")  # it is still true, but of other settings than those that are shown now
    assert "could not track it with look at every n-th frame 3: the disk is full." in words(track).replace("\\", "")
    followed(SPECS[0], settings=TrackerSettings(every=3))  # as at a terminal
    run(track)
    assert "Herd base could not" not in words(track)
    assert "Herd fine\\-tuned could not" in words(track)


def test_a_failed_tracking_is_told_although_there_is_a_part(track) -> None:
    followed(SPECS[0], ((1,),) * 10, whole=False, notes=("Stopped after 1.0 s of the clip.",))
    followed(SPECS[1])
    opened(track)
    press(track, "track")
    fail(trackings()[0], "the disk is full")
    run(track)
    assert "Herd base could not track it: the disk is full." in words(track).replace("\\", "")


def test_a_failure_whose_clip_was_tracked_all_the_same_is_not_told(track) -> None:
    opened(track)
    press(track, "track")
    for job in trackings():
        fail(job, "the disk is full")
    followed(SPECS[0])
    followed(SPECS[1], ((1,),) * 10, whole=False, notes=("The clip breaks off after 1.0 s (cut).",))
    run(track)
    assert "could not track it" not in words(track)


def test_a_closed_failure_stays_closed_and_so_do_those_before_it(track) -> None:
    opened(track)
    for _ in range(2):
        press(track, "track")
        for job in trackings():
            fail(job, "the disk is full")
        run(track)
    assert [job.state for job in trackings()] == ["failed"] * 4
    press(track, f"close_{trackings()[2].job_id}")
    told = words(track).replace("\\", "")
    assert "Herd base could not" not in told
    assert "Herd fine-tuned could not track it" in told


# --- results


def test_results_are_there_at_once_with_truth(track) -> None:
    followed(SPECS[0], ((1,),) * 10 + ((2,),) * 10)
    followed(SPECS[1])
    opened(track)
    assert not is_there(track, "track")
    told = words(track)
    assert "Herd fine-tuned keeps the cows apart better on this clip: IDF1 1.000 against" in told
    assert "id switches 0 against 1" in told
    for term in ("MOTA", "IDF1", "HOTA", "fragmentations", "id switches"):
        assert term in told
    assert "suspected switches</small>" not in told


def test_without_truth_switches_are_suspected_and_the_count_has_its_range(track) -> None:
    for spec in SPECS:
        followed(spec, ((1, 2),) * FRAMES, of=clip("other"))
    opened(track, clip="other")
    assert "suspected switches</small>" in words(track)
    assert "sees about 2 (2 to 2)," in words(track)
    assert words(track).count(tracking_figures.RANGE) == 1
    assert "HOTA</small>" not in words(track)


@pytest.mark.parametrize("both", [True, False], ids=["truth of both", "truth of one"])
def test_timeline_legend_rows_and_figures_count_the_same_switches(track, monkeypatch, both) -> None:
    shown = []
    monkeypatch.setattr("cowvision.ui.tracking_results.twin_player", lambda sides, **rest: shown.append((sides, rest)))
    ids = ((1, 2),) * 10 + ((2, 1),) * 10  # exchanged: only truth tells
    for spec in SPECS:
        followed(spec, ids, **({} if both or spec is SPECS[0] else {"identity": None}))
    opened(track)
    sides, rest = shown[-1]
    marks = [[mark.words for mark in side.marks if mark.kind == "switch"] for side in sides]
    assert [len(one) for one in marks] == ([1, 1] if both else [0, 0])
    assert rest["kinds"][0].title == ("id switches" if both else "suspected switches")
    assert ("suspected switches</small>" in words(track)) is not both
    tables = [frame.value["what"].tolist() for frame in track.dataframe if "what" in frame.value]
    assert [[one for one in told if "witch" in one] for told in tables] == ([*marks] if both else [])
    assert ("**True tracks are known of Herd base alone.**" in words(track)) is not both


def test_a_clip_without_cows_is_no_error(track) -> None:
    for spec in SPECS:
        followed(spec, ((),) * FRAMES, of=clip("other"))
    opened(track, clip="other")
    assert "sees none," in words(track)
    assert "No cow was tracked on this clip" in words(track)


def test_a_part_is_called_a_part_and_can_be_tracked_whole(track) -> None:
    note = "Stopped after 1.0 s of the clip; the rest was not tracked."
    followed(SPECS[0], ((1,),) * 10, whole=False, notes=(note,))
    followed(SPECS[1])
    opened(track)
    [warning] = track.warning
    assert "Herd base: a part of the clip only" in warning.value
    told = "Herd base sees about 1 (1 to 1) in the first 1.0 s alone, Herd fine-tuned sees about 1 (1 to 1)."
    assert told in words(track)
    assert "Only a part was tracked" in words(track)
    assert [stem_of(one) for one in tracked_clips()] == [
        "Crossing cows tracked by herd-base-partial",
        "Crossing cows tracked by herd-finetuned",
    ]
    press(track, "track")
    assert [job.arguments[3] for job in trackings()] == ["herd-base"]


def test_a_clip_that_breaks_off_by_itself_is_not_offered_again(track) -> None:
    note = "The clip breaks off after 1.0 s (its file is cut)."
    for spec in SPECS:
        followed(spec, ((1,),) * 10, whole=False, notes=(note,))
    opened(track)
    assert [one.value.count("breaks off") for one in track.warning] == [1, 1]
    assert not is_there(track, "track")
    assert "Only a part was tracked" not in words(track)


@pytest.mark.parametrize("frames", [(20, 5), (12, 5)])
def test_a_part_is_not_compared_with_more_of_the_clip(track, frames: tuple[int, int]) -> None:
    for spec, number in zip(SPECS, frames, strict=True):
        ids = ((1,),) * min(number, 10) + ((2,),) * (number - min(number, 10))  # the longer one switches
        followed(spec, ids, whole=number == FRAMES, notes=() if number == FRAMES else ("Stopped early.",))
    opened(track)
    told = words(track)
    parts = ["Herd fine-tuned was tracked in the first 0.5 s alone."]
    if frames[0] < FRAMES:
        parts.insert(0, "Herd base was tracked in the first 1.2 s alone")
    assert f"Which keeps the cows apart better cannot be told: {' and '.join(parts)}" in told
    assert "better on this clip" not in told
    assert "better in the first" not in told
    assert f"Not to be compared: {' and '.join(parts)}" in told
    assert "Herd fine-tuned, first 0.5 s" in told
    assert "Herd base, first" not in told or frames[0] < FRAMES


def test_parts_of_one_length_are_compared_as_parts(track) -> None:
    followed(SPECS[0], ((1,),) * 5 + ((2,),) * 5, whole=False, notes=("Stopped early.",))
    followed(SPECS[1], ((1,),) * 10, whole=False, notes=("Stopped early.",))
    opened(track)
    assert "Herd fine-tuned keeps the cows apart better in the first 1.0 s of this clip: IDF1 1.000" in words(track)
    assert "Not to be compared" not in words(track)


def test_other_settings_show_what_there_is_and_say_so(track) -> None:
    for spec in SPECS:
        followed(spec)
    opened(track, every="3")
    assert "Not tracked with these settings yet" in words(track)
    assert "look at every n-th frame 3" in words(track)
    assert "IDF1 1.000" in words(track)
    press(track, "track")  # until the new result is in, the old one is still called so
    assert "Not tracked with these settings yet: Herd base and Herd fine" in words(track).replace("\\", "")
    followed(SPECS[0], settings=TrackerSettings(every=3))
    followed(SPECS[1], settings=TrackerSettings(every=3))
    run(track)
    assert "Not tracked with these settings yet" not in words(track)


def test_more_switches_are_no_part_of_being_better(track) -> None:
    followed(SPECS[0], ((),) * 15 + ((1,),) * 5)
    followed(SPECS[1], ((1,),) * 15 + ((2,),) * 5)
    opened(track)
    told = words(track)
    assert "although it switches ids once against 0 (Herd base loses most cows, and a lost cow cannot switch)." in told


def test_how_it_was_made_says_that_shares_overlap(track) -> None:
    tracked = followed(SPECS[0], stage_seconds={"detect": 2.97, "encode": 1.5, "draw": 0.003})
    opened(track)
    assert "20 frames in 3.0 s, 6.7 a second, with the usual settings." in words(track)
    assert "their shares of the whole may add up to more than 100 %" in words(track)
    assert [in_percent(one) for one in shares(tracked).values()] == ["99 %", "50 %", "< 1 %"]


def test_a_single_cow_is_one_cow(track) -> None:
    followed(SPECS[0])
    opened(track)
    assert "Of 1 cow, Herd base sees about 1 (1 to 1)." in words(track)


def test_frames_too_early_for_any_id_are_explained_not_left_out(track) -> None:
    tracked = followed(SPECS[0], ((),) * 3 + ((1,),) * 17)
    opened(track)
    assert "Shaded: no cow can have an id yet, for it gets one after 3 frames in sight." in words(track)
    assert tracking_timeline.side_of(tracked, "one", "#000000", is_true=True).unsure == 3
    assert tracked.health.mean_at_once == pytest.approx(17 / 20)


def test_without_a_wait_for_ids_nothing_is_shaded(track) -> None:
    followed(SPECS[0], settings=TrackerSettings(confirm=0))
    opened(track, confirm="0")
    assert "Shaded" not in words(track)


def test_a_result_whose_video_is_gone_is_told_in_words(track) -> None:
    followed(SPECS[1]).video.unlink()
    opened(track)
    assert any("its drawn clip cannot be read" in one.value for one in track.error)


# --- what is shown, worked out


def test_marks_say_what_happened_and_too_many_become_few() -> None:
    switch = Event(EventKind.SWITCH, 7, 5, 3)
    [mark] = tracking_timeline.marks_of([switch], 20, is_true=False)
    assert (mark.kind, mark.frame, mark.words) == ("switch", 7, "Suspected switch: 5 is probably 3 again.")
    assert "that was 3 is called 5" in tracking_timeline.marks_of([switch], 20, is_true=True)[0].words
    many = [Event(EventKind.BIRTH, frame, frame + 1) for frame in range(5000)]
    marks = tracking_timeline.marks_of(many, 5000, is_true=False)
    assert len(marks) <= tracking_timeline.MOST_MARKS
    assert marks[0].frame == 0
    assert "ids begin from here on" in marks[0].words
    assert sum(mark.count for mark in marks) == len(many)  # the legend counts events, not marks


def test_changes_hold_every_count() -> None:
    assert tracking_timeline.changes_of(np.array([0, 0, 2, 2, 1])) == ((0, 0), (2, 2), (4, 1))
    assert tracking_timeline.changes_of(np.zeros(0, np.int64)) == ()


def test_rows_of_tracks_are_in_seconds() -> None:
    table = TrackTable.of([boxes(1), boxes(1, 2), boxes(2)])
    rows = track_rows(table, Fraction(10))
    assert rows["id"].tolist() == [1, 2]
    assert rows["frame"].tolist() == [0, 1]
    assert rows["first"].tolist() == pytest.approx([0, 0.1])
    assert rows["seconds"].tolist() == pytest.approx([0.2, 0.2])
    assert rows["seen"].tolist() == [1, 1]
    assert track_rows(TrackTable.of([boxes()]), Fraction(10)).empty


def test_last_seen_is_when_it_was_seen_not_when_it_was_only_expected() -> None:
    table = replace(TrackTable.of([boxes(1)] * 5), seen=np.array([True, False, True, False, False]))
    [row] = track_rows(table, Fraction(10)).to_dict("records")
    assert (row["first"], row["last"], row["seconds"]) == pytest.approx((0, 0.2, 0.3))
    assert row["seen"] == 0.67


def test_a_cow_that_every_look_found_was_always_seen() -> None:
    """Looks at frames 0, 3, 6, 9: the second is there from the second look on, and found by every other."""
    table = TrackTable.of([boxes(1)] * 3 + [boxes(1, 2)] * 7 + [boxes(1)])
    seen = np.where(table.track_id == 1, table.frame % 3 == 0, np.isin(table.frame, (3, 9)))
    rows = track_rows(replace(table, seen=seen), Fraction(10), every=3)
    assert rows["seen"].tolist() == [1, 0.67]
    assert rows["seconds"].tolist() == pytest.approx([1.0, 0.7])


def test_files_of_a_clip_of_ones_own_never_have_its_very_name() -> None:
    tracked = replace(followed(SPECS[0]), clip_title="odd.mp4")
    assert stem_of(tracked) == "odd tracked by herd-base"
    assert stem_of(replace(tracked, clip_title="cow 2.5", whole=False)) == "cow 2.5 tracked by herd-base-partial"


def test_a_press_on_a_cell_or_on_a_box_chooses_the_row() -> None:
    def pressed_at(*, rows=(), cells=()) -> int | None:
        return pressed(SimpleNamespace(rows=rows, cells=cells))

    assert pressed_at(cells=[(4, "first")]) == 4
    assert pressed_at(rows=[2]) == 2
    assert pressed_at(rows=[2], cells=[(4, "id")]) == 4  # the box of the one before is still ticked
    assert pressed_at() is None


def test_every_event_is_a_row() -> None:
    events = [Event(EventKind.BIRTH, 5, 2), Event(EventKind.SWITCH, 10, 3, 1)]
    rows = event_rows(events, FPS, is_true=False)
    assert rows["at"].tolist() == [0.5, 1.0]
    assert rows["frame"].tolist() == [5, 10]
    assert rows["what"].tolist() == ["Id 2 begins.", "Suspected switch: 3 is probably 1 again."]
    assert event_rows([], FPS, is_true=True).empty


def test_downloads_count_frames_from_one_and_name_no_folder(track, tmp_path) -> None:
    tracked = followed(SPECS[0])
    lines = as_csv(tracked.table(), FPS).splitlines()
    assert lines[0] == "frame,seconds,id,x_min,y_min,x_max,y_max,score,seen"
    assert lines[1].startswith("1,0.0,1,10.0,10.0,")
    assert len(lines) == 1 + FRAMES
    at_25 = as_csv(tracked.table(), Fraction(25)).splitlines()
    assert [at_25[number].split(",")[1] for number in (1, 2, FRAMES)] == ["0.0", "0.04", "0.76"]
    assert as_csv(tracked.table(), Fraction(30000, 1001)).splitlines()[FRAMES].startswith("20,0.634,")
    assert str(tmp_path) not in as_json(tracked)


@pytest.mark.parametrize("most", [0, 1, 2, 3, 6, 7, 12, 13, 60, 61, 500, 7000])
def test_the_plot_counts_in_whole_cows(most: int) -> None:
    axis = cows_per_frame([HerdCounts("one", np.array([0, most]))], 30.0).layout.yaxis
    assert axis.dtick >= 1
    assert axis.dtick == int(axis.dtick)
    assert most / axis.dtick <= 6


def test_the_plot_shades_what_is_too_early() -> None:
    counts = [HerdCounts("one", np.array([0, 0, 0, 1]))]
    [shade] = cows_per_frame(counts, 30.0, unsure=3).layout.shapes
    assert (shade.x0, shade.x1) == (0, 0.1)
    assert not cows_per_frame(counts, 30.0).layout.shapes


def test_the_plot_stays_small_for_a_long_clip() -> None:
    counts = [HerdCounts("one", np.arange(100_000) % 7), HerdCounts("two", np.zeros(50, np.int64))]
    figure = cows_per_frame(counts, 30.0, [3] * 100_000)
    assert [line.name for line in figure.data] == ["in truth", "one", "two"]
    assert max(len(line.x) for line in figure.data) <= MOST_STEPS
    assert figure.layout.yaxis.range[1] > 6
    assert cows_per_frame([HerdCounts("none", np.zeros(0, np.int64))], 30.0).layout.xaxis.range[1] > 0
