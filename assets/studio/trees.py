"""Trees and bushes: leaf cards in shells around dark cores, near ones with more and smaller leaves."""

from __future__ import annotations

import math

import bpy
import numpy as np

from studio.materials import LEAVES, bark_material, leaf_material
from studio.places import Place
from studio.stage import add_mesh, set_float_attributes
from studio.terrain import Ground
from studio.vegetation import scatter

SHAPES = (("round", 9.0, 15000), ("tall", 12.0, 15000), ("cone", 12.0, 11000), ("bush", 3.0, 7000))
"""Shape, height in metres and number of leaves of the four kinds that a place has."""


def add_trees(place: Place, ground: Ground, bearing: float, half_angle: float) -> None:
    """A tree line at the place's distance, single trees and bushes before it, a wood far behind."""
    rng = np.random.default_rng([place.seed, 3])
    leaves = leaf_material("leaves", place, LEAVES[place.season], "18260e", translucency=0.3)
    bark = bark_material(place)
    kinds = [_add_tree(rng, shape, height, count, leaves, bark) for shape, height, count in SHAPES]
    spots: list[list[tuple[float, float, float]]] = [[] for _ in kinds]
    for kind, distance, angle, size in _positions(place, rng, half_angle):
        spots[kind].append((distance * math.sin(angle + bearing), distance * math.cos(angle + bearing), size))
    for number, (tree, placed) in enumerate(zip(kinds, spots, strict=True)):
        if not placed:
            bpy.data.objects.remove(tree)
            continue
        x, y, size = np.array(placed).T
        scatter(f"trees{number}", tree, np.stack([x, y, ground(x, y) - 0.1], 1), size, rng)


def _positions(place: Place, rng: np.random.Generator, half_angle: float) -> list[tuple[int, float, float, float]]:
    """(kind, distance, angle, size) of every tree."""
    trees = []
    hedge = rng.random() < 0.6
    for _ in range(place.trees):
        distance = place.treeline_m * (rng.normal(1.0, 0.06) if hedge else rng.uniform(0.6, 1.8))
        angle = rng.uniform(-1.15, 1.15) * half_angle
        kind = int(rng.choice(4, p=(0.3, 0.2, 0.1, 0.4) if hedge else (0.38, 0.26, 0.14, 0.22)))
        trees.append((kind, max(38.0, distance), angle, rng.uniform(0.6, 1.3)))
    if hedge:
        trees += _hedgerow(place, rng, half_angle)
    closed = rng.random() < 0.5
    for _ in range(240 if closed else 120):
        distance, angle = rng.uniform(230, 430), rng.uniform(-1.15, 1.15) * half_angle
        if closed or math.sin(9 * angle + place.seed) > -0.2:
            trees.append((int(rng.choice(3, p=(0.45, 0.35, 0.2))), distance, angle, rng.uniform(0.9, 1.5)))
    return trees


def _hedgerow(place: Place, rng: np.random.Generator, half_angle: float) -> list[tuple[int, float, float, float]]:
    """Bushes side by side across the whole view, with a gap now and then."""
    span = 2.3 * half_angle * place.treeline_m
    angles = np.linspace(-1.15, 1.15, max(2, int(span / 2.6))) * half_angle
    return [
        (3, place.treeline_m * float(rng.normal(1.0, 0.015)), float(angle), float(rng.uniform(0.5, 1.25)))
        for angle in angles if rng.random() < 0.93
    ]  # fmt: skip


