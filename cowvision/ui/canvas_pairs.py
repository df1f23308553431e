"""Which box on a canvas is which stored one: by where it lies, and by its size where it was moved off the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

SAME = 0.02
"""Canvas pixels: what moved less was not moved, only rounded on its way through the browser."""


def pairs_of(
    corners: NDArray[np.float64],
    on_picture: NDArray[np.float64],
    names: Sequence[str],
    known: NDArray[np.float64],
    known_names: Sequence[str],
) -> dict[int, int]:
    """Canvas boxes that lie where a stored one lies, cut or not: place on the canvas -> place among the stored."""
    pairs: dict[int, int] = {}
    if not len(corners) or not len(known):
        return pairs
    apart = np.minimum(*(np.abs(one[:, None] - known[None]).max(axis=2) for one in (corners, on_picture)))
    for place, row in enumerate(apart):
        free = [one for one in np.flatnonzero(row <= SAME).tolist() if one not in pairs.values()]
        alike = [one for one in free if known_names[one] == names[place]]
        if alike:
            pairs[place] = alike[0]
    return pairs


def come_back(
    corners: NDArray[np.float64],
    on_picture: NDArray[np.float64],
    names: Sequence[str],
    known: NDArray[np.float64],
    known_names: Sequence[str],
    *,
    untouched: Mapping[int, int],
) -> dict[int, int]:
    """Stored boxes that were moved off the picture altogether, as pairs like those of `pairs_of`.

    Their size tells which they are: nobody draws one like it in the margin.
    """
    pairs: dict[int, int] = {}
    for place in range(len(corners)):
        if place in untouched or (on_picture[place, 2:] > on_picture[place, :2]).all():
            continue
        taken = {*untouched.values(), *pairs.values()}
        free = [one for one in range(len(known)) if one not in taken and known_names[one] == names[place]]
        sides, wanted = known[free][:, 2:] - known[free][:, :2], corners[place, 2:] - corners[place, :2]
        alike = np.flatnonzero(np.abs(sides - wanted).max(axis=1, initial=0) <= SAME)
        if len(alike):
            pairs[place] = free[int(alike[0])]
    return pairs
