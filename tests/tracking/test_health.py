"""Identity health: what came, went and was hidden, and which new ids probably are old animals."""

import numpy as np
import pytest
import supervision as sv

from cowvision.tracking.health import Event, EventKind, judge_health
from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.track_table import SEEN, TrackTable

FPS = 20
SETTINGS = TrackerSettings(patience=20)


class Animal:
    """One id that walks: seen in some frames, predicted in others, absent in the rest."""

    def __init__(
        self, number: int, seen: range, left: float = 0.0, pace: float = 0.0, predicted: range = range(0)
    ) -> None:
        self.number, self.seen, self.left, self.pace, self.predicted = number, seen, left, pace, predicted

    def row(self, frame: int) -> tuple[int, float, bool] | None:
        there = frame in self.seen or frame in self.predicted
        return (self.number, self.left + self.pace * frame, frame in self.seen) if there else None


def table(frames: int, *animals: Animal) -> TrackTable:
    def boxes(frame: int) -> sv.Detections:
        rows = [row for row in (one.row(frame) for one in animals) if row]
        return sv.Detections(
            xyxy=np.array([[left, 0, left + 100, 60] for _, left, _ in rows], np.float32).reshape(-1, 4),
            confidence=np.full(len(rows), 0.9, np.float32),
            tracker_id=np.array([number for number, _, _ in rows], np.int64),
            data={SEEN: np.array([seen for _, _, seen in rows], bool)},
        )

    return TrackTable.of(boxes(frame) for frame in range(frames))


def events(found, kind: EventKind) -> list[Event]:
    return [one for one in found.events if one.kind is kind]


def test_who_is_there_all_the_time_gives_no_event() -> None:
    found = judge_health(table(40, Animal(1, range(40)), Animal(2, range(2, 40), 300)), FPS, SETTINGS)
    assert found.events == ()
    assert (found.unique, found.fewest, found.most, found.most_at_once) == (2, 2, 2, 2)
    assert found.mean_track_seconds == pytest.approx((40 + 38) / 2 / FPS)
    assert found.mean_at_once == pytest.approx(78 / 40)


def test_births_and_losses_are_told_with_their_frames() -> None:
    found = judge_health(table(60, Animal(1, range(30)), Animal(2, range(20, 60), 800)), FPS, SETTINGS)
    assert events(found, EventKind.BIRTH) == [Event(EventKind.BIRTH, 20, 2)]
    assert events(found, EventKind.LOSS) == [Event(EventKind.LOSS, 29, 1)]
    assert (found.births, found.losses) == (1, 1)


def test_a_loss_is_where_it_was_seen_last_not_where_the_prediction_ended() -> None:
    found = judge_health(table(60, Animal(1, range(30), predicted=range(30, 36))), FPS, SETTINGS)
    assert events(found, EventKind.LOSS) == [Event(EventKind.LOSS, 29, 1)]


def test_a_gap_is_told_once_and_a_flicker_not() -> None:
    class Hidden(Animal):
        def row(self, frame: int):
            return None if 10 <= frame < 20 or frame == 30 else super().row(frame)

    found = judge_health(table(60, Hidden(1, range(60))), FPS, SETTINGS)
    assert events(found, EventKind.GAP) == [Event(EventKind.GAP, 10, 1)]
    assert found.gaps == 1


def test_frames_between_two_looks_are_no_gap() -> None:
    looks = TrackerSettings(every=6, patience=30)
    animal = Animal(1, range(0, 120, 6), predicted=range(120))
    assert judge_health(table(120, animal), FPS, looks).gaps == 0


def test_a_new_id_where_a_lost_one_was_about_to_be_is_a_suspected_switch() -> None:
    lost, new = Animal(1, range(30), pace=5), Animal(2, range(38, 80), pace=5)
    found = judge_health(table(80, lost, new), FPS, SETTINGS)
    assert events(found, EventKind.SWITCH) == [Event(EventKind.SWITCH, 38, 2, 1)]
    assert (found.unique, found.fewest, found.most) == (1, 1, 2)


def test_a_new_id_elsewhere_or_much_later_is_another_animal() -> None:
    lost = Animal(1, range(30), pace=5)
    assert judge_health(table(80, lost, Animal(2, range(38, 80), 600)), FPS, SETTINGS).suspected_switches == 0
    late = judge_health(table(120, lost, Animal(2, range(80, 120), 350 - 5 * 80, 5)), FPS, SETTINGS)
    assert late.suspected_switches == 0


def test_a_track_that_is_still_seen_was_not_lost() -> None:
    found = judge_health(table(80, Animal(1, range(80)), Animal(2, range(38, 80), 10)), FPS, SETTINGS)
    assert found.suspected_switches == 0
    assert found.unique == 2


