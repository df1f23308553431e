"""The eight places of the test herd: what each must be; the rest is drawn from the test split."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from studio.landscape import Place, draw_place


@dataclass(frozen=True)
class TestPlace:
    """A name and the fields of a drawn Place that are fixed."""

    name: str
    fixed: dict = field(default_factory=dict)


def _view(lens_mm: float, height_m: float, y: float, z: float) -> dict:
    return dict(lens_mm=lens_mm, camera_height_m=height_m, look_at=(0.0, y, z))


TEST_PLACES = (
    TestPlace("pasture", dict(season="summer", weather="clear", terrain="lush") | _view(35.0, 1.7, 14.0, 0.6)),
    TestPlace("hills", dict(season="summer", weather="haze", terrain="hills") | _view(50.0, 2.6, 20.0, 0.8)),
    TestPlace("barnyard", dict(weather="clear", terrain="barnyard", barn=True) | _view(28.0, 2.2, 13.0, 0.5)),
    TestPlace("drone", dict(season="spring", weather="clear", terrain="meadow") | _view(30.0, 15.0, 20.0, 0.0)),
    TestPlace(
        "dusk", dict(season="summer", weather="dusk", terrain="meadow", fence=False) | _view(40.0, 1.6, 14.0, 0.7)
    ),
    TestPlace("overcast", dict(weather="overcast", terrain="mud") | _view(35.0, 1.9, 14.0, 0.4)),
    TestPlace("stubble", dict(season="autumn", weather="clear", terrain="stubble") | _view(60.0, 2.0, 18.0, 0.6)),
    TestPlace("slope", dict(season="spring", weather="haze", terrain="lush") | _view(28.0, 6.0, 18.0, 0.0)),
)
"""Names and fixed fields."""


def test_place(rng: np.random.Generator, number: int) -> Place:
    """The numbered test place (0..7): drawn from the test split, its fixed fields put in."""
    wanted = TEST_PLACES[number]
    drawn = draw_place(rng, wanted.name, split="test")
    low_sun = {"sun_elevation_deg": float(rng.uniform(6, 11))} if wanted.fixed["weather"] == "dusk" else {}
    return replace(drawn, **wanted.fixed, **low_sun)
