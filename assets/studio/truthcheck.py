"""Small scenes rendered both ways - at once, and as a layer laid into a plate - so that tests compare the truths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

from studio import jobs
from studio.annotations import SeenObject, to_record
from studio.landscape import Place, draw_place
from studio.layering import ground_shade, lay, render_layer
from studio.plates import read_plate, render_plate
from studio.still_scenes import STILLS, Placement
from studio.stills import add_placed, render_scene, seen_placed
from studio.testherd import open_set

SCENES = ("farmer_and_cows", "mixed_species", "from_above", "overcast_holsteins")
RESOLUTION_WH = (480, 320)
SAMPLES = 8
TRUTH_FOLDER = Path(__file__).parents[2] / "tests" / "data" / "truth"


def run(run: jobs.Run) -> None:
    """Write ``NAME.scene.png`` and ``NAME.layer.png`` (index maps) and ``NAME.json`` (boxes of both) for the tests."""
    TRUTH_FOLDER.mkdir(parents=True, exist_ok=True)
    stills = {still.name: still for still in STILLS}

    def make(item: int) -> None:
        still = stills[SCENES[item]]
        place = replace(draw_place(run.rng("truth", item), still.name, split="test"), **still.place)
        _, whole, seen_whole = render_scene(place, still.placements, RESOLUTION_WH, SAMPLES, run.scratch("truth"))
        layered, seen_layered = _layered(run, place, still.placements)
        jobs.write_picture(TRUTH_FOLDER / f"{still.name}.scene.png", whole.astype(np.uint8))
        jobs.write_picture(TRUTH_FOLDER / f"{still.name}.layer.png", layered.astype(np.uint8))
        record = {"scene": list(map(to_record, seen_whole)), "layer": list(map(to_record, seen_layered))}
        jobs.write_json(TRUTH_FOLDER / f"{still.name}.json", record)
        print(f"truth-check {still.name}: overlap of the index maps {_agreement(whole, layered)}", flush=True)

    jobs.work_through(run, "truth-check", run.share(len(SCENES)), lambda i: TRUTH_FOLDER / f"{SCENES[i]}.json", make)


def _layered(run: jobs.Run, place: Place, placements: tuple[Placement, ...]) -> tuple[np.ndarray, list[SeenObject]]:
    """The same scene as the test herd and the clips are made: the index map and what is seen."""
    folder = run.folder("truth_plates")
    render_plate(place, RESOLUTION_WH, SAMPLES, folder, run.scratch("plate"))
    plate = read_plate(folder, place.name)
    shown = open_set(place, plate, run.scratch("layer"))
    things = [add_placed(placed, shown.built, index) for index, placed in enumerate(placements, start=1)]
    bpy.context.view_layer.update()
    layer = render_layer(run.scratch("layer"))
    composite = lay(plate, layer, ground_shade(things, shown.lighting, plate.depth))
    return composite.index, seen_placed(composite.index, things, placements, shown.built, RESOLUTION_WH)


def _agreement(first: np.ndarray, second: np.ndarray) -> dict[int, float]:
    """Intersection over union of each object's pixels in the two maps."""
    values = [v for v in np.union1d(np.unique(first), np.unique(second)) if v > 0]
    return {
        int(v): round(float(((first == v) & (second == v)).sum() / ((first == v) | (second == v)).sum()), 3)
        for v in values
    }
