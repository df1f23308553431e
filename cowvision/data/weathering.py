"""Photometric randomisation: the difference between one clean render and a thousand cameras, days and compressions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cowvision.data.backgrounds import random_colour

Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class ColourJitter:
    """Largest change of hue (OpenCV half degrees), saturation, gain, offset (0..255), tint and gamma (octaves)."""

    hue: float
    saturation: float
    gain: float
    offset: float
    tint: float
    gamma: float


MILD_ANIMAL = ColourJitter(0, 0, 0.15, 8, 0.03, 0.25)
STRONG_ANIMAL = ColourJitter(6, 0.5, 0.35, 25, 0.06, 0.4)
MILD_PLACE = ColourJitter(4, 0.2, 0.18, 10, 0.04, 0.3)
STRONG_PLACE = ColourJitter(25, 0.5, 0.35, 25, 0.10, 0.4)
MILD_CAMERA = ColourJitter(0, 0.25, 0.15, 8, 0.05, 0.3)
STRONG_CAMERA = ColourJitter(12, 0.5, 0.3, 25, 0.10, 0.4)


def jitter(rng: np.random.Generator, rgb: Rgb, limits: ColourJitter, gain: float = 1.0) -> Rgb:
    """``rgb`` (uint8) with its colours changed at random within ``limits``; ``gain`` brightens besides."""
    if limits.hue or limits.saturation:
        rgb = _shift_hue(rng, rgb, limits)
    ramp = np.arange(256, dtype=np.float32)[:, None] / 255
    curve = 255 * ramp ** (2 ** rng.uniform(-limits.gamma, limits.gamma))
    gains = gain * rng.uniform(1 - limits.gain, 1 + limits.gain) * rng.uniform(1 - limits.tint, 1 + limits.tint, 3)
    table = np.clip(curve * gains + rng.uniform(-limits.offset, limits.offset), 0, 255).astype(np.uint8)
    return _pixels(cv2.LUT(rgb, table[None]))


def _shift_hue(rng: np.random.Generator, rgb: Rgb, limits: ColourJitter) -> Rgb:
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    steps = np.arange(256)
    tables = np.stack(
        [
            (steps + int(rng.uniform(-limits.hue, limits.hue))) % 180,
            np.clip(steps * rng.uniform(1 - limits.saturation, 1 + limits.saturation), 0, 255),
            steps,
        ],
        axis=1,
    )
    return _pixels(cv2.cvtColor(cv2.LUT(hsv, tables.astype(np.uint8)[None]), cv2.COLOR_HSV2RGB))


def mild(rng: np.random.Generator, rgb: Rgb) -> Rgb:
    """A good camera on an ordinary day: a little colour, softness, noise and compression."""
    out = jitter(rng, rgb, MILD_CAMERA) if rng.random() < 0.5 else rgb
    if rng.random() < 0.35:
        out = _choose(rng, (gaussian_blur, enlarge, sharpen))(rng, out, 0.5)
    if rng.random() < 0.25:
        out = sensor_noise(rng, out, 5)
    return jpeg(rng, out, 50, 95) if rng.random() < 0.4 else out


def strong(rng: np.random.Generator, rgb: Rgb) -> Rgb:
    """Any camera on any day: heavy colour, haze, grey, blur, noise, compression and holes."""
    out = jitter(rng, rgb, STRONG_CAMERA) if rng.random() < 0.8 else rgb
    if rng.random() < 0.12:
        out = veil(rng, out)
    if rng.random() < 0.10:
        out = grey(out)
    if rng.random() < 0.65:
        out = _choose(rng, (gaussian_blur, enlarge, sharpen, defocus, motion_blur))(rng, out, 1.0)
    if rng.random() < 0.4:
        out = sensor_noise(rng, out, 14)
    if rng.random() < 0.4:
        out = jpeg(rng, out, 20, 85)
    return cut_out(rng, out) if rng.random() < 0.2 else out


Effect = Callable[[np.random.Generator, Rgb, float], Rgb]


def _choose(rng: np.random.Generator, effects: tuple[Effect, ...]) -> Effect:
    return effects[int(rng.integers(len(effects)))]


def gaussian_blur(rng: np.random.Generator, rgb: Rgb, strength: float) -> Rgb:
    """Softness up to a sigma of 1.6 pixels."""
    return _pixels(cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.35, 0.4 + 1.2 * strength)))


def enlarge(rng: np.random.Generator, rgb: Rgb, strength: float) -> Rgb:
    """A smaller picture blown up, as a digital zoom does."""
    height, width = rgb.shape[:2]
    scale = rng.uniform(1 - 0.65 * strength, 0.9)
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return _pixels(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def sharpen(rng: np.random.Generator, rgb: Rgb, strength: float) -> Rgb:
    """Unsharp mask, as phones apply it."""
    amount = rng.uniform(0.2, 0.8 * strength + 0.2)
    return _pixels(cv2.addWeighted(rgb, 1 + amount, cv2.GaussianBlur(rgb, (0, 0), 1.2), -amount, 0))


def defocus(rng: np.random.Generator, rgb: Rgb, strength: float) -> Rgb:
    """A disc-shaped point spread."""
    radius = int(rng.integers(1, 2 + round(2 * strength)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.float32)
    return _pixels(cv2.filter2D(rgb, -1, disc / disc.sum()))


def motion_blur(rng: np.random.Generator, rgb: Rgb, strength: float) -> Rgb:
    """A short straight smear in a random direction."""
    length = int(rng.integers(3, 4 + round(6 * strength)))
    kernel = np.zeros((length, length), np.float32)
    angle, middle = rng.uniform(0, np.pi), (length - 1) / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    start, end = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
    cv2.line(kernel, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), (1.0,))
    return _pixels(cv2.filter2D(rgb, -1, kernel / kernel.sum()))


def sensor_noise(rng: np.random.Generator, rgb: Rgb, largest: float) -> Rgb:
    """Gaussian noise up to a standard deviation of ``largest``; its grain is sometimes coarser than a pixel."""
    height, width = rgb.shape[:2]
    grain, deviation = int(rng.integers(1, 3)), rng.uniform(1, largest)
    noise = rng.standard_normal((height // grain + 1, width // grain + 1, 3), np.float32)
    if grain > 1:
        noise = noise.repeat(grain, axis=0).repeat(grain, axis=1)
    return np.clip(rgb + deviation * noise[:height, :width], 0, 255).astype(np.uint8)


def jpeg(rng: np.random.Generator, rgb: Rgb, lowest: int, highest: int) -> Rgb:
    """Compressed and decompressed at a random quality."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(lowest, highest))]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), quality)
    return _pixels(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))


def grey(rgb: Rgb) -> Rgb:
    """Three equal channels."""
    return _pixels(cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def veil(rng: np.random.Generator, rgb: Rgb) -> Rgb:
    """Fog or glare: everything drawn towards one pale colour."""
    colour = np.full_like(rgb, random_colour(rng, 0) * 0.25 + 180)
    amount = rng.uniform(0.1, 0.5)
    return _pixels(cv2.addWeighted(rgb, 1 - amount, colour, amount, 0))


def cut_out(rng: np.random.Generator, rgb: Rgb) -> Rgb:
    """A few flat squares over the picture, so that no single part of an animal is needed."""
    out, (height, width) = rgb.copy(), rgb.shape[:2]
    for _ in range(int(rng.integers(1, 5))):
        side = int(rng.uniform(6, 40))
        left, top = int(rng.uniform(0, max(1, width - side))), int(rng.uniform(0, max(1, height - side)))
        out[top : top + side, left : left + side] = random_colour(rng, 0.2)
    return out


def _pixels(picture: Any) -> Rgb:
    """OpenCV's result, whose type it leaves open."""
    return np.asarray(picture, np.uint8)
