"""What detectron2's engine does to numbers; no detectron2 is needed."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from cowvision.models.detectron2_tensors import copy_classes, diverging_is_a_loss, with_rate_factors
from cowvision.training.steps import descend


def head(classes: int, boxes: int) -> SimpleNamespace:
    """A head whose scores and boxes tell which class they are of: weights 1, 2, ... and the background's last."""
    made = SimpleNamespace(cls_score=nn.Linear(3, classes + 1), bbox_pred=nn.Linear(3, 4 * boxes))
    for layer, sides in ((made.cls_score, 1), (made.bbox_pred, 4)):
        numbers = torch.arange(1, len(layer.bias) // sides + 1).repeat_interleave(sides).float()
        layer.bias.data = numbers
        layer.weight.data = numbers[:, None].repeat(1, 3)
    return made


def fresh(classes: int, boxes: int) -> SimpleNamespace:
    """A head of zeros."""
    made = head(classes, boxes)
    for layer in (made.cls_score, made.bbox_pred):
        layer.bias.data.zero_()
        layer.weight.data.zero_()
    return made


def told(layer: nn.Linear) -> list[float]:
    assert (layer.weight == layer.bias[:, None]).all()
    return layer.bias.tolist()


def test_one_class_is_not_taken_for_one_box_for_all() -> None:
    new = fresh(2, 2)
    copy_classes(head(1, 1), new, [(0, 1)], one_box=False)  # from ("cow",) to ("dog", "cow")
    assert told(new.cls_score) == [0, 1, 2], "the background is last"
    assert told(new.bbox_pred) == [0, 0, 0, 0, 1, 1, 1, 1], "a dog's box is nobody's yet"
    new = fresh(1, 1)
    copy_classes(head(2, 2), new, [(1, 0)], one_box=False)
    assert (told(new.cls_score), told(new.bbox_pred)) == ([2, 3], [2, 2, 2, 2])


@pytest.mark.parametrize("pairs", [[], [(0, 1)]])
def test_one_box_for_all_classes_goes_along_whatever_they_are_called(pairs) -> None:
    new = fresh(2, 1)
    copy_classes(head(1, 1), new, pairs, one_box=True)
    assert told(new.bbox_pred) == [1, 1, 1, 1]
    assert told(new.cls_score) == [0, 1 if pairs else 0, 2]


@pytest.mark.parametrize(
    "error",
    [
        FloatingPointError("Predicted boxes or scores contain Inf/NaN. Training has diverged."),
        AssertionError("Box tensor contains infinite or NaN!"),
    ],
)
def test_diverging_is_a_loss_that_is_no_number(error) -> None:
    losses: dict[str, torch.Tensor] = {}
    with diverging_is_a_loss(losses):
        raise error
    assert [bool(value.isnan()) for value in losses.values()] == [True]


def test_another_error_is_not_taken_for_diverging() -> None:
    with pytest.raises(AssertionError, match="no gt_boxes"), diverging_is_a_loss({}):
        raise AssertionError("no gt_boxes")


def test_parameters_that_shall_learn_faster_do_so_in_every_step() -> None:
    network = nn.Linear(1, 1)
    groups = [{"params": [network.weight]}, {"params": [network.bias], "lr": 0.2}]
    optimizer = with_rate_factors(torch.optim.SGD(groups, lr=0.1), 0.1)
    optimizer.load_state_dict(optimizer.state_dict())  # as a run that goes on does
    for rate in (0.1, 0.01):
        before = network.weight.item(), network.bias.item()
        descend(network, optimizer, {"loss": network.weight.sum() + network.bias.sum()}, rate, clip=100.0)
        assert before[0] - network.weight.item() == pytest.approx(rate, abs=1e-6)
        assert before[1] - network.bias.item() == pytest.approx(2 * rate, abs=1e-6)
