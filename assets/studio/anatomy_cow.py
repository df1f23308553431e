"""The cow: a Holstein's frame, with udder, horns, hump, dewlap and bulk as they vary between breeds."""

from __future__ import annotations

from dataclasses import dataclass

from studio.anatomy import Anatomy, Eye, HeadPoint, LegPlan
from studio.parts import Ear
from studio.shapes import SPINE, Primitive, capsule, ellipsoid, loft

HORNS = {
    "none": (),
    "short": ((0.0, 0.07, 0.075), (-0.01, 0.13, 0.085), (0.0, 0.185, 0.12), (0.03, 0.215, 0.18), (0.05, 0.215, 0.235)),
    "crescent": ((0.0, 0.07, 0.075), (0.0, 0.15, 0.07), (0.04, 0.21, 0.08), (0.10, 0.22, 0.11), (0.14, 0.19, 0.15)),
    "long": ((0.0, 0.07, 0.075), (0.0, 0.20, 0.06), (0.02, 0.35, 0.08), (0.05, 0.46, 0.17), (0.06, 0.50, 0.30)),
    "lyre": ((0.0, 0.06, 0.08), (-0.05, 0.13, 0.16), (-0.07, 0.19, 0.27), (-0.05, 0.21, 0.38), (-0.02, 0.17, 0.48)),
}
HEAD = [
    (-0.03, 0.03, -0.06, 0.05), (0.0, 0.06, -0.09, 0.085), (0.05, 0.083, -0.13, 0.112), (0.11, 0.088, -0.165, 0.124),
    (0.17, 0.082, -0.175, 0.118), (0.23, 0.070, -0.165, 0.103), (0.30, 0.060, -0.135, 0.086),
    (0.37, 0.054, -0.115, 0.079), (0.43, 0.052, -0.112, 0.087), (0.48, 0.045, -0.105, 0.093),
    (0.515, 0.025, -0.085, 0.080), (0.535, -0.01, -0.05, 0.045),
]  # fmt: skip


@dataclass(frozen=True)
class CowShape:
    """What differs in a cow's build: udder size (0 = none), a key of HORNS, hump height (metres), trunk width,
    dewlap depth, and whether the ears are long and hang.
    """

    udder: float = 1.0
    horns: str = "none"
    hump: float = 0.0
    bulk: float = 1.0
    dewlap: float = 1.0
    hanging_ears: bool = False


def cow(shape: CowShape) -> Anatomy:
    """The anatomy of a cow, about 1.4 m at the withers."""
    straight = Ear((0.045, 0.10, 0.025), (-0.12, 0.97, 0.02), (0.92, 0.12, 0.15), 0.225, 0.062, 0.55)
    hanging = Ear((0.045, 0.10, 0.020), (0.02, 0.66, -0.72), (0.85, 0.35, 0.30), 0.31, 0.072, 0.40)
    return Anatomy(
        torso=_trunk(shape) + (_udder(shape.udder) if shape.udder > 0 else []) + _withers(shape),
        neck=[
            ((0.60, 0, 1.14), (0.175, 0.235)), ((0.82, 0, 1.25), (0.120, 0.175)),
            ((1.01, 0, 1.36), (0.095, 0.135)), ((1.15, 0, 1.435), (0.09, 0.115)),
        ],
        neck_flesh=tuple(_dewlap(shape.dewlap)),
        head=HEAD, head_flesh=_face, poll=(1.16, 0, 1.47), head_size=1.10, head_pitch_deg=42, centre=(0, 0, 1.0),
        fore_leg=LegPlan(
            ((0.52, 0.18, 1.12), (0.42, 0.175, 0.80), (0.455, 0.155, 0.44), (0.44, 0.15, 0.15)),
            lambda side, leg: _fore_leg(side, leg, shape.bulk),
        ),
        hind_leg=LegPlan(((-0.60, 0.16, 1.10), (-0.47, 0.19, 0.85), (-0.735, 0.15, 0.53), (-0.70, 0.15, 0.15)), _hind_leg),
        tail=[
            ((-0.84, 0, 1.37), 0.045), ((-0.925, 0, 1.28), 0.034), ((-0.95, 0, 1.05), 0.026),
            ((-0.95, 0, 0.72), 0.020), ((-0.95, 0, 0.62), 0.042), ((-0.94, 0, 0.46), 0.016),
        ],
        tuft_from=3, ear=hanging if shape.hanging_ears else straight, eye=Eye(0.172, 0.105, 0.030, 0.027),
        muzzle=(0.405, 0.435), hoof_height=0.088, low_leg=(0.50, 0.80), horn=HORNS[shape.horns],
        horn_radius=0.034 if shape.horns in ("long", "lyre") else 0.026,
    )  # fmt: skip


