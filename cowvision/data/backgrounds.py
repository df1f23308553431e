"""Procedural backgrounds: fields, barns, water, foliage - places no plate shows, so that nothing else is a cow."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cowvision.data.plates import Background

Painting = NDArray[np.floating[Any]]
"""Colours or noise while they are still fractions, HxWx3 or HxW."""


def value_noise(
    rng: np.random.Generator, width: int, height: int, *, base: float = 2, octaves: int = 5, persistence: float = 0.6
) -> Painting:
    """Smooth noise around 0, float32 HxW; ``base`` cells across in the first octave, doubling from there."""
    out = np.zeros((height, width), np.float32)
    amplitude = 1.0
    for octave in range(octaves):
        across = max(2, int(base * 2**octave))
        if across > width:
            break
        grid = rng.standard_normal((max(2, across * height // max(width, 1)) + 1, across + 1), np.float32)
        out += amplitude * cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)
        amplitude *= persistence
    return out


def random_colour(rng: np.random.Generator, natural: float = 0.5) -> Painting:
    """An RGB colour, float32; with probability ``natural`` a green, straw or earth tone."""
    if rng.random() < natural:
        hsv = (rng.uniform(12, 55), rng.uniform(30, 190), rng.uniform(40, 215))
    else:
        hsv = (rng.uniform(0, 180), rng.uniform(0, 160), rng.uniform(15, 245))
    pixel = np.array(hsv, np.uint8).reshape(1, 1, 3)
    return np.asarray(cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0], np.float32)


def procedural_background(rng: np.random.Generator, resolution_wh: tuple[int, int]) -> Background:
    """A random invented place with a random camera; no depth."""
    width, height = resolution_wh
    paint = (_field, _field, _field, _interior, _foliage, _water)[int(rng.integers(6))]
    horizon = rng.uniform(-0.4, 0.5) * height
    rgb = np.clip(paint(rng, width, height, horizon), 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 9))):
        _draw_distractor(rng, rgb)
    sunny = paint is _field and rng.random() < 0.6
    focal, level = width * rng.uniform(0.7, 2.2), height / 2 - horizon
    return Background(
        rgb=rgb,
        depth_m=None,
        focal_px=focal,
        horizon_row=horizon,
        camera_height_m=rng.uniform(1.2, 4.5),
        pitch_deg=float(np.degrees(np.arctan2(level, focal))),
        sun_elevation_deg=rng.uniform(15, 65) if sunny else None,
        sun_azimuth_deg=rng.uniform(0, 360),
        weather="clear" if sunny else "overcast",
    )


def _texture(rng: np.random.Generator, width: int, height: int, natural: float, contrast: float = 0.5) -> Painting:
    """Two colours mixed by noise; painted at half size, which is far cheaper and enlarges smoothly."""
    small = (max(2, width // 2), max(2, height // 2))
    noise = value_noise(rng, *small, base=float(rng.choice([2, 4, 8])), octaves=6, persistence=rng.uniform(0.5, 0.95))
    mix = np.clip(0.5 + noise * rng.uniform(0.1, contrast), 0, 1)[..., None]
    first, second = random_colour(rng, natural), random_colour(rng, natural)
    mixed = cv2.resize(first * mix + second * (1 - mix), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(mixed, np.float32)


def _field(rng: np.random.Generator, width: int, height: int, horizon: float) -> Painting:
    rgb = _texture(rng, width, height, natural=0.7)
    rows = np.arange(height, dtype=np.float32)[:, None]
    skyline = horizon + 8 * value_noise(rng, width, 2, base=8, octaves=3)[:1]
    grey = rng.uniform(110, 255)
    sky = random_colour(rng, 0) if rng.random() < 0.4 else grey + np.array([-25, 0, 25], np.float32) * rng.random()
    rgb[rows < skyline] = sky
    if rng.random() < 0.7:
        band = rng.uniform(0.03, 0.25) * height
        crowns = band * 0.35 * value_noise(rng, width, height, base=10, octaves=4, persistence=0.7)
        rgb[np.abs(rows - horizon + band * 0.3) + crowns < band * 0.6] *= 0.3
        rgb += np.where(np.abs(rows - horizon) < band, 0.2, 0)[..., None] * random_colour(rng, 0.8)
    return rgb


def _interior(rng: np.random.Generator, width: int, height: int, horizon: float) -> Painting:
    """A floor and a wall of concrete, boards or tiles, with beams and a bright opening now and then."""
    rgb = _texture(rng, width, height, natural=0.25, contrast=0.2)
    edge = int(np.clip(horizon + rng.uniform(0, 0.3) * height, 0, height))
    if edge > 2:
        rgb[:edge] = _texture(rng, width, edge, natural=0.2, contrast=0.15)
    if rng.random() < 0.6:
        step = int(rng.uniform(0.03, 0.2) * width) + 3
        rgb[:edge, :: step if rng.random() < 0.5 else max(3, step // 2)] *= rng.uniform(0.4, 0.9)
    for _ in range(int(rng.integers(0, 5))):
        column = int(rng.uniform(0, width))
        rgb[: int(rng.uniform(0.4, 1) * height), column : column + int(rng.uniform(3, 30))] = random_colour(rng, 0.2)
    fall = 1 + value_noise(rng, width, height, base=2, octaves=1) * rng.uniform(0, 0.35)
    return np.asarray(rgb * np.clip(fall, 0.2, 1.6)[..., None], np.float32)


def _foliage(rng: np.random.Generator, width: int, height: int, _horizon: float) -> Painting:
    rgb = np.ascontiguousarray(_texture(rng, width, height, natural=0.9))
    leaf = rng.uniform(2, 14)
    for _ in range(int(rng.integers(60, 260))):
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        colour = random_colour(rng, 0.9) * rng.uniform(0.3, 1.1)
        axes = (max(1, int(leaf * rng.uniform(0.6, 2))), max(1, int(leaf * rng.uniform(0.2, 0.8))))
        cv2.ellipse(rgb, centre, axes, rng.uniform(0, 180), 0, 360, tuple(colour.tolist()), -1)
    return rgb


def _water(rng: np.random.Generator, width: int, height: int, horizon: float) -> Painting:
    """Long flat ripples under a bright sky: water, sand, snow or a road, depending on the colours drawn."""
    near, far = random_colour(rng, 0.3), random_colour(rng, 0.1) * 0.5 + 110
    fade = np.clip((np.arange(height) - horizon) / height, 0, 1)[:, None, None]
    squashed = value_noise(rng, max(2, width // 12), height, base=6, octaves=4, persistence=0.8)
    ripples = cv2.resize(squashed, (width, height), interpolation=cv2.INTER_LINEAR) * rng.uniform(3, 30)
    return np.asarray((far * (1 - fade) + near * fade) + ripples[..., None], np.float32)


def _draw_distractor(rng: np.random.Generator, rgb: NDArray[np.uint8]) -> None:
    """A blob, polygon, box or line of one colour, drawn in place."""
    height, width = rgb.shape[:2]
    colour = tuple(random_colour(rng, 0.3).tolist())
    centre, size = rng.random(2) * (width, height), rng.uniform(0.03, 0.25) * height
    point = (int(centre[0]), int(centre[1]))
    shape = int(rng.integers(4))
    if shape == 0:
        cv2.ellipse(rgb, point, (int(size), int(size * rng.uniform(0.2, 0.8))), rng.uniform(0, 180), 0, 360, colour, -1)
    elif shape == 1:
        corners = centre + rng.uniform(-size, size, (int(rng.integers(3, 7)), 2))
        cv2.fillPoly(rgb, [corners.astype(np.int32)], colour, cv2.LINE_AA)
    elif shape == 2:
        corner = (int(centre[0] + size * rng.uniform(0.1, 2)), int(centre[1] + size))
        cv2.rectangle(rgb, point, corner, colour, -1)
    else:
        end = rng.random(2) * (width, height)
        cv2.line(rgb, point, (int(end[0]), int(end[1])), colour, int(rng.integers(1, 5)), cv2.LINE_AA)
