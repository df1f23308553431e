"""From primitives to a smooth triangle mesh: blended field, marching cubes, volume-keeping smoothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from skimage.measure import marching_cubes

from studio.shapes import Primitive

TAUBIN_STEPS = (0.55, -0.56, 0.55, -0.56, 0.4)
"""Alternating shrink and inflate factors (Taubin, 1995); the last only shrinks and rounds off voxel steps."""


def mesh_of(primitives: Sequence[Primitive], voxel_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n, 3) in metres and triangles (m, 3) of the blended surface above the plane z = 0."""
    added = [p for p in primitives if not p.carve]
    low = np.min([p.low for p in added], 0) - 4 * voxel_m
    high = np.max([p.high for p in added], 0) + 4 * voxel_m
    axes = [low[i] + voxel_m * np.arange(int(np.ceil((high[i] - low[i]) / voxel_m)) + 1) for i in range(3)]
    field = np.full([len(axis) for axis in axes], 1.0, np.float32)
    for primitive in added + [p for p in primitives if p.carve]:
        _blend_into(field, axes, primitive, voxel_m)
    field = np.maximum(field, -axes[2][None, None, :].astype(np.float32))
    vertices, faces, _, _ = marching_cubes(field, 0.0, spacing=(voxel_m,) * 3)
    faces = faces[:, ::-1].astype(np.int64)
    neighbours = adjacency(faces, len(vertices))
    for step in TAUBIN_STEPS:
        vertices = vertices + step * (neighbours @ vertices - vertices)
    return vertices + low, faces


def _blend_into(field: np.ndarray, axes: list[np.ndarray], primitive: Primitive, voxel_m: float) -> None:
    """Unite (or carve) one primitive with the field by a polynomial smooth minimum, inside its bounds only."""
    margin = primitive.blend + 3 * voxel_m
    ranges = []
    for i, axis in enumerate(axes):
        first = int(np.floor((primitive.low[i] - margin - axis[0]) / voxel_m))
        last = int(np.ceil((primitive.high[i] + margin - axis[0]) / voxel_m)) + 1
        ranges.append(slice(max(first, 0), min(max(last, 0), len(axis))))
    grid = np.meshgrid(*[axis[r] for axis, r in zip(axes, ranges, strict=True)], indexing="ij")
    if not grid[0].size:
        return
    distance = primitive.distance(np.stack([g.ravel() for g in grid], 1)).reshape(grid[0].shape).astype(np.float32)
    part, k = field[tuple(ranges)], primitive.blend
    sign = -1.0 if primitive.carve else 1.0
    bridge = np.maximum(k - np.abs(part - sign * distance), 0) / k
    united = np.maximum(part, -distance) if primitive.carve else np.minimum(part, distance)
    part[...] = united - sign * bridge * bridge * k * 0.25


def adjacency(faces: np.ndarray, count: int) -> csr_matrix:
    """The matrix (count, count) that replaces a value at each vertex by the mean of its neighbours'."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.concatenate([edges, edges[:, ::-1]])
    matrix = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count)).tocsr()
    degree = np.maximum(np.asarray(matrix.sum(1)).ravel(), 1)
    matrix.data /= np.repeat(degree, np.diff(matrix.indptr))
    return matrix


def smoothed(values: np.ndarray, faces: np.ndarray, rounds: int = 8, rate: float = 0.6) -> np.ndarray:
    """Values (n, k) at the vertices, spread over the mesh by Laplacian smoothing."""
    neighbours = adjacency(faces, len(values))
    for _ in range(rounds):
        values = (1 - rate) * values + rate * (neighbours @ values)
    return values
