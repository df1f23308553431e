"""Identity: the published reference to its digits, TrackEval's HOTA to 1e-6, and cases to be counted by hand."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import supervision as sv

from cowvision.data.mot import read_mot
from cowvision.tracking.identity import judge_identity

ROOT = Path(__file__).resolve().parents[2]
CAMPUS = ROOT.parent / "shared" / "real" / "mot_reference" / "TUD-Campus"
CLIPS = ROOT / "assets" / "clips"


def told(*frames: dict[int, tuple[float, float, float, float]]) -> list[sv.Detections]:
    """Frames of boxes by id."""
    return [
        sv.Detections(xyxy=np.array(list(frame.values()), float).reshape(-1, 4), tracker_id=np.array(list(frame), int))
        for frame in frames
    ]


HERE, THERE, ELSEWHERE = (0, 0, 10, 10), (50, 0, 60, 10), (200, 200, 210, 210)


@pytest.mark.real
@pytest.mark.skipif(not CAMPUS.is_dir(), reason="the reference sequence is not part of this repository")
def test_the_reference_sequence_to_its_printed_digits() -> None:
    report = judge_identity(read_mot(CAMPUS / "gt.txt"), read_mot(CAMPUS / "test.txt"))
    assert (report.false_positives, report.misses, report.id_switches) == (13, 150, 7)
    assert (round(report.mota, 6), round(report.motp, 6), round(report.idf1, 6)) == (0.526462, 0.277201, 0.557659)
    # TrackEval 1.3.0, HOTA().eval_sequence of the same boxes, in an environment of its own
    golden = {"hota": 0.3913974378451139, "det_a": 0.418047030142763, "ass_a": 0.36912068120832836,
              "loc_a": 0.770052227022172}  # fmt: skip
    for name, value in golden.items():
        assert getattr(report, name) == pytest.approx(value, abs=1e-6)


def disturbed(truth: list[sv.Detections], seed: int) -> list[sv.Detections]:
    """What a tracker might make of it: boxes a little off, some lost, some invented, ids that change now and then."""
    rng = np.random.default_rng(seed)
    frames, names, fresh = [], {}, 100
    for true in truth:
        boxes, ids = [], []
        for box, number in zip(true.xyxy, true.tracker_id, strict=True):
            if int(number) not in names or rng.random() < 0.01:
                fresh += 1
                names[int(number)] = fresh
            if rng.random() < 0.9:
                sides = np.tile(box[2:] - box[:2], 2)
                boxes.append(np.round(box + rng.normal(0, 0.05, 4) * sides, 3))
                ids.append(names[int(number)])
        if rng.random() < 0.2:
            boxes.append(np.array([5.0, 5.0, 60.0, 40.0]))
            ids.append(1)
        frames.append(sv.Detections(xyxy=np.array(boxes).reshape(-1, 4), tracker_id=np.array(ids, int)))
    return frames


@pytest.mark.parametrize(
    ("clip", "golden", "switches", "idf1"),
    [  # TrackEval 1.3.0: HOTA, CLEAR and Identity `eval_sequence` of the same boxes, in an environment of its own
        ("crossing", (0.5140388485012148, 0.7386699871293047, 0.3578319378571699, 0.8658691117826679), 15,
         0.5250993138317082),
        ("grazing_herd", (0.5182226831424706, 0.7646840053213352, 0.3513051158056222, 0.866067116992107), 23,
         0.5228255646323883),
        ("cows_farmer_dog_horse", (0.5519490739492228, 0.747881027243496, 0.4074639572077068, 0.8644046325286426), 15,
         0.5765100671140939),
    ],
)  # fmt: skip
def test_trackevals_figures_on_the_shipped_clips(clip: str, golden: tuple, switches: int, idf1: float) -> None:
    truth = read_mot(CLIPS / f"{clip}.gt.txt", least_confidence=0.5)
    report = judge_identity(truth, disturbed(truth, 3))
    assert (report.hota, report.det_a, report.ass_a, report.loc_a) == pytest.approx(golden, abs=1e-6)
    assert report.id_switches == len(report.switches) == switches
    assert report.idf1 == pytest.approx(idf1, abs=1e-6)


def test_perfect_tracks() -> None:
    truth = told({1: HERE, 2: THERE}, {1: HERE}, {1: HERE, 2: THERE})
    report = judge_identity(truth, told({7: HERE, 9: THERE}, {7: HERE}, {7: HERE, 9: THERE}))
    assert (report.mota, report.idf1, report.hota, report.id_switches) == (1, 1, pytest.approx(1), 0)
    assert (report.frames, report.true_boxes, report.true_ids, report.told_ids) == (3, 5, 2, 2)


def test_two_that_change_names_are_two_switches_and_they_are_told_where() -> None:
    truth = told(*[{1: HERE, 2: THERE}] * 4)
    report = judge_identity(truth, told(*[{5: HERE, 6: THERE}] * 2, *[{6: HERE, 5: THERE}] * 2))
    assert report.id_switches == 2
    assert [(one.frame, one.true_id, one.before, one.after) for one in report.switches] == [(2, 1, 5, 6), (2, 2, 6, 5)]
    assert report.mota == pytest.approx(1 - 2 / 8)
    assert report.idf1 == pytest.approx(0.5)


def test_frames_with_nothing_in_them_cost_nothing_and_change_nothing() -> None:
    truth, tracks = told({1: HERE}, {1: HERE}, {1: HERE}), told({5: HERE}, {}, {6: HERE})
    empty = told({}) * 100_000
    began = time.monotonic()
    far = judge_identity([*truth[:2], *empty, truth[2]], [*tracks[:2], *empty, tracks[2]])
    assert time.monotonic() - began < 2
    near = judge_identity(truth, tracks)
    assert [one.frame for one in near.switches] == [2]
    assert far == replace(near, frames=100_003, switches=(replace(near.switches[0], frame=100_002),))


def test_a_high_mota_may_hide_that_nobody_keeps_a_name() -> None:
    truth = told(*[{1: HERE, 2: THERE, 3: ELSEWHERE}] * 20)
    names = [{10 + frame // 5: HERE, 40: THERE, 50: ELSEWHERE} for frame in range(20)]
    report = judge_identity(truth, told(*names))
    assert report.mota > 0.94
    assert report.idf1 < 0.8


def test_nothing_is_no_figure() -> None:
    report = judge_identity(told({}, {}), told({}, {}))
    assert (report.mota, report.motp, report.idf1, report.hota) == (None, None, None, None)
    assert judge_identity([], []).frames == 0
    only_false = judge_identity(told({}), told({1: HERE}))
    assert (only_false.false_positives, only_false.mota, only_false.hota) == (1, None, 0)
    only_missed = judge_identity(told({1: HERE}), told({}))
    assert (only_missed.misses, only_missed.mota, only_missed.hota) == (1, 0, 0)


def test_boxes_that_overlap_by_just_the_half_match() -> None:
    for bottom, misses in ((5, 0), (4.99, 1)):
        report = judge_identity(told({1: HERE}), told({1: (0, 0, 10, bottom)}))
        assert (report.misses, report.false_positives) == (misses, misses)


def test_other_numbers_of_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="2 frames of truth, but 1 of tracks"):
        judge_identity(told({}, {}), told({}))
