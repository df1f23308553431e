"""What describes a quadruped: primitives of its parts, joints, and where its face has what."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from studio.parts import Ear
from studio.shapes import Axis, Primitive, Radius, capsule, ellipsoid

HeadPoint = Callable[[float, float, float], np.ndarray]
Station = tuple[float, float, float, float]
Ring = tuple[tuple[float, float, float], Radius]


@dataclass(frozen=True)
class LegPlan:
    """Joints of the left leg (hip or shoulder, stifle or elbow, hock or knee, fetlock) and its flesh for a side."""

    joints: tuple[tuple[float, float, float], ...]
    flesh: Callable[[int, str], list[Primitive]]


@dataclass(frozen=True)
class Eye:
    """An eye in head coordinates: along the face, sideways, up from it, radius (metres)."""

    along: float
    side: float
    up: float
    radius: float


@dataclass(frozen=True)
class Anatomy:
    """A quadruped at rest, facing +x, feet on z = 0, in metres.

    ``neck`` has four rings, ``tail`` a ring per joint; ``head`` are loft stations along the face from the poll, which
    is tilted down by ``head_pitch_deg``. ``muzzle`` gives where along the face the bare nose begins and ends,
    ``low_leg`` between which heights a leg's markings fade, ``lie_drop`` how far the trunk sinks to lie.
    """

    torso: list[Primitive]
    neck: list[Ring]
    head: list[Station]
    head_flesh: Callable[[HeadPoint], list[Primitive]]
    poll: tuple[float, float, float]
    head_pitch_deg: float
    centre: tuple[float, float, float]
    fore_leg: LegPlan
    hind_leg: LegPlan
    tail: list[Ring]
    ear: Ear
    eye: Eye
    muzzle: tuple[float, float]
    hoof_height: float
    low_leg: tuple[float, float]
    neck_flesh: tuple[Primitive, ...] = ()
    horn: tuple[tuple[float, float, float], ...] = ()
    horn_radius: float = 0.026
    head_size: float = 1.0
    head_middle: float = 0.55
    neck_blend: float = 1.0
    neck_tag: str = "neck"
    tuft_from: int = 99
    softness: float = 0.03
    lift: float = 1.0
    lie_drop: float = 0.54
    displace: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def face_axis(self) -> Axis:
        """From the poll down the face."""
        a = math.radians(self.head_pitch_deg)
        return Axis(self.poll, (math.cos(a), 0, -math.sin(a)), (math.sin(a), 0, math.cos(a)))

    def head_point(self, along: float, side: float, up: float) -> np.ndarray:
        """A point of head coordinates, in unscaled head metres, in the body's coordinates."""
        axis, size = self.face_axis, self.head_size
        sideways = np.array([0.0, side, 0.0])
        return np.array(axis.origin) + size * (np.array(axis.along) * along + np.array(axis.up) * up + sideways)


LegRadii = list[tuple[float, float]]


def simple_leg(points: list[tuple[float, float]], radii: LegRadii, y: float, size: float = 1.0) -> LegPlan:
    """A leg from side-view points (shoulder, elbow, knee, fetlock, toe; hind legs alike) at ``y`` from the middle.

    ``radii`` are those of shoulder, elbow, lower forearm, knee, cannon, fetlock and foot; ``size`` scales the blends.
    """
    (x0, z0), (x1, z1), (x2, z2), (x3, z3), (x4, z4) = points
    upper_y = y + 0.02 * size
    r, k = radii, size

    def flesh(side: int, leg: str) -> list[Primitive]:
        out, mid = side * upper_y, side * y
        toe = (r[6][0] * 1.15, r[6][1] * 1.2)
        return [
            capsule(leg + "0", (x0, out, z0), (x1, out, z1), r[0], r[1], 0.08 * k),
            capsule(leg + "1", (x1, out, z1), (x2, mid, z2 + 0.05 * k), r[1], r[2], 0.05 * k),
            ellipsoid(leg + "1", (x2, mid, z2), (r[3][1], r[3][0], r[3][1] * 1.3), 0.03 * k),
            capsule(leg + "2", (x2, mid, z2), (x3, mid, z3), r[4], r[4], 0.02 * k),
            ellipsoid(leg + "2", (x3, mid, z3), (r[5][1], r[5][0], r[5][1]), 0.02 * k),
            capsule(leg + "3", (x3, mid, z3), (x4, mid, z4), r[5], r[6], 0.02 * k),
            capsule(leg + "3", (x4, mid, z4), (x4 + 0.012 * k, mid, 0.01), r[6], toe, 0.012 * k),
        ]

    joints = ((x0, upper_y, z0), (x1, upper_y, z1), (x2, y, z2), (x3, y, z3))
    return LegPlan(joints, flesh)
