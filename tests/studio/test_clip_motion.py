"""Clips' actors: smooth, the same every time, and never through each other."""

import numpy as np
import pytest
from studio.clip_motion import Actor, Turn, closest_margin, path
from studio.clip_scenes import CLIPS, FPS, FRAMES


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_actors_never_walk_through_each_other(clip):
    assert closest_margin(clip.actors, FRAMES, FPS) > 0


def test_crossing_turns_abruptly():
    actors = next(clip for clip in CLIPS if clip.name == "crossing").actors
    abrupt = [turn for actor in actors for turn in actor.turns if abs(turn.degrees) >= 90 and turn.lasts < 1]
    assert len(abrupt) >= 3


def test_a_turn_turns_by_what_it_says():
    actor = Actor("cow", "holstein", 1, (0.0, 0.0), 0, 1.0, (Turn(0.5, 0.8, 120),))
    assert np.degrees(path(actor, 60, 24)[-1].heading) == pytest.approx(120, abs=0.5)


def test_a_paused_actor_stays_where_it_is():
    actor = Actor("cow", "holstein", 1, (2.0, 3.0), 0, 1.0, pauses=((0, 10),), grazes=True)
    states = path(actor, 48, 24)
    assert states[24].xy == states[40].xy and states[24].grazing == 1.0


def test_walked_metres_follow_the_speed():
    assert path(Actor("cow", "", 1, (0.0, 0.0), 90, 1.2), 49, 24)[-1].walked_m == pytest.approx(2.4, abs=1e-6)
