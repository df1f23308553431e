"""Animals and people for the scenes: drawing who they are, adding them still, and walking them."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace

import bpy
import numpy as np

from studio import stage
from studio.anatomy_cow import CowShape, cow
from studio.anatomy_dog import dog
from studio.anatomy_horse import horse
from studio.anatomy_person import build_person
from studio.anatomy_sheep import sheep
from studio.bodies import Body, draw_proportions, reshaped
from studio.breeds import BREEDS, COW_BREEDS, breeds_of
from studio.clothes import draw_clothes, draw_hat
from studio.coats import draw_looks, materials_for
from studio.placing import Ground, place
from studio.poses import NECKS, Motion, pose_person, pose_quadruped, stride_length
from studio.quadruped import build_quadruped
from studio.shapes import smoothstep

__all__ = ["COW_BREEDS", "KINDS", "POSES", "Animal", "WalkingAnimal", "add_animal", "draw_animal"]

KINDS = ("person", "dog", "horse", "sheep", "cow")
_GRAZER = {"stand": 0.24, "graze": 0.30, "walk": 0.20, "low": 0.08, "lie": 0.10, "look_back": 0.08}
_POSE_SHARES = {
    "cow": _GRAZER,
    "sheep": _GRAZER,
    "horse": _GRAZER | {"lie": 0.02, "stand": 0.32},
    "dog": {"stand": 0.36, "walk": 0.36, "low": 0.10, "lie": 0.10, "look_back": 0.08},
    "person": {"stand": 0.42, "walk": 0.40, "point": 0.09, "lean": 0.09},
}
POSES = {kind: tuple(shares) for kind, shares in _POSE_SHARES.items()}
"""The poses of each kind."""

VOXEL_M = {
    "cow": {"fine": 0.012, "medium": 0.015, "coarse": 0.018},
    "horse": {"fine": 0.012, "medium": 0.015, "coarse": 0.018},
    "sheep": {"fine": 0.009, "medium": 0.010, "coarse": 0.012},
    "dog": {"fine": 0.007, "medium": 0.008, "coarse": 0.009},
    "person": {"fine": 0.009, "medium": 0.012, "coarse": 0.014},
}
TEST_SEEDS = 2**30
"""Test animals have seeds from here on, training animals below: other individuals of the same breeds."""

CALF_SHARE = 0.08


@dataclass(frozen=True)
class Animal:
    """One individual: ``seed`` fixes proportions, coat and the details of its pose; ``scale`` is 1 for an adult."""

    kind: str
    breed: str
    pose: str
    seed: int
    scale: float


def draw_animal(
    rng: np.random.Generator, *, kinds: dict[str, float], breeds: tuple[str, ...] | None = None, split: str = "train"
) -> Animal:
    """Draw an individual of ``kinds`` (kind -> weight), its breed among ``breeds`` where they name any of its kind.

    Young animals are drawn only if no breeds are named. ``split`` is "train" or "test".

    Raises:
        ValueError: for an unknown split.
    """
    if split not in ("train", "test"):
        raise ValueError(f"unknown split {split!r}")
    kind = _choose(rng, kinds)
    named = tuple(name for name in breeds or () if name in BREEDS and BREEDS[name].kind == kind)
    breed = _choose(rng, {name: BREEDS[name].frequency for name in named or breeds_of(kind)})
    pose = _choose(rng, _POSE_SHARES[kind])
    seed = int(rng.integers(0, TEST_SEEDS)) + (TEST_SEEDS if split == "test" else 0)
    young = rng.random() < CALF_SHARE and breeds is None and kind != "dog"
    youngest = 0.62 if kind == "person" else 0.5
    scale = rng.uniform(youngest, 0.75) if young else rng.uniform(0.93, 1.06)
    return Animal(kind, breed, pose, seed, float(scale))


def _choose(rng: np.random.Generator, weights: dict[str, float]) -> str:
    shares = np.array(list(weights.values()), float)
    return str(rng.choice(list(weights), p=shares / shares.sum()))


def add_animal(
    animal: Animal,
    location_xy: tuple[float, float],
    heading_rad: float,
    ground: Ground,
    *,
    index: int,
    detail: str,
    phase: float | None = None,
) -> bpy.types.Object:
    """Put an animal into the scene, its feet following the slope of the ground.

    Args:
        animal: who it is.
        location_xy: the ground point below it, metres.
        heading_rad: where it faces, 0 along +x, turning left.
        ground: maps x and y (metres) to the ground's height.
        index: the object's pass index.
        detail: "fine", "medium" or "coarse" mesh.
        phase: gait phase 0..1 of a walking pose; drawn from the seed if None.

    Raises:
        ValueError: if the animal's kind has no such pose.
    """
    if animal.pose not in POSES[animal.kind]:
        raise ValueError(f"a {animal.kind} has no pose {animal.pose!r}")
    body = _body(animal, detail)
    motion = _drawn_motion(animal)
    motion = motion if phase is None else replace(motion, phase=phase)
    thing = _new_object(animal, body, index)
    place(thing, _posed(animal, body, motion), location_xy, heading_rad, ground)
    return thing


class WalkingAnimal:
    """An animal in the scene that is posed anew for every frame of a clip."""

    def __init__(self, animal: Animal, ground: Ground, *, index: int, detail: str) -> None:
        self.animal, self.ground = replace(animal, pose="walk"), ground
        self.body = _body(animal, detail)
        self.object = _new_object(self.animal, self.body, index)

    @property
    def stride_m(self) -> float:
        """Metres walked in one full stride; feet do not slide if phase = distance / stride."""
        return stride_length(self.body) * self.object.scale[0]

    def update(
        self,
        location_xy: tuple[float, float],
        heading_rad: float,
        phase: float,
        head_yaw: float = 0.0,
        *,
        moving: float = 1.0,
        grazing: float = 0.0,
    ) -> None:
        """Pose and place it; ``moving`` and ``grazing`` (0..1) blend standing into walking, and the head down."""
        neck = tuple(moving * angle for angle in NECKS["walk"])
        tail = 0.35 * math.sin(2 * math.pi * phase + self.animal.seed % 7) + 0.5 * head_yaw
        motion = Motion(phase=phase, walking=moving, grazing=grazing, neck=neck, yaw=head_yaw, tail=tail)
        vertices = _posed(self.animal, self.body, motion)
        place(self.object, vertices, location_xy, heading_rad, self.ground)


def _posed(animal: Animal, body: Body, motion: Motion) -> np.ndarray:
    return pose_person(body, motion, animal.pose) if animal.kind == "person" else pose_quadruped(body, motion)


def _rng(animal: Animal, purpose: int) -> np.random.Generator:
    return np.random.default_rng([animal.seed, purpose])


def _drawn_motion(animal: Animal) -> Motion:
    """The moment of the animal's pose that its seed picks."""
    rng, pose = _rng(animal, 1), animal.pose
    motion = Motion(
        phase=float(rng.random()), tail=float(rng.uniform(-0.4, 0.4)), feet=tuple(rng.uniform(-0.35, 0.35, 4))
    )
    yaw = {"graze": 0.4, "walk": 0.3, "low": 0.3, "lie": 0.7}.get(pose, 0.9)
    motion = replace(motion, yaw=float(rng.uniform(-yaw, yaw)))
    if pose == "look_back":
        return replace(motion, yaw=float(rng.choice([-1, 1]) * rng.uniform(1.5, 1.9)))
    if pose == "graze":
        return replace(motion, grazing=1.0, walking=float(rng.choice([0.0, 0.6])))
    if pose in ("walk", "low"):
        return replace(motion, walking=1.0, neck=NECKS[pose])
    return replace(motion, lying=1.0) if pose == "lie" else motion


