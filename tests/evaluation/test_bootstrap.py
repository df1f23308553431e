"""The draws behind an interval: paired, weighted as the pictures drawn, and never fooled by ties or by nothing."""

import numpy as np
import pytest
import supervision as sv
from scipy import stats

from cowvision.data.annotations import truth_boxes
from cowvision.evaluation.average_precision import RECALL_STEPS, _hits_needed, average_precisions, copies_of, curves
from cowvision.evaluation.bootstrap import Draws, bca, draw, percentile, studentised, widest
from cowvision.evaluation.comparison import compare_models
from cowvision.evaluation.influence import pulls_of
from cowvision.evaluation.matching import ClassMatches, match_class
from cowvision.evaluation.metrics import measure
from cowvision.evaluation.trust import COVERAGE, measured_coverage
from tests.benchmarks import coverage
from tests.evaluation.test_comparison import random_herd
from tests.samples import boxes, truth


def matches_of(pictures: int, seed: int) -> ClassMatches:
    return match_class(*random_herd(pictures, seed), "cow")


def by_hand(matches: ClassMatches, copies: np.ndarray, threshold: int) -> float:
    """The definition, detection by detection."""
    truths, found, shown, points = int(copies @ matches.truths), 0, 0, []
    for place, picture in enumerate(matches.picture):
        for _ in range(copies[picture]):
            if not matches.ignored[threshold, place]:
                found, shown = found + matches.hit[threshold, place], shown + 1
                points.append((found / truths, found / shown))
    return float(np.mean([max((p for r, p in points if r >= step), default=0.0) for step in RECALL_STEPS]))


