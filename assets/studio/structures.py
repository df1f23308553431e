"""What people built: fences, walls, a barn, troughs and bales; and the stones that lay there before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import bpy
import numpy as np

from studio.materials import stone_material, wood_material
from studio.nodes import plain_material
from studio.places import Place
from studio.stage import add_mesh
from studio.terrain import Ground

CUBE = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0, 1)], float)
CUBE_FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


@dataclass(frozen=True)
class Obstacle:
    """A disc on the ground where no animal can stand."""

    x: float
    y: float
    radius_m: float


def add_structures(place: Place, ground: Ground, bearing: float, half_angle: float) -> list[Obstacle]:
    """Build what the place asks for; returns where animals cannot stand."""
    rng = np.random.default_rng([place.seed, 4])
    obstacles: list[Obstacle] = []
    if place.fence:
        _add_fence(place, ground, rng, bearing)
    if place.wall:
        obstacles += _add_wall(ground, rng, bearing)
    if place.barn:
        obstacles += _add_barn(ground, rng, bearing, half_angle)
    for _ in range(place.clutter):
        obstacles.append(_add_clutter(place, ground, rng, bearing, half_angle))
    return obstacles


def _polar(distance: float, angle: float) -> tuple[float, float]:
    return distance * math.sin(angle), distance * math.cos(angle)


def _box(
    name: str, centre: tuple[float, float, float], size: tuple[float, float, float], heading: float,
    material: bpy.types.Material,
) -> bpy.types.Object:  # fmt: skip
    """A box standing on ``centre`` (its lower middle), ``heading`` about the vertical in radians."""
    thing = add_mesh(name, CUBE * np.array(size), CUBE_FACES, material)
    thing.location, thing.rotation_euler = centre, (0, 0, heading)
    return thing


def _bar(start: np.ndarray, end: np.ndarray, radius: float, material: bpy.types.Material) -> None:
    """A round bar between two points; its own x axis runs lengthwise, so that wood grain does too."""
    length = float(np.linalg.norm(end - start))
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = np.stack([np.zeros(8), radius * np.cos(angle), radius * np.sin(angle)], 1)
    vertices = np.concatenate([ring, ring + [length, 0, 0]])
    faces = [(j, (j + 1) % 8, 8 + (j + 1) % 8, 8 + j) for j in range(8)] + [tuple(range(8, 16))]
    bar = add_mesh("bar", vertices, faces, material, smooth=True)
    x, y, z = (end - start) / length
    bar.location, bar.rotation_euler = start, (0, -math.asin(z), math.atan2(y, x))


def _add_fence(place: Place, ground: Ground, rng: np.random.Generator, bearing: float) -> None:
    """Wooden rails, wire on posts, or steel tubes, mostly behind the animals and sometimes before them."""
    kind = str(rng.choice(("rails", "wire", "tubes"), p=(0.5, 0.35, 0.15)))
    near = rng.random() < 0.22 and place.camera_height_m < 4
    distance = rng.uniform(4.5, 7) if near else rng.uniform(26, 44)
    half = distance * 1.1 + 8
    slant = rng.uniform(-0.25, 0.25)
    material = plain_material("steel", "8d9396", 0.45, 0.5) if kind == "tubes" else wood_material()
    line = np.linspace(-half, half, max(2, int(2 * half / (2.4 if kind == "rails" else 3.5))))
    x = line * math.cos(bearing) + (distance + slant * line) * math.sin(bearing)
    y = -line * math.sin(bearing) + (distance + slant * line) * math.cos(bearing)
    posts = np.stack([x, y, ground(x, y)], 1)
    for post in posts:
        lean = rng.normal(0, 0.02, 3)
        _bar(post - [0, 0, 0.3], post + [lean[0], lean[1], 1.32], 0.065, material)
    bars = {
        "rails": ((0.45, 0.8, 1.15), 0.042),
        "wire": ((0.35, 0.65, 0.95, 1.22), 0.006),
        "tubes": ((0.3, 0.55, 0.8, 1.05, 1.25), 0.022),
    }
    heights, radius = bars[kind]
    rail = plain_material("wire", "5c5a55", 0.5, 0.5) if kind == "wire" else material
    for first, second in pairwise(posts):
        for height in heights:
            wobble = rng.normal(0, 0.012, 2) if kind == "rails" else (0, 0)
            _bar(first + [0, 0, height + wobble[0]], second + [0, 0, height + wobble[1]], radius, rail)


def _add_wall(ground: Ground, rng: np.random.Generator, bearing: float) -> list[Obstacle]:
    """A dry-stone wall across the view."""
    material = stone_material("wall", "57534c", "a8a296", 2.6)
    distance, slant = rng.uniform(20, 45), rng.uniform(-0.3, 0.3)
    obstacles = []
    for along in np.arange(-40, 40, 2.0):
        x = along * math.cos(bearing) + (distance + slant * along) * math.sin(bearing)
        y = -along * math.sin(bearing) + (distance + slant * along) * math.cos(bearing)
        heading = -bearing + math.atan(slant)
        _box("wall", (x, y, float(ground(x, y)) - 0.2), (2.1, 0.5, 1.15 + rng.normal(0, 0.04)), heading, material)
        obstacles.append(Obstacle(x, y, 1.9))
    return obstacles


def _add_barn(ground: Ground, rng: np.random.Generator, bearing: float, half_angle: float) -> list[Obstacle]:
    """A barn of boards, brick or plaster with a dark gate and a pitched roof."""
    finish = str(rng.choice(("boards", "brick", "plaster")))
    walls = {
        "boards": wood_material,
        "brick": lambda: stone_material("brick", "6e3d2c", "a5644a", 5.0),
        "plaster": lambda: stone_material("plaster", "b9b2a2", "d8d2c4", 0.7),
    }[finish]()
    roof = plain_material("roof", str(rng.choice(("6b3a2c", "4c4a48", "7d7f80"))), 0.8)
    distance = rng.uniform(20, 38)
    x, y = _polar(distance, bearing + rng.uniform(-0.7, 0.7) * half_angle)
    length, depth, height = rng.uniform(12, 22), rng.uniform(7, 10), rng.uniform(3.2, 4.5)
    heading, z = rng.uniform(-0.4, 0.4), float(ground(x, y)) - 0.3
    _box("barn", (x, y, z), (length, depth, height), heading, walls)
    _add_roof(x, y, z + height, length + 0.8, depth + 1.0, heading, roof)
    gate = plain_material("gate", "1c1814", 0.9)
    for offset in (-0.28, 0.05, 0.32):
        gx = x + offset * length * math.cos(heading) + depth / 2 * math.sin(heading)
        gy = y + offset * length * math.sin(heading) - depth / 2 * math.cos(heading)
        _box("gate", (gx, gy, z), (rng.uniform(1.2, 3.2), 0.12, rng.uniform(2.2, 2.9)), heading, gate)
    return [Obstacle(x, y, length / 2 + 2.5)]


def _add_roof(
    x: float, y: float, z: float, length: float, depth: float, heading: float, material: bpy.types.Material
) -> None:
    rise = 0.32 * depth
    ends = [(-0.5, -0.5, 0), (-0.5, 0.5, 0), (-0.5, 0, 1), (0.5, -0.5, 0), (0.5, 0.5, 0), (0.5, 0, 1)]
    faces = [(0, 2, 1), (3, 4, 5), (0, 3, 5, 2), (1, 2, 5, 4), (0, 1, 4, 3)]
    roof = add_mesh("roof", np.array(ends) * np.array([length, depth, rise]), faces, material)
    roof.location, roof.rotation_euler = (x, y, z), (0, 0, heading)


def _add_clutter(place: Place, ground: Ground, rng: np.random.Generator, bearing: float, half_angle: float) -> Obstacle:
    """One bale, stone, trough or stump somewhere in view."""
    high = max(6.0, 1.2 * place.camera_height_m)
    distance, angle = rng.uniform(high, 55), bearing + rng.uniform(-1, 1) * half_angle
    x, y = _polar(distance, angle)
    z, heading = float(ground(x, y)), rng.uniform(0, 2 * np.pi)
    kind = str(rng.choice(("bale", "rock", "trough", "stump")))
    if kind == "bale":
        bpy.ops.mesh.primitive_cylinder_add(vertices=32, radius=0.65, depth=1.2, location=(x, y, z + 0.62))
        bpy.context.object.rotation_euler = (math.pi / 2, 0, heading)
        bpy.context.object.data.materials.append(stone_material("straw", "8a7440", "c9b26e", 22.0))
    elif kind == "trough":
        _box("trough", (x, y, z), (2.0, 0.7, 0.55), heading, plain_material("trough", "7f8688", 0.5, 0.5))
        _box("water", (x, y, z + 0.5), (1.85, 0.58, 0.06), heading, plain_material("water", "26343a", 0.08, 0.6))
    else:
        size = rng.uniform(0.25, 0.9) if kind == "rock" else 0.35
        bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=3, radius=size, location=(x, y, z + 0.15 * size))
        rock = bpy.context.object
        rock.scale, rock.rotation_euler = (1, rng.uniform(0.6, 1), rng.uniform(0.4, 0.9)), (0, 0, heading)
        colours = ("4c4740", "98938a") if kind == "rock" else ("3d2f22", "6b5540")
        rock.data.materials.append(stone_material(kind, *colours, 3.0))
    return Obstacle(x, y, 1.6)
