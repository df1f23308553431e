"""Poses: what a body does becomes rotations of its bones, and those its posed vertices."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from studio.bodies import Body
from studio.rig import Rotations, reach, rotation
from studio.shapes import smoothstep

Neck = tuple[float, float, float, float]
NECKS: dict[str, Neck] = {
    "alert": (0.0, 0.0, 0.0, 0.0),
    "low": (0.35, 0.2, 0.1, -0.25),
    "walk": (0.22, 0.1, 0.0, -0.12),
    "up": (-0.15, -0.1, 0.0, 0.1),
}
"""How far neck0, neck1, neck2 and head are lowered, in radians."""

GRAZING_BEND = (1.20, 0.42, 0.08)
GRAZING_HEAD_PITCH = math.radians(96)
MOUTH_HEIGHT = 0.05
DUTY = 0.64
"""Share of a stride that a foot stays on the ground."""

FOOTFALL = {"rl": 0.0, "fl": 0.25, "rr": 0.5, "fr": 0.75, "left": 0.0, "right": 0.5}
"""When in the stride each foot starts its stance: the lateral-sequence walk, and a person's two steps."""

AMPLITUDE = {"quadruped": 0.28, "person": 0.30}
"""Half the distance between where a foot is set down and lifted, over hip height."""


@dataclass(frozen=True)
class Motion:
    """A moment of a body: gait phase (0..1), how far it walks (0 = stands), grazes or lies (0..1), head and tail.

    ``yaw`` turns the head left and ``tail`` swings the tail, in radians; ``feet`` are (legs,) forward offsets of the
    feet in units of the stride for a standing body.
    """

    phase: float = 0.0
    walking: float = 0.0
    grazing: float = 0.0
    lying: float = 0.0
    neck: Neck = NECKS["alert"]
    yaw: float = 0.0
    tail: float = 0.0
    feet: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)


def stride_length(body: Body) -> float:
    """Metres walked in one full stride of the body, before scaling."""
    return 2 * _amplitude(body) / DUTY


def _amplitude(body: Body) -> float:
    return AMPLITUDE["quadruped" if len(body.legs) == 4 else "person"] * body.hip_height


def posed(body: Body, rotations: Rotations, sink: float) -> np.ndarray:
    """Vertices (n, 3) for bone rotations, the root lowered by ``sink`` metres, nothing below the ground."""
    transforms = body.rig.transforms(rotations, (0, 0, -sink))
    vertices = body.rig.skin(body.vertices, body.weights, transforms)
    vertices[:, 2] = np.maximum(vertices[:, 2], 0.005 if sink > 0.1 else 0.0)
    return vertices


def pose_quadruped(body: Body, motion: Motion) -> np.ndarray:
    """The posed vertices (n, 3) of a quadruped."""
    if motion.lying > 0.5:
        rotations, sink = _folded(body), body.lie_drop + _extra_leg(body)
        motion = replace(motion, grazing=0.0)
    else:
        rotations, sink = {}, -0.012 * math.sin(4 * math.pi * motion.phase) * motion.walking * body.hip_height
        for i in range(len(body.legs)):
            rotations |= _step(body, i, motion, sink)
    bend = _neck_bend(body, motion)
    for bone, angle in zip(("neck0", "neck1", "neck2", "head"), bend, strict=True):
        rotations[bone] = rotation("z", motion.yaw * 0.25) @ rotation("y", angle)
    for bone, share in (("tail0", 0.4), ("tail1", 0.5), ("tail2", 0.3)):
        rotations[bone] = rotation("x", motion.tail * share)
    return posed(body, rotations, sink)


def _extra_leg(body: Body) -> float:
    """Metres by which legs longer or shorter than the model's lift the trunk."""
    return float(body.vertices[:, 2].max() - body.texture[:, 2].max())


def _step(body: Body, number: int, motion: Motion, sink: float) -> Rotations:
    """One leg of a standing or walking body."""
    leg = body.legs[number]
    ahead, lifted, shank, foot = _foot(leg.fore, body.lift, (motion.phase + FOOTFALL[leg.name]) % 1.0)
    resting = motion.feet[number] * (1 - motion.walking)
    w, stride = motion.walking, _amplitude(body)
    x, _, z = leg.joints[3]
    target = (x + stride * (ahead * w + resting), z + lifted * w + sink)
    return reach(leg, target, shank * w - 0.5 * stride * resting, foot * w)


