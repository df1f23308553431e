"""Signed-distance primitives that bodies are modelled from, each tied to the bone that carries it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Point = Sequence[float]
Radius = float | tuple[float, float]
Distance = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Primitive:
    """A shape given by its approximate signed distance (metres, negative inside) of points (n, 3).

    ``low`` and ``high`` bound it, ``blend`` is the radius in metres over which it melts into its neighbours,
    ``carve`` takes it away instead of adding it, and ``tag`` lets materials find its surface again.
    """

    bone: str
    distance: Distance
    low: np.ndarray
    high: np.ndarray
    blend: float = 0.03
    carve: bool = False
    tag: str = ""


def capsule(
    bone: str,
    start: Point,
    end: Point,
    start_radius: Radius,
    end_radius: Radius,
    blend: float = 0.03,
    *,
    carve: bool = False,
    tag: str = "",
) -> Primitive:
    """A tapered capsule of elliptic section; radii in metres are (sideways, across) or one for both."""
    a, b = np.array(start, float), np.array(end, float)
    ra, rb = _pair(start_radius), _pair(end_radius)
    length = float(np.linalg.norm(b - a)) + 1e-9
    along = (b - a) / length
    side = np.array([0.0, 1.0, 0.0]) - along * along[1]
    side /= np.linalg.norm(side)
    across = np.cross(along, side)

    def distance(points: np.ndarray) -> np.ndarray:
        offset = points - a
        t = offset @ along
        share = np.clip(t / length, 0, 1)
        r_side, r_across = (ra[i] + (rb[i] - ra[i]) * share for i in (0, 1))
        r_end = np.minimum(r_side, r_across)
        over = (t - share * length) / r_end
        return (np.sqrt((offset @ side / r_side) ** 2 + (offset @ across / r_across) ** 2 + over**2) - 1) * r_end

    reach = max(*ra, *rb)
    return Primitive(bone, distance, np.minimum(a, b) - reach, np.maximum(a, b) + reach, blend, carve, tag)


def _pair(radius: Radius) -> tuple[float, float]:
    return radius if isinstance(radius, tuple) else (radius, radius)


def ellipsoid(
    bone: str, centre: Point, radii: Point, blend: float = 0.03, *, carve: bool = False, tag: str = ""
) -> Primitive:
    """An ellipsoid along the axes; ``radii`` in metres."""
    c, r = np.array(centre, float), np.array(radii, float)

    def distance(points: np.ndarray) -> np.ndarray:
        return (np.sqrt((((points - c) / r) ** 2).sum(1)) - 1) * r.min()

    return Primitive(bone, distance, c - r, c + r, blend, carve, tag)


@dataclass(frozen=True)
class Axis:
    """Where a loft runs: its origin, its direction, and the direction that is "up" in its profile."""

    origin: Point
    along: Point
    up: Point


SPINE = Axis((0, 0, 0), (1, 0, 0), (0, 0, 1))
UPRIGHT = Axis((0, 0, 0), (0, 0, 1), (1, 0, 0))


def loft(
    bone: str,
    axis: Axis,
    stations: Sequence[Sequence[float]],
    blend: float = 0.05,
    *,
    middle: float = 0.5,
    exponent: float = 2.2,
    tag: str = "",
) -> Primitive:
    """A body through cross-sections ``(position, top, bottom, half width)`` in metres, superelliptic in section."""
    o, u, n = (np.array(v, float) for v in (axis.origin, axis.along, axis.up))
    table = np.array(stations, float)
    at = table[:, 0]

    def distance(points: np.ndarray) -> np.ndarray:
        offset = points - o
        t, v = offset @ u, offset @ n
        within = np.clip(t, at[0], at[-1])
        top, bottom, width = (cubic(within, at, table[:, i]) for i in (1, 2, 3))
        width = np.maximum(width, 0.004)
        centre = bottom + (top - bottom) * middle
        height = np.maximum(np.where(v > centre, top - centre, centre - bottom), 0.004)
        radial = (np.abs(offset[:, 1]) / width) ** exponent + (np.abs(v - centre) / height) ** exponent
        d = (radial ** (1 / exponent) - 1) * np.minimum(width, height)
        beyond = np.abs(t - within)
        return np.where(beyond > 0, np.hypot(np.maximum(d, 0), beyond), d)

    corners = [
        o + u * t + n * z + np.array([0, side * w, 0]) for t, a, b, w in table for z in (a, b) for side in (-1, 1)
    ]
    return Primitive(bone, distance, np.min(corners, 0), np.max(corners, 0), blend, False, tag)


def cubic(x: np.ndarray, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Cubic Hermite interpolation of ``values`` at positions ``at`` with central-difference slopes (Catmull-Rom)."""
    slope = np.gradient(values, at)
    i = np.clip(np.searchsorted(at, x) - 1, 0, len(at) - 2)
    h = at[i + 1] - at[i]
    t = np.clip((x - at[i]) / h, 0, 1)
    t2, t3 = t * t, t * t * t
    ends = (2 * t3 - 3 * t2 + 1) * values[i] + (3 * t2 - 2 * t3) * values[i + 1]
    return ends + h * ((t3 - 2 * t2 + t) * slope[i] + (t3 - t2) * slope[i + 1])


def smoothstep(x: np.ndarray | float, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((np.asarray(x, float) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def nearest(primitives: Sequence[Primitive], tag: str, points: np.ndarray) -> np.ndarray:
    """Distance (n,) of points to the closest primitive with ``tag``; 9 m if there is none."""
    distances = [p.distance(points) for p in primitives if p.tag == tag]
    return np.min(distances, 0) if distances else np.full(len(points), 9.0)


def unit(vector: Point) -> np.ndarray:
    """The vector scaled to length one."""
    v = np.array(vector, float)
    return v / math.sqrt(float(v @ v))