def _crown(rng: np.random.Generator, shape: str, height: float) -> list[tuple[np.ndarray, float]]:
    """Spheres (centre, radius) that make the crown."""
    if shape == "cone":
        steps = np.linspace(0, 1, 10)
        return [(np.array([0, 0, height * (0.18 + 0.77 * t)]), height * (0.19 * (1 - t) + 0.03)) for t in steps]
    low, high, spread, count, radius = {
        "round": (0.38, 0.78, 0.27, 13, (0.12, 0.20)),
        "tall": (0.30, 0.85, 0.17, 14, (0.10, 0.17)),
        "bush": (0.20, 0.60, 0.5, 9, (0.24, 0.40)),
    }[shape]
    crown = [(np.array([0, 0, (low + high) / 2 * height]), height * radius[1] * 1.2)]
    for _ in range(count):
        angle, away = rng.random() * 2 * np.pi, rng.uniform(0, spread) * height
        centre = np.array([away * math.cos(angle), away * math.sin(angle), rng.uniform(low, high) * height])
        crown.append((centre, height * rng.uniform(*radius)))
    return crown


def _add_tree(
    rng: np.random.Generator, shape: str, height: float, leaves: int, leaf: bpy.types.Material, bark: bpy.types.Material
) -> bpy.types.Object:
    crown = _crown(rng, shape, height)
    area = sum(radius**2 for _, radius in crown)
    parts = [_leaf_cards(rng, centre, radius, int(leaves * radius**2 / area), height) for centre, radius in crown]
    vertices = np.concatenate([part[0] for part in parts])
    tips, shades = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    faces = np.arange(len(vertices)).reshape(-1, 4).tolist()
    cards = len(faces)
    trunk_vertices, trunk_faces = _trunk(height, bushy=shape == "bush")
    faces += [tuple(i + len(vertices) for i in face) for face in trunk_faces]
    tree = add_mesh("tree", np.concatenate([vertices, trunk_vertices]), faces, leaf)
    tree.data.materials.append(bark)
    of_bark = np.arange(len(tree.data.polygons)) >= cards
    tree.data.polygons.foreach_set("material_index", of_bark.astype(np.int32))
    ones = np.ones(len(trunk_vertices))
    set_float_attributes(tree.data, tip=np.concatenate([tips, ones]), shade=np.concatenate([shades, ones / 2]))
    return tree


def _leaf_cards(
    rng: np.random.Generator, centre: np.ndarray, radius: float, count: int, height: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners (4 * count, 3) of leaves in a ball (mostly its shell), their ``tip`` (light above) and ``shade``."""
    outward = rng.normal(size=(count, 3))
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    place = centre + outward * radius * (rng.uniform(0.35, 1.08, (count, 1)) ** 0.5) * np.array([1, 1, 0.85])
    normal = outward + rng.normal(size=(count, 3)) * 0.6
    across = np.cross(normal, rng.normal(size=(count, 3)))
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    along = np.cross(normal, across)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    size = 0.0105 * max(height, 5.0) * rng.uniform(0.6, 1.3, (count, 1))
    across, along = across * size, along * size
    corners = np.stack([place - across - 0.6 * along, place + across - 0.6 * along,
                        place + 0.7 * across + 0.9 * along, place - 0.7 * across + 0.9 * along], 1)  # fmt: skip
    inner = np.clip(np.linalg.norm((place - centre) / radius, axis=1), 0, 1)
    light = np.clip(0.35 + 0.65 * (place[:, 2] / height - 0.25) / 0.7, 0.15, 1) * (0.3 + 0.7 * inner**2)
    return corners.reshape(-1, 3), np.repeat(light, 4), np.repeat(rng.random(count), 4)


def _trunk(height: float, *, bushy: bool) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """An eight-sided tapering trunk, slightly crooked."""
    levels, radii = (
        np.array([-0.3, 0.2 * height, 0.4 * height, 0.7 * height]),
        np.array([0.035, 0.026, 0.02, 0.008]) * height,
    )
    if bushy:
        radii = radii * 0.5
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    rings = [
        np.stack([r * np.cos(angle) + 0.01 * height * np.sin(3 * z), r * np.sin(angle), np.full(8, z)], 1)
        for z, r in zip(levels, radii, strict=True)
    ]
    faces = [
        (8 * k + j, 8 * k + (j + 1) % 8, 8 * (k + 1) + (j + 1) % 8, 8 * (k + 1) + j) for k in range(3) for j in range(8)
    ]
    return np.concatenate(rings), faces
