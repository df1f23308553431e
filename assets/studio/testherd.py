"""The test herd: animals and places that training never sees, with exact visible boxes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from studio import jobs, stage
from studio.animals import add_animal, draw_animal
from studio.annotations import seen_objects, to_record
from studio.landscape import Place, Stage, build_light
from studio.layering import Composite, Layer, Lighting, Plate, ground_shade, lay, render_layer
from studio.placement import free_spots
from studio.plates import read_plate, render_plate
from studio.test_places import TEST_PLACES, test_place
from studio.truth import camera_projector, outline

RESOLUTION_WH = (640, 360)
SAMPLES = 8
PICTURES_PER_PLATE = 16
COUNT = PICTURES_PER_PLATE * len(TEST_PLACES)
WITHOUT_COWS = (3, 11)
EMPTY = 11
"""Which of a plate's pictures show no cow; every second plate's number 11 shows no animal at all."""

MIX = {"cow": 0.78, "person": 0.06, "horse": 0.055, "dog": 0.04, "sheep": 0.065}
SMALLEST_COW_PX = 20
FINE_WITHIN_M, MEDIUM_WITHIN_M = 5.0, 24.0


@dataclass
class _Set:
    """A plate with everything that its pictures share; the scene holds light, camera and bounce ground."""

    place: Place
    plate: Plate
    built: Stage
    lighting: Lighting


def run(run: jobs.Run) -> None:
    """Render the run's share of the pictures into ``test_herd/NAME.png`` with truth in ``NAME.json``."""
    folder, sets = run.folder("test_herd"), _Sets(run)

    def make(item: int) -> None:
        plate, number = divmod(item, PICTURES_PER_PLATE)
        composite, record = _picture(run.rng("test-herd", item), sets.of(plate), plate, number, run.scratch("layer"))
        jobs.write_picture(folder / f"{_name(item)}.png", composite.rgb)
        jobs.write_json(folder / f"{_name(item)}.json", record)

    jobs.work_through(
        run, "test-herd", run.share(COUNT, PICTURES_PER_PLATE), lambda i: folder / f"{_name(i)}.json", make
    )


def _name(item: int) -> str:
    plate, number = divmod(item, PICTURES_PER_PLATE)
    return f"{TEST_PLACES[plate].name}_{number:02d}"


class _Sets:
    """The current plate; rendered if it is missing, then its light is built for the animal layers."""

    def __init__(self, run: jobs.Run) -> None:
        self.run, self.number, self.current = run, None, None

    def of(self, number: int) -> _Set:
        if number != self.number:
            folder = self.run.folder("test_plates")
            place = test_place(self.run.rng("test-place", number), number)
            if not (folder / f"{place.name}.json").exists():
                render_plate(place, RESOLUTION_WH, SAMPLES, folder, self.run.scratch("plate"))
            plate = read_plate(folder, place.name)
            self.current, self.number = open_set(place, plate, self.run.scratch("layer")), number
        return self.current


def open_set(place: Place, plate: Plate, scratch: Path) -> _Set:
    """Reset the scene to the place's light alone, ready for ``add_animal`` and ``render_layer(scratch)``."""
    height, width = plate.depth.shape
    stage.reset_scene((width, height), SAMPLES, transparent=True)
    built = build_light(place, (width, height))
    stage.write_passes(scratch, depth=True)
    projector = camera_projector(built.camera, (width, height))
    return _Set(place, plate, built, Lighting(projector, built.ground, built.sun_direction, built.shadow_strength))


def _picture(rng: np.random.Generator, shown: _Set, plate: int, number: int, scratch: Path) -> tuple[Composite, dict]:
    """One picture and its record {width, height, objects}."""
    count = 0 if number == EMPTY and plate % 2 == 0 else int(rng.integers(7, 15))
    mix = {k: w for k, w in MIX.items() if k != "cow" or number not in WITHOUT_COWS}
    animals = _populate(rng, shown, count, mix)
    kinds = {thing.pass_index: kind for thing, kind in animals}
    things = [thing for thing, _ in animals]
    composite = _composite(shown, things, scratch, seed=plate * 100 + number)
    amodal = {thing.pass_index: outline(thing, shown.lighting.projector).silhouette_px for thing in things}
    for thing in things:
        stage.remove(thing)
    width, height = RESOLUTION_WH
    objects = [to_record(seen) for seen in seen_objects(composite.index, kinds, amodal)]
    return composite, {"width": width, "height": height, "objects": objects}


def _populate(
    rng: np.random.Generator, shown: _Set, count: int, mix: dict[str, float]
) -> list[tuple[bpy.types.Object, str]]:
    """Place up to ``count`` animals of ``mix`` in the picture; their pass indices count from 1."""
    built, projector = shown.built, shown.lighting.projector
    far = min(built.far_m, 1.4 * projector.focal_px / SMALLEST_COW_PX)
    spots = free_spots(
        rng, count, projector=projector, ground=built.ground, standable=built.standable,
        distance_m=(built.near_m, max(far, built.near_m + 8)),
    )  # fmt: skip
    animals = []
    for index, spot in enumerate(spots, start=1):
        animal = draw_animal(rng, kinds=mix, split="test")
        detail = detail_at(float(np.hypot(*spot)))
        heading = float(rng.uniform(0, 2 * np.pi))
        animals.append((add_animal(animal, spot, heading, built.ground, index=index, detail=detail), animal.kind))
    bpy.context.view_layer.update()
    return animals


def detail_at(distance_m: float) -> str:
    """How fine a mesh the camera can tell apart at a distance."""
    if distance_m < FINE_WITHIN_M:
        return "fine"
    return "medium" if distance_m < MEDIUM_WITHIN_M else "coarse"


def _composite(shown: _Set, things: list[bpy.types.Object], scratch: Path, seed: int) -> Composite:
    """The animals laid into the plate; without animals the plate itself."""
    if not things:
        return Composite(shown.plate.rgb, np.zeros(shown.plate.depth.shape, np.int32))
    bpy.context.scene.cycles.seed = seed
    layer: Layer = render_layer(scratch)
    shade = ground_shade(things, shown.lighting, shown.plate.depth)
    return lay(shown.plate, layer, shade)
