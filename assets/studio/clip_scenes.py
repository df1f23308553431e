"""The three showcase clips as data: who walks where, and what the place must be."""

from __future__ import annotations

from dataclasses import dataclass

from studio.clip_motion import Actor, Turn

FPS = 24
FRAMES = 240


@dataclass(frozen=True)
class Clip:
    """A clip's name, words for people, the fields of its Place that are fixed, and its actors."""

    name: str
    title: str
    caption: str
    place: dict
    actors: tuple[Actor, ...]


CROSSING = Clip(
    "crossing",
    "Crossing cows",
    "Six cows of the breeds that the base model knows pass behind each other; several turn back while another hides them.",
    dict(season="summer", weather="clear", terrain="lush", sun_elevation_deg=36.0, sun_azimuth_deg=215.0,
         lens_mm=38.0, clutter=0, camera_height_m=1.9, look_at=(0.0, 14.0, 0.75)),
    (
        Actor("cow", "jersey", 11, (5.6, 7.6), 180, 0.95, (Turn(5.6, 0.8, 172),)),
        Actor("cow", "angus", 12, (-6.6, 10.4), 0, 1.15),
        Actor("cow", "jersey", 13, (5.9, 13.2), 180, 1.0, (Turn(5.3, 0.9, -172),)),
        Actor("cow", "jersey", 14, (-2.2, 16.0), 2, 0.95, (Turn(3.8, 0.8, 173),)),
        Actor("cow", "angus", 15, (8.2, 19.0), 180, 1.05, (Turn(6.4, 0.8, -110),)),
        Actor("cow", "jersey", 16, (-9.0, 21.8), 0, 1.1, (Turn(5.2, 0.7, 150),)),
    ),
)  # fmt: skip

GRAZING_HERD = Clip(
    "grazing_herd",
    "Grazing herd",
    "Eight cows graze and move a few steps at a time while one walks through the herd.",
    dict(season="spring", weather="haze", terrain="meadow", sun_elevation_deg=42.0, sun_azimuth_deg=150.0,
         lens_mm=34.0, clutter=0, camera_height_m=2.3, look_at=(0.0, 15.0, 0.6)),
    (
        Actor("cow", "holstein", 21, (-2.6, 8.6), 200, 0.28, (), ((0, 2.6), (4.4, 10)), grazes=True),
        Actor("cow", "jersey", 22, (2.7, 9.4), 25, 0.25, (), ((0, 4.0), (5.8, 10)), grazes=True),
        Actor("cow", "angus", 23, (6.3, 12.0), 160, 0.26, (), ((0, 6.2), (8.4, 10)), grazes=True),
        Actor("cow", "fleckvieh", 24, (-6.2, 12.2), -20, 0.24, (), ((0, 1.0), (3.0, 6.5), (8.0, 10)), grazes=True),
        Actor("cow", "holstein", 25, (0.2, 12.6), 185, 0.3, (), ((0, 5.0), (6.4, 10)), grazes=True),
        Actor("cow", "brown_swiss", 26, (-9.5, 16.0), 0, 1.05),
        Actor("cow", "charolais", 27, (4.6, 19.2), 200, 0.26, (), ((0, 3.2), (5.2, 10)), grazes=True),
        Actor("cow", "hereford", 28, (-3.6, 19.6), 15, 0.25, (), ((0, 7.0), (8.8, 10)), grazes=True),
        Actor("cow", "holstein", 29, (0.6, 23.6), 170, 0.22, (), ((0, 4.5), (6.0, 10)), grazes=True),
    ),
)  # fmt: skip

FARMER = Clip(
    "cows_farmer_dog_horse",
    "Cows, farmer, dog and horse",
    "A farmer and a dog walk past cows and a horse: only the cows should be counted.",
    dict(season="autumn", weather="clear", terrain="hills", sun_elevation_deg=30.0, sun_azimuth_deg=230.0,
         lens_mm=36.0, clutter=0, camera_height_m=1.8, look_at=(0.0, 13.0, 0.8)),
    (
        Actor("person", "", 41, (-5.4, 8.2), 3, 1.05),
        Actor("dog", "", 42, (-3.6, 7.0), 2, 1.12),
        Actor("cow", "holstein", 43, (3.2, 11.4), 170, 0.3, (), ((0, 5.0), (7.0, 10)), grazes=True),
        Actor("cow", "fleckvieh", 44, (-3.4, 12.2), 200, 0.3, (), ((0, 2.0), (4.2, 10)), grazes=True),
        Actor("horse", "", 45, (8.0, 15.6), 180, 1.2, (Turn(6.6, 0.9, -150),)),
        Actor("cow", "brown_swiss", 46, (-8.0, 18.8), 0, 1.0, (Turn(5.6, 0.8, 160),)),
        Actor("cow", "jersey", 47, (4.2, 22.0), 190, 0.25, (), ((0, 3.0), (5.0, 10)), grazes=True),
    ),
)  # fmt: skip

CLIPS = (CROSSING, GRAZING_HERD, FARMER)
