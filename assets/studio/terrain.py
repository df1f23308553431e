"""The ground: its height as a function, and the mesh that shows it."""

from __future__ import annotations

import bpy
import numpy as np

from studio.places import Place
from studio.stage import add_mesh

RELIEF_M = {"lush": 1.0, "meadow": 0.7, "hills": 2.6, "stubble": 0.35, "mud": 0.8, "barnyard": 0.12, "snow": 1.1}
"""How strongly the ground near the camera rolls, relative to a lush meadow."""


class Ground:
    """Height in metres above the datum at (x, y), for numbers or arrays alike; zero mean near the camera."""

    def __init__(self, place: Place) -> None:
        rng = np.random.default_rng([place.seed, 1])
        self._relief = RELIEF_M[place.terrain]
        self._phase = rng.uniform(0, 6.28, 8)
        self._far = rng.uniform(0.1, 1.0) * (2.2 if place.terrain == "hills" else 1.0)
        self._slope = rng.normal(0, 0.012, 2) * self._relief
        self._mountains = float(rng.uniform(0, 70)) if rng.random() < 0.3 else 0.0

    def __call__(self, x: np.ndarray | float, y: np.ndarray | float) -> np.ndarray:
        """The height at points; broadcasts."""
        x, y = np.asarray(x, float), np.asarray(y, float)
        distance, p = np.hypot(x, y), self._phase
        near = 0.10 * np.sin(0.21 * x + p[0]) * np.cos(0.17 * y + p[1]) + 0.06 * np.sin(0.4 * y + 0.1 * x + p[2])
        roll = 0.5 * np.sin(0.055 * x + p[3]) * np.sin(0.047 * y + p[4])
        fade = np.clip(1.2 - distance / 120, 0.3, 1)
        rise = np.clip((distance - 25) / 220, 0, 1) ** 1.3
        hills = 5 + 7 * np.sin(0.011 * x + p[5]) + 4 * np.sin(0.013 * y + 0.006 * x + p[6])
        ridge = np.clip((distance - 160) / 420, 0, 1) ** 1.5 * (22 + 20 * np.sin(0.0065 * x + p[7]) + self._mountains)
        tilt = (self._slope[0] * x + self._slope[1] * y) * np.clip(1.6 - distance / 160, 0, 1)
        return (
            (near * fade + roll * np.clip(distance / 12, 0, 1) * fade) * self._relief
            + tilt
            + self._far * (rise * hills + ridge)
        )


def add_ground(ground: Ground, material: bpy.types.Material) -> bpy.types.Object:
    """A mesh of the ground, fine near the camera and coarse far away."""
    across, along = _graded(800, 241), _graded(950, 281)
    x, y = np.meshgrid(across, along, indexing="ij")
    vertices = np.stack([x.ravel(), y.ravel(), ground(x, y).ravel()], 1)
    number = np.arange(x.size).reshape(x.shape)
    corners = [number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]]
    faces = np.stack([corner.ravel() for corner in corners], 1)
    return add_mesh("ground", vertices, faces, material, smooth=True)


def _graded(limit: float, count: int) -> np.ndarray:
    """Positions from -limit to limit, densest around zero."""
    t = np.linspace(-1, 1, count)
    return np.sign(t) * limit * (0.08 * np.abs(t) + 0.92 * np.abs(t) ** 3)
