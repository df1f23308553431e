"""What errors cost: by hand, and to the digit what TIDE's own program says of the same boxes."""

import numpy as np
import pytest
import supervision as sv

from cowvision.data.annotations import truth_boxes
from cowvision.evaluation.error_costs import KINDS, error_costs
from tests.samples import boxes, truth

TWO = truth([[0, 0, 100, 100], [300, 0, 400, 100]])
COW = [0, 0, 100, 100]


def test_a_miss_is_the_only_cost_where_one_cow_is_not_met() -> None:
    known = error_costs([boxes([COW], [0.5])], [TWO])
    assert known.ap_50 == pytest.approx(51 / 101)
    assert known.costs == pytest.approx(dict.fromkeys(KINDS, 0.0) | {"missed": 50 / 101})


@pytest.mark.parametrize(
    ("box", "name", "kind"),
    [
        ([300, 0, 400, 40], "cow", "location"),
        ([300, 0, 400, 100], "dog", "class"),
        ([0, 0, 100, 80], "cow", "duplicate"),
        ([600, 600, 700, 700], "cow", "background"),
    ],
)
def test_each_kind_is_paid_for_where_it_belongs(box, name, kind) -> None:
    found = sv.Detections.merge([boxes([COW], [0.8]), boxes([box], [0.7], name)])
    last = boxes([[300, 0, 400, 100]], [0.6])
    alone = error_costs([found, last], [TWO, truth([[300, 0, 400, 100]])])
    assert max(alone.costs, key=lambda key: (alone.costs[key], key == kind)) in {kind, "missed"}
    assert alone.costs[kind] > 0
    others = set(KINDS) - {kind, "missed"}
    assert all(alone.costs[other] == 0 for other in others)


def test_a_horse_called_a_cow_badly_placed_is_both() -> None:
    truths = [truth_boxes([[0, 0, 100, 100], [300, 0, 400, 100]], ["cow", "horse"])]
    found = [boxes([[300, 0, 400, 40], COW], [0.9, 0.5])]
    known = error_costs(found, truths)
    assert known.ap_50 == pytest.approx(0.5)
    assert known.costs["both"] == pytest.approx(0.5)


def test_without_truth_there_is_no_cost() -> None:
    assert error_costs([boxes([COW], [0.5])], [truth([])]).ap_50 is None
    assert error_costs([], []).costs == {}
    assert error_costs([sv.Detections.empty()], [TWO]).costs["missed"] == 0.0, "as TIDE: nothing found, nothing gained"
    with pytest.raises(ValueError, match="argument"):
        error_costs([], [TWO])


def mixed_herd(seed: int) -> tuple[list[sv.Detections], list[sv.Detections]]:
    """Cows, dogs and horses, crowds, ties, and boxes that are wrong in every way there is."""
    rng = np.random.default_rng(seed)
    names = np.array(["cow", "dog", "horse"])
    found, truths = [], []
    for _ in range(40):
        corners = rng.integers(0, 300, (rng.integers(0, 7), 2))
        real = np.hstack([corners, corners + rng.integers(30, 150, corners.shape)]).astype(float)
        labels = names[rng.choice(3, len(real), p=[0.6, 0.2, 0.2])]
        again = np.repeat(np.arange(len(real)), rng.integers(0, 3, len(real)))
        shaken = real[again] + rng.normal(0, 1, (len(again), 4)) * rng.choice([3, 25], (len(again), 1))
        shaken[:, 2:] = np.maximum(shaken[:, 2:], shaken[:, :2] + 4)
        called = np.where(rng.random(len(again)) < 0.75, labels[again], names[rng.integers(0, 3, len(again))])
        alarms = np.repeat(rng.integers(0, 400, (rng.integers(0, 3), 2)), 2, axis=0).reshape(-1, 4) + np.array(
            [0, 0, 50, 60]
        )
        found.append(
            sv.Detections(
                xyxy=np.vstack([shaken, alarms]).round(1),
                confidence=rng.integers(1, 20, len(shaken) + len(alarms)) / 20,
                class_id=np.zeros(len(shaken) + len(alarms), int),
                data={"class_name": np.concatenate([called, names[rng.integers(0, 3, len(alarms))]])},
            )
        )
        truths.append(truth_boxes(real, labels, crowd=rng.random(len(real)) < 0.1))
    return found, truths


TIDE_ON_MIXED = {
    "cow": (0.21048115, 0.06990061, 0.11372234, 0.00095738, 0.01591486, 0.07081944, 0.12384728),
    "dog": (0.41306066, 0.08946722, 0.12462205, 0.0, 0.0, 0.05696895, 0.077408),
    "horse": (0.1630363, 0.06548925, 0.11419142, 0.00758308, 0.00370537, 0.05928593, 0.05720572),
}
"""AP50 and the six costs that tidecv 1.0.1 gives for ``mixed_herd(1)``, asked once while this was written."""


@pytest.mark.parametrize("name", TIDE_ON_MIXED)
def test_the_costs_of_a_mixed_herd_are_those_of_tide(name: str) -> None:
    known = error_costs(*mixed_herd(1), class_name=name)
    assert (known.ap_50, *known.costs.values()) == pytest.approx(TIDE_ON_MIXED[name], abs=1e-7)
    assert tuple(known.costs) == KINDS


def test_half_in_a_crowd_is_still_a_false_alarm_for_tide() -> None:
    """tidecv asks for more than half, COCO for half: here TIDE's rule holds, and the alarm costs."""
    truths = truth([COW, [300, 0, 400, 100]], crowd=[False, True])
    half, inside = ([250, 0, 350, 100], [299, 0, 399, 100])
    assert error_costs([boxes([half, COW], [0.9, 0.5])], [truths]).costs["background"] == pytest.approx(0.5)
    assert error_costs([boxes([inside, COW], [0.9, 0.5])], [truths]).ap_50 == pytest.approx(1.0)
