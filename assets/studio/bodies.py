"""Rest bodies: a mesh with skin weights, surface masks and a rig, and how its proportions are varied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from studio.rig import Bone, Leg, Rig
from studio.shapes import smoothstep


@dataclass(frozen=True)
class Body:
    """A body at rest, facing +x, feet on z = 0.

    ``vertices`` (n, 3) in metres, ``faces`` (m, 3), ``materials`` (m,) slots, ``weights`` (n, bones); ``masks`` give
    for each name how much of a surface (hoof, muzzle, ...) a vertex is, 0..1. ``texture`` (n, 3) are the coordinates
    that coats are painted in; they stay when proportions change. ``mouth`` is the tip of the face.
    """

    vertices: np.ndarray
    faces: np.ndarray
    materials: np.ndarray
    weights: np.ndarray
    masks: Mapping[str, np.ndarray]
    texture: np.ndarray
    rig: Rig
    legs: tuple[Leg, ...]
    poll: np.ndarray
    mouth: np.ndarray
    head_pitch: float
    lift: float
    lie_drop: float

    @property
    def hip_height(self) -> float:
        """Height of the body's centre in metres; strides scale with it."""
        return float(self.rig.bones["body"].pivot[2])


@dataclass(frozen=True)
class Proportions:
    """Factors on a body's parts: length and width of the trunk, leg length, head size, and belly depth in metres."""

    length: float = 1.0
    width: float = 1.0
    legs: float = 1.0
    head: float = 1.0
    belly: float = 0.0


def draw_proportions(rng: np.random.Generator, youth: float = 0.0) -> Proportions:
    """Random proportions; ``youth`` (0..1) makes legs long, head big and trunk slim as in a calf."""
    return Proportions(
        length=float(np.clip(rng.normal(1.0, 0.03), 0.93, 1.07)) * (1 - 0.10 * youth),
        width=float(np.clip(rng.normal(1.0, 0.06), 0.87, 1.15)) * (1 - 0.12 * youth),
        legs=float(np.clip(rng.normal(1.0, 0.04), 0.91, 1.09)) * (1 + 0.16 * youth),
        head=float(np.clip(rng.normal(1.0, 0.04), 0.91, 1.09)) * (1 + 0.18 * youth),
        belly=float(rng.uniform(-0.03, 0.05)) * (1 - youth),
    )


def reshaped(body: Body, shape: Proportions) -> Body:
    """The body with other proportions: its vertices, bones and leg joints moved by the same smooth map."""
    scale = body.hip_height
    vertices = _belly(body, shape.belly * scale)
    vertices = _warp(vertices, shape, scale)
    poll, head = _warp(body.poll[None], shape, scale)[0], body.weights[:, body.rig.names.index("head")]
    vertices = vertices + ((shape.head - 1) * head)[:, None] * (vertices - poll)
    bones = {n: Bone(b.parent, _warp(b.pivot[None], shape, scale)[0]) for n, b in body.rig.bones.items()}
    legs = tuple(replace(leg, joints=_warp(leg.joints, shape, scale)) for leg in body.legs)
    mouth = poll + shape.head * (_warp(body.mouth[None], shape, scale)[0] - poll)
    return replace(body, vertices=vertices, rig=Rig(bones), legs=legs, poll=poll, mouth=mouth)


def _warp(points: np.ndarray, shape: Proportions, scale: float) -> np.ndarray:
    """Stretch along x and y, and along z only below the elbow, which lifts all above it."""
    elbow = 0.8 * scale
    x, y, z = points.T
    trunk = smoothstep(z, 0.3 * elbow, elbow)
    return np.stack(
        [x * shape.length, y * (1 + (shape.width - 1) * trunk), z + (shape.legs - 1) * np.minimum(z, elbow)], 1
    )


def _belly(body: Body, depth_m: float) -> np.ndarray:
    """Lower the underside of the trunk between the legs."""
    x, _, z = body.vertices.T
    scale = body.hip_height
    trunk = body.weights[:, body.rig.names.index("body")]
    between = np.exp(-(((x + 0.05 * scale) / (0.33 * scale)) ** 2)) * (1 - smoothstep(z, 0.6 * scale, 1.1 * scale))
    lowered = body.vertices.copy()
    lowered[:, 2] -= depth_m * trunk * between
    return lowered