def test_one_lost_track_explains_one_birth_only() -> None:
    lost = Animal(1, range(30))
    found = judge_health(table(80, lost, Animal(2, range(36, 80), 5), Animal(3, range(40, 80), 10)), FPS, SETTINGS)
    assert events(found, EventKind.SWITCH) == [Event(EventKind.SWITCH, 36, 2, 1)]
    assert (found.unique, found.fewest, found.most) == (2, 2, 3)


def test_the_first_moments_are_no_births() -> None:
    found = judge_health(table(40, Animal(1, range(4, 40)), Animal(2, range(5, 40), 300)), FPS, SETTINGS)
    assert [one.track_id for one in events(found, EventKind.BIRTH)] == [2]


def test_predicted_boxes_are_nobody_who_was_seen_at_once() -> None:
    one, again = Animal(1, range(30), predicted=range(30, 34)), Animal(2, range(33, 80))
    found = judge_health(table(80, one, again), FPS, TrackerSettings(confirm=1, patience=20))
    assert (found.unique, found.fewest, found.most, found.most_at_once) == (1, 1, 2, 1)


@pytest.mark.parametrize("every", [1, 5, 30])
def test_births_are_told_however_seldom_it_looks(every: int) -> None:
    settings = TrackerSettings(every=every, patience=90)
    found = judge_health(table(200, Animal(1, range(200)), Animal(2, range(90, 200), 500)), FPS, settings)
    assert [one.frame for one in events(found, EventKind.BIRTH)] == [90]


def test_a_calf_that_was_found_while_its_mother_was_seen_is_no_switch() -> None:
    mother, calf = Animal(1, range(30)), Animal(2, range(32, 80), 5)
    assert judge_health(table(80, mother, calf), FPS, SETTINGS).suspected_switches == 0


@pytest.mark.parametrize(("fps", "hidden", "gaps"), [(20, 5, 1), (20, 4, 0), (4, 1, 1), (1, 1, 1)])
def test_a_gap_is_as_long_as_said_at_any_rate(fps: int, hidden: int, gaps: int) -> None:
    class Hidden(Animal):
        def row(self, frame: int):
            return None if 10 <= frame < 10 + hidden else super().row(frame)

    assert judge_health(table(60, Hidden(1, range(60))), fps, SETTINGS).gaps == gaps


def test_the_nearest_lost_track_explains_a_birth_and_its_pace_counts() -> None:
    near, far = Animal(1, range(30), 200, 3), Animal(2, range(30), 150)
    found = judge_health(table(80, near, far, Animal(3, range(50, 80), 350 - 3 * 50, 3)), FPS, SETTINGS)
    assert events(found, EventKind.SWITCH) == [Event(EventKind.SWITCH, 50, 3, 1)]
    stays = judge_health(table(80, Animal(1, range(30), 0, 6), Animal(3, range(50, 80), 10)), FPS, SETTINGS)
    assert stays.suspected_switches == 0, "by then it would be far from there"


def test_where_it_goes_on_to_is_told_by_its_last_steps_and_not_by_one_box_that_is_off() -> None:
    class Jolted(Animal):
        def row(self, frame: int):
            return (self.number, 157, True) if frame == 29 else super().row(frame)  # 12 pixels too far

    found = judge_health(table(80, Jolted(1, range(30), pace=5), Animal(2, range(45, 80), pace=5)), FPS, SETTINGS)
    assert found.suspected_switches == 1


def test_where_it_goes_on_to_is_told_by_what_was_seen_and_not_by_predictions() -> None:
    class Astray(Animal):
        def row(self, frame: int):
            return (self.number, 150 - 20 * (frame - 29), False) if frame in self.predicted else super().row(frame)

    lost, last = Astray(1, range(30), pace=5, predicted=range(30, 34)), 150 - 20 * 4
    new = Animal(2, range(43, 80), last + 5 * (43 - 33))
    assert judge_health(table(80, lost, new), FPS, SETTINGS).suspected_switches == 1


def test_after_twice_the_patience_nobody_is_expected_back() -> None:
    for born, switches in ((68, 1), (70, 0)):
        found = judge_health(table(100, Animal(1, range(30)), Animal(2, range(born, 100))), FPS, SETTINGS)
        assert found.suspected_switches == switches


def test_no_tracks_at_all() -> None:
    found = judge_health(table(10), FPS, SETTINGS)
    assert (found.unique, found.fewest, found.most, found.mean_track_seconds) == (0, 0, 0, None)
    assert judge_health(TrackTable.of([]), FPS, SETTINGS).mean_at_once == 0.0
