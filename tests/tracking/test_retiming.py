"""Clips of any rate at a constant one: at n / fps stands what was on screen then."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from cowvision.errors import ClipError
from cowvision.tracking.retiming import LONGEST_STILL, steady_frames
from tests.tracking.clips import cut_off, number_of, write_clip

VARYING = [0, 0.1, 0.2, 0.5, 0.55, 0.9]  # and the last lasts 0.1 seconds
NTSC = Fraction(30000, 1001)


def shown(clip, fps) -> list[int]:
    return [number_of(frame.rgb) for frame in steady_frames(clip, Fraction(fps))]


def on_screen(times, lasts: float, fps: int) -> list[int]:
    """By the definition: the last picture that has come by n / fps."""
    moments = np.arange(0, times[-1] + lasts - 1e-6, 1 / fps)
    return [int(np.flatnonzero(np.array(times) <= moment + 1e-6)[-1]) for moment in moments]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.gif"])
@pytest.mark.parametrize("fps", [4, 10, 20, 50])
def test_a_varying_rate(tmp_path, name: str, fps: int) -> None:
    codec, pix_fmt = ("gif", "rgb8") if name == "a.gif" else ("libx264", "yuv420p")
    clip = write_clip(tmp_path / name, times=VARYING, codec=codec, pix_fmt=pix_fmt)
    assert shown(clip, fps) == on_screen(VARYING, 0.1, fps)


def test_places_and_times_count_up_and_repeats_are_marked(tmp_path) -> None:
    found = list(steady_frames(write_clip(tmp_path / "a.mp4", times=VARYING), Fraction(10)))
    assert [frame.index for frame in found] == list(range(10))
    assert [frame.seconds for frame in found] == pytest.approx(np.arange(10) / 10)
    assert [number_of(frame.rgb) for frame in found] == [0, 1, 2, 2, 2, 3, 4, 4, 4, 5]
    assert [frame.repeats for frame in found] == [False, False, False, True, True, False, False, True, True, False]


def test_what_was_left_out_is_marked_at_the_next_frame(tmp_path) -> None:
    found = list(steady_frames(write_clip(tmp_path / "a.mp4", times=VARYING), Fraction(5)))
    assert [number_of(frame.rgb) for frame in found] == [0, 2, 2, 4, 4]
    assert [frame.skips for frame in found] == [False, True, False, True, False]


def test_a_repeated_picture_is_not_the_same_array(tmp_path) -> None:
    for frame in steady_frames(write_clip(tmp_path / "a.mp4", times=VARYING), Fraction(10)):
        assert frame.rgb.max() != 99 or frame.rgb.min() != 99
        frame.rgb[:] = 99  # as a drawing on it would


@pytest.mark.parametrize("fps", [1, 24, 25, NTSC, 30, 60, Fraction(100, 3)])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_at_its_own_rate_every_frame_comes_once(tmp_path, name: str, fps) -> None:
    found = list(steady_frames(write_clip(tmp_path / name, 70, fps=fps), Fraction(fps)))
    assert [number_of(frame.rgb) for frame in found] == list(range(70))
    assert not any(frame.repeats or frame.skips for frame in found)


def test_times_that_tremble_neither_drop_nor_repeat(tmp_path) -> None:
    tremble = np.random.default_rng(1).uniform(-0.002, 0.002, 60)
    clip = write_clip(tmp_path / "phone.mp4", times=[0, *(np.arange(1, 60) / 30 + tremble[1:])])
    assert shown(clip, 30)[:60] == list(range(60))


def test_faster_and_slower_than_the_clip(tmp_path) -> None:
    clip = write_clip(tmp_path / "slow-motion.mp4", 80, fps=240)
    assert shown(clip, 60) == list(range(0, 80, 4))
    clip = write_clip(tmp_path / "lapse.mp4", 3, fps=1)
    assert shown(clip, 4) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_time_begins_with_the_first_picture(tmp_path, name: str) -> None:
    clip = write_clip(tmp_path / name, times=[5 + time for time in VARYING])
    assert shown(clip, 10) == [0, 1, 2, 2, 2, 3, 4, 4, 4, 5]


def test_a_single_picture_is_a_frame(tmp_path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 1, fps=240)
    assert shown(clip, 240) == shown(clip, 1) == [0]


def test_a_clock_that_jumps_by_an_hour_gives_a_short_still(tmp_path) -> None:
    found = shown(write_clip(tmp_path / "a.mp4", times=[0, 0.1, 0.2, 3600, 3600.1]), 10)
    assert found == [0, 1, *[2] * int(LONGEST_STILL * 10), 3, 4]


def test_a_last_picture_that_lasts_for_an_hour(tmp_path) -> None:
    clip = write_clip(tmp_path / "a.gif", times=[0, 0.1], codec="gif", pix_fmt="rgb8")
    data = clip.read_bytes()
    last = data.rindex(b"\x21\xf9\x04") + 4  # the delay of the last picture, in 1/100 seconds
    clip.write_bytes(data[:last] + b"\xff\xff" + data[last + 2 :])
    assert shown(clip, 10) == [0, *[1] * int(LONGEST_STILL * 10)]


def test_a_clip_that_breaks_off_gives_what_it_holds_first(tmp_path) -> None:
    clip = cut_off(write_clip(tmp_path / "a.mkv", 200, size_wh=(160, 120)), 0.6)
    seen = []
    with pytest.raises(ClipError, match=r"herd.mkv: it is cut off .* of 20.0 seconds\) could be read"):
        seen.extend(number_of(frame.rgb) for frame in steady_frames(clip, Fraction(10), name="herd.mkv"))
    assert seen == list(range(len(seen))) and 80 < len(seen) < 130


def test_nothing_is_given_of_what_is_no_clip(tmp_path) -> None:
    (tmp_path / "notes.mp4").write_bytes(b"these are notes, no frames at all" * 50)
    with pytest.raises(ClipError, match="not a video"):
        next(steady_frames(tmp_path / "notes.mp4", Fraction(10)))


def test_frames_do_not_pile_up(tmp_path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 200, size_wh=(320, 240))
    frame_bytes = 320 * 240 * 3
    tracemalloc.start()
    for frame in steady_frames(clip, Fraction(10)):
        assert frame.rgb.nbytes == frame_bytes
        if frame.index == 20:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
    assert tracemalloc.get_traced_memory()[1] - before < 4 * frame_bytes
    tracemalloc.stop()
