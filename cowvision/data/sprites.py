"""The sprite pool: rendered animals with alpha, ready to be pasted into a scene at any size."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cowvision.errors import AssetError

INDEX = "index.json"
TRAINING = "train"
REMEDY = "Restore assets/herd from the repository, or render it again with `make herd`"
Rgba = NDArray[np.uint8]
"""HxWx4, straight alpha."""

Info = TypeVar("Info")


@dataclass(frozen=True)
class SpriteInfo:
    """One rendered animal as the archive's index describes it (angles in degrees, azimuths relative to the camera)."""

    file: str
    kind: str
    breed: str
    pose: str
    width: int
    height: int
    metres_per_pixel: float
    elevation_deg: float
    sun_elevation_deg: float
    sun_azimuth_deg: float
    split: str


def read_archive(path: Path) -> dict[str, bytes]:
    """All members of an uncompressed zip by name.

    Raises:
        AssetError: It is missing, or no zip.
    """
    if not path.is_file():
        raise AssetError(str(path), "no such archive", REMEDY)
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile as error:
        raise AssetError(str(path), f"not a readable zip archive ({error})", REMEDY) from None


def read_index(members: dict[str, bytes], info_type: Callable[..., Info], path: Path) -> list[Info]:
    """The archive's index as values of ``info_type``; unknown keys are ignored.

    Raises:
        AssetError: There is none.
    """
    if INDEX not in members:
        raise AssetError(str(path), f"it has no {INDEX}", REMEDY)
    known = {field.name for field in fields(info_type)}  # type: ignore[arg-type]
    return [info_type(**{k: v for k, v in entry.items() if k in known}) for entry in json.loads(members[INDEX])]


class SpritePool:
    """Sprites by kind. Decoded lazily, kept in a bounded cache; safe to share between threads and processes."""

    def __init__(self, members: dict[str, bytes], sprites: Iterable[SpriteInfo]) -> None:
        self.sprites = tuple(sprites)
        self._members = members
        self._build_tables()

    @classmethod
    def read(cls, path: Path) -> SpritePool:
        """The pool of a ``sprites.zip``.

        Raises:
            AssetError: It is missing or damaged, or holds animals of the test herd.
        """
        members = read_archive(path)
        sprites = read_index(members, SpriteInfo, path)
        if any(sprite.split != TRAINING for sprite in sprites):
            raise AssetError(str(path), "it holds animals that training must never see", REMEDY)
        return cls(members, sprites)

    def _build_tables(self) -> None:
        self._by_kind_breed: dict[str, dict[str, NDArray[np.intp]]] = {}
        for kind in sorted({s.kind for s in self.sprites}):
            breeds = sorted({s.breed for s in self.sprites if s.kind == kind})
            self._by_kind_breed[kind] = {b: self._positions(kind, b) for b in breeds}
        self.elevation_deg = np.array([s.elevation_deg for s in self.sprites], np.float32)
        azimuth = np.radians([s.sun_azimuth_deg for s in self.sprites])
        self.sun_right = np.sin(azimuth).astype(np.float32)  # 1: light from the right, -1: from the left
        self._levels = lru_cache(maxsize=4096)(self._decode)

    def _positions(self, kind: str, breed: str) -> NDArray[np.intp]:
        chosen = [i for i, s in enumerate(self.sprites) if s.kind == kind and s.breed == breed]
        return np.array(chosen, np.intp)

    def __len__(self) -> int:
        return len(self.sprites)

    def __getstate__(self) -> dict[str, Any]:
        return {"sprites": self.sprites, "_members": self._members}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._build_tables()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of animal present."""
        return tuple(self._by_kind_breed)

    def breeds(self, kind: str) -> tuple[str, ...]:
        """The breeds of a kind that are present."""
        return tuple(self._by_kind_breed.get(kind, {}))

    def of(self, kind: str, breed: str) -> NDArray[np.intp]:
        """Positions (int, in ``sprites``) of a kind's breed."""
        return self._by_kind_breed[kind][breed]

    def only(self, keep: Callable[[SpriteInfo], bool]) -> SpritePool:
        """A pool of the sprites for which ``keep`` is true."""
        return SpritePool(self._members, [s for s in self.sprites if keep(s)])

    def level_for(self, position: int, scale: float) -> tuple[Rgba, float]:
        """The level best reduced to ``scale``, and the scale that remains: above 0.5, for bilinear sampling."""
        levels = self._levels(position)
        depth = min(len(levels) - 1, max(0, int(np.floor(-np.log2(max(scale, 1e-6))))))
        return levels[depth], scale * 2**depth

    def _decode(self, position: int) -> tuple[Rgba, ...]:
        data = np.frombuffer(self._members[self.sprites[position].file], np.uint8)
        bgra = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        if bgra is None or bgra.ndim != 3 or bgra.shape[2] != 4:
            raise ValueError(f"sprite {self.sprites[position].file}: not a picture with alpha")
        levels = [_bleed(np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGBA), np.uint8))]
        while min(levels[-1].shape[:2]) >= 8:
            levels.append(_halve(levels[-1]))
        return tuple(levels)


def _bleed(rgba: Rgba) -> Rgba:
    """Colours spread into the transparent pixels, so that resampling mixes no black into the animal's edge."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    weight = cv2.blur(alpha, (5, 5))[..., None]
    spread = cv2.blur(rgba[..., :3] * alpha, (5, 5)) / np.maximum(weight, 1e-3)
    colour = np.where(alpha > 0.9, rgba[..., :3], np.clip(spread, 0, 255))
    return np.ascontiguousarray(np.dstack([colour.astype(np.uint8), rgba[..., 3]]))


def _halve(rgba: Rgba) -> Rgba:
    height, width = rgba.shape[:2]
    half = cv2.resize(rgba, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(half, np.uint8)
