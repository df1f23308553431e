"""Grass, stubble and flowers: a few tufts, set out by the thousand where the camera looks."""

from __future__ import annotations

import math

import bpy
import numpy as np

from studio.materials import BARE, GRASS, leaf_material
from studio.nodes import plain_material
from studio.places import Place
from studio.stage import add_mesh, set_float_attributes
from studio.terrain import Ground

ROOTS = {"spring": "2c4a18", "summer": "33501b", "dry": "6a5a30", "autumn": "4a4a22", "winter": "4a4c34"}
BLADE_STEPS = (0.0, 0.4, 0.75, 1.0)
REACH_M = 75.0


def scatter(
    name: str, child: bpy.types.Object, points: np.ndarray, sizes: np.ndarray, rng: np.random.Generator
) -> None:
    """Instance ``child`` at points (n, 3) in metres, scaled by ``sizes`` (n,), each turned at random."""
    count = len(points)
    turn = rng.random(count) * 2 * np.pi
    corners = np.zeros((count, 4, 3), np.float32)
    for corner, (dx, dy) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1))):
        corners[:, corner, 0] = points[:, 0] + 0.5 * sizes * (dx * np.cos(turn) - dy * np.sin(turn))
        corners[:, corner, 1] = points[:, 1] + 0.5 * sizes * (dx * np.sin(turn) + dy * np.cos(turn))
        corners[:, corner, 2] = points[:, 2]
    carrier = add_mesh(name, corners.reshape(-1, 3), np.arange(4 * count).reshape(count, 4))
    child.parent = carrier
    carrier.instance_type, carrier.use_instance_faces_scale = "FACES", True
    carrier.instance_faces_scale, carrier.show_instancer_for_render = 1.0, False


def add_grass(place: Place, ground: Ground, bearing: float, half_angle: float) -> None:
    """Tufts where the camera looks (``bearing`` from +Y, radians), dense near it and larger but fewer far away."""
    rng = np.random.default_rng([place.seed, 2])
    shades = BARE["stubble"] if place.terrain == "stubble" else GRASS[place.season]
    material = leaf_material("grass", place, shades, ROOTS[place.season], translucency=0.4, spread=0.35)
    height = place.grass_m * (2.2 if place.terrain == "lush" else 1.2 if place.terrain == "stubble" else 1.0)
    tufts = [
        _add_tuft(rng, material, blades, (low * height, high * height), radius)
        for blades, low, high, radius in (
            (34, 0.5, 1.3, 0.16),
            (26, 0.7, 1.7, 0.16),
            (46, 0.3, 0.9, 0.2),
            (16, 1.2, 2.6, 0.1),
        )
    ]
    count = place.grass_count // 5 if place.bare else place.grass_count
    distance = _distances(rng, count, place.camera_height_m)
    angle = bearing + rng.uniform(-half_angle, half_angle, count)
    x, y = distance * np.sin(angle), distance * np.cos(angle)
    points = np.stack([x, y, ground(x, y)], 1)
    sizes = rng.uniform(0.75, 1.3, count) * (1 + 0.03 * np.clip(distance - 6, 0, 50))
    kind = rng.choice(4, count, p=(0.34, 0.22, 0.38, 0.06))
    for number, tuft in enumerate(tufts):
        scatter(f"grass{number}", tuft, points[kind == number], sizes[kind == number], rng)
    if place.season in ("spring", "summer") and not place.bare and place.terrain != "stubble":
        _add_flowers(place, ground, bearing, half_angle, rng)


def _distances(rng: np.random.Generator, count: int, camera_height_m: float) -> np.ndarray:
    """Distances whose density falls outwards; a high camera sees nothing near its own foot point."""
    nearest, power = max(2.2, 0.5 * camera_height_m), 0.55
    low, high = nearest**power, (REACH_M + 2 * camera_height_m) ** power
    return (low + rng.random(count) * (high - low)) ** (1 / power)


def _add_tuft(
    rng: np.random.Generator, material: bpy.types.Material, blades: int, heights: tuple[float, float], radius: float
) -> bpy.types.Object:
    """One tuft of bent, tapering blades."""
    vertices, faces, tips, shades = [], [], [], []
    for _ in range(blades):
        first, shade = len(vertices), rng.random()
        for left, right, along in _blade(rng, heights, radius):
            vertices += [left, right]
            tips += [0.15 + 0.85 * along] * 2
            shades += [shade] * 2
        faces += [(first + 2 * j, first + 2 * j + 1, first + 2 * j + 3, first + 2 * j + 2) for j in range(3)]
    tuft = add_mesh("tuft", np.array(vertices), faces, material)
    set_float_attributes(tuft.data, tip=np.array(tips), shade=np.array(shades))
    return tuft


def _blade(rng: np.random.Generator, heights: tuple[float, float], radius: float) -> list[tuple]:
    """Left edge, right edge and relative height at four steps of one blade."""
    away, around = radius * math.sqrt(rng.random()), rng.random() * 2 * np.pi
    foot = np.array([away * math.cos(around), away * math.sin(around), -0.01])
    height, bend = rng.uniform(*heights), rng.random() * 2 * np.pi
    lean = rng.uniform(0.1, 0.7) * height * np.array([math.cos(bend), math.sin(bend), 0])
    side = 0.0065 * rng.uniform(0.7, 1.4) * np.array([-math.sin(bend), math.cos(bend), 0])
    blade = []
    for along in BLADE_STEPS:
        middle = foot + lean * along**2 + np.array([0, 0, height * along * (1 - 0.15 * along)])
        width = side * (1 - 0.93 * along**2)
        blade.append((middle - width, middle + width, along))
    return blade


def _add_flowers(place: Place, ground: Ground, bearing: float, half_angle: float, rng: np.random.Generator) -> None:
    """Small white and yellow heads in clusters."""
    for colour, count in (("f2f0e8", int(rng.integers(0, 260))), ("f3cf3a", int(rng.integers(0, 220)))):
        if not count:
            continue
        bpy.ops.mesh.primitive_uv_sphere_add(segments=8, ring_count=5, radius=0.022, location=(0, 0, 0.2))
        head = bpy.context.object
        head.scale = (1, 1, 0.5)
        head.data.materials.append(plain_material(f"flower{colour}", colour, 0.7))
        cluster = rng.integers(0, 14, count)
        distance, angle = rng.uniform(4, 28, 14), bearing + rng.uniform(-half_angle, half_angle, 14)
        x = distance[cluster] * np.sin(angle[cluster]) + rng.normal(0, 1.3, count)
        y = np.maximum(2.6, distance[cluster] * np.cos(angle[cluster]) + rng.normal(0, 1.6, count))
        height = place.grass_m * (1.6 if place.terrain == "lush" else 0.9)
        points = np.stack([x, y, ground(x, y) + height - 0.2], 1)
        scatter(f"flowers{colour}", head, points, rng.uniform(0.7, 1.3, count), rng)
