"""Two models compared: the matches behind the interval, and what may be said."""

import numpy as np
import pytest
import supervision as sv

from cowvision.evaluation.comparison import compare_models
from cowvision.evaluation.matching import match_class
from cowvision.evaluation.metrics import measure
from tests.samples import boxes, truth


def random_herd(pictures: int, seed: int) -> tuple[list[sv.Detections], list[sv.Detections]]:
    """Draw truth and shaky detections of it, with ties, false alarms, empty pictures and a crowd now and then."""
    rng = np.random.default_rng(seed)
    found, truths = [], []
    for _ in range(pictures):
        corners = rng.integers(0, 400, (rng.integers(0, 7), 2))
        real = np.hstack([corners, corners + rng.integers(12, 150, corners.shape)]).astype(float)
        shaken = real + rng.normal(0, 4, real.shape)
        shaken[:, 2:] = np.maximum(shaken[:, 2:], shaken[:, :2] + 2)
        alarms = rng.integers(0, 300, (rng.integers(0, 3), 2))
        guesses = np.vstack([shaken[rng.random(len(real)) < 0.8], np.hstack([alarms, alarms + 60])])
        found.append(boxes(guesses.tolist(), rng.integers(1, 10, len(guesses)) / 10))
        truths.append(truth(real.tolist(), crowd=rng.random(len(real)) < 0.1))
    return found, truths


@pytest.mark.parametrize("seed", range(5))
def test_kept_matches_give_the_same_figures_as_the_coco_tools(seed: int) -> None:
    found, truths = random_herd(30, seed)
    precision = match_class(found, truths, "cow").average_precision()
    report = measure(found, truths)
    assert precision.mean() == pytest.approx(report.map, abs=1e-6)
    assert precision[0] == pytest.approx(report.map_50, abs=1e-6)


def test_a_resample_equals_the_coco_tools_on_the_pictures_drawn() -> None:
    found, truths = random_herd(12, 7)
    drawn = np.sort(np.random.default_rng(3).integers(0, 12, 12))
    copies = np.bincount(drawn, minlength=12)
    report = measure([found[place] for place in drawn], [truths[place] for place in drawn])
    assert match_class(found, truths, "cow").average_precision(copies).mean() == pytest.approx(report.map, abs=1e-6)


def test_a_clear_gain_is_called_one() -> None:
    found, truths = random_herd(40, 1)
    exact = [boxes(one.xyxy[~one.data["crowd"]].tolist(), [0.9] * int((~one.data["crowd"]).sum())) for one in truths]
    comparison = compare_models(exact, found, truths)
    assert comparison.verdict == "better"
    assert comparison.map.interval_95 is not None
    assert 0 < comparison.map.interval_95[0] < comparison.map.value < comparison.map.interval_95[1]
    assert comparison.map.share_in_favour == 1.0
    assert compare_models(found, exact, truths).verdict == "worse"
    assert comparison.map.value == pytest.approx(measure(exact, truths).map - measure(found, truths).map, abs=1e-6)


def test_a_model_against_itself_is_no_gain() -> None:
    found, truths = random_herd(20, 2)
    comparison = compare_models(found, found, truths, resamples=50)
    assert comparison.map.interval_95 == (0.0, 0.0)
    assert comparison.verdict == "no clear difference"


def test_the_same_seed_gives_the_same_interval() -> None:
    found, truths = random_herd(20, 3)
    other = random_herd(20, 4)[0]
    first = compare_models(found, other, truths, resamples=100, seed=5)
    assert first == compare_models(found, other, truths, resamples=100, seed=5)
    assert first.map.interval_95 != compare_models(found, other, truths, resamples=100, seed=6).map.interval_95


def test_few_pictures_give_no_verdict() -> None:
    found, truths = random_herd(14, 5)
    comparison = compare_models(found, [sv.Detections.empty()] * 14, truths, resamples=100)
    assert comparison.verdict == "too few pictures"
    assert comparison.with_truth < 14
    told = comparison.sentence("mine", "yours")
    assert f"14 pictures, {comparison.with_truth} of them with something to find, are too few for a verdict" in told
    assert "between" not in comparison.sentence("mine", "yours"), "an interval of so few would promise too much"


def test_without_truth_nothing_is_said() -> None:
    for pictures in (0, 20):
        nothing = [sv.Detections.empty()] * pictures
        comparison = compare_models(nothing, nothing, [truth([])] * pictures, resamples=10)
        assert comparison.map.value is None
        assert comparison.verdict == "no truth"
        assert comparison.as_dict()["delta_map"] is None
