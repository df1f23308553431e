"""A clip followed from file to result: the figures are those of the tracks, and what is kept reads back as it was."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import supervision as sv

from cowvision.data.words import counted
from cowvision.errors import ClipError
from cowvision.models.catalog import embedded_models
from cowvision.tracking.clip_info import probe
from cowvision.tracking.health import EventKind, judge_health
from cowvision.tracking.identity import judge_identity
from cowvision.tracking.settings import TrackerSettings
from cowvision.workspace import following
from cowvision.workspace import tracked_clips as tracked_module
from cowvision.workspace.clips import Clip
from cowvision.workspace.following import estimate, follow
from cowvision.workspace.tracked_clips import (
    TrackedClip,
    find_tracked,
    folder_name,
    read_tracked,
    remove_tracked,
    tracked_clips,
    tracked_folder,
)
from cowvision.workspace.tracked_folders import forget_tracked, keep_tracked, new_folder
from cowvision.workspace.tracked_truth import fitted
from tests.samples import boxes
from tests.tracking.clips import cut_off, number_of, write_clip
from tests.tracking.walker import WALKER_SPEC, Walker, true_tracks

FAST = TrackerSettings(confirm=1, patience=8)


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tracked_module, "SHIPPED_FOLDER", tmp_path / "shipped")


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    path = write_clip(tmp_path / "c.mp4", 24)
    truth = tmp_path / "c.gt.txt"
    truth.write_text(true_tracks(24).replace(",1,1,1\n", ",1,21,1\n"))
    return Clip("c", "C", "", path, truth)


def plain(*_: object):
    return lambda rgb, _: rgb


def kept(clip: Clip, settings: TrackerSettings = FAST, **options) -> TrackedClip:
    name = folder_name(clip.sha256, WALKER_SPEC.id, settings)
    made = keep_tracked(name, lambda folder: follow(clip, Walker(), settings, folder, painter=plain, **options))
    return read_tracked(made.folder)


def test_what_is_kept_reads_back_as_it_was(clip, tmp_path) -> None:
    folder = tmp_path / "result"
    folder.mkdir()
    made = follow(clip, Walker(), FAST, folder, painter=plain, truth=clip.truth())
    assert read_tracked(folder) == made
    assert made.video.is_file()
    assert made.table().frames == made.frames == 24
    assert made.whole
    assert made.notes == ()
    assert (made.clip_key, made.model, made.resolution_wh, made.fps) == ("c", "walker", (64, 48), "10")


def test_the_figures_are_those_of_the_kept_tracks(clip) -> None:
    found = kept(clip, truth=clip.truth())
    again = judge_identity(fitted(clip.truth(), found.table()), found.table().by_frame())
    assert found.identity == again
    assert found.identity.idf1 > 0.9
    assert found.identity.id_switches == 0
    assert found.health.unique == 1


def test_the_switches_on_the_timeline_are_the_ones_in_the_numbers(clip) -> None:
    class Hidden(Walker):
        def __call__(self, rgb: list[np.ndarray]) -> list[sv.Detections]:
            found = super().__call__(rgb)
            hidden = [8 <= number_of(one) <= 16 for one in rgb]
            return [sv.Detections.empty() if away else one for one, away in zip(found, hidden, strict=True)]

    name = "switched"
    settings = TrackerSettings(confirm=1, patience=3, coast=0)
    with new_folder(name) as folder:
        follow(clip, Hidden(), settings, folder, painter=plain, truth=clip.truth())
    found = read_tracked(tracked_folder() / name)
    switches = [
        (one.frame, one.other_id, one.track_id) for one in found.events(is_true=True) if one.kind is EventKind.SWITCH
    ]
    assert switches == [(one.frame, one.before, one.after) for one in found.identity.switches]
    assert [(before, after) for _, before, after in switches] == [(1, 2)]
    assert found.identity.id_switches == 1
    unknown = kept(clip)
    assert unknown.identity is None
    assert [one for one in unknown.events(is_true=True) if one.kind is EventKind.SWITCH] == []


def test_a_stopped_clip_is_kept_as_a_part_and_says_so(clip) -> None:
    done = []
    found = kept(
        clip, truth=clip.truth(), on_progress=lambda one: done.append(one.done), should_stop=lambda: len(done) >= 10
    )
    assert not found.whole
    assert found.frames == 10
    assert "Stopped after 1.0 s" in found.notes[0]
    assert found.identity.frames == 10, "judged on what was tracked"


def test_a_clip_that_breaks_off_says_so(tmp_path) -> None:
    path = cut_off(write_clip(tmp_path / "c.mkv", 60, options={"g": "5"}), 0.6)
    found = kept(Clip("c", "C", "", path))
    assert not found.whole
    assert "breaks off after" in found.notes[0]


def test_few_frames_a_second_and_another_rate_are_said(tmp_path) -> None:
    slow = kept(Clip("s", "S", "", write_clip(tmp_path / "s.mp4", 8, fps=1)))
    assert any("so few frames" in note for note in slow.notes)
    fast = kept(Clip("f", "F", "", write_clip(tmp_path / "f.mp4", 48, fps=240)))
    assert fast.fps == "60"
    assert any("240 frames a second and was tracked at 60" in note for note in fast.notes)
    assert not any("so few" in note for note in fast.notes)


def test_a_clip_too_short_for_ids_says_so(tmp_path) -> None:
    settings = TrackerSettings(confirm=3)
    for frames, is_told in ((settings.frames_to_confirm, True), (settings.frames_to_confirm + 1, False)):
        found = kept(Clip("s", "S", "", write_clip(tmp_path / f"{frames}.mp4", frames)), settings)
        assert any("Too short for ids: a cow gets its own after 3 frames" in note for note in found.notes) is is_told
        assert found.health.unique == (0 if is_told else 1)


def test_few_looks_a_second_are_said_like_few_frames(tmp_path) -> None:
    quick = Clip("q", "Q", "", write_clip(tmp_path / "q.mp4", 60, fps=30))
    for every, told in ((6, ()), (10, ("With so few looks (3) a second cows are far from where they were",))):
        notes = kept(quick, TrackerSettings(every=every, patience=40)).notes
        assert len(notes) == len(told)
        assert all(note.startswith(words) for note, words in zip(notes, told, strict=True))


def test_one_frame_a_second_is_said_in_the_singular(tmp_path) -> None:
    slow = kept(Clip("s", "S", "", write_clip(tmp_path / "s.mp4", 4, fps=Fraction(1, 2))))
    assert slow.notes[0] == "It has 0.5 frames a second and was tracked at 1."
    assert [counted(1, "frame"), counted(1.0, "frame"), counted(2, "switch", "switches"), counted(29.97, "frame")] == [
        "1 frame", "1 frame", "2 switches", "29.97 frames",
    ]  # fmt: skip


def test_truth_that_ends_early_means_nothing_is_there_afterwards(clip) -> None:
    found = kept(clip, truth=clip.truth()[:12])
    assert found.identity.frames == 24
    assert found.identity.false_positives >= 12


def test_an_error_leaves_nothing_behind(clip, monkeypatch) -> None:
    with pytest.raises(RuntimeError, match="boom"):
        kept(clip, on_progress=lambda _: (_ for _ in ()).throw(RuntimeError("boom")))
    assert list(tracked_folder().iterdir()) == []


def test_tracked_anew_it_takes_the_place_of_the_old_one(clip) -> None:
    first, second = kept(clip), kept(clip)
    assert first.folder == second.folder
    assert tracked_clips() == [second]
    other = kept(clip, TrackerSettings(confirm=2, patience=8))
    assert other.folder != second.folder
    assert len(tracked_clips()) == 2


def stopped(clip: Clip, folder: Path, settings: TrackerSettings = FAST, frames: int = 10) -> TrackedClip:
    done = []
    return follow(
        clip, Walker(), settings, folder, painter=plain,
        on_progress=lambda one: done.append(one.done), should_stop=lambda: len(done) >= frames,
    )  # fmt: skip


def part_of(clip: Clip, settings: TrackerSettings = FAST, frames: int = 10) -> TrackedClip:
    name = folder_name(clip.sha256, WALKER_SPEC.id, settings)
    return keep_tracked(name, lambda folder: stopped(clip, folder, settings, frames))


def test_a_part_never_takes_the_place_of_the_whole_nor_hides_it(clip) -> None:
    whole = kept(clip)
    part = part_of(clip)
    assert (part.whole, part.frames) == (False, 10)
    assert tracked_clips() == [whole, part]
    assert find_tracked(clip, WALKER_SPEC) == find_tracked(clip, WALKER_SPEC, FAST) == whole
    part_of(clip, TrackerSettings(confirm=2, patience=8))
    assert find_tracked(clip, WALKER_SPEC) == whole, "with any settings the whole one is the best"
    assert not find_tracked(clip, WALKER_SPEC, TrackerSettings(confirm=2, patience=8)).whole


def test_a_part_hides_no_whole_one_that_ships(clip, tmp_path) -> None:
    whole = kept(clip)
    (tmp_path / "shipped").mkdir()
    whole.folder.rename(tmp_path / "shipped" / "c.walker")
    part_of(clip)
    assert find_tracked(clip, WALKER_SPEC, FAST).folder == tmp_path / "shipped" / "c.walker"


def test_the_whole_takes_the_place_of_a_part(clip) -> None:
    part_of(clip)
    part = part_of(clip)
    assert tracked_clips() == [part], "a part takes the place of a part"
    whole = kept(clip)
    assert tracked_clips() == [whole]


def test_a_part_takes_the_place_of_no_part_that_goes_further(clip) -> None:
    part_of(clip, frames=5)
    longer = part_of(clip, frames=15)
    assert longer.frames == 15
    assert part_of(clip, frames=5) == longer, "what is told is what is kept"
    assert tracked_clips() == [longer]
    assert longer.table().frames == 15
    assert [path.name for path in tracked_folder().iterdir()] == [longer.folder.name], "nothing is left beside it"


def test_a_damaged_part_keeps_no_place(clip) -> None:
    longer = part_of(clip, frames=15)
    (longer.folder / "summary.json").write_text("{}")
    assert part_of(clip, frames=5).frames == 5


def test_what_is_kept_is_told_where_it_lies(clip) -> None:
    def make(folder: Path) -> TrackedClip:
        return follow(clip, Walker(), FAST, folder, painter=plain)

    for settings in (FAST, FAST):
        made = keep_tracked(folder_name(clip.sha256, WALKER_SPEC.id, settings), make)
        assert read_tracked(made.folder) == made
    part = keep_tracked("other", lambda folder: stopped(clip, folder))
    assert read_tracked(part.folder) == part


def test_a_result_is_found_for_this_clip_model_and_settings_only(clip, tmp_path) -> None:
    found = kept(clip)
    assert find_tracked(clip, WALKER_SPEC) == found
    assert find_tracked(clip, WALKER_SPEC, FAST) == found
    assert find_tracked(clip, WALKER_SPEC, TrackerSettings()) is None
    other = Clip("d", "D", "", write_clip(tmp_path / "d.mp4", 5))
    assert find_tracked(other, WALKER_SPEC) is None
    assert find_tracked(clip, embedded_models()[0]) is None


def test_a_damaged_result_hides_no_other(clip) -> None:
    found = kept(clip)
    nonsense = json.loads((found.folder / "summary.json").read_text())
    nonsense["settings"]["every"] = 0
    for number, content in enumerate((b"", b"{}", b'{"fps": "1/0"}', json.dumps(nonsense).encode())):
        folder = tracked_folder() / f"damaged{number}"
        folder.mkdir()
        (folder / "summary.json").write_bytes(content)
    problems: list[ClipError] = []
    assert tracked_clips(problems.append) == [found]
    assert len(problems) == 4


def test_removing_takes_the_folder_of_this_machine_only(clip, tmp_path) -> None:
    found = kept(clip)
    shipped = tmp_path / "shipped" / "c.walker"
    shipped.mkdir(parents=True)
    for path in found.folder.iterdir():
        (shipped / path.name).write_bytes(path.read_bytes())
    assert tracked_clips()[0].folder == shipped
    remove_tracked(tracked_clips()[0])
    assert shipped.is_dir()
    remove_tracked(found)
    assert [one.folder for one in tracked_clips()] == [shipped]


def test_what_a_killed_process_left_is_removed_a_day_later(clip) -> None:
    old, young, busy = (tracked_folder() / name for name in (".old.1", ".young.2", ".busy.3"))
    for folder in (old, young, busy):
        folder.mkdir(parents=True)
        (folder / "clip.mp4").write_bytes(b"half")
    for path in (old, old / "clip.mp4", busy):
        os.utime(path, (time.time() - 2 * 86400,) * 2)
    kept(clip)
    assert not old.exists()
    assert young.exists()
    assert busy.exists(), "a clip that is written for more than a day grows, and its folder stays as it was made"


def test_with_a_clip_goes_what_a_killed_process_left_and_not_what_a_living_one_works_at(clip, tmp_path) -> None:
    found, other = kept(clip), kept(Clip("d", "D", "", write_clip(tmp_path / "d.mp4", 5)))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, aside, alive, others = (
        tracked_folder() / f".{name}.{pid}"
        for name, pid in (
            (found.folder.name, ended.pid), (f"{found.folder.name}.old", ended.pid),
            (found.folder.name, os.getpid()), (other.folder.name, ended.pid),
        )
    )  # fmt: skip
    for folder in (dead, aside, alive, others):
        folder.mkdir()
        (folder / "clip.mp4").write_bytes(b"half")
    forget_tracked(clip.sha256)
    assert {path.name for path in tracked_folder().iterdir()} == {alive.name, others.name, other.folder.name}


def test_no_place_of_this_machine_is_written_down(clip) -> None:
    found = kept(clip, truth=clip.truth())
    assert str(Path.home()) not in (found.folder / "summary.json").read_text()
    assert "folder" not in json.loads((found.folder / "summary.json").read_text())


def test_the_painter_and_the_figures_go_by_the_rate_of_the_clip(tmp_path) -> None:
    asked = []
    clip = Clip("c", "C", "", write_clip(tmp_path / "c.mp4", 48, fps=24))

    def painter(resolution_wh: tuple[int, int], fps: float):
        asked.append((resolution_wh, fps))
        return plain()

    found = follow(clip, Walker(), FAST, tmp_path, painter=painter)
    assert asked == [((64, 48), 24.0)]
    assert found.health == judge_health(found.table(), 24.0, FAST)
    assert found.health.mean_track_seconds == pytest.approx((48 - FAST.frames_to_confirm) / 24)


@pytest.mark.parametrize(("knows", "found"), [(("dog",), 1), (("cow", "dog"), 0)])
def test_a_model_without_cows_counts_all_that_it_knows(clip, tmp_path, knows: tuple[str, ...], found: int) -> None:
    class Dogs(Walker):
        def predict(self, rgb: list[np.ndarray], **_: object) -> list[sv.Detections]:
            return [boxes([[5, 5, 25, 25]], [0.9], "dog") for _ in rgb]

    box = Dogs()
    box.spec = replace(WALKER_SPEC, class_names=knows)
    assert follow(clip, box, FAST, tmp_path, painter=plain).health.unique == found


class Slow(Walker):
    """Takes a while for each look."""

    def predict(self, rgb: list[np.ndarray], **_: object) -> list[sv.Detections]:
        time.sleep(0.05)
        return super().predict(rgb)


def test_the_estimate_counts_looks_not_frames(clip, monkeypatch) -> None:
    monkeypatch.setattr(following, "_TIMED_SECONDS", 0.2)
    every, seldom = (estimate(clip, Slow(), TrackerSettings(every=n, patience=20)).seconds for n in (1, 8))
    assert every == pytest.approx(24 * 0.05, rel=0.3)
    assert seldom < every / 4


@pytest.mark.parametrize("every", [1, 3])
def test_the_estimate_counts_all_that_is_done_with_a_frame(tmp_path, monkeypatch, every: int) -> None:
    def slow(*_: object):
        def draw(rgb: np.ndarray, _: object) -> np.ndarray:
            time.sleep(0.04)
            return rgb

        return draw

    monkeypatch.setattr(following, "_TIMED_SECONDS", 1.0)
    long = Clip("l", "L", "", write_clip(tmp_path / "l.mp4", 150))
    settings, walker = TrackerSettings(every=every, patience=20), Slow()
    told = estimate(long, walker, settings, painter=slow)
    assert len(walker.looks) < 50, "a part of the clip tells"
    (tmp_path / "out").mkdir()
    took = follow(long, Slow(), settings, tmp_path / "out", painter=slow).seconds
    assert told.frames == 150
    assert told.seconds == pytest.approx(took, rel=0.3)


def test_of_a_short_clip_the_estimate_is_how_long_it_took(tmp_path) -> None:
    told = estimate(Clip("s", "S", "", write_clip(tmp_path / "s.mp4", 1)), Slow(), TrackerSettings())
    assert told.frames == 1
    assert 0.05 <= told.seconds < 1


def test_a_long_clip_that_does_not_say_so_is_long(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(following, "LONG_SECONDS", 2.0)
    for count, long in ((30, True), (10, False)):
        path = write_clip(tmp_path / f"{count}.mkv", count, muxer={"live": "1"})
        clip = Clip("c", "C", "", path)
        assert probe(path).seconds is None
        assert following.is_long(clip) is long
        assert estimate(clip, Walker(), FAST).frames == count
