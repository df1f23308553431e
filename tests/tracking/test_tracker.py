"""The tracker: ids that stay, begin at 1, survive a gap and frames without a look, and are the same each time."""

import numpy as np
import pytest
import supervision as sv

from cowvision.errors import SettingError
from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.track_table import SEEN
from cowvision.tracking.tracker import HerdTracker
from tests.samples import boxes

STEP = 4


def walking(frame: int, *starts: int) -> sv.Detections:
    """Cows that walk to the right, one below the other."""
    rows = [[x + STEP * frame, 60 * row, x + STEP * frame + 80, 60 * row + 50] for row, x in enumerate(starts)]
    return boxes(rows, [0.9] * len(rows))


def ids_by_frame(tracker: HerdTracker, frames: list[sv.Detections | None]) -> list[list[int]]:
    return [sorted(tracker.update(frame).tracker_id.tolist()) for frame in frames]


def test_ids_begin_at_one_and_stay() -> None:
    ids = ids_by_frame(HerdTracker(), [walking(n, 0, 300) for n in range(30)])
    assert ids[0] == [], "nobody is sure at once"
    assert all(one == [1, 2] for one in ids[5:])


def test_the_same_frames_give_the_same_ids_whoever_tracked_before() -> None:
    frames = [walking(n, 0, 300) for n in range(20)]
    assert ids_by_frame(HerdTracker(), frames) == ids_by_frame(HerdTracker(), frames)


def test_a_cow_that_is_hidden_for_a_moment_keeps_its_id_and_is_said_to_be_unseen() -> None:
    tracker = HerdTracker()
    for n in range(12):
        tracker.update(walking(n, 0))
    hidden = [tracker.update(boxes([], [])) for _ in range(6)]
    assert [one.tracker_id.tolist() for one in hidden] == [[1]] * 4 + [[]] * 2, (
        "predictions are shown for a moment only"
    )
    assert not any(one.data[SEEN].any() for one in hidden)
    again = tracker.update(walking(18, 0))
    assert again.tracker_id.tolist() == [1]
    assert again.data[SEEN].all()


@pytest.mark.parametrize(
    ("coast", "every", "shown"),
    [(0, 1, 0), (2, 1, 2), (9, 1, 9), (0, 4, 3), (3, 4, 3), (4, 4, 4), (6, 4, 6), (9, 2, 9)],
)  # fmt: skip
def test_an_unseen_cow_is_shown_as_long_as_said_and_at_least_until_the_next_look(coast, every, shown) -> None:
    tracker = HerdTracker(TrackerSettings(coast=coast, every=every, patience=60))
    frames = [walking(n, 0) if tracker.looks_at(n) else None for n in range(39 * every + 1)]
    ids_by_frame(tracker, frames)
    rest = [boxes([], []) if tracker.looks_at(n) else None for n in range(len(frames), len(frames) + 12)]
    assert ids_by_frame(tracker, rest) == [[1]] * shown + [[]] * (12 - shown)


def test_a_box_inside_a_surer_one_is_the_same_cow_again() -> None:
    def with_double(frame: int) -> sv.Detections:
        x = STEP * frame
        return boxes([[x, 0, x + 80, 50], [x + 40, 2, x + 82, 48], [x + 60, 0, x + 140, 50]], [0.9, 0.8, 0.85])

    ids = ids_by_frame(HerdTracker(), [with_double(n) for n in range(12)])
    assert ids[-1] == [1, 2], "its front half is not a second cow, and the one that half hides it is"
    assert ids_by_frame(HerdTracker(TrackerSettings(most_inside=1)), [with_double(n) for n in range(12)])[-1] == [
        1,
        2,
        3,
    ]


@pytest.mark.parametrize(("seen", "kept_for"), [(5, 5), (10, 10), (20, 20), (60, 47)])
def test_an_id_is_kept_for_as_long_as_it_was_seen_and_for_its_patience_at_most(seen: int, kept_for: int) -> None:
    for hidden, is_kept in ((kept_for, True), (kept_for + 2, False)):
        tracker = HerdTracker()
        ids_by_frame(tracker, [*[walking(0, 0)] * seen, *[boxes([], [])] * hidden])
        ids = ids_by_frame(tracker, [walking(0, 0)] * 10)
        assert (ids[0] == [1], ids[-1] == [1]) == (is_kept, is_kept), (seen, hidden)


