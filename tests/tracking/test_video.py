"""Frames of clips: each in its place, upright, at its own time, from every container; and what is said of bad ones."""

import re

import cv2
import numpy as np
import pytest

from cowvision.errors import ClipError
from cowvision.tracking.decoding import _Clock, decoded
from cowvision.tracking.video import CLIP_SUFFIXES, TRACKED_SUFFIXES, frame_count, frames
from tests.tracking.clips import cut_off, number_of, numbered, spoil, write_clip, write_empty, write_sound

FORMATS = {
    "a.mp4": ("libx264", "yuv420p"),
    "a.mov": ("libx264", "yuv420p"),
    "a.m4v": ("libx264", "yuv420p"),
    "a.mkv": ("libx264", "yuv420p"),
    "a.avi": ("mpeg4", "yuv420p"),
    "a.webm": ("libvpx", "yuv420p"),
    "a.gif": ("gif", "rgb8"),
}
LONG = dict(count=200, size_wh=(160, 120))


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "a.mp4", fps=5)


def numbers(found) -> list[int]:
    return [number_of(frame.rgb) for frame in found]


def all_that_came(path) -> tuple[list[int], str]:
    seen: list[int] = []
    with pytest.raises(ClipError) as refused:
        seen.extend(number_of(frame.rgb) for frame in frames(path))
    return seen, str(refused.value)


def test_the_numbers_tell_turned_and_shifted_pictures_apart() -> None:
    rgb = numbered(4711)
    others = [np.rot90(rgb), np.rot90(rgb, 2), rgb[:, ::-1], rgb[::-1], np.roll(rgb, 16, 1)]
    assert number_of(rgb) == 4711 and 4711 not in map(number_of, others)


def test_every_frame_in_order_with_its_time(clip) -> None:
    seen = list(frames(clip))
    assert [frame.index for frame in seen] == numbers(seen) == list(range(10))
    assert [frame.seconds for frame in seen] == pytest.approx(np.arange(10) / 5, abs=1e-9)
    assert seen[0].rgb.shape == (48, 64, 3) and seen[0].rgb.dtype == np.uint8
    assert frame_count(clip) == 10


@pytest.mark.parametrize("name", FORMATS)
def test_every_container(tmp_path, name: str) -> None:
    codec, pix_fmt = FORMATS[name]
    seen = list(frames(write_clip(tmp_path / name, codec=codec, pix_fmt=pix_fmt)))
    assert numbers(seen) == list(range(10))
    assert [frame.seconds for frame in seen] == pytest.approx(np.arange(10) / 10, abs=1e-9)


def test_what_counts_as_a_clip() -> None:
    assert {f".{name.split('.')[1]}" for name in FORMATS} == TRACKED_SUFFIXES
    assert {".gif"} == TRACKED_SUFFIXES - CLIP_SUFFIXES, "to Detect a GIF is a picture"


def test_every_fourth_begins_with_the_first(clip) -> None:
    assert [frame.index for frame in frames(clip, every=4)] == [0, 4, 8]
    assert numbers(frames(clip, every=4)) == [0, 4, 8]
    assert [frame.index for frame in frames(clip, every=100)] == [0]
    with pytest.raises(ClipError, match="Give 1 or more"):
        list(frames(clip, every=0))


def test_times_are_the_clips_own_and_begin_at_zero(tmp_path) -> None:
    times = np.array([0, 0.1, 0.2, 0.5, 0.55, 0.9])
    for name, late in (("a.mp4", 0), ("b.mp4", 5), ("a.mkv", 0), ("b.mkv", 5)):
        clip = write_clip(tmp_path / name, times=(times + late).tolist())
        assert [frame.seconds for frame in frames(clip)] == pytest.approx(times, abs=1e-6), name


def test_what_lies_before_the_beginning_is_not_shown(tmp_path) -> None:
    seen = list(frames(write_clip(tmp_path / "a.mp4", times=[-0.2, -0.1, 0, 0.1, 0.3])))
    assert numbers(seen) == [2, 3, 4]
    assert [frame.seconds for frame in seen] == pytest.approx([0, 0.1, 0.3])


