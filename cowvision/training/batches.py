"""From annotated pictures to batches: seeded order, light augmentation, and a worker that prepares ahead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, IterableDataset

from cowvision.data import weathering

if TYPE_CHECKING:
    from cowvision.data.annotations import AnnotatedPicture

Target = dict[str, torch.Tensor]
Batch = tuple[list[torch.Tensor], list[Target]]
"""Pictures (3, h, w) uint8, and their ``boxes`` (n, 4) float32 and ``labels`` (n,) int64 from 1."""


@dataclass(frozen=True)
class BatchSettings:
    """How batches are drawn.

    Attributes:
        batch_size: Pictures a step.
        seed: Fixes order and augmentation.
        augment: Mirror and change light at random; off for composed scenes, which vary by themselves.
        short_sides: Shorter sides in pixels to scale pictures to, one drawn for each; empty keeps their sizes.
        workers: Processes that prepare batches ahead; 0 prepares them in the training process.
    """

    batch_size: int = 4
    seed: int = 0
    augment: bool = True
    short_sides: tuple[int, ...] = ()
    workers: int = 0


def batches(
    pictures: Sequence[AnnotatedPicture], class_names: Sequence[str], settings: BatchSettings, first_step: int = 0
) -> Iterator[Batch]:
    """Endless batches from step ``first_step`` on; step n holds the same pixels however often training was resumed."""
    source = _Steps(pictures, tuple(class_names), settings, first_step)
    loader = DataLoader(
        source,
        batch_size=None,
        num_workers=settings.workers,
        prefetch_factor=4 if settings.workers else None,
        generator=torch.Generator(),  # its own: drawing from that of training would make a resumed run differ
    )
    return iter(loader)


class _Steps(IterableDataset[Batch]):
    """Whole batches in order; with several workers each prepares every n-th."""

    def __init__(
        self, pictures: Sequence[AnnotatedPicture], names: tuple[str, ...], settings: BatchSettings, first_step: int
    ) -> None:
        self.pictures, self.names, self.settings, self.first_step = pictures, names, settings, first_step
        self._epoch, self._places = -1, np.zeros(0, np.int64)

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        if worker is not None:
            torch.set_num_threads(1)
            cv2.setNumThreads(0)
        step = self.first_step + (worker.id if worker else 0)
        while True:
            yield self._batch(step)
            step += worker.num_workers if worker else 1

    def _batch(self, step: int) -> Batch:
        rng = np.random.default_rng([self.settings.seed, step])
        samples = [self._sample(position, rng) for position in self._positions(step)]
        return [sample[0] for sample in samples], [sample[1] for sample in samples]

    def _positions(self, step: int) -> list[int]:
        """Places in the set of the pictures of one step: every picture once an epoch, each epoch in another order."""
        count, size = len(self.pictures), self.settings.batch_size
        numbers = range(step * size, (step + 1) * size)
        return [self._order(number // count)[number % count] for number in numbers]

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if epoch != self._epoch:
            rng = np.random.default_rng([self.settings.seed, 1, epoch])
            self._epoch, self._places = epoch, rng.permutation(len(self.pictures))
        return self._places

    def _sample(self, position: int, rng: np.random.Generator) -> tuple[torch.Tensor, Target]:
        annotated = self.pictures[position]
        truth = annotated.truth
        names = [str(name) for name in truth.data.get("class_name", ())]
        kept = [i for i, name in enumerate(names) if name in self.names and not _is_crowd(truth, i)]
        xyxy = np.asarray(truth.xyxy, np.float32).reshape(-1, 4)[kept]
        labels = [self.names.index(names[i]) + 1 for i in kept]
        rgb, xyxy = self._varied(annotated.picture().rgb, xyxy, rng)
        target = {"boxes": torch.from_numpy(xyxy), "labels": torch.tensor(labels, dtype=torch.int64)}
        return torch.from_numpy(np.array(rgb)).permute(2, 0, 1), target

    def _varied(
        self, rgb: NDArray[np.uint8], xyxy: NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        if self.settings.short_sides:
            factor = int(rng.choice(self.settings.short_sides)) / min(rgb.shape[:2])
            method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
            rgb = np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=method), np.uint8)
            xyxy = xyxy * np.float32(factor)
        if self.settings.augment:
            rgb = weathering.jitter(rng, rgb, weathering.MILD_PLACE)
            if rng.random() < 0.5:
                rgb = np.ascontiguousarray(rgb[:, ::-1])
                xyxy = np.stack([rgb.shape[1] - xyxy[:, 2], xyxy[:, 1], rgb.shape[1] - xyxy[:, 0], xyxy[:, 3]], 1)
        return rgb, np.ascontiguousarray(xyxy, np.float32)


def _is_crowd(truth: object, place: int) -> bool:
    crowd = getattr(truth, "data", {}).get("crowd")
    return crowd is not None and bool(crowd[place])
