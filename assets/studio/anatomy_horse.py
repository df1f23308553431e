"""The horse."""

from __future__ import annotations

from studio.anatomy import Anatomy, Eye, HeadPoint, simple_leg
from studio.parts import Ear
from studio.shapes import SPINE, Primitive, capsule, ellipsoid, loft

TRUNK = [
    (-0.86, 1.33, 1.08, 0.08), (-0.80, 1.46, 0.98, 0.18), (-0.66, 1.54, 0.93, 0.25), (-0.45, 1.565, 0.92, 0.275),
    (-0.20, 1.50, 0.905, 0.27), (0.05, 1.455, 0.86, 0.285), (0.28, 1.475, 0.83, 0.27), (0.48, 1.545, 0.83, 0.235),
    (0.64, 1.47, 0.87, 0.205), (0.76, 1.34, 0.95, 0.15), (0.82, 1.20, 1.03, 0.07),
]  # fmt: skip
HEAD = [
    (-0.03, 0.03, -0.08, 0.05), (0, 0.06, -0.11, 0.075), (0.08, 0.075, -0.17, 0.095), (0.16, 0.072, -0.185, 0.10),
    (0.24, 0.06, -0.165, 0.085), (0.34, 0.052, -0.125, 0.062), (0.44, 0.048, -0.095, 0.054), (0.51, 0.048, -0.09, 0.058),
    (0.56, 0.035, -0.085, 0.055), (0.59, 0.0, -0.055, 0.03),
]  # fmt: skip
CREST = ((0.60, 0, 1.58), (0.76, 0, 1.72), (0.90, 0, 1.85), (1.03, 0, 1.92))


def horse() -> Anatomy:
    """The anatomy of a horse, about 1.55 m at the withers."""
    fore, hind = _legs()
    return Anatomy(
        torso=_trunk(),
        neck=[
            ((0.56, 0, 1.28), (0.15, 0.24)), ((0.76, 0, 1.47), (0.105, 0.18)),
            ((0.92, 0, 1.66), (0.085, 0.14)), ((1.05, 0, 1.79), (0.08, 0.11)),
        ],
        neck_flesh=tuple(
            capsule(f"neck{i}", CREST[i], CREST[i + 1], (0.022, 0.07), (0.022, 0.07), 0.012, tag="mane") for i in range(3)
        ),
        head=HEAD, head_flesh=_face, poll=(1.09, 0, 1.83), head_pitch_deg=50, centre=(0, 0, 1.1),
        fore_leg=fore, hind_leg=hind,
        tail=[
            ((-0.82, 0, 1.46), 0.035), ((-0.92, 0, 1.42), 0.05), ((-0.98, 0, 1.15), 0.062),
            ((-0.98, 0, 0.85), 0.06), ((-0.96, 0, 0.55), 0.02),
        ],
        tuft_from=0, ear=Ear((0.0, 0.055, 0.05), (0.05, 0.25, 0.95), (0.8, 0.5, 0), 0.17, 0.04, 0.6),
        eye=Eye(0.195, 0.088, 0.02, 0.022), muzzle=(0.50, 0.56), hoof_height=0.095, low_leg=(0.3, 0.6), lie_drop=0.79,
    )  # fmt: skip


def _trunk() -> list[Primitive]:
    parts = [loft("body", SPINE, TRUNK, middle=0.48, exponent=2.1)]
    for s in (1, -1):
        parts += [
            capsule("body", (0.55, s * 0.15, 1.36), (0.44, s * 0.16, 1.0), (0.08, 0.14), (0.075, 0.12), 0.1),
            capsule("body", (-0.72, s * 0.11, 1.26), (-0.66, s * 0.12, 0.98), (0.08, 0.10), (0.06, 0.08), 0.08),
        ]
    return parts


def _legs() -> tuple:
    fore_radii = [
        (0.085, 0.15),
        (0.075, 0.10),
        (0.042, 0.048),
        (0.048, 0.05),
        (0.030, 0.036),
        (0.040, 0.043),
        (0.05, 0.055),
    ]
    hind_radii = [
        (0.11, 0.21),
        (0.09, 0.155),
        (0.045, 0.062),
        (0.05, 0.058),
        (0.033, 0.04),
        (0.042, 0.045),
        (0.05, 0.055),
    ]
    fore = simple_leg([(0.50, 1.25), (0.42, 0.93), (0.45, 0.52), (0.445, 0.20), (0.48, 0.075)], fore_radii, 0.14)
    hind = simple_leg([(-0.58, 1.24), (-0.46, 0.98), (-0.74, 0.62), (-0.71, 0.20), (-0.67, 0.075)], hind_radii, 0.13)
    return fore, hind


def _face(h: HeadPoint) -> list[Primitive]:
    parts = []
    for q in (1, -1):
        parts += [
            ellipsoid("head", h(0.155, q * 0.085, 0.04), (0.05, 0.025, 0.025), 0.04),
            ellipsoid("head", h(0.20, q * 0.105, 0.02), (0.03, 0.015, 0.022), 0.02, carve=True),
            ellipsoid("head", h(0.14, q * 0.07, -0.11), (0.09, 0.03, 0.07), 0.05),
            ellipsoid("head", h(0.555, q * 0.045, 0.012), (0.022, 0.014, 0.018), 0.012, carve=True, tag="nostril"),
            capsule(
                "head", h(0.50, q * 0.07, -0.06), h(0.57, q * 0.05, -0.05), (0.018, 0.007), (0.02, 0.007), 0.012,
                carve=True, tag="mouth",
            ),
        ]  # fmt: skip
    forelock = capsule("head", h(-0.02, 0, 0.07), h(0.13, 0, 0.085), (0.035, 0.03), (0.012, 0.012), 0.012, tag="mane")
    return [*parts, forelock]
