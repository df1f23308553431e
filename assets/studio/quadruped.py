"""From an anatomy to a rest body: meshing, skinning, painting masks, attaching ears, horns and eyes."""

from __future__ import annotations

import math

import numpy as np

from studio.anatomy import Anatomy
from studio.bodies import Body
from studio.parts import ball, ear_mesh, horn
from studio.rig import Bone, Leg, Rig, skin_weights
from studio.shapes import Primitive, capsule, loft, nearest, smoothstep
from studio.surface import mesh_of, smoothed

COAT, HORN, EYE = 0, 1, 2
"""Material slots."""

LEGS = (("fl", 1, True), ("fr", -1, True), ("rl", 1, False), ("rr", -1, False))
MASKS = (
    "muzzle", "ring", "blaze", "hoof", "leg", "low_leg", "udder", "tuft", "nostril", "mouth", "eye_ring",
    "inner_ear", "ear", "head", "mane", "wool",
)  # fmt: skip


def build_quadruped(anatomy: Anatomy, voxel_m: float) -> Body:
    """Mesh an anatomy at a voxel size in metres."""
    legs = _legs(anatomy)
    primitives = _flesh(anatomy)
    rig = Rig(_bones(anatomy, legs))
    vertices, faces = mesh_of(primitives, voxel_m)
    weights = smoothed(skin_weights(primitives, rig.names, vertices, anatomy.softness), faces)
    masks = _masks(anatomy, primitives, rig, vertices, weights)
    if anatomy.displace is not None:
        vertices = anatomy.displace(vertices)
    assembly = _Assembly(rig.names, vertices, faces, weights, masks)
    _attach(anatomy, assembly)
    vertices = np.concatenate(assembly.vertices)
    return Body(
        vertices=vertices, faces=np.concatenate(assembly.faces), materials=np.concatenate(assembly.materials),
        weights=np.concatenate(assembly.weights), texture=vertices,
        masks={name: np.concatenate(values) for name, values in assembly.masks.items()},
        rig=rig, legs=legs, poll=np.array(anatomy.poll, float), mouth=anatomy.head_point(anatomy.head[-1][0], 0, 0),
        head_pitch=math.radians(anatomy.head_pitch_deg), lift=anatomy.lift, lie_drop=anatomy.lie_drop,
    )  # fmt: skip


def _legs(anatomy: Anatomy) -> tuple[Leg, ...]:
    plans = {True: anatomy.fore_leg, False: anatomy.hind_leg}
    return tuple(Leg(name, np.array(plans[fore].joints) * (1, side, 1), fore) for name, side, fore in LEGS)


