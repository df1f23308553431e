"""MOT text: what is written is read again, and every wrong line is named."""

from pathlib import Path

import numpy as np
import pytest
import supervision as sv

from cowvision.data.mot import mot_text, read_mot
from cowvision.errors import AnnotationError


def written(folder: Path, text: str) -> Path:
    path = folder / "tracks.txt"
    path.write_text(text)
    return path


def test_tracks_survive_the_way_through_a_file(tmp_path) -> None:
    frame = sv.Detections(xyxy=np.array([[1.25, 2, 11.5, 22], [0, 0, 4, 4]]), tracker_id=np.array([3, 8]),
                          confidence=np.array([0.5, 0.25]))  # fmt: skip
    read = read_mot(written(tmp_path, mot_text([frame, sv.Detections.empty(), frame])))
    assert [len(one) for one in read] == [2, 0, 2]
    np.testing.assert_allclose(read[2].xyxy, frame.xyxy)
    assert read[2].tracker_id.tolist() == [3, 8]
    assert read[2].confidence.tolist() == [0.5, 0.25]


def test_what_does_not_count_is_left_out_of_truth(tmp_path) -> None:
    path = written(tmp_path, "1,1,0,0,5,5,1\n1,2,9,9,5,5,0\n")
    assert [one.tracker_id.tolist() for one in read_mot(path, least_confidence=0.5)] == [[1]]
    assert len(read_mot(path)[0]) == 2


def test_spaces_and_empty_lines_and_other_orders_are_fine(tmp_path) -> None:
    frames = read_mot(written(tmp_path, "\n3, 1, 0, 0, 5, 5, 1, -1, -1, -1\n\n1;2;9;9;5;5\n"))
    assert [one.tracker_id.tolist() for one in frames] == [[2], [], [1]]
    assert read_mot(written(tmp_path, "")) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("1,1,0,0,5", "not a box"),
        ("frame,id,x,y,w,h", "not a box"),
        ("1,1,nan,0,5,5", "not a box"),
        ("0,1,0,0,5,5", "count from 1"),
        ("1.5,1,0,0,5,5", "count from 1"),
        ("10000001,1,0,0,5,5", "names frame 10000001, and no clip has more than 10,000,000 frames"),
        ("1e300,1,0,0,5,5", "no clip has more"),
        ("1,1,0,0,0,5", "without width"),
        ("1,1,0,0,5,-5", "without width"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line: str, told: str) -> None:
    with pytest.raises(AnnotationError, match=rf"tracks\.txt, line 2.*{told}"):
        read_mot(written(tmp_path, f"1,9,0,0,5,5\n{line}\n"))


def test_a_late_frame_costs_no_more_than_its_place_in_a_list(tmp_path) -> None:
    frames = read_mot(written(tmp_path, "200000,1,0,0,5,5\n"))
    assert len(frames) == 200_000
    assert len({id(one) for one in frames}) == 2
    assert (len(frames[0]), len(frames[0].tracker_id), len(frames[-1])) == (0, 0, 1)


def test_one_id_twice_in_a_frame_is_named(tmp_path) -> None:
    with pytest.raises(AnnotationError, match=r"tracks\.txt, frame 2.*twice"):
        read_mot(written(tmp_path, "2,1,0,0,5,5\n2,1,9,9,5,5\n"))


def test_no_file_and_no_text_are_said(tmp_path) -> None:
    with pytest.raises(AnnotationError, match="No such file"):
        read_mot(tmp_path / "none.txt")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AnnotationError, match="not a text file"):
        read_mot(tmp_path / "b.txt")
