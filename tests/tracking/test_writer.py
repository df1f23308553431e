"""Clips written: every browser plays them, frame n comes at n / fps, and there is a whole one or none."""

import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from cowvision.errors import ClipError
from cowvision.tracking.clip_info import probe
from cowvision.tracking.decoding import decoded
from cowvision.tracking.writer import ClipWriter
from tests.tracking.clips import number_of, numbered

FPS = Fraction(25)


def write(path, count: int = 10, fps: Fraction = FPS, size_wh: tuple[int, int] = (64, 48)):
    with ClipWriter(path, fps=fps, resolution_wh=size_wh) as writer:
        for number in range(count):
            writer.write(numbered(number, size_wh))
    return path


@pytest.mark.parametrize(
    "fps", [1, 10, 25, Fraction(30000, 1001), 60, Fraction(25, 2), Fraction(100, 7), Fraction(75, 2)]
)
def test_every_frame_at_its_very_time(tmp_path, fps) -> None:
    with av.open(str(write(tmp_path / "a.mp4", 40, Fraction(fps)))) as container:
        track = container.streams.video[0]
        found = [
            (number_of(frame.to_ndarray(format="rgb24")), frame.pts * track.time_base)
            for frame in container.decode(track)
        ]
        assert found == [(number, number / Fraction(fps)) for number in range(40)]
        assert track.duration * track.time_base == 40 / Fraction(fps)
        assert track.average_rate == fps and track.frames == 40


def test_what_browsers_ask_for(tmp_path) -> None:
    clip = write(tmp_path / "a.mp4")
    with av.open(str(clip)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    data = clip.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "a player begins before it has all"


@pytest.mark.parametrize("fps", [4, 10, Fraction(30000, 1001)])
def test_no_second_without_a_place_to_jump_to(tmp_path, fps) -> None:
    with av.open(str(write(tmp_path / "a.mp4", 70, Fraction(fps)))) as container:
        places = [number for number, frame in enumerate(container.decode(video=0)) if frame.key_frame]
    assert places[0] == 0 and max(np.diff([*places, 70])) <= fps


@pytest.mark.parametrize("size_wh", [(63, 48), (64, 47), (63, 47), (1, 1), (17, 90)])
def test_odd_sides_repeat_their_last_line_and_shift_nothing(tmp_path, size_wh) -> None:
    width, height = size_wh
    rgb = np.random.default_rng(0).integers(0, 2, (-(-height // 8), -(-width // 8), 1)).repeat(8, 0).repeat(8, 1) * 255
    rgb = rgb[:height, :width].repeat(3, 2).astype(np.uint8)
    with ClipWriter(tmp_path / "a.mp4", fps=FPS, resolution_wh=size_wh) as writer:
        writer.write(rgb)
    read = next(decoded(tmp_path / "a.mp4")).rgb().astype(int)
    assert read.shape == (height + height % 2, width + width % 2, 3)
    assert np.abs(read[:height, :width] - rgb).mean() < 12
    assert np.abs(read[-1, :width] - rgb[-1]).mean() < 20 and np.abs(read[:height, -1] - rgb[:, -1]).mean() < 20


@pytest.mark.parametrize(("size_wh", "matrix"), [((64, 48), 6), ((64, 720), 1), ((1280, 64), 6)])
def test_colours_come_back(tmp_path, size_wh, matrix: int) -> None:
    colours = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 160, 200), (255, 255, 255)], np.uint8)
    with ClipWriter(tmp_path / "a.mp4", fps=FPS, resolution_wh=size_wh) as writer:
        for colour in colours:
            writer.write(np.broadcast_to(colour, (size_wh[1], size_wh[0], 3)))
    for colour, moment in zip(colours.astype(int), decoded(tmp_path / "a.mp4"), strict=True):
        assert np.abs(moment.rgb()[8:-8, 8:-8] - colour).max() <= 6
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (matrix, 1), "players are told how to read them"


def test_colours_of_an_untagged_hd_clip_are_read_as_players_do(tmp_path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 720, "yuv420p"
        yuv = av.VideoFrame(64, 720, "yuv420p")
        for plane, value in zip(yuv.planes, (63, 102, 240), strict=True):  # pure red by BT.709
            plane.update(bytes([value]) * plane.buffer_size)
        container.mux([*stream.encode(yuv), *stream.encode()])
    assert np.abs(next(decoded(tmp_path / "a.mp4")).rgb().astype(int) - (255, 0, 0)).max() <= 6


def test_it_has_its_name_only_when_whole(tmp_path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"the clip of before")
    with ClipWriter(tmp_path / "a.mp4", fps=FPS, resolution_wh=(64, 48)) as writer:
        for number in range(100):
            writer.write(numbered(number))
        assert (tmp_path / "a.mp4").read_bytes() == b"the clip of before"
    assert probe(tmp_path / "a.mp4").frames == 100
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, ClipError])
def test_an_exception_leaves_nothing(tmp_path, error) -> None:
    with pytest.raises(error), ClipWriter(tmp_path / "a.mp4", fps=FPS, resolution_wh=(64, 48)) as writer:
        writer.write(numbered(0))
        raise error("a.mp4", "cause", "remedy")
    assert list(tmp_path.iterdir()) == []


