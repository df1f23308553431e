"""Labelled pictures and composed scenes in one row as long as a training, every picture about as often as any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from cowvision.data.annotations import AnnotatedPicture


@dataclass(frozen=True, eq=False)
class Mixed(Sequence[AnnotatedPicture]):
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

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> AnnotatedPicture: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[AnnotatedPicture]: ...
    def __getitem__(self, index: int | slice) -> AnnotatedPicture | Sequence[AnnotatedPicture]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self.length))]
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
