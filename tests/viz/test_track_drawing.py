"""Drawn tracks: right colours, the frame untouched, seen and predicted boxes apart, trails of one clip only."""

import numpy as np
import pytest
import supervision as sv

from cowvision.tracking.track_table import SEEN
from cowvision.viz.track_drawing import TRACK_COLOURS, TrackPainter, track_colour

WH = (320, 240)


def tracks(*rows: tuple[int, tuple[float, float, float, float], bool]) -> sv.Detections:
    return sv.Detections(
        xyxy=np.array([box for _, box, _ in rows], np.float32).reshape(-1, 4),
        confidence=np.full(len(rows), 0.9, np.float32),
        tracker_id=np.array([one for one, _, _ in rows], np.int64),
        data={SEEN: np.array([seen for _, _, seen in rows], bool)},
    )


def grey() -> np.ndarray:
    return np.full((WH[1], WH[0], 3), 90, np.uint8)


def rgb_of(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


BOX = (100, 100, 200, 180)


@pytest.mark.parametrize("track_id", [1, 2, 7, len(TRACK_COLOURS), len(TRACK_COLOURS) + 1])
def test_a_box_has_the_colour_of_its_id_in_rgb(track_id: int) -> None:
    drawn = TrackPainter(WH, 24)(grey(), tracks((track_id, BOX, True)))
    assert tuple(drawn[140, 100].tolist()) == rgb_of(track_colour(track_id))


def test_colours_repeat_only_after_all_were_used() -> None:
    assert len({track_colour(one) for one in range(1, len(TRACK_COLOURS) + 1)}) == len(TRACK_COLOURS)
    assert track_colour(1) == track_colour(1 + len(TRACK_COLOURS))


def test_the_frame_itself_stays_as_it_was() -> None:
    frame = grey()
    TrackPainter(WH, 24)(frame, tracks((1, BOX, True)))
    assert (frame == 90).all()


def test_of_a_predicted_box_only_the_corners_are_drawn() -> None:
    drawn = TrackPainter(WH, 24)(grey(), tracks((1, BOX, False)))
    assert tuple(drawn[180, 101].tolist()) == rgb_of(track_colour(1))
    assert (drawn[130:150, 100] == 90).all(), "its sides are open"


def test_a_trail_follows_and_belongs_to_one_clip() -> None:
    painter = TrackPainter(WH, 24)
    for left in range(20, 120, 10):
        drawn = painter(grey(), tracks((1, (left, 100, left + 60, 160), True)))
    behind = drawn[155:165, 60:105]
    assert (behind == np.array(rgb_of(track_colour(1)))).all(axis=2).any()
    fresh = TrackPainter(WH, 24)(grey(), tracks((1, (110, 100, 170, 160), True)))
    assert (fresh[155:165, 60:105] == 90).all()


def test_a_trail_ends_after_its_time_also_while_nothing_is_there() -> None:
    painter = TrackPainter(WH, 4)
    painter(grey(), tracks((1, (0, 100, 40, 160), True)))
    for _ in range(12):
        painter(grey(), tracks())
    drawn = painter(grey(), tracks((1, (220, 100, 280, 160), True)))
    assert (drawn[140:170, 60:200] == 90).all()


@pytest.mark.parametrize(("fps", "frames"), [(4, 6), (8, 12)])
def test_a_trail_is_as_long_as_said(fps: int, frames: int) -> None:
    painter = TrackPainter(WH, fps)
    for number in range(30):
        drawn = painter(grey(), tracks((1, (8 * number, 100, 8 * number + 20, 160), True)))
    line = (drawn[158:163] == np.array(rgb_of(track_colour(1)))).all(axis=2).any(axis=0)
    behind = 8 * 29 - np.flatnonzero(line)[0]
    assert behind == pytest.approx(8 * (frames - 1) - 10, abs=8)


def test_how_many_there_are_is_written_in_the_corner() -> None:
    none, one = (TrackPainter(WH, 24)(grey(), shown) for shown in (tracks(), tracks((1, BOX, True))))
    assert (none[:30, :80] != 90).any()
    assert (none[:30, :80] != one[:30, :80]).any(), "another number"
    assert (none[60:] == 90).all()


def test_boxes_beyond_the_frame_and_tiny_frames_are_drawn_without_error() -> None:
    painter = TrackPainter((16, 16), 24)
    drawn = painter(
        np.zeros((16, 16, 3), np.uint8), tracks((1, (-50, -50, 500, 500), True), (2, (3, 3, 3.2, 3.2), False))
    )
    assert drawn.shape == (16, 16, 3)


@pytest.mark.parametrize("wh", [(640, 360), (1280, 720), (3840, 2160)])
def test_ids_are_readable_at_640_pixels_and_hide_little(wh: tuple[int, int]) -> None:
    width, height = wh
    box = (width // 2, height // 2, width * 3 // 4, height * 3 // 4)
    white = np.full((height, width, 3), 255, np.uint8)
    above = TrackPainter(wh, 24)(white, tracks((1, box, True)))[: box[1] - height // 100, box[0] :]
    dark = np.flatnonzero((above.max(axis=2) < 150).any(axis=1))
    label = np.flatnonzero((above != 255).any(axis=(1, 2)))
    assert np.ptp(dark) * 640 / width >= 7  # pixels of the digit
    assert np.ptp(label) <= height / 20
