"""The dog: a herding dog with hanging ears."""

from __future__ import annotations

from studio.anatomy import Anatomy, Eye, HeadPoint, simple_leg
from studio.parts import Ear
from studio.shapes import SPINE, Primitive, capsule, ellipsoid, loft

SIZE = 0.42
TRUNK = [
    (-0.36, 0.52, 0.40, 0.03), (-0.33, 0.555, 0.37, 0.065), (-0.22, 0.575, 0.36, 0.085), (-0.08, 0.575, 0.35, 0.085),
    (0.08, 0.58, 0.31, 0.10), (0.20, 0.595, 0.28, 0.105), (0.30, 0.56, 0.30, 0.085), (0.35, 0.50, 0.35, 0.04),
]  # fmt: skip
HEAD = [
    (-0.05, 0.03, -0.05, 0.04), (-0.02, 0.055, -0.07, 0.065), (0.04, 0.065, -0.07, 0.075), (0.09, 0.05, -0.065, 0.06),
    (0.12, 0.022, -0.06, 0.042), (0.17, 0.012, -0.05, 0.034), (0.21, 0.008, -0.045, 0.030), (0.235, -0.005, -0.035, 0.02),
]  # fmt: skip
FORE_RADII = [
    (0.04, 0.06),
    (0.034, 0.042),
    (0.020, 0.023),
    (0.023, 0.025),
    (0.017, 0.019),
    (0.022, 0.024),
    (0.026, 0.034),
]
HIND_RADII = [
    (0.045, 0.085),
    (0.036, 0.06),
    (0.02, 0.026),
    (0.022, 0.026),
    (0.016, 0.018),
    (0.022, 0.023),
    (0.026, 0.034),
]


def dog(pricked_ears: bool = False) -> Anatomy:
    """The anatomy of a dog, about 0.58 m at the withers; its ears hang unless pricked."""
    pricked = Ear((-0.01, 0.04, 0.06), (-0.10, 0.28, 0.95), (0.9, 0.35, 0.1), 0.12, 0.036, 0.35)
    hanging = Ear((-0.01, 0.06, 0.05), (-0.1, 0.75, -0.25), (0.7, 0.6, 0.2), 0.10, 0.032, 0.2)
    return Anatomy(
        torso=[loft("body", SPINE, TRUNK, 0.03, middle=0.5, exponent=2.1)],
        neck=[
            ((0.26, 0, 0.49), (0.08, 0.095)), ((0.31, 0, 0.545), (0.07, 0.08)),
            ((0.345, 0, 0.59), (0.065, 0.07)), ((0.37, 0, 0.62), (0.062, 0.066)),
        ],
        head=HEAD, head_flesh=_face, poll=(0.385, 0, 0.645), head_size=1.06, head_pitch_deg=12, centre=(0, 0, 0.45),
        fore_leg=simple_leg(
            [(0.22, 0.47), (0.19, 0.34), (0.21, 0.19), (0.205, 0.065), (0.225, 0.03)], FORE_RADII, 0.055, SIZE
        ),
        hind_leg=simple_leg(
            [(-0.25, 0.49), (-0.18, 0.36), (-0.32, 0.21), (-0.30, 0.065), (-0.275, 0.03)], HIND_RADII, 0.05, SIZE
        ),
        tail=[((-0.34, 0, 0.54), 0.022), ((-0.42, 0, 0.55), 0.026), ((-0.50, 0, 0.62), 0.03), ((-0.53, 0, 0.72), 0.012)],
        tuft_from=2, ear=pricked if pricked_ears else hanging, eye=Eye(0.085, 0.045, 0.035, 0.012), muzzle=(0.212, 0.228),
        hoof_height=0.0, low_leg=(0.05, 0.2), neck_blend=0.5, softness=0.015, lift=0.5, lie_drop=0.255,
    )  # fmt: skip


def _face(h: HeadPoint) -> list[Primitive]:
    mouth = [
        capsule(
            "head", h(0.12, q * 0.045, -0.032), h(0.22, q * 0.035, -0.03), (0.012, 0.004), (0.012, 0.004), 0.006,
            carve=True, tag="mouth",
        )
        for q in (1, -1)
    ]  # fmt: skip
    return [ellipsoid("head", h(0.235, 0, -0.003), (0.016, 0.016, 0.014), 0.008), *mouth]
