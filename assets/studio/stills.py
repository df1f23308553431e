"""The showcase stills: whole scenes path-traced at once, with an exact index map of what is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

from studio import jobs, stage
from studio.animals import Animal, add_animal, draw_animal
from studio.annotations import SeenObject, seen_objects, to_record
from studio.landscape import Place, Stage, build_place, draw_place
from studio.layering import repair_black
from studio.still_scenes import STILLS, Placement, Still
from studio.truth import camera_projector, outline

RESOLUTION_WH = (1280, 854)
SAMPLES = 8
FINE_WITHIN_M, MEDIUM_WITHIN_M = 14.0, 40.0


def run(run: jobs.Run) -> None:
    """Render the run's share of the stills into ``stills/NAME.png``, ``NAME.mask.png`` and ``NAME.json``."""
    folder = run.folder("stills")

    def make(item: int) -> None:
        still = STILLS[item]
        place = replace(draw_place(run.rng("still", item), still.name, split="test"), **still.place)
        rgb, index, objects = render_scene(place, still.placements, RESOLUTION_WH, SAMPLES, run.scratch("still"))
        jobs.write_picture(folder / f"{still.name}.png", rgb)
        jobs.write_picture(folder / f"{still.name}.mask.png", index.astype(np.uint8))
        jobs.write_json(folder / f"{still.name}.json", _record(still, objects))

    jobs.work_through(run, "stills", run.share(len(STILLS)), lambda i: folder / f"{STILLS[i].name}.json", make)


def _record(still: Still, objects: list[SeenObject]) -> dict:
    width, height = RESOLUTION_WH
    return {
        "width": width, "height": height, "title": still.title, "caption": still.caption,
        "objects": [to_record(seen) for seen in objects],
    }  # fmt: skip


def render_scene(
    place: Place, placements: tuple[Placement, ...], resolution_wh: tuple[int, int], samples: int, scratch: Path
) -> tuple[np.ndarray, np.ndarray, list[SeenObject]]:
    """A place with its animals in one render: rgb (h, w, 3) in 0..1, index map (h, w), and what is seen."""
    stage.reset_scene(resolution_wh, samples)
    built = build_place(place, resolution_wh)
    things = [add_placed(placed, built, index) for index, placed in enumerate(placements, start=1)]
    stage.write_passes(scratch, depth=False)
    stage.render_to(scratch / "still.png")
    index, _ = stage.read_passes(scratch, depth=False)
    rgb = repair_black(stage.read_image(scratch / "still.png")[:, :, :3], index > 0)
    return rgb, index, seen_placed(index, things, placements, built, resolution_wh)


def seen_placed(
    index: np.ndarray,
    things: list[bpy.types.Object],
    placements: tuple[Placement, ...],
    built: Stage,
    resolution_wh: tuple[int, int],
) -> list[SeenObject]:
    """What an index map shows of placed animals, numbered from 1 in the placements' order."""
    projector = camera_projector(built.camera, resolution_wh)
    amodal = {thing.pass_index: outline(thing, projector).silhouette_px for thing in things}
    return seen_objects(index, {i: placed.kind for i, placed in enumerate(placements, start=1)}, amodal)


def add_placed(placed: Placement, built: Stage, index: int) -> bpy.types.Object:
    """Put one animal of a scene's table into the scene."""
    distance = float(np.hypot(*placed.xy))
    detail = "fine" if distance < FINE_WITHIN_M else "medium" if distance < MEDIUM_WITHIN_M else "coarse"
    heading = float(np.radians(placed.heading_deg))
    return add_animal(animal_of(placed), placed.xy, heading, built.ground, index=index, detail=detail)


def animal_of(placed: Placement) -> Animal:
    """The Animal that a row of a scene's table describes; what the row leaves open is drawn from its seed."""
    rng = np.random.default_rng(placed.seed)
    breeds = (placed.breed,) if placed.breed else None
    drawn = draw_animal(rng, kinds={placed.kind: 1.0}, breeds=breeds, split="test")
    return replace(drawn, pose=placed.pose or drawn.pose, scale=drawn.scale * placed.scale)
