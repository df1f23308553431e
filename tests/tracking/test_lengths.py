"""The length of clips that do not say it: read from their packets, and no further than asked."""

from pathlib import Path

import pytest

from cowvision.errors import ClipError
from cowvision.tracking import lengths
from cowvision.tracking.lengths import read_seconds
from tests.tracking.clips import cut_off, write_clip, write_sound


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "ts", "h264"])
def test_the_length_is_that_of_the_pictures(tmp_path, suffix: str) -> None:
    codec = "libvpx" if suffix == "webm" else "libx264"
    clip = write_clip(tmp_path / f"c.{suffix}", 40, fps=25, codec=codec)
    assert read_seconds(clip) == pytest.approx(1.6, abs=0.05)


def test_it_is_read_no_further_than_asked(tmp_path, monkeypatch) -> None:
    read, packets = [], lengths._packets
    monkeypatch.setattr(lengths, "_packets", lambda clip: (read.append(one) or one for one in packets(clip)))
    assert read_seconds(write_clip(tmp_path / "c.mp4", 100), most=1.0) > 1
    assert len(read) < 20


def test_of_a_clip_that_breaks_off_what_is_there_counts(tmp_path) -> None:
    clip = cut_off(write_clip(tmp_path / "c.mkv", 60, options={"g": "5"}), 0.6)
    assert 0.5 < read_seconds(clip) < 6


def test_what_is_no_clip_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=r"herd\.mp4: there is sound"):
        read_seconds(write_sound(tmp_path / "c.mp4"), "herd.mp4")