def _foot(fore: bool, lift: float, phase: float) -> tuple[float, float, float, float]:
    """A foot in its stride: offset ahead (-1..1), height in metres, pitch of the shank and of the foot in radians."""
    if phase < DUTY:
        t = phase / DUTY
        height = 0.03 * max(0.0, (t - 0.85) / 0.15)
        return 1 - 2 * t, height, (0.30 if fore else 0.27) * (t - 0.5), -0.05 + 0.25 * float(smoothstep(t, 0.8, 1))
    t = (phase - DUTY) / (1 - DUTY)
    swing = math.sin(math.pi * t)
    height = (0.10 if fore else 0.08) * lift * swing + 0.03 * (1 - t)
    shank = 0.15 * (1 - 2 * t) + (0.75 if fore else 0.45) * swing
    foot = 0.25 * (1 - t) + (0.9 if fore else 0.5) * swing * (1 - 0.4 * t)
    return -1 + 2 * float(smoothstep(t, 0, 1)), height, shank, foot


def _folded(body: Body) -> Rotations:
    """Legs tucked under a lying body that leans a little to its side."""
    rotations = {"body": rotation("x", 0.07)}
    for leg in body.legs:
        side = 1 if leg.joints[0, 1] > 0 else -1
        if leg.fore:
            first, turns = rotation("x", side * 0.10), (-0.98, 2.46, 0.2)
        else:
            first, turns = rotation("x", side * 0.38) @ rotation("y", -0.47), (0.64, -1.57, 0.1)
        rotations[f"{leg.name}0"] = first
        rotations |= {f"{leg.name}{i}": rotation("y", turn) for i, turn in enumerate(turns, start=1)}
    return rotations


def _neck_bend(body: Body, motion: Motion) -> np.ndarray:
    """Angles of neck and head: the motion's own, blended towards the bend that brings the mouth to the ground."""
    own = np.array(motion.neck)
    return own if motion.grazing <= 0 else own + motion.grazing * (_grazing_bend(body) - own)


def _grazing_bend(body: Body) -> np.ndarray:
    """The grazing bend, scaled by bisection so that the mouth ends just above the ground."""
    low, high = 0.3, 1.7
    for _ in range(12):
        middle = (low + high) / 2
        bend = _scaled_bend(body, middle)
        rotations = {f"neck{i}": rotation("y", bend[i]) for i in range(3)} | {"head": rotation("y", bend[3])}
        mouth = body.rig.transforms(rotations)["head"] @ np.append(body.mouth, 1.0)
        low, high = (middle, high) if mouth[2] > MOUTH_HEIGHT else (low, middle)
    return _scaled_bend(body, (low + high) / 2)


def _scaled_bend(body: Body, factor: float) -> np.ndarray:
    neck = np.array(GRAZING_BEND) * factor
    return np.append(neck, GRAZING_HEAD_PITCH - body.head_pitch - neck.sum())


def pose_person(body: Body, motion: Motion, gesture: str = "stand") -> np.ndarray:
    """The posed vertices (n, 3) of a person; ``gesture`` is stand, walk, point or lean."""
    phase, w = motion.phase, motion.walking
    sink = 0.025 * w * (1 + math.cos(4 * math.pi * phase)) / 2 + 0.012
    rotations: Rotations = {}
    for number, leg in enumerate(body.legs):
        ahead, lifted, shank, foot = _foot(False, 1.0, (phase + FOOTFALL[leg.name]) % 1.0)
        x, _, z = leg.joints[3]
        resting = motion.feet[number] * (1 - w)
        target = (x + _amplitude(body) * (ahead * w + resting), z + lifted * w + sink)
        rotations |= reach(leg, target, shank * w, foot * w)
        rotations |= _arm(leg.name, -0.42 * ahead * w, w)
    rotations["head"] = rotation("z", 0.6 * motion.yaw)
    rotations["spine"] = rotation("z", 0.2 * motion.yaw) @ rotation("y", 0.04 * w)
    if gesture == "point":
        rotations["right_arm"] = rotation("y", -1.45) @ rotation("x", 0.15)
        rotations["right_forearm"] = rotation("y", -0.1)
    elif gesture == "lean":
        rotations["spine"] = rotation("y", 0.45) @ rotations["spine"]
        for side in ("left", "right"):
            rotations |= {f"{side}_arm": rotation("y", -0.75), f"{side}_forearm": rotation("y", -0.55)}
    return posed(body, rotations, sink)


def _arm(side: str, swing: float, walking: float) -> Rotations:
    return {f"{side}_arm": rotation("y", swing), f"{side}_forearm": rotation("y", -0.12 - 0.25 * walking)}