@pytest.mark.parametrize(
    ("stated", "placed"),
    [
        ([2.0, 2.1, 2.3], [0, 0.1, 0.3]),
        ([-0.5, -0.4, 0.0], [0, 0.1, 0.5]),
        ([None, None, None], [0, 0.1, 0.2]),
        ([0.0, 2.0, None, 2.25], [0, 2.0, 2.1, 2.25]),
        ([0.0, 0.0, 0.0, 0.0], [0, 0.1, 0.2, 0.3]),
        ([0.0, 0.2, 0.1, 0.4], [0, 0.2, 0.3, 0.4]),
        ([0.0, 7.0, 0.0, 0.1, 0.3], [0, 7.0, 7.1, 7.2, 7.4]),
    ],
    ids=["late", "negative", "none", "one-missing", "all-equal", "out-of-order", "begins-anew"],
)
def test_times_rise_whatever_a_clip_states(stated, placed) -> None:
    clock = _Clock(0.1)
    assert [clock.place(one) for one in stated] == pytest.approx(placed)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_a_clip_held_upright_is_turned_upright(tmp_path, rotation: int) -> None:
    clip = write_clip(tmp_path / "phone.mov", size_wh=(48, 80), rotation=rotation)
    seen = list(frames(clip))
    assert numbers(seen) == list(range(10))
    assert seen[0].rgb.shape == (80, 48, 3)
    capture = cv2.VideoCapture(str(clip))  # OpenCV's way of turning it
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    assert [number_of(capture.read()[1]) for _ in range(10)] == list(range(10))


def test_ten_bits_become_eight(tmp_path) -> None:
    options = {"x265-params": "log-level=none"}
    clip = write_clip(tmp_path / "hdr.mp4", 3, codec="libx265", pix_fmt="yuv420p10le", options=options)
    seen = list(frames(clip))
    assert numbers(seen) == [0, 1, 2] and seen[0].rgb.dtype == np.uint8
    assert seen[1].rgb.max() > 240 and seen[1].rgb.min() < 15


def test_odd_sides_stay_odd(tmp_path) -> None:
    seen = list(frames(write_clip(tmp_path / "odd.mkv", size_wh=(63, 47), pix_fmt="yuv444p")))
    assert numbers(seen) == list(range(10)) and seen[0].rgb.shape == (47, 63, 3)


def test_all_frames_are_as_large_as_the_first(tmp_path) -> None:
    small = write_clip(tmp_path / "small.ts", size_wh=(64, 48)).read_bytes()
    large = write_clip(tmp_path / "large.ts", size_wh=(128, 96)).read_bytes()
    (tmp_path / "both.ts").write_bytes(small + large)
    seen = list(frames(tmp_path / "both.ts"))
    assert numbers(seen) == [*range(10), *range(10)]
    assert {frame.rgb.shape for frame in seen} == {(48, 64, 3)}


def test_each_reading_of_a_picture_is_ones_own(tmp_path) -> None:
    moment = next(decoded(write_clip(tmp_path / "a.avi", codec="rawvideo", pix_fmt="bgr24")))
    raw = next(decoded(write_clip(tmp_path / "b.mov", codec="png", pix_fmt="rgb24")))
    for one in (moment, raw):
        one.rgb()[:] = 99
        assert number_of(one.rgb()) == 0 and one.rgb().max() < 99


def test_frames_are_opened_one_at_a_time(clip) -> None:
    stream = frames(clip)
    assert next(stream).index == 0
    stream.close()


def test_a_name_with_a_colon_is_a_name(tmp_path, monkeypatch) -> None:
    write_clip(tmp_path / "a.mp4").rename(tmp_path / "cows: 10:30.mp4")
    monkeypatch.chdir(tmp_path)
    assert numbers(frames("cows: 10:30.mp4")) == list(range(10))


def test_files_that_are_no_clips(tmp_path) -> None:
    (tmp_path / "notes.mp4").write_bytes(b"these are notes, no frames at all" * 50)
    (tmp_path / "nothing.mp4").write_bytes(b"")
    (tmp_path / "folder.mp4").mkdir()
    wanted = {"notes.mp4": "not a video", "nothing.mp4": "is empty", "gone.mp4": "no such", "folder.mp4": "not a video"}
    for name, cause in wanted.items():
        with pytest.raises(ClipError, match=cause):
            list(frames(tmp_path / name))
        assert frame_count(tmp_path / name) is None


def test_a_list_of_other_files_is_not_followed(tmp_path) -> None:
    write_clip(tmp_path / "secret.mp4")
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile secret.mp4\n", encoding="utf-8")
    with pytest.raises(ClipError, match="not a video"):
        list(frames(tmp_path / "list.mp4"))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.avi", "b.avi", "a.gif"])
