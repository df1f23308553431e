"""Frames of clips: every n-th, upright, with their own times."""

import av
import numpy as np
import pytest

from cowvision.errors import ClipError
from cowvision.tracking.video import _upright, frame_count, frames


def write_clip(path, count: int = 10, fps: int = 5, size: tuple[int, int] = (64, 48)) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "10"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(count):
            rgb = np.full((size[1], size[0], 3), 20 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def clip(tmp_path):
    write_clip(tmp_path / "a.mp4")
    return tmp_path / "a.mp4"


def test_every_frame_in_order_with_its_time(clip) -> None:
    seen = list(frames(clip))
    assert [frame.index for frame in seen] == list(range(10))
    assert [frame.seconds for frame in seen] == pytest.approx(np.arange(10) / 5, abs=1e-3)
    assert [round(float(frame.rgb.mean()), -1) for frame in seen] == [20 * number for number in range(10)]
    assert seen[0].rgb.shape == (48, 64, 3)
    assert frame_count(clip) == 10


def test_every_fourth_begins_with_the_first(clip) -> None:
    assert [frame.index for frame in frames(clip, every=4)] == [0, 4, 8]
    assert [frame.index for frame in frames(clip, every=100)] == [0]
    with pytest.raises(ClipError, match="Give 1 or more"):
        list(frames(clip, every=0))


def test_frames_are_opened_one_at_a_time(clip) -> None:
    stream = frames(clip)
    assert next(stream).index == 0
    stream.close()


def test_files_that_are_no_clips(tmp_path) -> None:
    (tmp_path / "notes.mp4").write_bytes(b"these are notes, no frames at all" * 50)
    (tmp_path / "empty.mp4").write_bytes(b"")
    for name, cause in (("notes.mp4", "not a video"), ("empty.mp4", "not a video"), ("gone.mp4", "no such file")):
        with pytest.raises(ClipError, match=cause):
            list(frames(tmp_path / name))
        assert frame_count(tmp_path / name) is None


def test_a_clip_cut_off_in_the_middle_says_so(clip) -> None:
    clip.write_bytes(clip.read_bytes()[:-400])
    with pytest.raises(ClipError, match="copy it again"):
        list(frames(clip))


def test_sound_alone_is_no_clip(tmp_path) -> None:
    with av.open(str(tmp_path / "moo.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(ClipError, match="no picture track"):
        list(frames(tmp_path / "moo.mkv"))


@pytest.mark.parametrize(("rotation", "corner"), [(0, (0, 0)), (90, (-1, 0)), (180, (-1, -1)), (-90, (0, -1))])
def test_a_clip_held_upright_is_turned_upright(rotation: int, corner: tuple[int, int]) -> None:
    class Turned:
        def __init__(self) -> None:
            self.rotation = rotation

        def to_ndarray(self, **_: str) -> np.ndarray:
            rgb = np.zeros((4, 6, 3), np.uint8)
            rgb[0, 0] = 255
            return rgb

    rgb = _upright(Turned())
    assert rgb.shape[:2] == ((4, 6) if rotation in (0, 180) else (6, 4))
    assert rgb[corner].tolist() == [255] * 3
