"""A mark in a clip's file: it says so, and not a frame or a time changes."""

from fractions import Fraction

import av
import pytest

from cowvision.tracking import marking
from cowvision.tracking.marking import mark, title_of
from cowvision.tracking.writer import ClipWriter
from tests.tracking.clips import number_of, numbered


@pytest.fixture
def clip(tmp_path):
    with ClipWriter(tmp_path / "a.mp4", fps=Fraction(30000, 1001), resolution_wh=(64, 48)) as writer:
        for number in range(40):
            writer.write(numbered(number))
    return tmp_path / "a.mp4"


def shown(path) -> list[tuple[int, Fraction, bool]]:
    with av.open(str(path)) as container:
        return [
            (number_of(one.to_ndarray(format="rgb24")), one.pts * one.time_base, one.key_frame)
            for one in container.decode(video=0)
        ]


def test_it_is_marked_and_plays_as_before(clip) -> None:
    before = shown(clip)
    mark(clip, "The first 1.3 s of 9.0 s (stopped)")
    assert title_of(clip) == "The first 1.3 s of 9.0 s (stopped)"
    assert (
        shown(clip)
        == before
        == [(number, number * Fraction(1001, 30000), key) for number, (*_, key) in enumerate(before)]
    )
    data = clip.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "a player begins before it has all"
    with av.open(str(clip)) as container:
        track = container.streams.video[0]
        assert (track.frames, track.average_rate) == (40, Fraction(30000, 1001))
    assert [path.name for path in clip.parent.iterdir()] == ["a.mp4"]


def test_what_cannot_be_marked_stays_as_it_was(clip, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    data = clip.read_bytes()
    monkeypatch.setattr(marking, "_copy", full)
    mark(clip, "a part")
    assert clip.read_bytes() == data
    assert [path.name for path in clip.parent.iterdir()] == ["a.mp4"]
