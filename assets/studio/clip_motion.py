"""How the actors of a clip move: a state for every frame, a function of the frame number alone (no Blender needed)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SUBSTEPS = 4
BODY_RADIUS_M = {"cow": 1.3, "horse": 1.4, "sheep": 0.8, "dog": 0.65, "person": 0.5}
"""Two actors may come as close as the sum of their radii."""


@dataclass(frozen=True)
class Turn:
    """A change of heading by ``degrees`` (left is positive) that starts ``at`` and ``lasts`` so many seconds."""

    at: float
    lasts: float
    degrees: float


@dataclass(frozen=True)
class Actor:
    """One moving body: who it is, where it starts (metres; heading in degrees, 0 = +X) and what it does.

    ``pauses`` are (from, to) in seconds during which it stands; a grazing actor's head is down then.
    """

    kind: str
    breed: str
    seed: int
    xy: tuple[float, float]
    heading_deg: float
    speed: float
    turns: tuple[Turn, ...] = ()
    pauses: tuple[tuple[float, float], ...] = ()
    grazes: bool = False
    scale: float = 1.0


@dataclass(frozen=True)
class State:
    """An actor at one frame: ground point, heading (radians), metres walked, gait and head.

    ``moving`` and ``grazing`` are weights in 0..1, ``head_yaw`` is in radians, left positive.
    """

    xy: tuple[float, float]
    heading: float
    walked_m: float
    moving: float
    grazing: float
    head_yaw: float


def path(actor: Actor, frames: int, fps: float) -> list[State]:
    """The actor's state at each of ``frames`` frames, integrated with ``SUBSTEPS`` steps a frame."""
    step, heading = 1 / (fps * SUBSTEPS), np.radians(actor.heading_deg)
    xy, walked, states = np.array(actor.xy, float), 0.0, []
    for tick in range(frames * SUBSTEPS):
        seconds = tick * step
        moving = _moving(actor, seconds)
        if tick % SUBSTEPS == 0:
            states.append(_state(actor, seconds, xy, heading, walked, moving))
        heading += sum(np.radians(t.degrees) * _turn_rate(t, seconds) for t in actor.turns) * step
        advance = actor.speed * moving * step
        xy = xy + advance * np.array([np.cos(heading), np.sin(heading)])
        walked += advance
    return states


def _turn_rate(turn: Turn, seconds: float) -> float:
    """Share of the turn made per second: a smooth swell whose integral over the turn is 1."""
    progress = (seconds - turn.at) / turn.lasts
    return (1 - np.cos(2 * np.pi * progress)) / turn.lasts if 0 <= progress < 1 else 0.0


def _moving(actor: Actor, seconds: float) -> float:
    """1 while walking, 0 while paused, with a third of a second between."""
    return float(min((1 - _inside(seconds, *pause, soft=0.35) for pause in actor.pauses), default=1.0))


def _state(actor: Actor, seconds: float, xy: np.ndarray, heading: float, walked: float, moving: float) -> State:
    rhythm = 0.7 + 0.5 * (actor.seed % 7) / 7
    yaw = 0.22 * np.sin(rhythm * seconds + actor.seed) + 0.1 * np.sin(2.3 * rhythm * seconds)
    grazing = max((_inside(seconds, a + 0.3, b, soft=1.1) for a, b in actor.pauses), default=0.0)
    if actor.grazes and not actor.pauses:
        grazing = 1.0
    return State(tuple(map(float, xy)), float(heading), walked, moving, float(grazing * actor.grazes), float(yaw))


def _inside(seconds: float, begin: float, end: float, soft: float) -> float:
    """1 inside [begin, end], 0 outside, with smooth flanks of ``soft`` seconds inside it (none at the clip's start)."""
    rise = 1.0 if begin <= 0.3 else np.clip((seconds - begin) / soft, 0, 1)
    ramp = min(rise, np.clip((end - seconds) / soft, 0, 1))
    return float(ramp * ramp * (3 - 2 * ramp))


def closest_margin(actors: Sequence[Actor], frames: int, fps: float) -> float:
    """Metres left, at the worst moment, between the distance of any two actors and the sum of their radii."""
    tracks = np.array([[state.xy for state in path(actor, frames, fps)] for actor in actors])
    margins = []
    for i, first in enumerate(actors):
        for j in range(i):
            distance = np.hypot(*(tracks[i] - tracks[j]).T).min()
            margins.append(distance - BODY_RADIUS_M[first.kind] - BODY_RADIUS_M[actors[j].kind])
    return float(min(margins, default=np.inf))