def _bones(anatomy: Anatomy, legs: tuple[Leg, ...]) -> dict[str, Bone]:
    bones = {"body": Bone(None, np.array(anatomy.centre, float))}
    for i in range(3):
        bones[f"neck{i}"] = Bone("body" if i == 0 else f"neck{i - 1}", np.array(anatomy.neck[i][0], float))
    bones["head"] = Bone("neck2", np.array(anatomy.poll, float))
    for leg in legs:
        for i, joint in enumerate(leg.joints):
            bones[f"{leg.name}{i}"] = Bone("body" if i == 0 else f"{leg.name}{i - 1}", joint)
    step = max(1, (len(anatomy.tail) - 1) // 3)
    for i in range(3):
        pivot = anatomy.tail[min(i * step, len(anatomy.tail) - 2)][0]
        bones[f"tail{i}"] = Bone("body" if i == 0 else f"tail{i - 1}", np.array(pivot, float))
    return bones


def _flesh(anatomy: Anatomy) -> list[Primitive]:
    parts, neck, tail = list(anatomy.torso), anatomy.neck, anatomy.tail
    for i in range(3):
        blend = (0.10 if i == 0 else 0.06) * anatomy.neck_blend
        (a, ra), (b, rb) = neck[i], neck[i + 1]
        parts.append(capsule(f"neck{i}", a, b, ra, rb, blend, tag=anatomy.neck_tag))
    parts += anatomy.neck_flesh
    stations = np.array(anatomy.head) * anatomy.head_size
    parts.append(loft("head", anatomy.face_axis, stations, middle=anatomy.head_middle, exponent=2.3, tag="head"))
    parts += anatomy.head_flesh(anatomy.head_point)
    for name, side, fore in LEGS:
        parts += (anatomy.fore_leg if fore else anatomy.hind_leg).flesh(side, name)
    for i in range(len(tail) - 1):
        (a, ra), (b, rb) = tail[i], tail[i + 1]
        bone = f"tail{min(2, i * 3 // (len(tail) - 1))}"
        parts.append(capsule(bone, a, b, ra, rb, 0.02, tag="tuft" if i >= anatomy.tuft_from else "tail"))
    return parts


def _masks(
    anatomy: Anatomy, primitives: list[Primitive], rig: Rig, vertices: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """How much each vertex belongs to each of MASKS, 0..1."""
    column = {name: i for i, name in enumerate(rig.names)}
    axis, offset = anatomy.face_axis, (vertices - np.array(anatomy.poll)) / anatomy.head_size
    along, up, side = offset @ np.array(axis.along), offset @ np.array(axis.up), np.abs(offset[:, 1])
    z, nose = vertices[:, 2], anatomy.muzzle
    head = smoothstep(weights[:, column["head"]], 0.3, 0.7)
    leg = smoothstep(sum(weights[:, column[f"{name}{i}"]] for name, _, _ in LEGS for i in (1, 2, 3)), 0.3, 0.8)
    eyes = np.min([np.linalg.norm(vertices - _eye(anatomy, s), axis=1) for s in (1, -1)], 0)
    radius = anatomy.eye.radius * anatomy.head_size
    masks = {
        "head": head,
        "muzzle": smoothstep(along, *nose) * head,
        "ring": smoothstep(along, nose[0] - 0.075, nose[0] - 0.01) * head,
        "blaze": (1 - smoothstep(side, 0.0, 0.11)) * smoothstep(up, -0.02, 0.03) * head,
        "hoof": 1 - smoothstep(z, anatomy.hoof_height - 0.008, anatomy.hoof_height + 0.006),
        "leg": leg,
        "low_leg": leg * (1 - smoothstep(z, *anatomy.low_leg)),
        "eye_ring": 1 - smoothstep(eyes, radius * 1.15, radius * 1.75),
        "inner_ear": np.zeros(len(z)),
        "ear": np.zeros(len(z)),
    }
    edges = {"udder": (0.004, 0.03), "tuft": (0.002, 0.02), "mane": (0.001, 0.008), "wool": (0.008, 0.022)}
    edges |= {"nostril": (0.001, 0.006), "mouth": (0.0, 0.005)}
    return masks | {tag: 1 - smoothstep(nearest(primitives, tag, vertices), *edge) for tag, edge in edges.items()}


def _eye(anatomy: Anatomy, side: int) -> np.ndarray:
    eye = anatomy.eye
    return anatomy.head_point(eye.along, side * eye.side, eye.up)


class _Assembly:
    """A mesh that grows by parts carried by the head."""

    def __init__(
        self, bones: list[str], vertices: np.ndarray, faces: np.ndarray, weights: np.ndarray, masks: dict
    ) -> None:
        self.head, self.width = bones.index("head"), len(bones)
        self.vertices, self.faces, self.weights = [vertices], [faces], [weights]
        self.materials = [np.full(len(faces), COAT)]
        self.masks = {name: [masks[name]] for name in MASKS}

    def add(self, vertices: np.ndarray, faces: np.ndarray, material: int, **masks: np.ndarray) -> None:
        weights = np.zeros((len(vertices), self.width))
        weights[:, self.head] = 1
        self.faces.append(faces + sum(map(len, self.vertices)))
        self.vertices.append(vertices)
        self.weights.append(weights)
        self.materials.append(np.full(len(faces), material))
        for name, values in self.masks.items():
            values.append(masks.get(name, np.zeros(len(vertices))))


def _attach(anatomy: Anatomy, assembly: _Assembly) -> None:
    size, ear = anatomy.head_size, anatomy.ear
    for side in (1, -1):
        root = anatomy.head_point(ear.root[0], side * ear.root[1], ear.root[2])
        vertices, faces, inside = ear_mesh(ear, root, side, size)
        ones = np.ones(len(vertices))
        assembly.add(vertices, faces, COAT, inner_ear=inside, ear=ones, head=ones)
        if anatomy.horn:
            path = [anatomy.head_point(a, side * b, c) for a, b, c in anatomy.horn]
            assembly.add(*horn(path, anatomy.horn_radius), HORN)
        assembly.add(*ball(_eye(anatomy, side), (anatomy.eye.radius * size,) * 3), EYE)
