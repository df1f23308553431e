"""Three tools, one set of figures; and a difference would be seen."""

import pytest
import supervision as sv

from cowvision.evaluation.metrics import FIGURES
from cowvision.evaluation.verification import Verification, VerifiedFigure, verify
from tests.evaluation.test_comparison import random_herd
from tests.evaluation.test_error_costs import mixed_herd
from tests.samples import truth


@pytest.mark.parametrize("seed", range(4))
def test_the_tools_agree_on_ties_crowds_and_empty_pictures(seed: int) -> None:
    told = verify(*random_herd(25, seed))
    assert [row.name for row in told.rows] == list(FIGURES.values())
    assert told.agree and told.largest_difference < 1e-12
    assert verify(*mixed_herd(seed), class_names=None).largest_difference < 1e-12


def test_without_truth_there_is_nothing_to_disagree_about() -> None:
    for found, truths in (([], []), ([sv.Detections.empty()], [truth([])])):
        told = verify(found, truths)
        assert told.agree
        assert {row[1:] for row in told.rows} == {(None, None, None)}


def test_nothing_found_is_0_with_every_tool() -> None:
    told = verify([sv.Detections.empty()], [truth([[0, 0, 50, 50]])])
    assert told.agree
    assert told.rows[0][1:] == (0.0, 0.0, 0.0)


def test_a_difference_is_seen() -> None:
    assert not Verification((VerifiedFigure("mAP", 0.5, 0.5, 0.500002),)).agree
    assert Verification((VerifiedFigure("mAP", 0.5, 0.5, 0.5000005),)).agree
    assert not Verification((VerifiedFigure("mAP", 0.5, None, 0.5),)).agree