def test_who_is_gone_for_long_is_gone() -> None:
    tracker = HerdTracker(TrackerSettings(patience=5, confirm=1))
    for n in range(10):
        tracker.update(walking(n, 0))
    assert len([tracker.update(boxes([], [])) for _ in range(8)][-1]) == 0
    for n in range(10, 14):
        last = tracker.update(walking(n, 0))
    assert last.tracker_id.tolist() == [2]


@pytest.mark.parametrize("every", [1, 2, 4])
def test_frames_without_a_look_are_predicted_and_end_no_track(every: int) -> None:
    tracker = HerdTracker(TrackerSettings(every=every, patience=12))
    told = [tracker.update(walking(n, 0) if tracker.looks_at(n) else None) for n in range(60)]
    assert all(one.tracker_id.tolist() == [1] for one in told[20:])
    for frame, one in enumerate(told[40:], start=40):
        assert abs(one.xyxy[0, 0] - STEP * frame) < STEP * every


def test_a_false_alarm_of_one_frame_is_no_cow() -> None:
    tracker = HerdTracker()
    frames = [walking(0, 0), *[boxes([], [])] * 10]
    assert ids_by_frame(tracker, frames) == [[]] * 11


@pytest.mark.parametrize("every", [1, 2, 3, 4, 6, 15])
def test_one_look_alone_makes_no_cow_and_the_wait_is_as_said(every: int) -> None:
    settings = TrackerSettings(every=every, patience=60)
    alone, steady = HerdTracker(settings), HerdTracker(settings)
    once = [walking(0, 0) if n == 0 else boxes([], []) if alone.looks_at(n) else None for n in range(60)]
    assert ids_by_frame(alone, once) == [[]] * 60
    ids = ids_by_frame(steady, [walking(n // 8, 0) if steady.looks_at(n) else None for n in range(60)])
    assert ids.index([1]) == settings.frames_to_confirm


def test_who_is_trusted_at_once_is_there_at_once() -> None:
    settings = TrackerSettings(confirm=0)
    assert settings.frames_to_confirm == 0
    assert ids_by_frame(HerdTracker(settings), [walking(0, 0)]) == [[1]]


@pytest.mark.parametrize(("confirm", "frames"), [(1, 1), (6, 6), (10, 10)])
def test_how_long_it_waits_is_adjustable(confirm: int, frames: int) -> None:
    ids = ids_by_frame(HerdTracker(TrackerSettings(confirm=confirm)), [walking(n, 0) for n in range(20)])
    assert ids.index([1]) == frames


def test_what_is_no_box_is_neither_taken_nor_shown() -> None:
    flat = boxes([[10, 10, 10, 40], [5, 5, 50, 40]], [0.99, 0.9])
    assert ids_by_frame(HerdTracker(), [flat] * 8)[-1] == [1]
    tracker = HerdTracker(TrackerSettings(coast=60, patience=80))
    for n in range(12):  # shrinks by ten pixels a frame
        tracker.update(boxes([[10 * n / 2, 0, 150 - 10 * n / 2, 60]], [0.9]))
    later = [tracker.update(boxes([], [])) for _ in range(30)]
    assert all((one.xyxy[:, 2:] > one.xyxy[:, :2]).all() for one in later)


def test_weak_detections_are_not_followed() -> None:
    tracker = HerdTracker(TrackerSettings(least_score=0.95))
    assert ids_by_frame(tracker, [walking(n, 0) for n in range(10)]) == [[]] * 10


def test_names_and_scores_come_along() -> None:
    tracker = HerdTracker()
    for n in range(8):
        told = tracker.update(walking(n, 0))
    assert told.data["class_name"].tolist() == ["cow"]
    assert told.confidence.tolist() == pytest.approx([0.9])
    assert told.xyxy.dtype == np.float32


@pytest.mark.parametrize(
    "wrong",
    [
        {"least_iou": 1.0},
        {"least_score": -1},
        {"every": 0},
        {"patience": 2, "confirm": 3},
        {"every": 50},
        {"most_inside": 0},
        {"coast": -1},
    ],
)
def test_what_cannot_be_tracked_by_is_refused(wrong) -> None:
    with pytest.raises(SettingError, match="tracker"):
        TrackerSettings(**wrong)
