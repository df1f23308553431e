"""Small meshes that are attached to bodies: ears, horns, eyes and the features of a face."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from studio.shapes import Point, smoothstep, unit

Mesh = tuple[np.ndarray, np.ndarray]


def _grid_faces(rings: int, around: int) -> np.ndarray:
    """Triangles (m, 3) between neighbouring rings of ``around`` vertices each."""
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(around), indexing="ij")
    a, b = i * around + j, i * around + (j + 1) % around
    quads = np.stack([a, b, b + around, a + around], -1).reshape(-1, 4)
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def ball(centre: Point, radii: Point, rings: int = 12, around: int = 16) -> Mesh:
    """An ellipsoid along the axes: vertices (n, 3) in metres and triangles."""
    a = np.linspace(0, math.pi, rings + 1)[:, None]
    b = np.linspace(0, 2 * math.pi, around, endpoint=False)[None]
    sphere = np.stack([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a) + 0 * b], -1).reshape(-1, 3)
    return np.array(centre, float) + sphere * np.array(radii, float), _grid_faces(rings + 1, around)[:, ::-1]


def horn(points: list[np.ndarray], radius: float, rings: int = 14, around: int = 10) -> Mesh:
    """A tapering tube of ``radius`` metres at its root along a smoothed polyline."""
    corners = np.array(points, float)
    at = np.linspace(0, len(corners) - 1, rings)
    path = np.stack([np.interp(at, np.arange(len(corners)), corners[:, i]) for i in range(3)], 1)
    for _ in range(2):
        path[1:-1] = (path[:-2] + 2 * path[1:-1] + path[2:]) / 4
    radii = np.linspace(1, 0, rings) ** 0.7 * radius + 0.003
    vertices, angles = [], 2 * math.pi * np.arange(around) / around
    for i in range(rings):
        ahead = unit(path[min(i + 1, rings - 1)] - path[max(i - 1, 0)])
        side = unit(np.cross(ahead, (0.13, 0.2, 0.97)))
        ring = np.outer(np.cos(angles), side) + np.outer(np.sin(angles), np.cross(ahead, side))
        vertices.append(path[i] + radii[i] * ring)
    return np.concatenate(vertices), _grid_faces(rings, around)


@dataclass(frozen=True)
class Ear:
    """An ear in head coordinates (along the face, sideways, up from it): root, direction, inner side, metres."""

    root: tuple[float, float, float]
    direction: tuple[float, float, float]
    inner: tuple[float, float, float]
    length: float
    width: float
    cup: float = 0.5
    thickness: float = 0.011


def ear_mesh(ear: Ear, root: np.ndarray, side: int, size: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The left (1) or right (-1) ear at ``root``: vertices, triangles, and how far each vertex is inside (0..1)."""
    mirror = np.array([1, side, 1])
    along = unit(np.array(ear.direction) * mirror)
    inward = np.array(ear.inner) * mirror
    inward = unit(inward - along * (inward @ along))
    across = np.cross(along, inward)
    rings = around = 14
    t, angle = np.meshgrid(np.linspace(0, 1, rings), 2 * math.pi * np.arange(around) / around, indexing="ij")
    x, z = np.cos(angle).ravel()[:, None], np.sin(angle).ravel()[:, None]
    t = t.ravel()[:, None]
    outline = np.maximum(0.03, np.sin(math.pi * (t * 0.93 + 0.05) ** 0.75)) ** 0.8
    width = ear.width * size * np.where(t < 0.25, np.maximum(outline, 0.42), outline)
    lift = ear.thickness * z * (1 - 0.6 * t) + ear.cup * width * (x * x - 0.4)
    length = ear.length * size
    sag = np.array([0, 0, 0.12]) * length * t * t
    inside = (np.maximum(0, z) * (1 - np.abs(x)) * smoothstep(t, 0.05, 0.3) * (1 - smoothstep(t, 0.7, 0.95))).ravel()
    vertices = root + along * length * t + across * width * x + inward * lift - sag
    return vertices, _grid_faces(rings, around), inside
