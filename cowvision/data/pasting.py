"""Pasting sprites: perspective size, light, shadow, what hides the animal, and the map of which pixel shows whom."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cowvision.data import weathering
from cowvision.data.backgrounds import random_colour, value_noise
from cowvision.data.layout import Placement
from cowvision.data.plates import Background
from cowvision.data.sprites import Rgba, SpritePool

Alpha = NDArray[np.float32]

FOREGROUND = -1
"""The id of pixels that show a rail, post or blade in front of the animals."""


@dataclass(frozen=True)
class Canvas:
    """The scene being painted: ``rgb`` uint8 HxWx3 and ``id_map`` int16 HxW (0: background), both changed in place."""

    rgb: NDArray[np.uint8]
    id_map: NDArray[np.int16]
    background: Background
    light: float

    @classmethod
    def over(cls, background: Background) -> Canvas:
        """A canvas showing only the background."""
        rgb = np.ascontiguousarray(background.rgb)
        thumbnail = cv2.resize(rgb, (16, 9), interpolation=cv2.INTER_AREA)
        light = float(np.clip((thumbnail.mean() / 115) ** 0.6, 0.35, 1.25))
        return cls(rgb, np.zeros(rgb.shape[:2], np.int16), background, light)


def paste(
    rng: np.random.Generator, canvas: Canvas, pool: SpritePool, placement: Placement, *, number: int, strong: bool
) -> int:
    """Paint one animal as object ``number``; the pixels of its whole silhouette inside the frame (0: outside)."""
    fitted = _fit(canvas, pool, placement)
    if fitted is None:
        return 0
    rgba, left, top = fitted
    silhouette = int(np.count_nonzero(rgba[..., 3] > 127))
    if silhouette < 12:
        return 0
    _cast_shadow(rng, canvas, pool, placement)
    height, width = rgba.shape[:2]
    window = (slice(top, top + height), slice(left, left + width))
    colour = _recolour(rng, canvas, np.ascontiguousarray(rgba[..., :3]), placement, strong=strong)
    alpha = _hide(rng, canvas, rgba[..., 3].astype(np.float32) / 255, placement, window)
    if strong and rng.random() < 0.3:
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.4, 1.2)), np.float32)
    canvas.rgb[window] = cv2.blendLinear(colour, np.ascontiguousarray(canvas.rgb[window]), alpha, 1 - alpha)
    canvas.id_map[window][alpha > 0.5] = number
    return silhouette


def _fit(canvas: Canvas, pool: SpritePool, placement: Placement) -> tuple[Rgba, int, int] | None:
    """The sprite resampled into the frame: (RGBA of the part inside, its left column, its top row)."""
    info = pool.sprites[placement.sprite]
    scale = info.metres_per_pixel * placement.pixels_per_metre
    level, remaining = pool.level_for(placement.sprite, scale)
    source_height, source_width = level.shape[:2]
    width, height = source_width * remaining, source_height * remaining
    x0, y0 = placement.foot_xy[0] - width / 2, placement.foot_xy[1] - height
    left, top = max(0, math.floor(x0)), max(0, math.floor(y0))
    right, bottom = min(canvas.rgb.shape[1], math.ceil(x0 + width)), min(canvas.rgb.shape[0], math.ceil(y0 + height))
    if right - left < 2 or bottom - top < 2:
        return None
    sign, origin = (-1, x0 + width) if placement.mirrored else (1, x0)
    # pixel centres: target = scale * (source + 0.5) - 0.5
    across = [sign * remaining, 0, origin - left + sign * remaining / 2 - 0.5]
    down = [0, remaining, y0 - top + remaining / 2 - 0.5]
    matrix = np.array([across, down], np.float64)
    inside = cv2.warpAffine(level, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    return np.asarray(inside, np.uint8), left, top


def _recolour(
    rng: np.random.Generator, canvas: Canvas, rgb: NDArray[np.uint8], placement: Placement, *, strong: bool
) -> NDArray[np.uint8]:
    limits = weathering.STRONG_ANIMAL if strong else weathering.MILD_ANIMAL
    rgb = weathering.jitter(rng, rgb, limits, gain=canvas.light)
    if strong and rng.random() < 0.3:
        noise = value_noise(rng, rgb.shape[1], rgb.shape[0], base=float(rng.choice([3, 6, 16])), octaves=3)
        rgb = np.clip(rgb * (1 + 0.22 * noise[..., None]), 0, 255).astype(np.uint8)
    return _haze(canvas, rgb, placement)


def _haze(canvas: Canvas, rgb: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
    """Far animals fade into the colour of the air at the horizon, most on hazy plates."""
    reach_m = 120.0 if canvas.background.weather in ("haze", "fog") else 700.0
    amount = 1 - math.exp(-placement.depth_m / reach_m)
    if canvas.background.depth_m is None or amount < 0.03:
        return rgb
    row = int(np.clip(canvas.background.horizon_row, 0, canvas.rgb.shape[0] - 1))
    air = canvas.background.rgb[row].mean(axis=0)
    return np.asarray(cv2.addWeighted(rgb, 1 - amount, np.full_like(rgb, air), amount, 0), np.uint8)


def _hide(
    rng: np.random.Generator, canvas: Canvas, alpha: Alpha, placement: Placement, window: tuple[slice, slice]
) -> Alpha:
    """``alpha`` without what stands before the animal: the plate's nearer geometry, or an invented line of grass."""
    depth = canvas.background.depth_m
    if depth is not None and placement.depth_m > 0:
        hidden = depth[window] < placement.depth_m - 0.35 - 0.02 * placement.depth_m
        return np.asarray(alpha * (1 - cv2.GaussianBlur(hidden.astype(np.float32), (3, 3), 0.5)), np.float32)
    if depth is None and rng.random() < 0.6:
        tall = rng.uniform(0.02, 0.10) * placement.pixels_per_metre * 1.5
        tips = placement.foot_xy[1] - tall * (1 + 0.5 * rng.standard_normal(alpha.shape[1]))
        rows = np.arange(window[0].start, window[0].stop)[:, None]
        return alpha * (rows < tips).astype(np.float32)
    return alpha


