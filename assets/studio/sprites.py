"""Cut-out animals for composing training scenes: one a picture, on nothing, from everywhere and in every light."""

from __future__ import annotations

from dataclasses import dataclass, replace

import bpy
import numpy as np

from studio import jobs, stage
from studio.animals import Animal, add_animal, draw_animal
from studio.landscape import Place, build_light, draw_place
from studio.truth import Projector, camera_projector, world_vertices

COUNT = 720
LIGHT_SHARED_BY = 6
SMALL_PX, LARGE_PX = 256, 448
SAMPLES = {SMALL_PX: 6, LARGE_PX: 5}
MIX = {"cow": 0.5, "person": 0.125, "horse": 0.125, "dog": 0.125, "sheep": 0.125}
SPOT = (0.0, 14.0)
FILL = 0.95
"""How much of the sprite's side the animal may take; the rest is margin for antialiasing."""


@dataclass(frozen=True)
class View:
    """How a sprite is seen: picture side in pixels, camera elevation in degrees, distance in body lengths, exposure."""

    side_px: int
    elevation_deg: float
    lengths_away: float
    exposure: float


def run(run: jobs.Run) -> None:
    """Render the run's share of the sprites into ``sprites/NNNNN.png`` with ``NNNNN.json`` beside each."""
    folder, light = run.folder("sprites"), _Light(run)

    def make(item: int) -> None:
        rng = run.rng("sprite", item)
        place, ground = light.of(item // LIGHT_SHARED_BY)
        animal, view = draw_animal(rng, kinds=MIX, split="train"), _draw_view(rng)
        pixels, facts = _render(animal, view, rng.uniform(0, 2 * np.pi), place, ground, run.scratch("sprite"), item)
        jobs.write_picture(folder / f"{item:05d}.png", pixels)
        jobs.write_json(folder / f"{item:05d}.json", facts)

    jobs.work_through(run, "sprites", run.share(COUNT, LIGHT_SHARED_BY), lambda i: folder / f"{i:05d}.json", make)


class _Light:
    """The scene's light and bounce ground, set up anew only when the group of sprites that shares it changes."""

    def __init__(self, run: jobs.Run) -> None:
        self.run, self.group = run, None

    def of(self, group: int) -> tuple[Place, object]:
        if group != self.group:
            rng = self.run.rng("sprite-light", group)
            stage.reset_scene((SMALL_PX, SMALL_PX), SAMPLES[SMALL_PX], transparent=True)
            place = draw_place(rng, f"light{group}", split="train")
            self.place = replace(place, sun_azimuth_deg=float(rng.uniform(0, 360)))
            self.ground, self.group = build_light(self.place, (SMALL_PX, SMALL_PX)).ground, group
            self.exposure = bpy.context.scene.view_settings.exposure
        bpy.context.scene.view_settings.exposure = self.exposure
        return self.place, self.ground


def _draw_view(rng: np.random.Generator) -> View:
    """Mostly a standing person's view, a quarter from a slope or tractor, some from a drone."""
    level = abs(rng.normal(4, 6))
    elevation = rng.choice([level, rng.uniform(10, 35), rng.uniform(35, 88)], p=[0.6, 0.25, 0.15])
    side = SMALL_PX if rng.random() < 0.75 else LARGE_PX
    return View(side, float(elevation), float(rng.uniform(3, 14)), float(rng.uniform(-0.45, 0.4)))


def _render(
    animal: Animal, view: View, heading: float, place: Place, ground: object, scratch: object, item: int
) -> tuple[np.ndarray, dict]:
    """One sprite cropped to the animal (h, w, 4) uint8, and its entry of the index."""
    scene = bpy.context.scene
    detail = "medium" if view.side_px == SMALL_PX else "fine"
    thing = add_animal(animal, SPOT, heading, ground, index=1, detail=detail)
    bpy.context.view_layer.update()
    camera, distance, focal_px = _frame(world_vertices(thing), view)
    scene.render.resolution_x = scene.render.resolution_y = view.side_px
    scene.cycles.samples = SAMPLES[view.side_px]
    scene.cycles.seed = item
    scene.view_settings.exposure += view.exposure
    stage.render_to(scratch / "sprite.png")
    stage.remove(thing)
    stage.remove(camera)
    pixels = _cropped(np.rint(stage.read_image(scratch / "sprite.png") * 255).astype(np.uint8))
    facts = {
        "kind": animal.kind, "breed": animal.breed, "pose": animal.pose, "width": pixels.shape[1],
        "height": pixels.shape[0], "metres_per_pixel": round(distance / focal_px, 6),
        "elevation_deg": round(view.elevation_deg, 1), "sun_elevation_deg": round(place.sun_elevation_deg, 1),
        "sun_azimuth_deg": round(place.sun_azimuth_deg, 1), "split": "train",
    }  # fmt: skip
    return pixels, facts


def _frame(points: np.ndarray, view: View) -> tuple[bpy.types.Object, float, float]:
    """A camera south of the animal that just holds all of it; its distance in metres and focal length in pixels."""
    centre = (points.min(0) + points.max(0)) / 2
    distance = view.lengths_away * float(np.ptp(points, axis=0)[:2].max())
    angle = np.radians(view.elevation_deg)
    location = centre + distance * np.array([0.0, -np.cos(angle), np.sin(angle)])
    camera = stage.add_camera(tuple(location), tuple(centre), 50.0)
    frame_wh = (view.side_px, view.side_px)
    xy, _ = camera_projector(camera, frame_wh)(points)
    low, high = xy.min(0), xy.max(0)
    zoom = FILL * view.side_px / float((high - low).max())
    shift = ((low + high) / 2 / view.side_px - 0.5) * zoom
    camera.data.lens *= zoom
    camera.data.shift_x, camera.data.shift_y = float(shift[0]), float(-shift[1])
    _render_only((high - low) * zoom / view.side_px)
    projector: Projector = camera_projector(camera, frame_wh)
    return camera, distance, projector.focal_px


def _render_only(share_wh: np.ndarray, margin: float = 0.02) -> None:
    """Render just the middle of the frame, ``share_wh`` of its width and height; the rest would be empty anyway."""
    render, half = bpy.context.scene.render, np.minimum(share_wh / 2 + margin, 0.5)
    render.use_border = render.use_crop_to_border = True
    render.border_min_x, render.border_max_x = 0.5 - half[0], 0.5 + half[0]
    render.border_min_y, render.border_max_y = 0.5 - half[1], 0.5 + half[1]


def _cropped(rgba: np.ndarray) -> np.ndarray:
    """The part of a picture that is not fully transparent, its pure-black animal pixels lifted to near-black."""
    solid = rgba[:, :, 3] > 0
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    if not len(rows):
        raise ValueError("a sprite shows nothing; the animal is out of the camera's view")
    black = solid & (rgba[:, :, :3].max(2) == 0)
    rgba[black, :3] = 2
    return rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
