"""Where objects fall in the camera's picture, from their geometry alone: projections and silhouettes."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from scipy.ndimage import binary_closing

SAMPLES_PER_TRIANGLE = np.array(
    [(0, 0), (1, 0), (0, 1), (1 / 3, 1 / 3), (0.5, 0), (0, 0.5), (0.5, 0.5), (0.15, 0.7), (0.7, 0.15), (0.2, 0.2)],
    np.float32,
)
"""Barycentric (v, w) of the points that stand for a triangle when it is splatted."""


@dataclass(frozen=True)
class Projector:
    """Maps world points to pixels; pixel (0, 0) covers [0, 1) x [0, 1), rows grow downwards."""

    matrix: np.ndarray
    focal_px: float
    resolution_wh: tuple[int, int]

    def __call__(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World points (n, 3) in metres as pixels xy (n, 2) and depths along the view axis (n,) in metres."""
        homogeneous = points @ self.matrix[:, :3].T + self.matrix[:, 3]
        depth = homogeneous[:, 3]
        xy = homogeneous[:, :2] / np.maximum(depth, 1e-6)[:, None]
        width, height = self.resolution_wh
        return np.stack([(xy[:, 0] + 1) / 2 * width, (1 - xy[:, 1]) / 2 * height], 1), depth


def camera_projector(camera: bpy.types.Object, resolution_wh: tuple[int, int]) -> Projector:
    """The Projector of a perspective camera."""
    bpy.context.view_layer.update()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    projection = np.array(camera.calc_matrix_camera(depsgraph, x=resolution_wh[0], y=resolution_wh[1]))
    focal_px = float(projection[0, 0]) * resolution_wh[0] / 2
    return Projector(projection @ np.array(camera.matrix_world.inverted()), focal_px, resolution_wh)


def world_vertices(thing: bpy.types.Object) -> np.ndarray:
    """An object's vertices (n, 3) in world metres."""
    coordinates = np.empty(len(thing.data.vertices) * 3, np.float32)
    thing.data.vertices.foreach_get("co", coordinates)
    matrix = np.array(thing.matrix_world, np.float32)
    return coordinates.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def triangles(thing: bpy.types.Object) -> np.ndarray:
    """The vertex indices (n, 3) of an object's triangles; larger polygons are split."""
    mesh = thing.data
    mesh.calc_loop_triangles()
    corners = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", corners)
    return corners.reshape(-1, 3)


def splat(xy: np.ndarray, faces: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """A boolean picture (height, width) of triangles, each drawn as ten points; those outside it are dropped."""
    mask = np.zeros((size_wh[1], size_wh[0]), bool)
    a, ab, ac = xy[faces[:, 0]], xy[faces[:, 1]] - xy[faces[:, 0]], xy[faces[:, 2]] - xy[faces[:, 0]]
    for v, w in SAMPLES_PER_TRIANGLE:
        column, row = np.floor(a + ab * v + ac * w).astype(np.int32).T
        inside = (column >= 0) & (column < size_wh[0]) & (row >= 0) & (row < size_wh[1])
        mask[row[inside], column[inside]] = True
    return mask


@dataclass(frozen=True)
class Outline:
    """The full extent of an object in the picture: its unclipped box (x0, y0, x1, y1) and its pixels in the frame."""

    box: tuple[float, float, float, float]
    silhouette_px: int


def outline(thing: bpy.types.Object, projector: Projector) -> Outline:
    """An object's silhouette as if nothing stood before it, counted within the frame."""
    xy, depth = projector(world_vertices(thing))
    if (depth <= 0.05).any():
        raise ValueError(f"{thing.name} reaches behind the camera; keep animals in front of it")
    low, high = xy.min(0), xy.max(0)
    return Outline((*map(float, low), *map(float, high)), _silhouette_px(xy, triangles(thing), projector.resolution_wh))


def _silhouette_px(xy: np.ndarray, faces: np.ndarray, frame_wh: tuple[int, int]) -> int:
    """Pixels whose centre the triangles cover: splatted on a finer grid, so that dots do not fatten the outline."""
    frame = np.array(frame_wh)
    low = np.clip(np.floor(xy.min(0)) - 2, 0, frame).astype(int)
    high = np.clip(np.ceil(xy.max(0)) + 2, 0, frame).astype(int)
    if (high <= low).any():
        return 0
    finer = int(np.clip(1000 / (xy.max(0) - xy.min(0)).max(), 1, 4))
    fine = splat((xy - low) * finer, faces, tuple((high - low) * finer))
    fine = np.pad(fine, 4)
    fine = binary_closing(fine, np.ones((3, 3)), iterations=2)[4:-4, 4:-4]
    return int(fine[finer // 2 :: finer, finer // 2 :: finer].sum())
