"""The herd: new annotated scenes without end, composed offline of rendered animals and rendered or invented places.

Scene ``i`` of seed ``S`` is the same bytes on every call and in every order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cowvision.data import weathering
from cowvision.data.backgrounds import procedural_background
from cowvision.data.layout import Crowd, draw_layout
from cowvision.data.pasting import Canvas, draw_foreground, paste
from cowvision.data.plates import Background, PlatePool
from cowvision.data.sprites import SpriteInfo, SpritePool

HERD_FOLDER = Path(__file__).parents[2] / "assets" / "herd"
"""Where the shipped sprites and plates lie."""

LEAST_VISIBLE = 0.15
LEAST_LONGER_SIDE, LEAST_SHORTER_SIDE = 8, 4
FEW = Crowd((1, 3), (50, 330))
SOME = Crowd((3, 9), (14, 230))
MANY = Crowd((8, 19), (12, 110))
HERD = Crowd((10, 26), (14, 190), together=True)
CLOSE = Crowd((1, 3), (300, 1300))


@dataclass(frozen=True)
class SceneSettings:
    """What scenes look like: pairs of name and weight, and probabilities in 0..1.

    ``strong``: how often a scene is weathered hard. ``plates`` / ``plates_strong``: how often a rendered plate (else an
    invented place) is behind it, for mild and strong scenes. ``largest_overlap``: 1 lets animals hide each other.
    """

    resolution_wh: tuple[int, int] = (640, 360)
    kinds: tuple[tuple[str, float], ...] = (
        ("cow", 0.66), ("horse", 0.085), ("sheep", 0.085), ("dog", 0.085), ("person", 0.085),
    )  # fmt: skip
    crowds: tuple[tuple[Crowd, float], ...] = ((FEW, 0.24), (SOME, 0.28), (MANY, 0.18), (HERD, 0.2), (CLOSE, 0.06))
    empty: float = 0.04
    strong: float = 0.35
    plates: float = 0.93
    plates_strong: float = 0.6
    largest_overlap: float = 1.0
    breed_weights: tuple[tuple[str, float], ...] = (("holstein", 3.0),)


@dataclass(frozen=True)
class HerdAssets:
    """Everything scenes are composed of."""

    sprites: SpritePool
    plates: PlatePool

    @classmethod
    def read(cls, folder: Path = HERD_FOLDER) -> HerdAssets:
        """The ``sprites.zip`` and ``plates.zip`` of a folder.

        Raises:
            AssetError: One is missing, or not such an archive.
        """
        return cls(SpritePool.read(folder / "sprites.zip"), PlatePool.read(folder / "plates.zip"))

    def with_breeds(self, breeds: tuple[str, ...], each: int | None) -> HerdAssets:
        """Only these breeds of cow (at most ``each`` sprites of a breed); the other kinds stay as they are."""
        counts: dict[str, int] = {}

        def keep(sprite: SpriteInfo) -> bool:
            if sprite.kind != "cow":
                return True
            counts[sprite.breed] = counts.get(sprite.breed, 0) + 1
            return sprite.breed in breeds and (each is None or counts[sprite.breed] <= each)

        return replace(self, sprites=self.sprites.only(keep))


@lru_cache(maxsize=2)
def shared_assets(folder: Path = HERD_FOLDER) -> HerdAssets:
    """``HerdAssets.read`` once per folder and process."""
    return HerdAssets.read(folder)


@dataclass(frozen=True)
class Scene:
    """A composed picture and its exact truth.

    ``rgb`` uint8 HxWx3; ``xyxy`` float32 Nx4, pixels, exclusive end; ``class_name`` N names; ``visible_fraction``
    float32 N, share of the silhouette inside the frame that is seen; ``object_id`` N values of ``id_map`` (int16 HxW).
    """

    rgb: NDArray[np.uint8]
    xyxy: NDArray[np.float32]
    class_name: tuple[str, ...]
    visible_fraction: NDArray[np.float32]
    object_id: NDArray[np.int16]
    id_map: NDArray[np.int16]


def scene_rng(seed: int, index: int) -> np.random.Generator:
    """The generator of scene ``index`` of a seed, independent of all other scenes."""
    return np.random.default_rng([seed, index])


def compose_scene(rng: np.random.Generator, assets: HerdAssets, settings: SceneSettings) -> Scene:
    """One new scene; takes about 10 ms at 640x360."""
    strong = bool(rng.random() < settings.strong)
    canvas = Canvas.over(_draw_background(rng, assets, settings, strong=strong))
    placements = []
    if rng.random() >= settings.empty and len(assets.sprites):
        crowd = _draw_crowd(rng, settings)
        placements = draw_layout(
            rng, assets.sprites, canvas.background, crowd, kinds=dict(settings.kinds),
            breed_weights=dict(settings.breed_weights), largest_overlap=settings.largest_overlap,
        )  # fmt: skip
    silhouettes = [paste(rng, canvas, assets.sprites, p, number=n, strong=strong) for n, p in enumerate(placements, 1)]
    if rng.random() < (0.35 if strong else 0.06):
        draw_foreground(rng, canvas)
    kinds = [assets.sprites.sprites[p.sprite].kind for p in placements]
    weather = weathering.strong if strong else weathering.mild
    return _with_truth(weather(rng, canvas.rgb), canvas.id_map, kinds, silhouettes)


def _draw_background(
    rng: np.random.Generator, assets: HerdAssets, settings: SceneSettings, *, strong: bool
) -> Background:
    share = settings.plates_strong if strong else settings.plates
    if not len(assets.plates) or rng.random() >= share:
        return procedural_background(rng, settings.resolution_wh)
    background = assets.plates.cut(rng, settings.resolution_wh)
    limits = weathering.STRONG_PLACE if strong and rng.random() < 0.7 else weathering.MILD_PLACE
    return replace(background, rgb=weathering.jitter(rng, background.rgb, limits))


def _draw_crowd(rng: np.random.Generator, settings: SceneSettings) -> Crowd:
    """A crowd with its sizes scaled to the picture (they are stated for a height of 360 pixels)."""
    weights = np.array([weight for _, weight in settings.crowds])
    crowd = settings.crowds[int(rng.choice(len(weights), p=weights / weights.sum()))][0]
    scale = settings.resolution_wh[1] / 360
    return replace(crowd, size_px=(max(11.0, crowd.size_px[0] * scale), max(24.0, crowd.size_px[1] * scale)))


def _with_truth(rgb: NDArray[np.uint8], id_map: NDArray[np.int16], kinds: list[str], silhouettes: list[int]) -> Scene:
    """The scene with the boxes of all objects that are visible enough to be annotated."""
    boxes, names, fractions, ids = [], [], [], []
    for number, (kind, silhouette) in enumerate(zip(kinds, silhouettes, strict=True), 1):
        mask = (id_map == number).view(np.uint8) if silhouette else None
        visible = cv2.countNonZero(mask) if mask is not None else 0
        if mask is None or visible < LEAST_VISIBLE * silhouette or not visible:
            continue
        left, top, width, height = cv2.boundingRect(mask)
        if max(width, height) < LEAST_LONGER_SIDE or min(width, height) < LEAST_SHORTER_SIDE:
            continue
        boxes.append((left, top, left + width, top + height))
        names.append(kind)
        fractions.append(min(1.0, visible / silhouette))
        ids.append(number)
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    return Scene(rgb, xyxy, tuple(names), np.array(fractions, np.float32), np.array(ids, np.int16), id_map)