def _body(animal: Animal, detail: str) -> Body:
    """The animal's rest body: a cached mesh of its build, in its own proportions."""
    rng = _rng(animal, 2)
    youth = float(smoothstep(-animal.scale, -0.8, -0.6)) if animal.kind not in ("dog", "person") else 0.0
    base = _base_body(animal.kind, _build(animal, rng, youth), VOXEL_M[animal.kind][detail])
    return reshaped(base, draw_proportions(rng, youth))


def _build(animal: Animal, rng: np.random.Generator, youth: float) -> CowShape | str | bool:
    """What must be modelled rather than stretched: a cow's horns and udder, a hat, ears, a fleece."""
    if animal.kind == "person":
        return draw_hat(rng, animal.breed)
    breed, first = BREEDS[animal.breed], rng.random()
    if breed.cow is None:
        return first < (0.2 if animal.kind == "sheep" else 0.4 if animal.breed != "shepherd" else 1.0)
    shape = breed.cow
    if youth > 0.5:
        return replace(shape, udder=0.0, horns="none", hump=0.0, bulk=1.0, dewlap=min(shape.dewlap, 1.0))
    if first >= breed.horned:
        return replace(shape, horns="none")
    styles = ("long", "lyre") if shape.hump else ("short", "crescent")
    return shape if shape.horns != "none" else replace(shape, horns=str(rng.choice(styles)))


@functools.lru_cache(maxsize=128)
def _base_body(kind: str, build: CowShape | str | bool, voxel_m: float) -> Body:
    """The mesh of a build as numpy arrays, which outlive a reset of the scene."""
    if kind == "person":
        return build_person(str(build), voxel_m)
    anatomy = {"horse": lambda _: horse(), "dog": dog, "sheep": sheep, "cow": cow}[kind](build)
    return build_quadruped(anatomy, voxel_m)


def _new_object(animal: Animal, body: Body, index: int) -> bpy.types.Object:
    """The mesh object with its materials and paint, at the origin."""
    mesh, count = bpy.data.meshes.new(animal.kind), len(body.faces)
    mesh.vertices.add(len(body.vertices))
    mesh.loops.add(count * 3)
    mesh.loops.foreach_set("vertex_index", body.faces.astype(np.int32).ravel())
    mesh.polygons.add(count)
    mesh.polygons.foreach_set("loop_start", np.arange(0, count * 3, 3, dtype=np.int32))
    mesh.polygons.foreach_set("material_index", body.materials.astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(count, bool))
    mesh.attributes.new("rest", "FLOAT_VECTOR", "POINT").data.foreach_set(
        "vector", body.texture.astype(np.float32).ravel()
    )
    stage.set_float_attributes(mesh, **body.masks)
    rng, breed = _rng(animal, 3), BREEDS[animal.breed]
    materials = draw_clothes(rng) if animal.kind == "person" else materials_for(animal.breed, breed.coat)
    for material in materials:
        mesh.materials.append(material)
    thing = bpy.data.objects.new(animal.kind, mesh)
    for name, value in draw_looks(rng).items():
        thing[name] = value
    thing.pass_index, thing.scale = index, (animal.scale * breed.size,) * 3
    bpy.context.scene.collection.objects.link(thing)
    return thing