@pytest.mark.parametrize("seed", range(4))
def test_many_resamples_at_once_equal_the_definition(seed: int) -> None:
    matches, rng = matches_of(12, seed), np.random.default_rng(seed)
    copies = np.array([np.bincount(rng.integers(0, 12, 12), minlength=12) for _ in range(7)])
    together = average_precisions(curves(matches.runs, copies_of(copies, matches.picture)), copies @ matches.truths)
    alone = [[by_hand(matches, row, threshold) for threshold in (0, 5, 9)] for row in copies]
    assert together[:, (0, 5, 9)] == pytest.approx(np.array(alone), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_gain_is_that_of_the_plain_figures(seed: int) -> None:
    (found, truths), (other, _) = random_herd(30, seed), random_herd(30, seed + 100)
    comparison = compare_models(found, other, truths, resamples=20)
    reports = [measure(answers, truths) for answers in (found, other)]
    assert comparison.map.value == pytest.approx(reports[0].map - reports[1].map, abs=1e-9)
    assert comparison.map_50.value == pytest.approx(reports[0].map_50 - reports[1].map_50, abs=1e-9)


def test_the_gain_of_several_classes_is_that_of_the_plain_figures() -> None:
    (found, truths), (other, _) = random_herd(20, 1), random_herd(20, 2)
    mixed = [sv.Detections.merge([one, truth_boxes([[9, 9, 90, 90]], ["dog"])]) for one in truths]
    barks = [sv.Detections.merge([one, boxes([[9, 9, 90, 80]], [0.5], "dog")]) for one in found]
    comparison = compare_models(barks, other, mixed, class_names=None, resamples=20)
    gain = measure(barks, mixed, class_names=None).map - measure(other, mixed, class_names=None).map
    assert comparison.map.value == pytest.approx(gain, abs=1e-9)


def test_both_models_see_the_same_draws() -> None:
    """The same model twice gains nothing in any draw; on draws of its own it would."""
    matches = matches_of(20, 1)
    draws = draw([matches], [matches], resamples=200, seed=3)
    assert len(draws.gains) == 200
    assert not draws.gains.any()
    assert [method(draws, 0) for method in (percentile, bca, studentised)] == [(0.0, 0.0)] * 3


def test_draws_are_as_many_pictures_as_there_are() -> None:
    seen, blind = match_class([boxes([[0, 0, 9, 9]], [0.5])] * 9, [truth([[0, 0, 9, 9]])] * 9, "cow"), matches_of(9, 0)
    nothing = ClassMatches(np.zeros(0, int), np.zeros((10, 0), bool), np.zeros((10, 0), bool), seen.truths, np.zeros(0))
    assert np.all(draw([seen], [nothing], resamples=50, seed=0).gains == 1.0)
    spread = draw([blind], [blind], resamples=1, seed=0)
    assert spread.error == pytest.approx([0, 0])


def test_the_draws_do_not_depend_on_how_many_are_made_at_once(monkeypatch) -> None:
    one, other = matches_of(15, 1), matches_of(15, 1)
    whole = draw([one], [match_class(random_herd(15, 9)[0], random_herd(15, 1)[1], "cow")], resamples=60, seed=4)
    monkeypatch.setattr("cowvision.evaluation.bootstrap._ELEMENTS", 1)
    singly = draw([other], [match_class(random_herd(15, 9)[0], random_herd(15, 1)[1], "cow")], resamples=60, seed=4)
    assert np.array_equal(whole.gains, singly.gains)


def test_draws_without_a_single_cow_are_left_out() -> None:
    truths = [truth([[0, 0, 40, 40]]), *[truth([])] * 14]
    found = [boxes([[0, 0, 40, 40]], [0.9]), *[boxes([[0, 0, 20, 20]], [0.95])] * 14]
    comparison = compare_models(found, [sv.Detections.empty()] * 15, truths, resamples=300)
    low, high = comparison.map.interval_95
    assert -1 <= low <= high <= 1
    steps = []
    draws = draw([match_class(found, truths, "cow")], [match_class(found, truths, "cow")], resamples=300, seed=0,
                 on_step=lambda done, of: steps.append((done, of)))  # fmt: skip
    assert 100 < len(draws.gains) < 260, "1 - 1/e of the draws hold the only cow"
    assert steps[-1] == (300, 300)


@pytest.mark.parametrize("seed", range(3))
def test_a_pull_is_the_derivative_of_the_area(seed: int) -> None:
    matches = matches_of(20, seed)
    pulls = pulls_of(matches)
    many = 100_000

    def area(copies: np.ndarray) -> np.ndarray:
        rows = curves(matches.runs, copies_of(copies[None], matches.picture))
        return np.array([float((row.gained * row.best).sum() / (copies @ matches.truths)) for row in rows])

    for picture in range(20):
        more = np.where(np.arange(20) == picture, 10, 0)
        slope = (area(many + more) - area(many - more)) / 20 * many
        assert np.median(np.abs(pulls[:, picture] - slope)) < 1e-5
        assert np.abs(pulls[:, picture] - slope).max() < 3e-3, "a bend, where two precisions are equal"
    assert pulls.sum(axis=1) == pytest.approx(np.zeros(10), abs=1e-12), "all pictures twice change nothing"


def test_an_interval_stays_within_what_a_gain_can_be() -> None:
    truths = [truth([[0, 0, 40, 40]])] * 20
    found = [boxes([[0, 0, 40, 40]], [0.9])] * 19 + [sv.Detections.empty()]
    comparison = compare_models(found, [sv.Detections.empty()] * 20, truths)
    assert comparison.map.interval_95[1] <= 1.0
    assert comparison.verdict == "better"


def test_as_many_answers_of_both_models_as_truths() -> None:
    found, truths = random_herd(5, 0)
    for answers in ((found[:4], found), (found, found[:4])):
        with pytest.raises(ValueError, match="got 4 and 5"):
            compare_models(*answers, truths)


def test_no_verdict_below_15_and_words_of_trust_for_every_size() -> None:
    found, truths = random_herd(40, 5)
    kept = [place for place, one in enumerate(truths) if len(one) and not one.data["crowd"].all()][:15]
    found, truths = [found[place] for place in kept], [truths[place] for place in kept]
    assert compare_models(found[:14], found[:14], truths[:14], resamples=5).verdict == "too few pictures"
    comparison = compare_models(found, found, truths, resamples=5)
    assert comparison.verdict != "too few pictures"
    assert comparison.coverage == COVERAGE[15].map
    assert "1,600 simulated sets of 15 pictures" in comparison.trust()
    assert [measured_coverage(size) for size in (14, 29, 30, 5000)] == [
        None, COVERAGE[15].map, COVERAGE[30].map, COVERAGE[100].map,
    ]  # fmt: skip
    few = compare_models(found[:3], found[:3], truths[:3], resamples=5).trust()
    assert "No interval is quoted: below 15 pictures with something to find" in few
    assert "hint" not in few, "there is no interval to be taken as one"


def test_the_coverage_benchmark_runs_and_its_intervals_mostly_hold() -> None:
    herd = coverage.HERDS[0]
    held = np.array([coverage.look_at(herd, 30, np.array([0.116, 0.114]), seed) for seed in range(12)])
    assert held.shape == (12, 2, 8)
    assert held[:, :, :4].mean() > 0.75


def test_models_that_are_nearly_alike_are_not_told_apart_by_luck() -> None:
    herd = coverage.HERDS[-1]
    held = np.array([coverage.look_at(herd, 20, np.zeros(2), seed) for seed in range(60)])[:, 0]
    by_method = dict(zip(coverage.METHODS, held.mean(axis=0), strict=False))
    assert by_method["studentised"] < 0.9, "what the widest is there for"
    assert by_method["widest"] > 0.9


def test_one_cow_more_in_twenty_pictures_is_no_verdict() -> None:
    truths = [truth([[0, 0, 40, 40]])] * 20
    found = [boxes([[0, 0, 40, 40]], [0.9])] * 20
    fewer = [sv.Detections.empty(), *found[1:]]
    comparison = compare_models(found, fewer, truths)
    assert comparison.map.value > 0
    assert comparison.verdict == "no clear difference"


def test_pictures_without_anything_to_find_do_not_make_a_verdict() -> None:
    real = [[0, 0, 100, 100]]
    truths = [truth(real), *[truth([])] * 14]
    nothing = [sv.Detections.empty()] * 14
    comparison = compare_models(
        [boxes([[0, 0, 100, 97]], [0.9]), *nothing], [boxes([[0, 0, 100, 72]], [0.9]), *nothing], truths
    )
    assert (comparison.pictures, comparison.with_truth, comparison.verdict) == (15, 1, "too few pictures")
    assert comparison.coverage is None
    told = comparison.sentence("one", "other")
    assert "15 pictures, 1 of them with something to find, are too few" in told
    assert told.endswith("To say anything of others, 15 or more with something to find are needed.")
    assert not comparison.as_dict()["method"].endswith(",")


def test_the_hits_that_reach_a_recall_are_those_the_coco_tools_find() -> None:
    for total in [*range(1, 400), 1_000, 3_333, 10_000]:
        expected = np.searchsorted(np.arange(total + 1) / total, RECALL_STEPS, side="left")
        assert np.array_equal(_hits_needed(np.array([total]))[0], expected), total


def made_up(gain: float, pull: np.ndarray, gains: np.ndarray, errors: np.ndarray) -> Draws:
    """The first figure as given, the second of no interest."""
    two = [np.stack([column, np.zeros_like(column)], axis=-1) for column in (gains, errors)]
    return Draws(np.array([gain, 0.0]), np.stack([pull, np.zeros_like(pull)]), *two)


def test_the_error_of_a_draw_is_the_spread_of_the_pulls_drawn() -> None:
    one, other = matches_of(15, 1), match_class(random_herd(15, 9)[0], random_herd(15, 1)[1], "cow")
    draws, rng = draw([one], [other], resamples=5, seed=8), np.random.default_rng(8)
    for error in draws.errors:
        drawn = draws.pull[:, rng.integers(0, 15, 15)]
        assert error == pytest.approx(drawn.std(axis=1) * np.sqrt(15), abs=1e-12)


def test_a_studentised_interval_turns_the_tails_around_and_weighs_them_by_the_error() -> None:
    distances = np.linspace(-1.0, 3.0, 1001)
    errors = np.linspace(0.01, 0.02, 1001)
    draws = made_up(0.1, np.array([0.006, -0.008]), 0.1 + distances * errors, errors)
    assert draws.error[0] == pytest.approx(0.01)
    assert studentised(draws, 0) == pytest.approx((0.1 - 2.9 * 0.01, 0.1 + 0.9 * 0.01))


def test_draws_that_know_nothing_of_their_error_do_not_count_and_no_end_passes_1() -> None:
    gains, errors = np.full(100, 0.9), np.full(100, 0.1)
    gains[:5], errors[:5] = -1.0, 1e-9
    assert studentised(made_up(0.9, np.array([0.1]), gains, errors), 0) == pytest.approx((0.9, 0.9))
    wide = made_up(0.9, np.array([0.1]), np.linspace(-5, 5, 100), np.full(100, 0.01))
    assert studentised(wide, 0) == (-1.0, 1.0)


def test_bca_is_that_of_scipy() -> None:
    values = np.random.default_rng(0).gamma(1.0, 1.0, 25) / 10
    known = stats.bootstrap((values,), np.mean, n_resamples=2000, method="BCa", random_state=1)
    pull = (values - values.mean()) / len(values)
    draws = made_up(values.mean(), pull, known.bootstrap_distribution, np.ones(2000))
    assert bca(draws, 0) == pytest.approx(tuple(known.confidence_interval), abs=1e-9)
    assert percentile(draws, 0) == pytest.approx(tuple(np.percentile(known.bootstrap_distribution, (2.5, 97.5))))


def test_each_figure_has_its_own_interval() -> None:
    (found, truths), (other, _) = random_herd(30, 1), random_herd(30, 101)
    comparison = compare_models(found, other, truths, resamples=100, seed=2)
    matches = [[match_class(answers, truths, "cow")] for answers in (found, other)]
    draws = draw(*matches, resamples=100, seed=2)
    assert comparison.map.interval_95 == widest(draws, 0)
    assert comparison.map_50.interval_95 == widest(draws, 1)
    for side in (0, 1):
        parts = np.array([studentised(draws, side), percentile(draws, side)])
        assert widest(draws, side) == (parts[:, 0].min(), parts[:, 1].max())
    assert comparison.map_50.share_in_favour == (draws.gains[:, 1] > 0).mean()
