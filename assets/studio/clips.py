"""The showcase clips: one still plate, and for every frame the moving animals laid into it, with exact tracks."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

from studio import jobs
from studio.animals import WalkingAnimal, draw_animal
from studio.annotations import SeenObject, seen_objects, to_record
from studio.clip_motion import Actor, State, closest_margin, path
from studio.clip_scenes import CLIPS, FPS, FRAMES, Clip
from studio.landscape import draw_place
from studio.layering import Composite, ground_shade, lay, render_layer
from studio.plates import read_plate, render_plate
from studio.testherd import open_set
from studio.truth import Outline, outline

RESOLUTION_WH = (1280, 720)
PLATE_SAMPLES = 24
LAYER_SAMPLES = 6
MEDIUM_WITHIN_M = 11.0
JPEG = {"quality": 96, "subsampling": 0}


def run(run: jobs.Run) -> None:
    """Render the run's share of every clip's frames into ``clips/NAME/NNNN.jpg`` with objects in ``NNNN.json``."""
    for number, clip in enumerate(CLIPS):
        if number % run.shards == run.shard:
            _plate(run, clip, number)
    for number, clip in enumerate(CLIPS):
        _frames(run, clip, number)


def _plate(run: jobs.Run, clip: Clip, number: int) -> None:
    folder = run.folder("clip_plates")
    if not (folder / f"{clip.name}.json").exists():
        print(f"clips: plate of {clip.name}", flush=True)
        place = replace(draw_place(run.rng("clip", number), clip.name, split="test"), **clip.place)
        render_plate(place, RESOLUTION_WH, PLATE_SAMPLES, folder, run.scratch("plate"))


def _frames(run: jobs.Run, clip: Clip, number: int) -> None:
    """All frames of this shard; waits for the plate if another shard is still at it."""
    plates, folder = run.folder("clip_plates"), run.folder(f"clips/{clip.name}")
    if all((folder / f"{frame:04d}.json").exists() for frame in run.share(FRAMES)):
        return
    while not (plates / f"{clip.name}.json").exists():
        print(f"clips: waiting for the plate of {clip.name}", flush=True)
        time.sleep(10)
    place = replace(draw_place(run.rng("clip", number), clip.name, split="test"), **clip.place)
    shown = open_set(place, read_plate(plates, clip.name), run.scratch("layer"))
    bpy.context.scene.cycles.samples = LAYER_SAMPLES
    cast = Cast(clip, shown.built.ground)

    def make(frame: int) -> None:
        composite, objects = _frame(cast, shown, frame, run.scratch("layer"))
        jobs.write_picture(folder / f"{frame:04d}.jpg", composite.rgb, **JPEG)
        jobs.write_json(folder / f"{frame:04d}.json", [to_record(seen) for seen in objects])

    jobs.work_through(run, clip.name, run.share(FRAMES), lambda frame: folder / f"{frame:04d}.json", make)


class Cast:
    """The clip's actors in the scene; pass indices count from 1 in the clip's order.

    Raises:
        ValueError: if two actors would walk through each other.
    """

    def __init__(self, clip: Clip, ground: object) -> None:
        if closest_margin(clip.actors, FRAMES, FPS) < 0:
            raise ValueError(f"actors of {clip.name} come closer than their bodies allow")
        self.paths = [path(actor, FRAMES, FPS) for actor in clip.actors]
        self.bodies = [
            _body(actor, _nearest_m(states), index, ground)
            for index, (actor, states) in enumerate(zip(clip.actors, self.paths, strict=True), start=1)
        ]
        self.kinds = {index: actor.kind for index, actor in enumerate(clip.actors, start=1)}

    @property
    def things(self) -> list[bpy.types.Object]:
        """The actors' objects in the clip's order."""
        return [body.object for body in self.bodies]

    def move_to(self, frame: int) -> None:
        """Pose and place every actor as at ``frame``."""
        for body, states in zip(self.bodies, self.paths, strict=True):
            _pose(body, states[frame])
        bpy.context.view_layer.update()


def _frame(cast: Cast, shown: object, frame: int, scratch: Path) -> tuple[Composite, list[SeenObject]]:
    """One finished frame and everything seen in it."""
    cast.move_to(frame)
    outlines = [outline(thing, shown.lighting.projector) for thing in cast.things]
    _crop_render(outlines)
    bpy.context.scene.cycles.seed = frame
    layer = render_layer(scratch)
    composite = lay(shown.plate, layer, ground_shade(cast.things, shown.lighting, shown.plate.depth))
    amodal = {thing.pass_index: o.silhouette_px for thing, o in zip(cast.things, outlines, strict=True)}
    return composite, seen_objects(composite.index, cast.kinds, amodal)


def _crop_render(outlines: list[Outline], margin_px: int = 12) -> None:
    """Render only the rectangle that holds all animals; elsewhere the layer stays empty."""
    render, (width, height) = bpy.context.scene.render, RESOLUTION_WH
    boxes = np.array([o.box for o in outlines])
    low, high = boxes[:, :2].min(0) - margin_px, boxes[:, 2:].max(0) + margin_px
    render.use_border, render.use_crop_to_border = True, False
    render.border_min_x, render.border_max_x = np.clip([low[0] / width, high[0] / width], 0, 1)
    render.border_min_y, render.border_max_y = np.clip([1 - high[1] / height, 1 - low[1] / height], 0, 1)


def _nearest_m(states: list[State]) -> float:
    """How near an actor comes to the camera, metres."""
    return min(float(np.hypot(*state.xy)) for state in states)


def _body(actor: Actor, nearest_m: float, index: int, ground: object) -> WalkingAnimal:
    """The actor's body in the scene; its looks follow from its seed, bred apart from the training animals."""
    rng, breeds = np.random.default_rng(actor.seed), (actor.breed,) if actor.breed else None
    drawn = draw_animal(rng, kinds={actor.kind: 1.0}, breeds=breeds, split="test")
    detail = "medium" if nearest_m < MEDIUM_WITHIN_M else "coarse"
    return WalkingAnimal(replace(drawn, scale=drawn.scale * actor.scale), ground, index=index, detail=detail)


def _pose(body: WalkingAnimal, state: State) -> None:
    """Put a body into a state; the feet's phase follows from the metres walked, so that they do not slide."""
    phase = state.walked_m / body.stride_m % 1.0
    body.update(state.xy, state.heading, phase, state.head_yaw, moving=state.moving, grazing=state.grazing)
