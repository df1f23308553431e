"""Laying rendered animals into a rendered plate: depth decides what hides what, shadows fall along the sun."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from scipy.ndimage import binary_closing, gaussian_filter, median_filter

from studio import stage
from studio.truth import Projector, splat, triangles, world_vertices

SUN_SHADOW = np.array([0.62, 0.60, 0.545], np.float32)
"""How much display-space red, green and blue a full sun shadow takes; the sky still shines, so blue loses least."""

CONTACT_SHADOW = 0.34
CONTACT_HEIGHT_M = 1.1
DEPTH_TOLERANCE_M = 0.02


@dataclass(frozen=True)
class Plate:
    """A landscape without animals: display-space ``rgb`` (h, w, 3) in 0..1 and ``depth`` (h, w) in metres."""

    rgb: np.ndarray
    depth: np.ndarray


@dataclass(frozen=True)
class Layer:
    """Animals alone: display-space straight-alpha ``rgba`` (h, w, 4), ``depth`` in metres, ``index`` (0: none)."""

    rgba: np.ndarray
    depth: np.ndarray
    index: np.ndarray


@dataclass(frozen=True)
class Composite:
    """The finished picture ``rgb`` (h, w, 3) in 0..1 and the index map of what remains visible (h, w)."""

    rgb: np.ndarray
    index: np.ndarray


def render_layer(folder: Path) -> Layer:
    """Render the scene (film transparent, ``stage.write_passes(folder, depth=True)`` in force)."""
    picture = folder / "layer.png"
    stage.render_to(picture)
    index, depth = stage.read_passes(folder, depth=True)
    return Layer(stage.read_image(picture), depth, index)


def lay(plate: Plate, layer: Layer, shade: np.ndarray) -> Composite:
    """Lay animals over a plate, hidden where it is nearer; ``shade`` (h, w, 3) is the light taken from the ground."""
    hidden = (layer.index > 0) & (plate.depth < layer.depth - DEPTH_TOLERANCE_M)
    softness = 0.2 + 0.6 * layer.index.shape[1] / 1280
    alpha = layer.rgba[:, :, 3:] * (1 - gaussian_filter(hidden.astype(np.float32), softness))[:, :, None]
    visible = np.where(hidden, 0, layer.index)
    rgb = plate.rgb * (1 - shade) * (1 - alpha) + layer.rgba[:, :, :3] * alpha
    return Composite(repair_black(rgb, visible > 0), visible)


def repair_black(rgb: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Replace pixels that would be stored as pure black inside animals by the median around them."""
    black = inside & (rgb.max(2) < 0.5 / 255)
    if not black.any():
        return rgb
    filled = np.maximum(median_filter(rgb, size=(5, 5, 1)), 2 / 255)
    return np.where(black[:, :, None], filled, rgb)


@dataclass(frozen=True)
class Lighting:
    """What shadows need to know of a place: the camera's projector, ground(x, y) -> z, and the sun (None: overcast)."""

    projector: Projector
    ground: Callable
    sun_direction: np.ndarray | None
    shadow_strength: float


def ground_shade(animals: list[bpy.types.Object], lighting: Lighting, plate_depth: np.ndarray) -> np.ndarray:
    """The light (h, w, 3) in 0..1 that animals take from the ground: the sun's shadows, and dusk under their bodies."""
    sun = np.zeros(plate_depth.shape, np.float32)
    contact = np.zeros(plate_depth.shape, np.float32)
    sunny = lighting.sun_direction is not None and lighting.shadow_strength > 0
    for animal in animals:
        points, faces = world_vertices(animal), triangles(animal)
        _add_shadow(contact, points, _low_part(points, faces), np.array([0.0, 0.0, 1.0]), 0.16, lighting, plate_depth)
        if sunny:
            _add_shadow(sun, points, faces, np.asarray(lighting.sun_direction), 0.03, lighting, plate_depth)
    shade = sun[:, :, None] * SUN_SHADOW * lighting.shadow_strength
    return 1 - (1 - shade) * (1 - CONTACT_SHADOW * contact[:, :, None])


def _low_part(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The triangles near the ground: only they darken it when light comes from the whole sky."""
    return faces[points[faces[:, 0], 2] < points[:, 2].min() + CONTACT_HEIGHT_M]


def _add_shadow(
    shade: np.ndarray,
    points: np.ndarray,
    faces: np.ndarray,
    light: np.ndarray,
    blur_m: float,
    lighting: Lighting,
    plate_depth: np.ndarray,
) -> None:
    """Splat a body, thrown onto the ground along ``light``, into ``shade`` where the plate shows that ground."""
    used, faces = np.unique(faces, return_inverse=True)
    xy, depth = lighting.projector(_thrown(points[used], light, lighting.ground))
    faces = faces.reshape(-1, 3)
    faces = faces[(depth[faces] > 0.5).all(1)]
    if not len(faces):
        return
    depth = depth[depth > 0.5]
    blur_px = max(0.6, blur_m * lighting.projector.focal_px / float(np.median(depth)))
    window, low = _window(xy[faces[:, 0]], 4 * blur_px + 2, shade.shape)
    if not shade[window].size:
        return
    size_wh = shade[window].shape[::-1]
    mask = binary_closing(splat(xy - low, faces, size_wh), np.ones((3, 3)))
    shown = (plate_depth[window] > depth.min() - 1.2) & (plate_depth[window] < depth.max() + 2.0)
    np.maximum(shade[window], gaussian_filter(mask.astype(np.float32), blur_px) * shown, out=shade[window])


def _window(xy: np.ndarray, margin: float, shape: tuple[int, int]) -> tuple[tuple[slice, slice], np.ndarray]:
    """The part of a picture of ``shape`` (h, w) that points and a margin occupy, and its upper left (x, y)."""
    frame = np.array(shape[::-1])
    low = np.clip(np.floor(xy.min(0) - margin), 0, frame).astype(int)
    high = np.clip(np.ceil(xy.max(0) + margin), 0, frame).astype(int)
    return (slice(low[1], high[1]), slice(low[0], high[0])), low


def _thrown(points: np.ndarray, light: np.ndarray, ground: Callable) -> np.ndarray:
    """Points moved against ``light`` (unit vector to the source) until they meet the ground; two steps suffice."""
    thrown = points.copy()
    for _ in range(0 if light[2] == 1 else 2):
        above = points[:, 2] - ground(thrown[:, 0], thrown[:, 1])
        thrown = points - light * (above / max(light[2], 0.03))[:, None]
    thrown[:, 2] = ground(thrown[:, 0], thrown[:, 1])
    return thrown
