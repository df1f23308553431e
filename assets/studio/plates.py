"""Landscapes without animals, with depth: backgrounds into which scenes are composed."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from PIL import Image

from studio import jobs, stage
from studio.landscape import Place, Stage, build_place, draw_place
from studio.layering import Plate

COUNT = 35
RESOLUTION_WH = (640, 360)
SAMPLES = 8


def run(run: jobs.Run) -> None:
    """Render the run's share of the training plates into ``plates/NAME.png``, ``NAME.depth.npy`` and ``NAME.json``."""
    folder = run.folder("plates")

    def make(item: int) -> None:
        place = draw_place(run.rng("plate", item), _name(item), split="train")
        render_plate(place, RESOLUTION_WH, SAMPLES, folder, run.scratch("plate"))

    jobs.work_through(run, "plates", run.share(COUNT), lambda i: folder / f"{_name(i)}.json", make)


def _name(item: int) -> str:
    return f"train{item:02d}"


def render_plate(place: Place, resolution_wh: tuple[int, int], samples: int, folder: Path, scratch: Path) -> None:
    """Render one place with its depth; the JSON is written last and says that the plate is whole."""
    stage.reset_scene(resolution_wh, samples)
    built = build_place(place, resolution_wh)
    stage.write_passes(scratch, depth=True)
    stage.render_to(scratch / "plate.png")
    _, depth = stage.read_passes(scratch, depth=True)
    with jobs.finished(folder / f"{place.name}.depth.npy") as part, part.open("wb") as file:
        np.save(file, depth)
    jobs.write_picture(folder / f"{place.name}.png", stage.read_image(scratch / "plate.png")[:, :, :3])
    jobs.write_json(folder / f"{place.name}.json", describe(place, built, resolution_wh))


def read_plate(folder: Path, name: str) -> Plate:
    """A plate that ``render_plate`` wrote."""
    rgb = np.asarray(Image.open(folder / f"{name}.png"), np.float32) / 255
    return Plate(rgb, np.load(folder / f"{name}.depth.npy"))


def describe(place: Place, built: Stage, resolution_wh: tuple[int, int]) -> dict:
    """A plate's entry of the index; ``pitch_deg`` is positive looking down, ``horizon_row`` may lie outside."""
    width, height = resolution_wh
    forward = -np.array(built.camera.matrix_world.to_3x3())[:, 2]
    pitch = float(np.degrees(np.arcsin(-forward[2])))
    focal_px = built.camera.data.lens / built.camera.data.sensor_width * width
    horizon = height / 2 - focal_px * np.tan(np.radians(pitch))
    return {
        "name": place.name, "width": width, "height": height, "focal_px": round(focal_px, 2),
        "horizon_row": round(float(horizon), 1), "camera_height_m": round(place.camera_height_m, 3),
        "pitch_deg": round(pitch, 2), "sun_elevation_deg": round(place.sun_elevation_deg, 1),
        "sun_azimuth_deg": round(camera_relative(place.sun_azimuth_deg, forward), 1),
        "season": place.season, "weather": place.weather, "terrain": place.terrain,
        "near_m": round(built.near_m, 2), "far_m": round(built.far_m, 2),
        "shadow_strength": round(float(built.shadow_strength), 2), "samples": bpy.context.scene.cycles.samples,
    }  # fmt: skip


def camera_relative(azimuth_deg: float, forward: np.ndarray) -> float:
    """A compass direction (clockwise from +Y) as degrees clockwise from where the camera looks, 0..360."""
    return float((azimuth_deg - np.degrees(np.arctan2(forward[0], forward[1]))) % 360)