def _cast_shadow(rng: np.random.Generator, canvas: Canvas, pool: SpritePool, placement: Placement) -> None:
    """Darken the ground by the silhouette laid along the sun's direction; without sun a soft patch under the feet."""
    background, info = canvas.background, pool.sprites[placement.sprite]
    level, remaining = pool.level_for(placement.sprite, info.metres_per_pixel * placement.pixels_per_metre)
    tall, wide = level.shape[0] * remaining, level.shape[1] * remaining
    lean, lift, darkness = _shadow_shape(rng, background, placement)
    x, y = placement.foot_xy
    left, right = min(x - wide / 2, x - wide / 2 + lean * tall), max(x + wide / 2, x + wide / 2 + lean * tall)
    top, bottom = min(y - lift * tall, y), max(y - lift * tall, y)
    margin = max(2.0, 0.06 * tall)
    x0, y0 = max(0, int(left - margin)), max(0, int(top - margin))
    x1, y1 = min(canvas.rgb.shape[1], int(right + margin)), min(canvas.rgb.shape[0], int(bottom + margin))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    # a point t of the height above the feet falls lean * t sideways and lift * t up the picture
    sign = -1 if placement.mirrored else 1
    across = [sign * remaining, -lean * remaining, x - sign * wide / 2 + lean * tall - x0]
    down = [0, lift * remaining, y - lift * tall - y0]
    matrix = np.array([across, down], np.float64)
    mask = cv2.warpAffine(np.ascontiguousarray(level[..., 3]), matrix, (x1 - x0, y1 - y0))
    mask = cv2.GaussianBlur(mask, (0, 0), max(0.6, 0.02 * tall))
    shade = 255 - (mask * darkness).astype(np.uint8)
    window = (slice(y0, y1), slice(x0, x1))
    canvas.rgb[window] = cv2.multiply(canvas.rgb[window], cv2.cvtColor(shade, cv2.COLOR_GRAY2RGB), scale=1 / 255)


def _shadow_shape(rng: np.random.Generator, background: Background, placement: Placement) -> tuple[float, float, float]:
    """(sideways lean, lift up the picture, darkness), the first two a unit of height."""
    if background.sun_elevation_deg is None:
        return 0.0, rng.uniform(0.05, 0.12), rng.uniform(0.15, 0.4)
    reach = min(3.0, 1 / math.tan(math.radians(max(8.0, background.sun_elevation_deg))))
    azimuth = math.radians(background.sun_azimuth_deg)
    view = math.sin(math.radians(min(80.0, background.elevation_deg(placement.pixels_per_metre))))
    lift = -math.cos(azimuth) * reach * max(view, 0.03)
    return -math.sin(azimuth) * reach, lift if abs(lift) > 0.04 else 0.04, rng.uniform(0.3, 0.65)


def draw_foreground(rng: np.random.Generator, canvas: Canvas) -> None:
    """Rails, posts and blades in front of everything; their pixels show no animal."""
    height, width = canvas.id_map.shape
    colour = tuple(random_colour(rng, 0.5).tolist())
    for _ in range(int(rng.integers(1, 6))):
        start, end = _foreground_line(rng, width, height)
        thickness = int(rng.integers(1, 6))
        cv2.line(canvas.rgb, start, end, colour, thickness, cv2.LINE_AA)
        cv2.line(canvas.id_map, start, end, (FOREGROUND,), thickness)


def _foreground_line(rng: np.random.Generator, width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    shape = int(rng.integers(3))
    if shape == 0:
        row = int(rng.uniform(0.3, 1) * height)
        return (0, row), (width, row + int(rng.uniform(-20, 20)))
    if shape == 1:
        column = int(rng.uniform(0, width))
        return (column, int(rng.uniform(0, 0.7) * height)), (column + int(rng.uniform(-6, 6)), height)
    x, y = int(rng.uniform(0, width)), int(rng.uniform(0, height))
    return (x, y), (x + int(rng.uniform(-40, 40)), y + int(rng.uniform(-40, 40)))
