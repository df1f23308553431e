"""Background plates: rendered landscapes without animals, with depth and the camera that saw them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cowvision.data.sprites import read_archive, read_index

Pixel = TypeVar("Pixel", np.uint8, np.float32)

SKY = 65535
"""The depth picture's value for "infinitely far"; other values are centimetres."""


@dataclass(frozen=True)
class PlateInfo:
    """One plate as the archive's index describes it (angles in degrees, the sun's azimuth relative to the camera)."""

    name: str
    width: int
    height: int
    focal_px: float
    horizon_row: float
    camera_height_m: float
    pitch_deg: float
    sun_elevation_deg: float
    sun_azimuth_deg: float
    season: str
    weather: str
    terrain: str


@dataclass(frozen=True)
class Background:
    """A picture to put animals into, and the camera over flat ground that explains it.

    ``rgb`` uint8 HxWx3; ``depth_m`` float32 HxW along the optical axis (infinity: sky) or None where there is no
    geometry; ``sun_elevation_deg`` None when no shadow is cast.
    """

    rgb: NDArray[np.uint8]
    depth_m: NDArray[np.float32] | None
    focal_px: float
    horizon_row: float
    camera_height_m: float
    pitch_deg: float
    sun_elevation_deg: float | None
    sun_azimuth_deg: float
    weather: str

    @property
    def _row_scale(self) -> float:
        return self.camera_height_m / max(0.2, math.cos(math.radians(self.pitch_deg)))

    def pixels_per_metre(self, row: float) -> float:
        """Scale of something standing on flat ground at ``row``; pinhole: row - horizon = f h / (Z cos pitch)."""
        return max(1e-3, (row - self.horizon_row) / self._row_scale)

    def row_of(self, pixels_per_metre: float) -> float:
        """The row at which flat ground is seen at that scale (inverse of ``pixels_per_metre``)."""
        return self.horizon_row + pixels_per_metre * self._row_scale

    def elevation_deg(self, pixels_per_metre: float) -> float:
        """How steeply the camera looks down at something at that scale."""
        pitch = math.radians(self.pitch_deg)
        depth = self.focal_px / pixels_per_metre
        ground = (depth - self.camera_height_m * math.sin(pitch)) / max(0.2, math.cos(pitch))
        return math.degrees(math.atan2(self.camera_height_m, max(ground, 0.05)))

    def flipped(self) -> Background:
        """The mirror image."""
        depth = None if self.depth_m is None else np.ascontiguousarray(self.depth_m[:, ::-1])
        rgb = np.ascontiguousarray(self.rgb[:, ::-1])
        return replace(self, rgb=rgb, depth_m=depth, sun_azimuth_deg=-self.sun_azimuth_deg)


class PlatePool:
    """All plates of an archive; decoded lazily and kept."""

    def __init__(self, members: dict[str, bytes], plates: list[PlateInfo]) -> None:
        self.plates = tuple(plates)
        self._members = members
        self._picture = lru_cache(maxsize=256)(self._decode)

    @classmethod
    def read(cls, path: Path) -> PlatePool:
        """The pool of a ``plates.zip``."""
        members = read_archive(path)
        return cls(members, read_index(members, PlateInfo, path))

    def __len__(self) -> int:
        return len(self.plates)

    def __getstate__(self) -> dict[str, Any]:
        return {"members": self._members, "plates": list(self.plates)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def _decode(self, position: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        name = self.plates[position].name
        bgr = cv2.imdecode(np.frombuffer(self._members[f"{name}.jpg"], np.uint8), cv2.IMREAD_COLOR)
        depth = cv2.imdecode(np.frombuffer(self._members[f"{name}.depth.png"], np.uint8), cv2.IMREAD_UNCHANGED)
        if bgr is None or depth is None or depth.dtype != np.uint16 or depth.shape != bgr.shape[:2]:
            raise ValueError(f"plate {name}: picture and 16-bit depth do not fit together")
        metres = np.where(depth == SKY, np.inf, depth.astype(np.float32) / 100).astype(np.float32)
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), metres

    def cut(self, rng: np.random.Generator, resolution_wh: tuple[int, int], least: float = 0.45) -> Background:
        """A random plate, randomly cropped (down to ``least`` of its width), zoomed and mirrored."""
        position = int(rng.integers(len(self.plates)))
        rgb, depth = self._picture(position)
        left, top, width, height = _crop(rng, rgb.shape[1], rgb.shape[0], resolution_wh, least)
        zoom = resolution_wh[0] / width
        info, rows, columns = self.plates[position], slice(top, top + height), slice(left, left + width)
        background = Background(
            rgb=_resized(rgb[rows, columns], resolution_wh, cv2.INTER_LINEAR),
            depth_m=_resized(depth[rows, columns], resolution_wh, cv2.INTER_NEAREST),
            focal_px=info.focal_px * zoom,
            horizon_row=(info.horizon_row - top) * zoom,
            camera_height_m=info.camera_height_m,
            pitch_deg=info.pitch_deg,
            sun_elevation_deg=None if info.weather == "overcast" else info.sun_elevation_deg,
            sun_azimuth_deg=info.sun_azimuth_deg,
            weather=info.weather,
        )
        return background.flipped() if rng.random() < 0.5 else background


def _resized(pixels: NDArray[Pixel], resolution_wh: tuple[int, int], interpolation: int) -> NDArray[Pixel]:
    return np.asarray(cv2.resize(pixels, resolution_wh, interpolation=interpolation), pixels.dtype)


def _crop(
    rng: np.random.Generator, width: int, height: int, resolution_wh: tuple[int, int], least: float
) -> tuple[int, int, int, int]:
    """(left, top, width, height) of a random window with the aspect of ``resolution_wh``."""
    aspect = resolution_wh[1] / resolution_wh[0]
    crop_width = min(int(width * rng.uniform(least, 1.0)), int(height / aspect))
    crop_height = max(1, min(height, round(crop_width * aspect)))
    left = int(rng.integers(0, width - crop_width + 1))
    top = int(rng.integers(0, height - crop_height + 1))
    return left, top, crop_width, crop_height
