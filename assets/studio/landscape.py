"""Landscapes: build a place with its camera, light, ground, plants and buildings, or its light alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import bpy
import numpy as np

from studio.materials import BARE, GRASS, ground_material
from studio.nodes import plain_material
from studio.places import Place, draw_place
from studio.sky import SHADOW_STRENGTH, add_sky, sun_direction
from studio.stage import add_camera
from studio.structures import Obstacle, add_structures
from studio.terrain import Ground, add_ground
from studio.trees import add_trees
from studio.vegetation import add_grass

__all__ = ["Place", "Stage", "build_light", "build_place", "draw_place"]

SENSOR_MM = 36.0
SMALLEST_PX = 10
COW_HEIGHT_M = 1.4


@dataclass(frozen=True)
class Stage:
    """A built place.

    Attributes:
        camera: The scene's camera.
        ground: (x, y) -> z in metres, vectorised.
        sun_direction: Unit vector to the sun; None under an overcast sky.
        shadow_strength: 0 (no cast shadows) .. 1 (hard sun).
        near_m, far_m: Where animals may stand; at ``far_m`` a cow is about ten pixels high at 640x360.
        half_fov_rad: Half the horizontal angle of view.
        standable: Whether an animal can stand at (x, y): no wall, trough or building there.
        resolution_wh: Width and height of the picture in pixels.
    """

    camera: bpy.types.Object
    ground: Callable
    sun_direction: np.ndarray | None
    shadow_strength: float
    near_m: float
    far_m: float
    half_fov_rad: float
    standable: Callable[[float, float], bool]
    resolution_wh: tuple[int, int]


def build_place(place: Place, resolution_wh: tuple[int, int]) -> Stage:
    """Build the full scenery in the current scene, which ``stage.reset_scene`` has emptied."""
    ground = Ground(place)
    add_sky(place)
    add_ground(ground, ground_material(place))
    bearing = _bearing(place)
    around = _around(place)
    add_grass(place, ground, bearing, around)
    add_trees(place, ground, bearing, around)
    obstacles = add_structures(place, ground, bearing, around)
    return _stage(place, ground, obstacles, resolution_wh)


def build_light(place: Place, resolution_wh: tuple[int, int]) -> Stage:
    """Build camera and light only; the ground bounces light but the camera does not see it.

    The obstacles are those of ``build_place``: they are built and taken away again, so that both draw alike.
    """
    ground = Ground(place)
    obstacles = _obstacles(place, ground)
    add_sky(place, clouds=False)
    shades = BARE[place.terrain] if place.terrain in BARE else GRASS[place.season]
    add_ground(ground, plain_material("bounce", shades[1], 0.9)).visible_camera = False
    return _stage(place, ground, obstacles, resolution_wh)


def _obstacles(place: Place, ground: Ground) -> list[Obstacle]:
    before = set(bpy.data.objects)
    obstacles = add_structures(place, ground, _bearing(place), _around(place))
    for thing in set(bpy.data.objects) - before:
        bpy.data.objects.remove(thing)
    return obstacles


def _around(place: Place) -> float:
    """Half the angle within which scenery is set out; wider for a high camera, whose lower corners look far aside."""
    return min(math.pi, _half_fov(place) * 1.12 + (0.5 if place.camera_height_m > 6 else 0.0))


def _bearing(place: Place) -> float:
    return math.atan2(place.look_at[0], max(place.look_at[1], 1e-6))


def _half_fov(place: Place) -> float:
    return math.atan(SENSOR_MM / 2 / place.lens_mm)


def _stage(place: Place, ground: Ground, obstacles: list[Obstacle], resolution_wh: tuple[int, int]) -> Stage:
    height = float(ground(0, 0)) + place.camera_height_m
    camera = add_camera((0.0, 0.0, height), place.look_at, place.lens_mm)
    focal_px = place.lens_mm / SENSOR_MM * 640
    near, far = _reach(place, height, focal_px)

    def standable(x: float, y: float) -> bool:
        return all(math.hypot(x - o.x, y - o.y) > o.radius_m for o in obstacles)

    return Stage(
        camera, ground, sun_direction(place), SHADOW_STRENGTH[place.weather], near, far, _half_fov(place), standable,
        resolution_wh,
    )  # fmt: skip


def _reach(place: Place, camera_z: float, focal_px: float) -> tuple[float, float]:
    """Nearest and farthest ground distances at which animals belong into the picture."""
    down = math.atan2(camera_z - place.look_at[2], place.look_at[1])
    lowest = down + math.atan(180 / focal_px)
    near = place.camera_height_m / math.tan(lowest) if 0.05 < lowest < math.pi / 2 else 0.5
    highest = down - math.atan(170 / focal_px)
    seen_far = place.camera_height_m / math.tan(highest) if highest > 0.02 else 1e9
    far = min(0.72 * place.treeline_m, COW_HEIGHT_M * focal_px / SMALLEST_PX, seen_far, 70.0)
    near = max(near, 1.4 * focal_px / 330, 3.2 if place.camera_height_m < 4 else 0.5)
    return near, max(far, near + 6.0)
