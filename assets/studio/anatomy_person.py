"""The person: a clothed body of 1.78 m with a simple face, rigged like the animals."""

from __future__ import annotations

import numpy as np

from studio.bodies import Body
from studio.parts import ball
from studio.rig import Bone, Leg, Rig, skin_weights
from studio.shapes import UPRIGHT, Primitive, capsule, ellipsoid, loft, nearest
from studio.surface import mesh_of, smoothed

SLOTS = ("trousers", "shirt", "skin", "boots", "hat", "hair", "eye_white", "iris", "mouth")
"""Names of the material slots."""

SIDES = (("left", 1), ("right", -1))
HATS = ("none", "straw", "cap")
SHOULDER, ELBOW, WRIST = (-0.01, 0.205, 1.44), (-0.02, 0.265, 1.16), (0.02, 0.285, 0.92)
HIP, KNEE, ANKLE, BALL = (0.0, 0.10, 0.92), (0.02, 0.10, 0.49), (-0.01, 0.10, 0.085), (0.10, 0.10, 0.045)


def build_person(hat: str, voxel_m: float) -> Body:
    """Mesh a person wearing one of HATS at a voxel size in metres."""
    primitives, rig = _flesh(hat), Rig(_bones())
    vertices, faces = mesh_of(primitives, voxel_m)
    weights = smoothed(skin_weights(primitives, rig.names, vertices, 0.016), faces, 5)
    tags = np.stack([nearest(primitives, tag, vertices) for tag in SLOTS], 1).argmin(1)
    materials = np.median(tags[faces], 1).astype(int)
    for part, slot in _features():
        faces = np.concatenate([faces, part[1] + len(vertices)])
        vertices = np.concatenate([vertices, part[0]])
        carried = np.zeros((len(part[0]), len(rig.names)))
        carried[:, rig.names.index("head")] = 1
        weights = np.concatenate([weights, carried])
        materials = np.concatenate([materials, np.full(len(part[1]), SLOTS.index(slot))])
    return Body(
        vertices=vertices, faces=faces, materials=materials, weights=weights, masks={}, texture=vertices, rig=rig,
        legs=tuple(Leg(name, _mirrored(side, HIP, KNEE, ANKLE, BALL), False) for name, side in SIDES),
        poll=np.array([0.0, 0, 1.55]), mouth=np.array([0.12, 0, 1.6]), head_pitch=0.0, lift=1.0, lie_drop=0.0,
    )  # fmt: skip


def _mirrored(side: int, *points: tuple[float, float, float]) -> np.ndarray:
    return np.array(points) * (1, side, 1)


def _bones() -> dict[str, Bone]:
    bones = {
        "body": Bone(None, np.array([0, 0, 0.95])),
        "spine": Bone("body", np.array([0, 0, 1.05])),
        "head": Bone("spine", np.array([0, 0, 1.55])),
    }
    for name, side in SIDES:
        parents = ("body", f"{name}0", f"{name}1")
        for i, (parent, pivot) in enumerate(zip(parents, _mirrored(side, HIP, KNEE, ANKLE), strict=True)):
            bones[f"{name}{i}"] = Bone(parent, pivot)
        shoulder, elbow = _mirrored(side, SHOULDER, ELBOW)
        bones[f"{name}_arm"] = Bone("spine", shoulder)
        bones[f"{name}_forearm"] = Bone(f"{name}_arm", elbow)
    return bones


def _flesh(hat: str) -> list[Primitive]:
    parts = _trunk() + _head(hat)
    for name, side in SIDES:
        parts += _leg(name, side) + _arm(name, side)
    return parts


def _trunk() -> list[Primitive]:
    shirt = [
        (0.90, 0.105, -0.12, 0.165), (0.98, 0.105, -0.12, 0.165), (1.10, 0.105, -0.095, 0.155),
        (1.25, 0.125, -0.105, 0.175), (1.38, 0.12, -0.11, 0.19), (1.47, 0.085, -0.09, 0.165), (1.52, 0.05, -0.06, 0.08),
    ]  # fmt: skip
    seat = [(0.84, 0.08, -0.10, 0.12), (0.90, 0.115, -0.13, 0.172), (1.0, 0.112, -0.125, 0.168)]
    return [
        loft("spine", UPRIGHT, shirt, 0.04, exponent=2.4, tag="shirt"),
        loft("body", UPRIGHT, seat, 0.03, exponent=2.4, tag="trousers"),
        capsule("spine", (0.0, 0, 1.48), (0.015, 0, 1.58), 0.058, 0.055, 0.03, tag="skin"),
    ]


