"""Where animals may stand so that the camera sees them and none walks through another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from studio.truth import Projector

Standable = Callable[[float, float], bool]


def free_spots(
    rng: np.random.Generator,
    count: int,
    *,
    projector: Projector,
    ground: Callable,
    standable: Standable,
    distance_m: tuple[float, float],
    apart_m: float = 2.4,
    tries: int = 4000,
) -> list[tuple[float, float]]:
    """Up to ``count`` ground points (x, y) in the picture, ``distance_m`` away and ``apart_m`` from each other.

    Distances are drawn so that small and large animals are both common: half evenly by area, half evenly by size.
    """
    spots: list[tuple[float, float]] = []
    for _ in range(tries):
        if len(spots) == count:
            break
        spot = _draw_spot(rng, *distance_m)
        apart = all(np.hypot(spot[0] - x, spot[1] - y) > apart_m for x, y in spots)
        if apart and _has_room(spot, standable) and _in_picture(spot, projector, ground):
            spots.append(spot)
    return spots


def _draw_spot(rng: np.random.Generator, near: float, far: float) -> tuple[float, float]:
    if rng.random() < 0.5:
        distance = np.sqrt(rng.uniform(near**2, far**2))
    else:
        distance = np.exp(rng.uniform(np.log(near), np.log(far)))
    bearing = rng.uniform(-0.8, 0.8)
    return float(distance * np.sin(bearing)), float(distance * np.cos(bearing))


def _has_room(spot: tuple[float, float], standable: Standable, reach_m: float = 1.1) -> bool:
    """Whether a body of any heading touches nothing: its middle and four points around it are free."""
    x, y = spot
    around = ((0, 0), (reach_m, 0), (-reach_m, 0), (0, reach_m), (0, -reach_m))
    return all(standable(x + dx, y + dy) for dx, dy in around)


def _in_picture(spot: tuple[float, float], projector: Projector, ground: Callable, body_m: float = 0.7) -> bool:
    """Whether the middle of a body standing at ``spot`` lies within the frame."""
    height = float(np.asarray(ground(spot[0], spot[1]))) + body_m
    xy, depth = projector(np.array([[*spot, height]]))
    width, rows = projector.resolution_wh
    return bool(depth[0] > 2.0 and 0.01 * width < xy[0, 0] < 0.99 * width and 0.02 * rows < xy[0, 1] < 0.98 * rows)
