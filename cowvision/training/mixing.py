"""Labelled pictures and composed scenes in one row as long as a training, every picture about as often as any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cowvision.data.annotations import AnnotatedPicture, MadeWhenAsked


@dataclass(frozen=True, eq=False)
class Mixed(MadeWhenAsked):
    """``length`` pictures, a share of them scenes, no scene twice.

    Attributes:
        labelled: Pictures, each of which comes again and again.
        scenes: As many as ``length`` at least; made when they are looked at.
        share: Of scenes, 0..1.
        length: Pictures of a whole training.
        seed: Fixes the order.
    """

    labelled: Sequence[AnnotatedPicture]
    scenes: Sequence[AnnotatedPicture]
    share: float
    length: int
    seed: int

    def made(self, index: int) -> AnnotatedPicture:
        """The picture of a place: a scene, or the labelled one whose turn it is."""
        place = int(self._places[index])
        return self.scenes[index] if place < 0 else self.labelled[place]

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """For each picture its place among the labelled ones; -1 for a scene."""
        rng = np.random.default_rng([self.seed, 3])
        rounds = -(-self.length // max(1, len(self.labelled)))
        places = np.concatenate([rng.permutation(len(self.labelled)) for _ in range(rounds)])[: self.length]
        places[rng.random(self.length) < self.share] = -1
        return np.asarray(places, dtype=np.int64)