def _trunk(shape: CowShape) -> list[Primitive]:
    b = shape.bulk
    stations = [
        (-0.89, 1.26, 1.06, 0.07), (-0.85, 1.335, 0.93, 0.15), (-0.76, 1.385, 0.82, 0.215), (-0.62, 1.405, 0.765, 0.255),
        (-0.48, 1.41, 0.715, 0.285), (-0.28, 1.40, 0.645, 0.325 * b), (-0.04, 1.385, 0.59, 0.365 * b),
        (0.20, 1.385, 0.585, 0.355 * b), (0.40, 1.40, 0.61, 0.30 * b), (0.56, 1.405, 0.635, 0.245 * b),
        (0.70, 1.34, 0.68, 0.205 * b), (0.81, 1.22, 0.76, 0.14), (0.87, 1.08, 0.85, 0.06),
    ]  # fmt: skip
    parts = [loft("body", SPINE, stations, middle=0.46, exponent=2.15, tag="torso")]
    for s in (1, -1):
        parts += [
            ellipsoid("body", (-0.47, s * 0.225, 1.315), (0.08, 0.055, 0.05), 0.11),  # hip bone
            ellipsoid("body", (-0.83, s * 0.115, 1.285), (0.05, 0.04, 0.045), 0.05),  # pin bone
            ellipsoid("body", (-0.33, s * 0.375, 1.215), (0.10, 0.045, 0.09), 0.10, carve=True),  # flank hollow
            ellipsoid("body", (0.29, s * 0.37, 1.10), (0.04, 0.06, 0.20), 0.12, carve=True),  # behind the shoulder
        ]
    return parts + [capsule("body", (-0.78, 0, 1.37), (0.50, 0, 1.365), (0.05, 0.03), (0.05, 0.03), 0.06)]


def _udder(size: float) -> list[Primitive]:
    parts = [
        ellipsoid("body", (-0.47, 0, 0.70), (0.20, 0.155, 0.155 * size), 0.06, tag="udder"),
        ellipsoid("body", (-0.58, 0, 0.70), (0.14, 0.15, 0.15 * size), 0.05, tag="udder"),
    ]
    for s in (1, -1):
        for x in (-0.60, -0.42):
            tip = 0.60 - 0.085 * size
            parts.append(capsule("body", (x, s * 0.075, 0.60), (x, s * 0.08, tip), 0.024, 0.016, 0.02, tag="udder"))
    return parts


def _withers(shape: CowShape) -> list[Primitive]:
    parts = [
        capsule("body", (0.46, 0, 1.36), (0.66, 0, 1.345), (0.06, 0.05), (0.05, 0.045), 0.10),
        capsule("neck1", (0.74, 0, 1.38), (1.10, 0, 1.475), (0.05, 0.045), (0.055, 0.04), 0.09),
    ]
    if shape.hump > 0:
        h = shape.hump
        parts += [
            ellipsoid("body", (0.50, 0, 1.36 + 0.4 * h), (0.20, 0.10, 0.06 + 0.5 * h), 0.10),
            ellipsoid("body", (0.45, 0, 1.36 + 0.9 * h), (0.12, 0.07, 0.04 + 0.35 * h), 0.06),
        ]
    return parts


def _dewlap(depth: float) -> list[Primitive]:
    d = depth
    parts = [
        capsule("neck0", (0.80, 0, 0.95), (1.02, 0, 1.20), (0.035, 0.10 * d), (0.03, 0.06 * d), 0.10),
        capsule("body", (0.70, 0, 0.80), (0.82, 0, 0.96), (0.06, 0.10 * d), (0.04, 0.10 * d), 0.12),
    ]
    if d > 1.7:
        parts.append(capsule("neck0", (0.84, 0, 0.82), (1.05, 0, 1.14), (0.022, 0.075), (0.020, 0.05), 0.06))
    return parts


