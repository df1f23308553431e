"""Composed scenes as annotated pictures: a sequence of as many as wanted, each made when it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from cowvision.data.annotations import AnnotatedPicture, MadeWhenAsked, truth_boxes
from cowvision.data.formats import write_coco
from cowvision.data.herd import HERD_FOLDER, HerdAssets, Scene, SceneSettings, compose_scene, scene_rng, shared_assets
from cowvision.errors import SettingError

JPEG_QUALITY = 92


@dataclass(frozen=True)
class HerdPictures(MadeWhenAsked):
    """``length`` scenes of a seed.

    Attributes:
        length: How many.
        seed: The same seed gives the same scenes.
        settings: What they look like.
        sizes_wh: Widths and heights in pixels, one drawn for each scene; empty keeps that of ``settings``.
        breeds: The only breeds of cow shown, and at most how many sprites of each; None shows all.
        folder: Where the herd's archives lie.
    """

    length: int
    seed: int = 0
    settings: SceneSettings = field(default_factory=SceneSettings)
    sizes_wh: tuple[tuple[int, int], ...] = ()
    breeds: tuple[tuple[str, ...], int | None] | None = None
    folder: Path = HERD_FOLDER

    def made(self, index: int) -> AnnotatedPicture:
        """Compose a scene, with its truth."""
        return annotated(self.scene(index), f"{index:06d}.jpg")

    def scene(self, index: int) -> Scene:
        """Compose one scene."""
        rng = scene_rng(self.seed, index)
        settings = self.settings
        if self.sizes_wh:
            settings = replace(settings, resolution_wh=self.sizes_wh[int(rng.integers(len(self.sizes_wh)))])
        return compose_scene(rng, self._assets(), settings)

    def _assets(self) -> HerdAssets:
        return _chosen_assets(self.folder, self.breeds)


_CHOSEN: dict[tuple[Path, tuple[tuple[str, ...], int | None] | None], HerdAssets] = {}


def _chosen_assets(folder: Path, breeds: tuple[tuple[str, ...], int | None] | None) -> HerdAssets:
    """The assets of a folder with these breeds only, read once a process."""
    key = (folder, breeds)
    if key not in _CHOSEN:
        assets = shared_assets(folder)
        _CHOSEN[key] = assets if breeds is None else assets.with_breeds(*breeds)
    return _CHOSEN[key]


def annotated(scene: Scene, name: str) -> AnnotatedPicture:
    """A scene with its truth in the form used everywhere."""
    area = [int(np.count_nonzero(scene.id_map == number)) for number in scene.object_id]
    truth = truth_boxes(
        scene.xyxy, scene.class_name, area=area, visible_fraction=scene.visible_fraction.tolist(), subject=name
    )
    return AnnotatedPicture(name, truth, scene.rgb)


def compose_to_folder(
    count: int,
    seed: int,
    out: str | Path,
    *,
    resolution_wh: tuple[int, int] = (640, 360),
    on_scene: Callable[[int], None] = lambda _: None,
    folder: Path = HERD_FOLDER,
) -> None:
    """Write ``count`` scenes as JPEG files and their truth as ``truth.json`` (COCO) into a folder.

    Args:
        count: How many.
        seed: The same seed writes the same bytes.
        out: The folder; made if missing.
        resolution_wh: Width and height in pixels.
        on_scene: Called with the number of scenes done.
        folder: Where the herd's archives lie.

    Raises:
        AssetError: The archives are missing or damaged.
        SettingError: The folder cannot be written.
    """
    try:
        _compose_to_folder(count, seed, Path(out), resolution_wh, on_scene, folder)
    except OSError as error:
        cause = error.strerror or "cannot be written"
        raise SettingError(str(out), cause, "Choose a folder you may write to, with space left") from None


def _compose_to_folder(  # noqa: PLR0917 - the arguments of its one caller
    count: int, seed: int, out: Path, resolution_wh: tuple[int, int], on_scene: Callable[[int], None], folder: Path
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    pictures = HerdPictures(count, seed, SceneSettings(resolution_wh=resolution_wh), folder=folder)
    truths = []
    for number, picture in enumerate(pictures):
        bgr = cv2.cvtColor(np.asarray(picture.source), cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        (out / picture.name).write_bytes(data.tobytes())
        truths.append((picture.name, resolution_wh, picture.truth))
        on_scene(number + 1)
    write_coco(out / "truth.json", truths)
