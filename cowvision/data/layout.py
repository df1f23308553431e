"""Where the animals of a scene stand, how large they are seen, and which sprite shows each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cowvision.data.plates import Background
from cowvision.data.sprites import SpritePool

ANIMAL_LENGTH_M = 1.9
"""Turns a wanted size in pixels into a scale; the typical longer side of an animal seen from anywhere."""


@dataclass(frozen=True)
class Crowd:
    """How many animals (inclusive range) of which size in pixels, and whether they stand together."""

    count: tuple[int, int]
    size_px: tuple[float, float]
    together: bool = False


@dataclass(frozen=True)
class Placement:
    """One animal to paste: its sprite, mirrored or not, its foot point and scale, its distance in metres."""

    sprite: int
    mirrored: bool
    foot_xy: tuple[float, float]
    pixels_per_metre: float
    depth_m: float


def draw_layout(
    rng: np.random.Generator,
    pool: SpritePool,
    background: Background,
    crowd: Crowd,
    *,
    kinds: Mapping[str, float],
    breed_weights: Mapping[str, float],
    largest_overlap: float = 1.0,
) -> list[Placement]:
    """Animals for one scene, far ones first; none covers another's box by more than ``largest_overlap`` of it."""
    names = [kind for kind in kinds if pool.breeds(kind)]
    if not names:
        return []
    count = int(rng.integers(crowd.count[0], crowd.count[1] + 1))
    places = _StandingPlaces(rng, background, crowd)
    herd_breed = {kind: _draw_breed(rng, pool, kind, breed_weights) for kind in kinds} if rng.random() < 0.4 else {}
    chances = np.array([kinds[kind] for kind in names]) / sum(kinds[kind] for kind in names)
    placements: list[Placement] = []
    for _ in range(count):
        kind = names[int(rng.choice(len(names), p=chances))]
        breed = herd_breed.get(kind) or _draw_breed(rng, pool, kind, breed_weights)
        foot_xy, scale, depth = places.draw()
        sprite, mirrored = _fitting_sprite(rng, pool, pool.of(kind, breed), background, scale)
        placement = Placement(sprite, mirrored, foot_xy, scale * rng.uniform(0.88, 1.12), depth)
        if largest_overlap >= 1 or _overlap(pool, placement, placements) <= largest_overlap:
            placements.append(placement)
    return sorted(placements, key=lambda p: -p.depth_m)


def _draw_breed(rng: np.random.Generator, pool: SpritePool, kind: str, weights: Mapping[str, float]) -> str:
    breeds = pool.breeds(kind)
    chances = np.array([weights.get(breed, 1.0) for breed in breeds])
    return breeds[int(rng.choice(len(breeds), p=chances / chances.sum()))] if breeds else ""


class _StandingPlaces:
    """Foot points on the ground of a background, with the scale and distance that perspective gives there."""

    def __init__(self, rng: np.random.Generator, background: Background, crowd: Crowd) -> None:
        self.rng, self.background, self.crowd = rng, background, crowd
        self.height, self.width = background.rgb.shape[:2]
        smallest, largest = (size / ANIMAL_LENGTH_M for size in crowd.size_px)
        nearest = background.pixels_per_metre(1.15 * self.height)
        farthest = background.pixels_per_metre(max(0.1 * self.height, background.horizon_row + 1))
        self.low = min(max(smallest, farthest), nearest)
        self.high = max(min(largest, nearest), min(nearest, self.low * 2.5), self.low * 1.05)
        self.centre = (rng.uniform(0.1, 0.9) * self.width, self._draw_scale())

    def _draw_scale(self) -> float:
        return math.exp(self.rng.uniform(math.log(self.low), math.log(self.high)))

    def draw(self) -> tuple[tuple[float, float], float, float]:
        """(foot x and y, pixels a metre, distance in metres)."""
        for _ in range(4):
            foot_x, scale = self._draw_position()
            row = self.background.row_of(scale)
            known = self._depth_at(foot_x, row)
            if known is None:
                return self._anywhere(foot_x, scale, row)
            ratio = known * scale / self.background.focal_px
            if 0.7 < ratio < 1.45:  # the plate shows ground there, not a tree, wall or fence post before it
                return (foot_x, row), self.background.focal_px / known, known
        return (foot_x, row), scale, self.background.focal_px / scale

    def _draw_position(self) -> tuple[float, float]:
        if not self.crowd.together:
            return self.rng.uniform(-0.04, 1.04) * self.width, self._draw_scale()
        foot_x = self.centre[0] + self.rng.normal(0, 0.28) * self.width
        scale = self.centre[1] * math.exp(self.rng.normal(0, 0.4))
        return foot_x, min(max(scale, self.low), self.high)

    def _depth_at(self, foot_x: float, row: float) -> float | None:
        """The plate's distance at a foot point: the farthest of a few pixels, lest a grass blade be taken for it."""
        if self.background.depth_m is None:
            return None
        x, y = min(max(int(foot_x), 0), self.width - 1), int(row)
        if y >= self.height - 2:
            return self.background.focal_px / self.background.pixels_per_metre(row)
        return float(self.background.depth_m[max(0, y - 1) : y + 2, max(0, x - 3) : x + 4].max())

    def _anywhere(self, foot_x: float, scale: float, row: float) -> tuple[tuple[float, float], float, float]:
        """Where there is no geometry the place need not follow the horizon strictly."""
        if self.rng.random() < 0.4 or not -0.1 * self.height < row < 1.2 * self.height:
            row = self.rng.uniform(0.15, 1.15) * self.height
        return (foot_x, row), scale, self.background.focal_px / scale


def _fitting_sprite(
    rng: np.random.Generator, pool: SpritePool, choices: NDArray[np.intp], background: Background, scale: float
) -> tuple[int, bool]:
    """A sprite (and whether to mirror it) seen and lit about as the place asks; one in five is any sprite."""
    candidates = choices[rng.integers(len(choices), size=min(8, len(choices)))]
    mirror = rng.random(len(candidates)) < 0.5
    if rng.random() < 0.2:
        return int(candidates[0]), bool(mirror[0])
    misfit = np.abs(pool.elevation_deg[candidates] - background.elevation_deg(scale)) / 5
    if background.sun_elevation_deg is not None:
        wanted = math.sin(math.radians(background.sun_azimuth_deg))
        light = pool.sun_right[candidates]
        mirror = np.abs(-light - wanted) < np.abs(light - wanted)
        misfit = misfit + np.abs(np.where(mirror, -light, light) - wanted)
    best = int(np.argmin(misfit + rng.random(len(candidates))))
    return int(candidates[best]), bool(mirror[best])


def _box(pool: SpritePool, placement: Placement) -> tuple[float, float, float, float]:
    sprite = pool.sprites[placement.sprite]
    scale = sprite.metres_per_pixel * placement.pixels_per_metre
    width, height, (x, y) = sprite.width * scale, sprite.height * scale, placement.foot_xy
    return x - width / 2, y - height, x + width / 2, y


def _overlap(pool: SpritePool, placement: Placement, others: list[Placement]) -> float:
    """The largest share of a box (this one's or another's) that the two have in common."""
    left, top, right, bottom = _box(pool, placement)
    worst = 0.0
    for other in others:
        x0, y0, x1, y1 = _box(pool, other)
        shared = max(0.0, min(right, x1) - max(left, x0)) * max(0.0, min(bottom, y1) - max(top, y0))
        least = min((right - left) * (bottom - top), (x1 - x0) * (y1 - y0))
        worst = max(worst, shared / max(least, 1e-6))
    return worst
