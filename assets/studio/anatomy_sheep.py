"""The sheep in its fleece."""

from __future__ import annotations

import numpy as np

from studio.anatomy import Anatomy, Eye, HeadPoint, simple_leg
from studio.parts import Ear
from studio.shapes import SPINE, Primitive, ellipsoid, loft, smoothstep

SIZE = 0.55
TRUNK = [
    (-0.50, 0.70, 0.50, 0.06), (-0.46, 0.78, 0.42, 0.15), (-0.32, 0.83, 0.37, 0.20), (-0.05, 0.84, 0.35, 0.225),
    (0.18, 0.83, 0.35, 0.205), (0.34, 0.80, 0.38, 0.165), (0.43, 0.72, 0.44, 0.10), (0.46, 0.65, 0.5, 0.05),
]  # fmt: skip
HEAD = [
    (-0.03, 0.02, -0.04, 0.04), (0, 0.045, -0.06, 0.06), (0.05, 0.055, -0.075, 0.07), (0.10, 0.05, -0.075, 0.062),
    (0.16, 0.042, -0.062, 0.048), (0.22, 0.034, -0.055, 0.042), (0.26, 0.02, -0.045, 0.036), (0.275, -0.005, -0.03, 0.02),
]  # fmt: skip
FORE_RADII = [(0.06, 0.09), (0.05, 0.06), (0.026, 0.03), (0.028, 0.03), (0.021, 0.024), (0.026, 0.027), (0.028, 0.034)]
HIND_RADII = [
    (0.07, 0.12),
    (0.055, 0.09),
    (0.028, 0.036),
    (0.028, 0.034),
    (0.021, 0.025),
    (0.026, 0.027),
    (0.028, 0.034),
]


def sheep(shorn: bool = False) -> Anatomy:
    """The anatomy of a sheep, about 0.84 m at the withers; a shorn one lacks the curls."""
    return Anatomy(
        torso=[loft("body", SPINE, TRUNK, 0.04, middle=0.5, exponent=2.2, tag="wool")],
        neck=[
            ((0.34, 0, 0.68), (0.13, 0.15)), ((0.43, 0, 0.76), (0.11, 0.125)),
            ((0.49, 0, 0.82), (0.095, 0.105)), ((0.54, 0, 0.87), (0.075, 0.08)),
        ],
        head=HEAD, head_flesh=_face, poll=(0.56, 0, 0.90), head_pitch_deg=38, centre=(0, 0, 0.6),
        fore_leg=simple_leg(
            [(0.28, 0.62), (0.24, 0.43), (0.26, 0.25), (0.255, 0.085), (0.275, 0.035)], FORE_RADII, 0.09, SIZE
        ),
        hind_leg=simple_leg(
            [(-0.33, 0.64), (-0.26, 0.46), (-0.40, 0.29), (-0.38, 0.085), (-0.355, 0.035)], HIND_RADII, 0.085, SIZE
        ),
        tail=[((-0.48, 0, 0.72), 0.035), ((-0.53, 0, 0.66), 0.035), ((-0.535, 0, 0.55), 0.03), ((-0.53, 0, 0.48), 0.02)],
        ear=Ear((0.02, 0.055, 0.02), (-0.1, 0.95, -0.15), (0.9, 0.1, 0.2), 0.11, 0.03, 0.4),
        eye=Eye(0.085, 0.055, 0.022, 0.013), muzzle=(0.255, 0.27), hoof_height=0.045, low_leg=(0.2, 0.4),
        neck_blend=0.5, neck_tag="wool", softness=0.02, lift=0.6, lie_drop=0.3, displace=None if shorn else _curls,
    )  # fmt: skip


def _face(h: HeadPoint) -> list[Primitive]:
    nostrils = [
        ellipsoid("head", h(0.255, q * 0.025, 0.005), (0.012, 0.01, 0.01), 0.006, carve=True, tag="nostril")
        for q in (1, -1)
    ]
    return [*nostrils, ellipsoid("head", h(0, 0, 0.04), (0.06, 0.055, 0.04), 0.03, tag="wool")]


def _curls(vertices: np.ndarray) -> np.ndarray:
    """Push the fleece out in locks: two warped sine patterns, none on legs and face."""
    x, y, z = (vertices * 26).T
    wool = smoothstep(vertices[:, 2], 0.30, 0.42) * (1 - smoothstep(vertices[:, 0], 0.50, 0.58))
    locks = (
        np.sin(x + 1.7 * np.sin(y * 0.9)) * np.sin(y * 1.1 + 1.3 * np.sin(z)) * np.sin(z * 1.05 + 1.5 * np.sin(x * 0.8))
    )
    curls = np.sin(x * 2.1 + y) * np.sin(y * 2.3 - z) * np.sin(z * 2.2 + x * 0.7)
    outward = vertices - np.array([0, 0, 0.6])
    outward[:, 0] *= 0.35
    outward /= np.linalg.norm(outward, axis=1)[:, None] + 1e-6
    height = (np.abs(locks) ** 0.7 * 0.022 + np.abs(curls) ** 0.7 * 0.012) * wool
    return vertices + outward * height[:, None]
