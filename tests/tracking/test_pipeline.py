"""The pipeline: each frame reaches the detector, the tracker and the drawn clip once and in order, whatever happens."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import supervision as sv

from cowvision.errors import ClipError, WorkStopped
from cowvision.tracking import pipeline
from cowvision.tracking.clip_info import ClipInfo
from cowvision.tracking.marking import title_of
from cowvision.tracking.pipeline import STAGES, track_clip
from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.track_table import SEEN
from cowvision.tracking.video import frames
from tests.samples import boxes
from tests.tracking.clips import cut_off, number_of, spoil, write_clip, write_sound
from tests.tracking.walker import Walker

FAST = TrackerSettings(confirm=1, patience=8)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", 30)


def marked(rgb: np.ndarray, tracks: sv.Detections) -> np.ndarray:
    """Draws nothing, so that the number can still be read."""
    del tracks
    return rgb


def test_every_frame_is_looked_at_tracked_and_written_once_and_in_order(clip, tmp_path) -> None:
    walker = Walker()
    run = track_clip(clip, walker, FAST, out=tmp_path / "out.mp4", draw=marked)
    assert walker.looks == list(range(30))
    assert run.table.frames == 30
    assert run.is_whole
    assert [number_of(frame.rgb) for frame in frames(tmp_path / "out.mp4")] == list(range(30))
    assert not title_of(tmp_path / "out.mp4"), "it is the whole clip"
    assert run.table.ids == [1]
    left = {int(frame): float(box[0]) for frame, box in zip(run.table.frame, run.table.xyxy, strict=True)}
    assert left[29] == pytest.approx(29 / 4, abs=1), "the box of a frame is what was found in that frame"


@pytest.mark.parametrize("batch_size", [1, 3, 4])
@pytest.mark.parametrize("every", [1, 2, 5])
def test_batches_change_nothing_but_the_time(clip, every: int, batch_size: int) -> None:
    settings = TrackerSettings(confirm=1, patience=12, every=every)
    walker = Walker()
    run = track_clip(clip, walker, settings, batch_size=batch_size)
    alone = track_clip(clip, Walker(), settings, batch_size=1)
    assert walker.looks == list(range(0, 30, every))
    assert max(walker.batches) <= batch_size
    assert np.array_equal(run.table.xyxy, alone.table.xyxy)
    assert np.array_equal(run.table.frame, alone.table.frame)
    seen = run.table.frame[run.table.seen]
    assert set(seen.tolist()) <= set(range(0, 30, every)), "only where it looked it can have seen"


def test_each_frame_is_drawn_with_its_own_tracks(clip, tmp_path) -> None:
    drawn = []

    def draw(rgb: np.ndarray, tracks: sv.Detections) -> np.ndarray:
        drawn.append((number_of(rgb), float(tracks.xyxy[0, 0]) if len(tracks) else None, tracks.data.get(SEEN)))
        return rgb

    track_clip(clip, Walker(), FAST, out=tmp_path / "out.mp4", draw=draw)
    assert [number for number, _, _ in drawn] == list(range(30))
    assert all(left == pytest.approx(number / 4, abs=1) for number, left, _ in drawn[5:])


@pytest.mark.parametrize("batch_size", [1, 3, 4])
def test_a_picture_that_stays_on_screen_is_looked_at_once(tmp_path, batch_size: int) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 6, fps=Fraction(1, 2))  # tracked at one frame a second: each twice
    walker = Walker()
    run = track_clip(clip, walker, FAST, batch_size=batch_size)
    assert walker.looks == list(range(6))
    assert run.table.frames == 12
    assert run.table.seen.all(), "what is known counts as seen"
    alone = track_clip(clip, Walker(), FAST)
    assert np.array_equal(run.table.xyxy, alone.table.xyxy), "of a picture on screen the newest look counts"


def test_only_what_is_wanted_is_tracked(clip) -> None:
    def dogs(rgb: list[np.ndarray]) -> list[sv.Detections]:
        return [boxes([[5, 5, 25, 25]], [0.9], "dog") for _ in rgb]

    assert track_clip(clip, dogs, FAST).table.ids == []
    assert track_clip(clip, dogs, FAST, class_names=("dog",)).table.ids == [1]


def test_a_stop_leaves_a_clip_that_plays_as_far_as_it_went(clip, tmp_path) -> None:
    done = []
    run = track_clip(
        clip, Walker(), FAST, out=tmp_path / "out.mp4", draw=marked,
        on_progress=lambda one: done.append(one.done), should_stop=lambda: len(done) >= 12,
    )  # fmt: skip
    assert run.stopped
    assert not run.is_whole
    assert run.table.frames == 12
    assert [number_of(frame.rgb) for frame in frames(tmp_path / "out.mp4")] == list(range(12))
    assert title_of(tmp_path / "out.mp4") == "The first 1.2 s of about 3.0 s (stopped)"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.mp4"]


def test_a_stop_before_the_first_frame_leaves_nothing(clip, tmp_path) -> None:
    with pytest.raises(WorkStopped, match="before its first frame"):
        track_clip(clip, Walker(), FAST, out=tmp_path / "out.mp4", should_stop=lambda: True)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_clip_that_breaks_off_is_tracked_as_far_as_it_goes_and_that_is_said(tmp_path) -> None:
    clip = cut_off(write_clip(tmp_path / "clip.mkv", 60, options={"g": "5"}), 0.6)
    run = track_clip(clip, Walker(), FAST, out=tmp_path / "out.mp4", draw=marked)
    assert 5 < run.table.frames < 60
    assert run.broke_off
    assert not run.is_whole
    assert len(list(frames(tmp_path / "out.mp4"))) == run.table.frames
    assert title_of(tmp_path / "out.mp4").endswith("(the clip breaks off)")


def test_a_clip_that_is_damaged_in_the_middle_does_not_break_off(tmp_path) -> None:
    clip = spoil(write_clip(tmp_path / "clip.mp4", 200, size_wh=(160, 120), options={"g": "20"}))
    run = track_clip(clip, Walker(), FAST, out=tmp_path / "out.mp4", draw=marked)
    assert (run.table.frames, run.is_whole, run.broke_off) == (200, True, "")
    assert "it is damaged: " in run.spoilt
    assert title_of(tmp_path / "out.mp4") == "", "nothing of its length is missing"


def test_what_is_no_clip_is_refused_and_leaves_nothing(tmp_path) -> None:
    with pytest.raises(ClipError):
        track_clip(write_sound(tmp_path / "clip.mp4"), Walker(), FAST, out=tmp_path / "out.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize("where", ["detector", "drawing", "progress"])
def test_an_error_anywhere_is_told_ends_everything_and_leaves_nothing(clip, tmp_path, where: str) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(where)

    walker = Walker()
    parts = {
        "detector": walker if where != "detector" else fail,
        "draw": marked if where != "drawing" else fail,
        "on_progress": (lambda _: None) if where != "progress" else fail,
    }
    with pytest.raises(RuntimeError, match=where):
        track_clip(clip, settings=FAST, out=tmp_path / "out.mp4", **parts)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_full_disk_ends_it_and_leaves_nothing(clip, tmp_path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise ClipError("out.mp4", "it cannot be written: the disk is full", "Free some space")

    monkeypatch.setattr(pipeline.ClipWriter, "write", full)
    with pytest.raises(ClipError, match="disk is full"):
        track_clip(clip, Walker(), FAST, out=tmp_path / "out.mp4", draw=marked)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_progress_counts_every_frame_and_shows_the_drawn_one(clip, tmp_path) -> None:
    told = []
    track_clip(clip, Walker(), FAST, out=tmp_path / "out.mp4", draw=marked, on_progress=told.append)
    assert [one.done for one in told] == list(range(1, 31))
    assert {one.total for one in told} == {30}
    assert told[-1].cows == 1
    assert told[-1].preview.shape == (48, 64, 3)


def test_the_time_of_every_stage_is_told(clip, tmp_path) -> None:
    run = track_clip(clip, Walker(), FAST, out=tmp_path / "out.mp4", draw=marked)
    assert set(run.stage_seconds) == set(STAGES)
    assert run.fps == Fraction(10)


def of_size(*resolution_wh: int) -> ClipInfo:
    return ClipInfo("a.mp4", resolution_wh, 10, 1.0, Fraction(10), "h264")


@pytest.mark.parametrize(
    ("size_wh", "places"), [((64, 48), 4), ((1920, 1080), 4), ((2560, 1440), 4), ((3840, 2160), 1), ((7680, 4320), 1)]
)
def test_fewer_frames_wait_the_larger_they_are(size_wh: tuple[int, int], places: int) -> None:
    assert pipeline._places(of_size(*size_wh)) == places


@pytest.mark.parametrize(
    ("size_wh", "batch_size", "every", "looks"),
    [((1280, 720), 16, 1, 8), ((1280, 720), 4, 1, 4), ((1280, 720), 8, 3, 2), ((64, 48), 8, 30, 1),
     ((1920, 1080), 8, 1, 1)],
)  # fmt: skip
def test_looks_go_together_while_frames_are_small(
    size_wh: tuple[int, int], batch_size: int, every: int, looks: int
) -> None:
    assert pipeline._batch(batch_size, every, of_size(*size_wh)) == looks


def test_few_frames_wait_however_often_it_looks(tmp_path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 80)
    most = [0]

    class Counting(Walker):
        def __call__(self, rgb: list[np.ndarray]) -> list[sv.Detections]:
            most[0] = max(most[0], len(rgb))
            return super().__call__(rgb)

    track_clip(clip, Counting(), TrackerSettings(every=8, patience=20), batch_size=16)
    assert most[0] == 1, "with a look every eighth frame, two looks would hold nine frames back"
    track_clip(clip, Counting(), TrackerSettings(every=1), batch_size=16)
    assert 1 < most[0] <= 8
