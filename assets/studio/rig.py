"""Bones, skin weights and linear blend skinning in numpy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from studio.shapes import Primitive

Rotations = dict[str, np.ndarray]


def rotation(axis: str, angle: float) -> np.ndarray:
    """A 3 x 3 rotation by ``angle`` radians about "x", "y" or "z"; about y, positive turns the nose down."""
    c, s = math.cos(angle), math.sin(angle)
    if axis == "y":
        return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    if axis == "z":
        return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def pitch(direction: np.ndarray) -> float:
    """The angle of a direction below the horizontal in the body's side view, in radians."""
    return math.atan2(-direction[2], direction[0])


@dataclass(frozen=True)
class Bone:
    """A bone's parent (None for the root) and the point in metres that it turns about."""

    parent: str | None
    pivot: np.ndarray


@dataclass(frozen=True)
class Rig:
    """Named bones, parents before children."""

    bones: Mapping[str, Bone]

    @property
    def names(self) -> list[str]:
        """The bones' names in the order of the weights' columns."""
        return list(self.bones)

    def transforms(self, rotations: Rotations, root: Sequence[float] = (0, 0, 0)) -> dict[str, np.ndarray]:
        """4 x 4 matrices from rest to pose; ``rotations`` are relative to the parent, ``root`` moves everything."""
        result: dict[str, np.ndarray] = {}
        for name, bone in self.bones.items():
            turn = rotations.get(name, np.eye(3))
            local = np.eye(4)
            local[:3, :3] = turn
            local[:3, 3] = bone.pivot - turn @ bone.pivot
            if bone.parent is None:
                local[:3, 3] += np.array(root, float)
                result[name] = local
            else:
                result[name] = result[bone.parent] @ local
        return result

    def skin(self, vertices: np.ndarray, weights: np.ndarray, transforms: dict[str, np.ndarray]) -> np.ndarray:
        """Vertices (n, 3) moved by their bones; ``weights`` (n, bones) sum to 1 in each row."""
        matrices = np.stack([transforms[name][:3].ravel() for name in self.names])
        blended = (weights @ matrices).reshape(-1, 3, 4)
        return np.einsum("vij,vj->vi", blended[:, :, :3], vertices) + blended[:, :, 3]


def skin_weights(
    primitives: Sequence[Primitive], names: Sequence[str], vertices: np.ndarray, softness_m: float
) -> np.ndarray:
    """Weights (n, bones): each bone counts by how close its primitives are, fading over ``softness_m``."""
    column = {name: i for i, name in enumerate(names)}
    distances = np.full((len(names), len(vertices)), 9.0)
    for primitive in primitives:
        if not primitive.carve:
            row = distances[column[primitive.bone]]
            np.minimum(row, primitive.distance(vertices), out=row)
    weights = np.exp(-np.maximum(distances - distances.min(0), 0) / softness_m)
    weights[weights < 0.004] = 0
    return (weights / weights.sum(0)).T


@dataclass(frozen=True)
class Leg:
    """A leg's four joints from the trunk down, shape (4, 3); fore legs bend back at the second, hind legs forwards."""

    name: str
    joints: np.ndarray
    fore: bool


def reach(leg: Leg, target_xz: tuple[float, float], shank_pitch: float, foot_pitch: float) -> Rotations:
    """Rotations that bring a leg's last joint to a target in its plane (two-bone inverse kinematics).

    ``shank_pitch`` turns the part above that joint and ``foot_pitch`` the foot, both absolute and in radians.
    """
    hip, knee, hock, fetlock = leg.joints
    upper, lower = (float(np.linalg.norm((b - a)[[0, 2]])) for a, b in ((hip, knee), (knee, hock)))
    shank = rotation("y", shank_pitch) @ (fetlock - hock)
    span = np.array([target_xz[0] - shank[0] - hip[0], 0, target_xz[1] - shank[2] - hip[2]])
    distance = float(np.clip(np.linalg.norm(span), abs(upper - lower) + 0.01, (upper + lower) * 0.999))
    at_hip = _corner(upper, distance, lower)
    at_knee = _corner(upper, lower, distance)
    side = 1 if leg.fore else -1
    upper_pitch = pitch(span) + side * at_hip
    lower_pitch = upper_pitch - side * (math.pi - at_knee)
    first, second = upper_pitch - pitch(knee - hip), lower_pitch - pitch(hock - knee)
    turns = (first, second - first, shank_pitch - second, foot_pitch - shank_pitch)
    return {f"{leg.name}{i}": rotation("y", turn) for i, turn in enumerate(turns)}


def _corner(a: float, b: float, opposite: float) -> float:
    """The angle between sides a and b of a triangle, by the law of cosines."""
    return math.acos(np.clip((a * a + b * b - opposite * opposite) / (2 * a * b), -1, 1))
