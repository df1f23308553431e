"""Places: what a landscape is made of and how it is seen, as plain values drawn from a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

SEASONS = ("spring", "summer", "dry", "autumn", "winter")
WEATHERS = ("clear", "haze", "overcast", "dusk")
TERRAINS = ("lush", "meadow", "hills", "stubble", "mud", "barnyard", "snow")
TEST_SEEDS = 1_000_000
"""Places of the test split have seeds from here up: their plants, stones and buildings are other ones."""


@dataclass(frozen=True)
class Place:
    """One landscape and its camera; metres, degrees, azimuth clockwise from +Y (the way the camera looks).

    ``look_at`` is a point (x, y, z); the camera stands at the origin, ``camera_height_m`` above the ground.
    ``grass_m`` is the mean height of the blades; ``clutter`` counts rocks, bales, stumps and troughs.
    """

    name: str
    seed: int
    season: str = "summer"
    weather: str = "clear"
    terrain: str = "meadow"
    sun_elevation_deg: float = 38.0
    sun_azimuth_deg: float = 200.0
    lens_mm: float = 42.0
    camera_height_m: float = 1.7
    look_at: tuple[float, float, float] = (0.0, 14.0, 0.8)
    fence: bool = True
    wall: bool = False
    barn: bool = False
    trees: int = 40
    treeline_m: float = 110.0
    grass_count: int = 9000
    grass_m: float = 0.13
    clutter: int = 3
    exposure: float = 0.0

    @property
    def bare(self) -> bool:
        """Whether the ground near the camera carries hardly any grass."""
        return self.terrain in ("barnyard", "mud", "snow")


def draw_place(rng: np.random.Generator, name: str, *, split: str) -> Place:
    """A place drawn from the whole variety; the seeds of the splits ("train", "test") are disjoint."""
    seed = int(rng.integers(1, TEST_SEEDS)) + (TEST_SEEDS if split == "test" else 0)
    terrain = str(rng.choice(TERRAINS, p=[0.2, 0.4, 0.13, 0.07, 0.07, 0.09, 0.04]))
    season = "winter" if terrain == "snow" else str(rng.choice(SEASONS, p=[0.24, 0.4, 0.16, 0.14, 0.06]))
    weather = str(rng.choice(WEATHERS, p=[0.4, 0.2, 0.32, 0.08]))
    elevation = rng.uniform(5, 12) if weather == "dusk" else rng.uniform(18, 62)
    height, look_at, lens = _draw_view(rng)
    return Place(
        name, seed, season, weather, terrain,
        sun_elevation_deg=float(elevation), sun_azimuth_deg=float(rng.uniform(0, 360)), lens_mm=lens,
        camera_height_m=height, look_at=look_at, fence=bool(rng.random() < 0.5), wall=bool(rng.random() < 0.15),
        barn=bool(rng.random() < (0.8 if terrain == "barnyard" else 0.08)), trees=int(rng.choice([6, 16, 32, 55])),
        treeline_m=float(rng.uniform(50, 170)), grass_count=int(rng.choice([6000, 9000, 12000])),
        grass_m=float(rng.choice([0.05, 0.08, 0.12, 0.2], p=[0.35, 0.3, 0.25, 0.1])), clutter=int(rng.integers(0, 7)),
    )  # fmt: skip


def _draw_view(rng: np.random.Generator) -> tuple[float, tuple[float, float, float], float]:
    """Camera height, the point it looks at, and the lens: mostly a person's view, some from a slope or drone."""
    kind = rng.choice(["person", "raised", "drone", "above"], p=[0.5, 0.27, 0.15, 0.08])
    if kind == "person":
        return float(rng.uniform(1.3, 2.2)), (0.0, 14.0, float(rng.uniform(-0.3, 1.2))), float(_draw_lens(rng, 24, 100))
    if kind == "raised":
        return float(rng.uniform(2.2, 6.5)), (0.0, float(rng.uniform(14, 30)), 0.3), float(_draw_lens(rng, 26, 85))
    if kind == "drone":
        return float(rng.uniform(8, 24)), (0.0, float(rng.uniform(16, 36)), 0.0), float(_draw_lens(rng, 24, 60))
    height = float(rng.uniform(4.5, 12))
    return (
        height,
        (0.0, height * math.tan(math.radians(float(rng.uniform(12, 40)))), 0.0),
        float(_draw_lens(rng, 24, 40)),
    )


def _draw_lens(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))