def _head(hat: str) -> list[Primitive]:
    parts = [
        ellipsoid("head", (0.025, 0, 1.665), (0.098, 0.078, 0.125), 0.03, tag="skin"),
        ellipsoid("head", (0.045, 0, 1.60), (0.070, 0.058, 0.060), 0.03, tag="skin"),  # jaw
        ellipsoid("head", (0.122, 0, 1.655), (0.022, 0.015, 0.026), 0.015, tag="skin"),  # nose
        ellipsoid("head", (-0.01, 0, 1.70), (0.105, 0.088, 0.11), 0.01, tag="hair"),
    ]
    if hat == "straw":
        brim = ellipsoid("head", (0.0, 0, 1.745), (0.19, 0.175, 0.014), 0.02, tag="hat")
        parts += [brim, ellipsoid("head", (0.0, 0, 1.775), (0.11, 0.095, 0.10), 0.02, tag="hat")]
    elif hat == "cap":
        peak = ellipsoid("head", (0.12, 0, 1.745), (0.085, 0.07, 0.012), 0.012, tag="hat")
        parts += [peak, ellipsoid("head", (0.0, 0, 1.755), (0.112, 0.094, 0.085), 0.012, tag="hat")]
    return parts


def _leg(name: str, side: int) -> list[Primitive]:
    hip, knee, ankle, _ = _mirrored(side, HIP, KNEE, ANKLE, BALL)
    toe, heel = ankle + (0.16, 0, -0.045), ankle + (-0.02, 0, -0.02)
    return [
        capsule(f"{name}0", hip, knee, (0.095, 0.105), (0.068, 0.072), 0.05, tag="trousers"),
        capsule(f"{name}1", knee, ankle, (0.068, 0.07), (0.056, 0.060), 0.03, tag="trousers"),
        capsule(f"{name}2", heel, toe, (0.048, 0.045), (0.05, 0.035), 0.02, tag="boots"),
        capsule(f"{name}1", ankle, ankle + (0, 0, 0.16), 0.062, 0.066, 0.01, tag="boots"),
    ]


def _arm(name: str, side: int) -> list[Primitive]:
    shoulder, elbow, wrist = _mirrored(side, SHOULDER, ELBOW, WRIST)
    palm = wrist + (0.015, 0, -0.06)
    return [
        capsule(f"{name}_arm", shoulder, elbow, 0.058, 0.046, 0.05, tag="shirt"),
        capsule(f"{name}_forearm", elbow, wrist, 0.046, 0.036, 0.02, tag="shirt"),
        ellipsoid(f"{name}_forearm", palm, (0.04, 0.026, 0.07), 0.02, tag="skin"),
        capsule(f"{name}_forearm", palm + (0.02, 0, 0.02), palm + (0.05, 0, -0.03), 0.014, 0.011, 0.01, tag="skin"),
    ]


def _features() -> list[tuple[tuple[np.ndarray, np.ndarray], str]]:
    """Ears, eyes, brows and mouth with the slots of their materials."""
    parts = [(ball((0.112, 0, 1.602), (0.010, 0.024, 0.006)), "mouth")]
    for side in (1, -1):
        parts += [
            (ball((0.012, side * 0.082, 1.665), (0.022, 0.012, 0.033)), "skin"),
            (ball((0.104, side * 0.032, 1.682), (0.013, 0.014, 0.010)), "eye_white"),
            (ball((0.112, side * 0.032, 1.682), (0.007, 0.0075, 0.0075)), "iris"),
            (ball((0.110, side * 0.033, 1.704), (0.007, 0.019, 0.004)), "hair"),
        ]
    return parts