def _face(h: HeadPoint) -> list[Primitive]:
    s = 1.10
    parts = []
    for q in (1, -1):
        parts += [
            ellipsoid("head", h(0.135, q * 0.098, 0.055), (0.05 * s, 0.035 * s, 0.028 * s), 0.04),  # brow
            ellipsoid("head", h(0.175, q * 0.135, 0.030), (0.034 * s, 0.022 * s, 0.026 * s), 0.02, carve=True),  # orbit
            ellipsoid("head", h(0.15, q * 0.085, -0.115), (0.10 * s, 0.035 * s, 0.055 * s), 0.05),  # jaw
            ellipsoid("head", h(0.28, q * 0.088, -0.055), (0.05 * s, 0.028 * s, 0.03 * s), 0.06),  # cheek
            ellipsoid("head", h(0.492, q * 0.050, 0.030), (0.035 * s, 0.030 * s, 0.026 * s), 0.03),  # nostril rim
            ellipsoid(
                "head", h(0.512, q * 0.058, 0.022), (0.020 * s, 0.017 * s, 0.020 * s), 0.012, carve=True, tag="nostril"
            ),
            capsule(
                "head", h(0.36, q * 0.105, -0.075), h(0.50, q * 0.08, -0.062), (0.018 * s, 0.008 * s),
                (0.02 * s, 0.008 * s), 0.012, carve=True, tag="mouth",
            ),
        ]  # fmt: skip
    crown = ellipsoid("head", h(0.0, 0, 0.06), (0.05 * s, 0.07 * s, 0.045 * s), 0.05)
    chin = ellipsoid("head", h(0.44, 0, -0.105), (0.06 * s, 0.05 * s, 0.03 * s), 0.03)
    return [*parts, crown, chin]


def _fore_leg(s: int, leg: str, bulk: float) -> list[Primitive]:
    y = 0.155
    return [
        capsule(
            leg + "0", (0.58, s * 0.165, 1.24), (0.46, s * 0.195 * bulk, 0.90), (0.085, 0.13), (0.085, 0.125), 0.10
        ),
        capsule(leg + "0", (0.47, s * 0.19, 0.93), (0.42, s * 0.175, 0.80), (0.085, 0.11), (0.07, 0.088), 0.06),
        capsule(leg + "1", (0.425, s * 0.172, 0.80), (0.45, s * y, 0.50), (0.072, 0.100), (0.045, 0.052), 0.05),
        ellipsoid(leg + "1", (0.458, s * y, 0.445), (0.052, 0.046, 0.065), 0.03),
        capsule(leg + "2", (0.45, s * y, 0.42), (0.44, s * 0.15, 0.18), (0.034, 0.040), (0.032, 0.036), 0.02),
        ellipsoid(leg + "2", (0.437, s * 0.15, 0.15), (0.047, 0.043, 0.045), 0.03),
        capsule(leg + "3", (0.44, s * 0.15, 0.14), (0.465, s * 0.15, 0.08), (0.040, 0.038), (0.046, 0.042), 0.02),
        *_claws(leg, s * 0.15, 0.470, 0.498),
    ]


def _hind_leg(s: int, leg: str) -> list[Primitive]:
    y = s * 0.15
    return [
        capsule(leg + "0", (-0.62, y, 1.18), (-0.52, s * 0.195, 0.87), (0.11, 0.20), (0.085, 0.15), 0.08),
        capsule(leg + "0", (-0.77, s * 0.12, 1.12), (-0.70, s * 0.14, 0.84), (0.085, 0.095), (0.06, 0.075), 0.08),
        capsule(leg + "1", (-0.52, s * 0.19, 0.86), (-0.70, s * 0.155, 0.565), (0.082, 0.15), (0.045, 0.066), 0.06),
        capsule(leg + "1", (-0.765, y, 0.60), (-0.745, y, 0.56), (0.022, 0.028), (0.03, 0.03), 0.04),
        capsule(leg + "2", (-0.735, y, 0.555), (-0.712, y, 0.46), (0.040, 0.055), (0.037, 0.045), 0.03),
        capsule(leg + "2", (-0.712, y, 0.47), (-0.70, y, 0.18), (0.034, 0.042), (0.032, 0.037), 0.02),
        ellipsoid(leg + "2", (-0.70, y, 0.15), (0.047, 0.043, 0.045), 0.03),
        capsule(leg + "3", (-0.70, y, 0.14), (-0.672, y, 0.08), (0.040, 0.038), (0.046, 0.042), 0.02),
        *_claws(leg, y, -0.668, -0.64),
    ]


def _claws(leg: str, y: float, back: float, front: float) -> list[Primitive]:
    return [
        capsule(
            leg + "3",
            (back, y + q * 0.026, 0.075),
            (front, y + q * 0.031, 0.012),
            (0.030, 0.045),
            (0.036, 0.055),
            0.010,
        )
        for q in (1, -1)
    ]
