"""Clips of giant pictures: the same result as of any other, with few pictures in memory at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from cowvision.tracking import decoding, pipeline, writer
from cowvision.tracking.pipeline import track_clip
from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.video import frames
from tests.tracking.clips import number_of, write_clip
from tests.tracking.walker import Walker

SIZE_WH = (4800, 3600)
MOST_PICTURES = 19  # 13 are held; 24 were without all this care
MEASURED = """
import sys
from pathlib import Path
import supervision as sv
from cowvision.tracking.pipeline import track_clip
from cowvision.tracking.settings import TrackerSettings

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

Path("/proc/self/clear_refs").write_text("5")
before = peak()
nothing = lambda shots: [sv.Detections.empty() for _ in shots]
track_clip(sys.argv[1], nothing, TrackerSettings(), out=sys.argv[2], draw=lambda rgb, _: rgb.copy())
print(peak() - before)
"""


def test_what_is_done_at_once_comes_to_the_same(tmp_path, monkeypatch) -> None:
    clip = write_clip(tmp_path / "c.mp4", 30)
    usual = track_clip(clip, Walker(), TrackerSettings(), out=tmp_path / "a.mp4")
    for module in (decoding, pipeline, writer):
        monkeypatch.setattr(module, "GIANT_PIXELS", 1000)
    told = []
    giant = track_clip(clip, Walker(), TrackerSettings(), out=tmp_path / "b.mp4", on_progress=told.append)
    assert giant.table.xyxy.tolist() == usual.table.xyxy.tolist()
    assert [number_of(one.rgb) for one in frames(tmp_path / "b.mp4")] == list(range(30))
    assert [number_of(one.preview) for one in told] == list(range(30)), "each is drawn before the next is read"


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells what was held at most")
def test_few_giant_pictures_are_held_at_once(root, tmp_path) -> None:
    clip = write_clip(tmp_path / "c.mp4", 12, size_wh=SIZE_WH, options={"preset": "ultrafast"})
    command = [sys.executable, "-c", MEASURED, str(clip), str(tmp_path / "o.mp4")]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert int(ended.stdout) / (3 * SIZE_WH[0] * SIZE_WH[1]) < MOST_PICTURES
