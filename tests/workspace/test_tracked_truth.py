"""True tracks: matched only with the clip they are of, refused before the work, and never at the cost of the tracks."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import supervision as sv

from cowvision.errors import SettingError
from cowvision.models.callbacks import never
from cowvision.tracking.clip_info import probe
from cowvision.tracking.settings import TrackerSettings
from cowvision.workspace import following
from cowvision.workspace.clips import Clip
from cowvision.workspace.following import follow
from cowvision.workspace.tracked_clips import TrackedClip
from cowvision.workspace.tracked_truth import is_own_rate
from tests.tracking.clips import spoil, write_clip
from tests.tracking.walker import Walker, place_of

FAST = TrackerSettings(confirm=1, patience=8)
SHIFT = 1000


def truth_of(frames: int, shift: float = 0) -> list[sv.Detections]:
    """The walker's cow, or the same somewhere else."""
    places = [np.array([place_of(number)]) + shift for number in range(frames)]
    return [sv.Detections(xyxy=place, tracker_id=np.array([1])) for place in places]


@pytest.fixture
def idle(monkeypatch) -> None:
    monkeypatch.setattr(following, "track_clip", lambda *_, **__: pytest.fail("worked before it checked"))


def followed(path: Path, truth: list[sv.Detections], stop=never, **options) -> TrackedClip:
    clip, painter = Clip("c", "C", "", path), lambda *_: lambda rgb, _: rgb
    return follow(clip, Walker(), FAST, path.parent, painter=painter, truth=truth, should_stop=stop, **options)


@pytest.mark.parametrize(("fps", "told"), [(240, "240 frames a second and is tracked at 60"), (120, "120 frames")])
@pytest.mark.usefixtures("idle")
def test_a_clip_too_fast_to_be_tracked_frame_by_frame_takes_no_truth(tmp_path, fps: int, told: str) -> None:
    clip = write_clip(tmp_path / "c.mp4", 24, fps=fps)
    with pytest.raises(SettingError, match=told) as refused:
        followed(clip, truth_of(24))
    assert "constant rate of 1 to 60" in refused.value.remedy
    assert "leave the truth out" in refused.value.remedy


@pytest.mark.usefixtures("idle")
def test_a_rate_that_varies_takes_no_truth(tmp_path) -> None:
    times = [0, 0.03, 0.07, 0.1, 0.15, 0.18, 0.2, 0.24, 0.31]
    with pytest.raises(SettingError, match="counts the clip's own frames"):
        followed(write_clip(tmp_path / "phone.mp4", times=times), truth_of(9))


@pytest.mark.usefixtures("idle")
def test_truth_beyond_the_stated_end_is_refused_before_the_work(tmp_path) -> None:
    with pytest.raises(SettingError, match="names frame 25, but the clip has 24"):
        followed(write_clip(tmp_path / "c.mp4", 24), truth_of(25))


def test_truth_beyond_the_end_of_a_clip_that_states_none_costs_the_figures_only(tmp_path) -> None:
    clip = write_clip(tmp_path / "c.mkv", 24)
    assert probe(clip).frames is None
    found = followed(clip, truth_of(25))
    assert (found.identity, found.frames, found.whole) == (None, 24, True)
    assert found.notes == ("The truth was not used: it names frame 25, but the clip has 24.",)
    assert found.table().ids == [1]


def test_a_pause_that_was_left_out_costs_the_figures_only(tmp_path) -> None:
    clip = write_clip(tmp_path / "a.mp4", times=[0, 0.1, 0.2, 60, 60.1])
    found = followed(clip, truth_of(5))
    assert found.identity is None
    assert "The truth was not used: the clip's rate varies" in found.notes[-1]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_truth_is_not_misplaced_where_frames_come_twice_here_and_not_at_all_there(tmp_path, name: str) -> None:
    times = [*(np.arange(40) / 10), *(4 + np.arange(84) / 40)]  # as many frames as at 20 a second
    clip = write_clip(tmp_path / name, times=times, fps=20)
    assert is_own_rate(probe(clip), Fraction(20))
    found = followed(clip, truth_of(124))
    assert (found.fps, found.whole, found.identity) == ("20", True, None)
    [note] = found.notes
    assert "The truth was not used: the clip's rate varies, and at 20 a second some of its frames came twice" in note
    assert "Export the clip at a constant rate" in note


def test_a_damaged_clip_says_that_pictures_are_missing_and_takes_no_truth(tmp_path) -> None:
    clip = spoil(write_clip(tmp_path / "a.mp4", 200, size_wh=(160, 120), options={"g": "20"}))
    found = followed(clip, truth_of(200))
    damage, truth = found.notes
    assert "Pictures of the clip are missing, and the one before stays in their place (it is damaged: " in damage
    assert "The truth was not used: pictures of the clip are missing" in truth
    assert (found.frames, found.whole, found.identity) == (200, True, None)


def test_a_part_that_was_tracked_frame_by_frame_can_be_judged_whatever_comes_later(tmp_path) -> None:
    done: list[int] = []
    clip = write_clip(tmp_path / "a.mp4", times=[*(np.arange(20) / 10), 2.0, 2.02, 2.04, 2.3])
    found = followed(clip, truth_of(24), on_progress=lambda one: done.append(one.done), stop=lambda: len(done) >= 15)
    assert (found.frames, found.whole) == (15, False)
    assert found.identity is not None
    assert found.identity.misses <= 1


def test_a_wrong_count_in_the_header_is_no_reason_to_lose_the_tracks(tmp_path, monkeypatch) -> None:
    clip = write_clip(tmp_path / "c.mp4", 24)
    told = replace(probe(clip), frames=26)
    monkeypatch.setattr(following, "probe", lambda *_: told)
    found = followed(clip, truth_of(26))
    assert found.identity is None
    assert "names frame 26, but the clip has 24" in found.notes[-1]


def test_truth_of_another_place_is_doubted_and_of_this_one_not(tmp_path) -> None:
    clip = write_clip(tmp_path / "c.mp4", 24)
    assert followed(clip, truth_of(24)).notes == ()
    beyond = followed(clip, truth_of(24, SHIFT))
    assert "may be another clip's: 24 boxes lie beyond the picture's 64 × 48 pixels" in beyond.notes[-1]
    above = [sv.Detections(xyxy=np.array([[30.0, 30, 60, 47]]), tracker_id=np.array([1]))] * 24
    assert "not one of its boxes" in followed(clip, above).notes[-1]
    assert followed(clip, [sv.Detections.empty()] * 24).notes == (), "a clip without cows has that truth"


def test_truth_that_ends_before_the_clip_is_said(tmp_path) -> None:
    clip = write_clip(tmp_path / "c.mp4", 24)
    assert followed(clip, truth_of(14)).notes == (), "a second less is a cow that went away"
    found = followed(clip, truth_of(13))
    assert found.notes == ("The truth ends with frame 13 of 24: all that was tracked later counts as false.",)
    assert "There is no box in the truth" in followed(clip, []).notes[-1]
