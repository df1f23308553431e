"""Which results the page Track shows: a part never hides the whole."""

from pathlib import Path

from cowvision.tracking.settings import TrackerSettings
from cowvision.ui.tracking_begin import shown_of
from cowvision.workspace.clips import Clip
from cowvision.workspace.following import follow
from cowvision.workspace.tracked_clips import TrackedClip
from tests.tracking.clips import write_clip
from tests.tracking.walker import WALKER_SPEC, Walker

FAST, OTHER = TrackerSettings(confirm=1, patience=8), TrackerSettings(confirm=2, patience=8)


def result(clip: Clip, folder: Path, settings: TrackerSettings, frames: int = 100) -> TrackedClip:
    done = []
    folder.mkdir()
    return follow(
        clip, Walker(), settings, folder, painter=lambda *_: lambda rgb, _: rgb,
        on_progress=lambda one: done.append(one.done), should_stop=lambda: len(done) >= frames,
    )  # fmt: skip


def test_the_whole_one_is_shown_although_a_part_is_newer(tmp_path) -> None:
    clip = Clip("c", "C", "", write_clip(tmp_path / "c.mp4", 20))
    whole, part = result(clip, tmp_path / "a", FAST), result(clip, tmp_path / "b", FAST, 5)
    others = result(clip, tmp_path / "c", OTHER, 5)
    assert shown_of(clip, [WALKER_SPEC], FAST, [whole, part, others]) == {WALKER_SPEC: whole}
    assert shown_of(clip, [WALKER_SPEC], OTHER, [whole, part, others]) == {WALKER_SPEC: others}, "as was chosen"
    assert shown_of(clip, [WALKER_SPEC], TrackerSettings(), [whole, part, others]) == {WALKER_SPEC: whole}
    assert shown_of(clip, [WALKER_SPEC], FAST, []) == {}
