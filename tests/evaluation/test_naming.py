"""Names given to cows: the count behind "the base model calls cows dogs"."""

import numpy as np
import pytest
import supervision as sv

from cowvision.evaluation.naming import MISSED, names_given


def detections(boxes: list, names: list[str], scores: list[float]) -> sv.Detections:
    return sv.Detections(
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.array(scores, np.float32),
        class_id=np.zeros(len(names), int),
        data={"class_name": np.array(names)},
    )


def test_a_cow_called_a_dog_is_counted_as_a_dog() -> None:
    truth = [np.array([[0, 0, 10, 10], [50, 50, 60, 60]])]
    found = [detections([[0, 0, 10, 9], [0, 0, 5, 5]], ["dog", "cow"], [0.9, 0.9])]
    assert names_given(truth, found) == {"dog": 1, MISSED: 1}


def test_faint_detections_do_not_name_a_cow() -> None:
    found = [detections([[0, 0, 10, 10]], ["sheep"], [0.29])]
    assert names_given([np.array([[0, 0, 10, 10]])], found) == {MISSED: 1}


def test_no_truth_and_no_detections() -> None:
    assert names_given([np.zeros((0, 4))], [sv.Detections.empty()]) == {}
    assert names_given([np.array([[0, 0, 4, 4]])], [sv.Detections.empty()]) == {MISSED: 1}


def test_truths_and_predictions_must_be_of_the_same_pictures() -> None:
    with pytest.raises(ValueError, match="argument"):
        names_given([np.zeros((0, 4))], [])
