"""The table of tracks: nothing is lost between the tracker's answers, the table and the file."""

import numpy as np
import pytest
import supervision as sv

from cowvision.errors import ClipError
from cowvision.tracking.track_table import SEEN, TrackTable


def tracks(*rows: tuple[int, float, bool]) -> sv.Detections:
    """Boxes of ids at a left edge, seen or not."""
    return sv.Detections(
        xyxy=np.array([[left, 0, left + 10, 10] for _, left, _ in rows], np.float32).reshape(-1, 4),
        confidence=np.full(len(rows), 0.9, np.float32),
        tracker_id=np.array([one for one, _, _ in rows], np.int64),
        data={SEEN: np.array([seen for _, _, seen in rows], bool)},
    )


FRAMES = [tracks(), tracks((1, 5, True)), tracks(), tracks((2, 7, True), (1, 6, False)), tracks()]


def test_frames_come_back_as_they_were_also_the_empty_ones() -> None:
    table = TrackTable.of(FRAMES)
    assert table.frames == 5
    assert table.counts().tolist() == [0, 1, 0, 2, 0]
    back = table.by_frame()
    assert [one.tracker_id.tolist() for one in back] == [[], [1], [], [2, 1], []]
    assert back[3].xyxy[:, 0].tolist() == [7, 6]
    assert back[3].data[SEEN].tolist() == [True, False]
    assert table.ids == [1, 2]


def test_a_file_holds_all_of_it(tmp_path) -> None:
    table = TrackTable.of(FRAMES)
    table.save(tmp_path / "t.npz")
    back = TrackTable.load(tmp_path / "t.npz")
    for name in ("frame", "track_id", "xyxy", "score", "seen"):
        assert np.array_equal(getattr(back, name), getattr(table, name)), name
        assert getattr(back, name).dtype == getattr(table, name).dtype, name
    assert back.frames == 5
    assert isinstance(back.frames, int)


def test_no_tracks_at_all_is_a_table_too(tmp_path) -> None:
    table = TrackTable.of([tracks()] * 3)
    table.save(tmp_path / "t.npz")
    assert [len(one) for one in TrackTable.load(tmp_path / "t.npz").by_frame()] == [0, 0, 0]
    assert TrackTable.of([]).by_frame() == []


def test_what_the_tracker_changes_later_does_not_change_the_table() -> None:
    boxes = tracks((1, 5, True))
    table = TrackTable.of([boxes])
    boxes.xyxy[:] = 99
    assert table.xyxy[0, 0] == 5


@pytest.mark.parametrize("content", [b"", b"no table", b"PK\x03\x04cut"])
def test_a_damaged_file_is_told(tmp_path, content: bytes) -> None:
    (tmp_path / "t.npz").write_bytes(content)
    with pytest.raises(ClipError, match="Track the clip again"):
        TrackTable.load(tmp_path / "t.npz")


@pytest.mark.parametrize(
    "wrong",
    [
        {"track_id": np.array([1, 2], np.int32)},
        {"score": np.zeros(4, np.float32)},
        {"seen": np.zeros(2, bool)},
        {"seen": np.ones(3, np.int64)},
        {"xyxy": np.zeros((3, 3), np.float32)},
        {"frame": np.zeros((3, 1), np.int32)},
        {"frames": 3},
        {"frames": -1},
        {"frame": np.array([-1, 3, 3], np.int32)},
        {"frame": np.array([3, 1, 3], np.int32)},
        {"track_id": np.array([1, 0, 1], np.int32)},
    ],
    ids="-".join,
)
def test_columns_that_do_not_fit_together_are_damage(tmp_path, wrong: dict[str, object]) -> None:
    table = TrackTable.of(FRAMES)
    assert table.frame.tolist() == [1, 3, 3]
    np.savez(tmp_path / "t.npz", **{**vars(table), **wrong})
    with pytest.raises(ClipError, match="Track the clip again"):
        TrackTable.load(tmp_path / "t.npz")


def test_an_hour_of_a_herd_is_small() -> None:
    frame = tracks(*[(number, 0, True) for number in range(1, 21)])
    table = TrackTable.of([frame] * 2000)
    size = sum(getattr(table, name).nbytes for name in ("frame", "track_id", "xyxy", "score", "seen"))
    assert size / 2000 * 3600 * 30 < 100 * 1024**2