def test_a_clip_cut_off_in_the_middle_gives_what_it_holds_and_says_so(tmp_path, name: str) -> None:
    codec, pix_fmt = FORMATS.get(name, ("mjpeg", "yuvj420p"))
    muxer = {"movflags": "+faststart"} if name == "a.mp4" else {}
    seen, told = all_that_came(
        cut_off(write_clip(tmp_path / name, codec=codec, pix_fmt=pix_fmt, muxer=muxer, **LONG), 0.6)
    )
    whole = len(seen) - (name == "a.gif")  # which shows the upper part of its last picture
    assert seen[:whole] == list(range(whole)) and 80 <= len(seen) <= 130
    seconds = re.search(rf"is cut off or damaged: {len(seen)} frames \(([0-9.]+)(?: of 20.0)? seconds\)", told)
    assert float(seconds[1]) == pytest.approx(len(seen) / 10, abs=0.3)
    assert "Copy or export it again for the rest" in told


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
@pytest.mark.parametrize("begins", [-3, 10])
def test_a_cut_is_told_wherever_the_clock_of_a_clip_begins(tmp_path, name: str, begins: int) -> None:
    muxer = {} if name == "a.mkv" else {"movflags": "+faststart"}
    clip = write_clip(tmp_path / name, times=[begins + n / 10 for n in range(200)], muxer=muxer, size_wh=(160, 120))
    hidden = -begins * 10 if begins < 0 and name != "a.mkv" else 0
    assert len(list(frames(clip))) == 200 - hidden, "whole as it is"
    seen, told = all_that_came(cut_off(clip, 0.6))
    assert seen == list(range(hidden, hidden + len(seen))) and 60 <= len(seen) <= 130
    assert f"is cut off or damaged: {len(seen)} frames" in told


def test_what_a_camera_writes_beside_pictures_and_sound_hides_no_cut(tmp_path) -> None:
    clip = write_clip(tmp_path / "a.mov", timecode="01:00:00:00", muxer={"movflags": "+faststart"}, **LONG)
    assert len(list(frames(clip))) == 200
    seen, told = all_that_came(cut_off(clip, 0.6))
    assert seen == list(range(len(seen))) and "is cut off" in told


@pytest.mark.parametrize("movflags", ["frag_keyframe+empty_moov", "frag_keyframe+empty_moov+default_base_moof+dash"])
def test_a_clip_in_fragments_is_whole_wherever_its_clock_begins(tmp_path, movflags: str) -> None:
    times = [10 + n / 10 for n in range(60)]
    clip = write_clip(tmp_path / "a.mp4", times=times, options={"g": "20"}, muxer={"movflags": movflags})
    assert numbers(frames(clip)) == list(range(60))


def test_a_pause_before_the_first_picture_that_counts_in_the_length_is_no_cut(tmp_path) -> None:
    times = [10 + n / 10 for n in range(200)]
    clip = write_clip(tmp_path / "a.mov", times=times, muxer={"movflags": "+faststart"}, size_wh=(160, 120))
    data = bytearray(clip.read_bytes())
    length = data.index(b"mvhd") + 20  # in the units that are told before it, as Apple counts it
    unit = int.from_bytes(data[length - 4 : length], "big")
    data[length : length + 4] = (30 * unit).to_bytes(4, "big")
    clip.write_bytes(data)
    assert numbers(frames(clip)) == list(range(200))
    assert "is cut off" in all_that_came(cut_off(clip, 0.6))[1]


def test_a_whole_clip_is_not_said_to_break_off(tmp_path) -> None:
    for name, (codec, pix_fmt) in FORMATS.items():
        assert len(list(frames(write_clip(tmp_path / name, codec=codec, pix_fmt=pix_fmt, fps=1)))) == 10


def test_a_clip_whose_index_is_cut_off_cannot_be_read(tmp_path) -> None:
    with pytest.raises(ClipError, match="copy it again"):
        list(frames(cut_off(write_clip(tmp_path / "a.mp4", **LONG), 0.6)))


def test_damage_in_the_middle_costs_frames_and_is_told(tmp_path) -> None:
    clip = spoil(write_clip(tmp_path / "a.mp4", options={"g": "20"}, **LONG))
    seen, told = all_that_came(clip)
    assert seen[:60] == list(range(60)) and seen[-40:] == list(range(160, 200)), "what is whole comes, before and after"
    assert f"it is damaged: {len(seen)} frames could be read" in told and "cut off" not in told
    assert 140 < len(seen) < 200


def test_no_picture_can_be_read(tmp_path) -> None:
    clip = write_clip(tmp_path / "a.avi", codec="mjpeg", pix_fmt="yuvj420p")
    data = clip.read_bytes()
    begin, end = data.index(b"movi") + 4, data.index(b"idx1")
    clip.write_bytes(data[:begin] + data[begin:end].replace(b"\xff", b"\x00") + data[end:])
    with pytest.raises(ClipError, match="no frame can be read"):
        list(frames(clip))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_clip_without_a_frame(tmp_path, name: str) -> None:
    with pytest.raises(ClipError, match="not a single frame"):
        list(frames(write_empty(tmp_path / name, FORMATS[name][0])))


def test_sound_alone_is_no_clip(tmp_path) -> None:
    for path in (write_sound(tmp_path / "moo.mkv"), write_sound(tmp_path / "sleeve.mp4", cover=True)):
        with pytest.raises(ClipError, match="no picture track"):
            list(frames(path))
        assert frame_count(path) is None