def test_an_exception_leaves_the_clip_of_before(tmp_path) -> None:
    clip = write(tmp_path / "a.mp4", 7)
    with pytest.raises(RuntimeError), ClipWriter(clip, fps=FPS, resolution_wh=(64, 48)) as writer:
        writer.write(numbered(0))
        raise RuntimeError
    assert probe(clip).frames == 7 and list(tmp_path.iterdir()) == [clip]


def test_no_frame_no_clip(tmp_path) -> None:
    with (
        pytest.raises(ClipError, match="there is no frame to write"),
        ClipWriter(tmp_path / "a.mp4", fps=FPS, resolution_wh=(64, 48)),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_frames_of_another_kind_are_refused(tmp_path) -> None:
    with ClipWriter(tmp_path / "a.mp4", fps=FPS, resolution_wh=(64, 48)) as writer:
        writer.write(numbered(0))
        for wrong in (numbered(0, (48, 64)), numbered(0).astype(np.float32), numbered(0)[:, :, 0]):
            with pytest.raises(ValueError, match=r"expected frames of shape \(48, 64, 3\) and uint8, got"):
                writer.write(wrong)
    assert probe(tmp_path / "a.mp4").frames == 1
    for fps, size_wh in ((Fraction(0), (64, 48)), (FPS, (0, 48))):
        with pytest.raises(ValueError, match="above 0"):
            ClipWriter(tmp_path / "b.mp4", fps=fps, resolution_wh=size_wh)


def test_turned_and_mirrored_views_are_written_as_they_look(tmp_path) -> None:
    with ClipWriter(tmp_path / "a.mp4", fps=FPS, resolution_wh=(64, 48)) as writer:
        writer.write(np.rot90(np.rot90(numbered(77), -1).copy()))
    assert number_of(next(decoded(tmp_path / "a.mp4")).rgb()) == 77


FULL = """
import resource, sys
import numpy as np
from fractions import Fraction
from cowvision.errors import ClipError
from cowvision.tracking.writer import ClipWriter
if int(sys.argv[2]) >= 0:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
try:
    with ClipWriter(sys.argv[1], fps=Fraction(25), resolution_wh=(160, 120)) as writer:
        for _ in range(int(sys.argv[3])):
            writer.write(np.roll(noise, _, 1))
except ClipError as error:
    print(error)
"""


@pytest.mark.parametrize("share", [0, 0.5, 0.99], ids=["at-once", "amid", "at-the-end"])
def test_a_full_disk_is_told_and_leaves_nothing(root, tmp_path, share: float) -> None:
    def told(limit: int) -> str:
        command = [sys.executable, "-c", FULL, str(tmp_path / "a.mp4"), str(limit), "100"]
        ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        return ended.stdout.strip() + ended.stderr

    assert told(-1) == ""
    size = (tmp_path / "a.mp4").stat().st_size
    (tmp_path / "a.mp4").unlink()
    assert told(int(size * share)) == "a.mp4: it cannot be written: the disk is full. Free some space and try again."
    assert list(tmp_path.iterdir()) == []


def test_other_reasons_are_named(tmp_path) -> None:
    with pytest.raises(ClipError, match=r"No such file or directory.*Choose a folder"):
        write(tmp_path / "nowhere" / "a.mp4")
    (tmp_path / "a.mp4").mkdir()
    with pytest.raises(ClipError, match="Is a directory"):
        write(tmp_path / "a.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("error", [av.error.EncoderNotFoundError(1, "no such encoder"), MemoryError()])
def test_a_clip_that_cannot_begin_leaves_nothing(tmp_path, monkeypatch, error: Exception) -> None:
    def fail(writer: ClipWriter) -> None:
        writer._partial.touch()  # as FFmpeg does, now or later
        raise error

    monkeypatch.setattr(ClipWriter, "_new_stream", fail)
    with pytest.raises(ClipError if isinstance(error, av.FFmpegError) else MemoryError):
        write(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []
