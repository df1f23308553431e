"""Putting a posed body onto the ground of a scene."""

from __future__ import annotations

import math
from collections.abc import Callable

import bpy
import numpy as np

Ground = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Maps x and y in metres to the ground's height."""

STEEPEST = 0.4
"""The steepest slope (rise over run) that a body follows."""


def place(
    thing: bpy.types.Object, vertices: np.ndarray, location_xy: tuple[float, float], heading_rad: float, ground: Ground
) -> None:
    """Give the object new vertices and a place; the body is sheared so that its feet follow the slope."""
    (x, y), reach_m = location_xy, 0.5
    ahead = np.array([math.cos(heading_rad), math.sin(heading_rad)]) * reach_m
    dx, dy = np.array([ahead[0], -ahead[0], -ahead[1], ahead[1]]), np.array([ahead[1], -ahead[1], ahead[0], -ahead[0]])
    front, back, left, right = np.asarray(ground(x + dx, y + dy), float)
    slopes = np.clip([(front - back) / (2 * reach_m), (left - right) / (2 * reach_m)], -STEEPEST, STEEPEST)
    sheared = vertices.copy()
    sheared[:, 2] += vertices[:, :2] @ slopes
    thing.data.vertices.foreach_set("co", sheared.astype(np.float32).ravel())
    thing.data.update()
    thing.location = (x, y, float(np.asarray(ground(x, y))))
    thing.rotation_euler = (0.0, 0.0, heading_rad)
