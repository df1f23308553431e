"""Which pictures are learnt from and which are held out to judge: seeded, decided before training, and never mixed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cowvision.data.bursts import ALIKE_BITS

HELD_OUT_SHARE = 0.3


@dataclass(frozen=True)
class Split:
    """Picture ids on either side, each in the order in which they were given."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]


def split(
    picture_ids: Sequence[str],
    burst_numbers: NDArray[np.int64] | Sequence[int],
    *,
    has_boxes: Sequence[bool] | None = None,
    share: float = HELD_OUT_SHARE,
    seed: int = 0,
) -> Split:
    """Hold out about a share of the pictures; a burst is never torn apart.

    Bursts are drawn in random order onto the held-out side as long as that brings it nearer to its share, first those
    with boxes and then those without, so that both sides have about the same mixture. Of two or more bursts neither
    side stays empty; with a single one all is for training, and nothing can be held out.

    Args:
        picture_ids: The pictures, each once.
        burst_numbers: (n,) for each picture the burst it belongs to, as from `bursts`.
        has_boxes: (n,) whether there is anything to learn on it; everything has, by default.
        share: What part to hold out, between 0 and 1.
        seed: The same seed gives the same split of the same pictures.

    Raises:
        ValueError: Not as many bursts as pictures, a picture twice, or a share that is not between 0 and 1.
    """
    count = len(picture_ids)
    if len(burst_numbers) != count or (has_boxes is not None and len(has_boxes) != count):
        raise ValueError(f"{count} pictures, but {len(burst_numbers)} burst numbers")
    if len(set(picture_ids)) != count:
        raise ValueError("a picture is given twice")
    if not 0 < share < 1:
        raise ValueError(f"the share must lie between 0 and 1, not {share}")
    numbers = np.asarray(burst_numbers, dtype=np.int64)
    fruitful = np.ones(count, bool) if has_boxes is None else np.asarray(has_boxes, dtype=bool)
    rng = np.random.default_rng(seed)
    held_out: set[int] = set()
    with_boxes = set(numbers[fruitful].tolist())
    for bursts in (sorted(with_boxes), sorted(set(numbers.tolist()) - with_boxes)):
        held_out |= _drawn(rng, bursts, numbers, share, may_be_empty=bool(held_out))
    sides = zip(picture_ids, numbers.tolist(), strict=True)
    placed = [(one, number in held_out) for one, number in sides]
    return Split(tuple(one for one, out in placed if not out), tuple(one for one, out in placed if out))


def last_stretch(names: Sequence[str], looks: Sequence[int], share: float) -> tuple[list[int], list[int]]:
    """Of frames of one clip, hold out the last ones, and leave out those before them that look like one of them.

    Args:
        names: Names of the frames; numbers in them tell their order.
        looks: Their perceptual hashes (`bursts.Trace`).
        share: What part to hold out, between 0 and 1.

    Returns:
        Places of the held-out ones and of the left-out ones; both empty if nothing to learn from would remain.
    """
    order = sorted(range(len(names)), key=lambda place: _in_order(names[place]))
    count = min(len(order) - 1, max(1, round(share * len(order))))
    before, last = order[: len(order) - count], order[len(order) - count :]
    alike = [one for one in before if is_like_any(looks[one], [looks[other] for other in last])]
    return (last, alike) if len(alike) < len(before) else ([], [])


def is_like_any(looks: int, others: Sequence[int]) -> bool:
    """Whether a picture looks like any of the others, by their perceptual hashes."""
    return any((looks ^ other).bit_count() <= ALIKE_BITS for other in others)


def _in_order(name: str) -> list[tuple[int, str]]:
    """What "frame 9" comes before "frame 10" by."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _drawn(
    rng: np.random.Generator, bursts: list[int], numbers: NDArray[np.int64], share: float, *, may_be_empty: bool
) -> set[int]:
    """Bursts for the held-out side, of one kind."""
    sizes = {burst: int((numbers == burst).sum()) for burst in bursts}
    wanted, have, drawn = share * sum(sizes.values()), 0, set[int]()
    order = [bursts[place] for place in rng.permutation(len(bursts))]
    for burst in order[: max(0, len(order) - 1)]:  # one stays to be learnt from
        if abs(have + sizes[burst] - wanted) < abs(have - wanted):
            drawn.add(burst)
            have += sizes[burst]
    if not drawn and not may_be_empty and len(order) > 1:
        drawn.add(min(order, key=lambda burst: sizes[burst]))
    return drawn
