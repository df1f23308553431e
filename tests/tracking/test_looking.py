"""Looks: each frame is told what was found in the picture that is on screen, in whatever batch that came."""

import numpy as np
import pytest

from cowvision.tracking.looking import Looker
from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.stages import StageClock
from cowvision.tracking.tracker import HerdTracker
from cowvision.tracking.video import Frame
from tests.tracking.clips import numbered
from tests.tracking.walker import Walker, place_of

PICTURES = [0, 1, 2, 2, 2, 3, 4, 4, 5, 5, 5, 6]


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 12])
def test_a_repeated_picture_is_told_what_was_found_in_it_and_not_in_another(batch: int) -> None:
    frames = [
        Frame(index, index / 10, numbered(number), number in PICTURES[index - 1 : index])
        for index, number in enumerate(PICTURES)
    ]
    walker = Walker()
    looker = Looker(walker, HerdTracker(TrackerSettings(confirm=1)), ("cow",), StageClock())
    told = {}
    for first in range(0, len(frames), batch):
        told |= looker.look(frames[first : first + batch])
    assert walker.looks == list(range(7)), "each picture is looked at once"
    assert list(told) == list(range(len(frames)))
    for index, number in enumerate(PICTURES):
        assert np.allclose(told[index].xyxy, [place_of(number)]), index
