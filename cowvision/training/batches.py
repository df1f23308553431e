"""From annotated pictures to batches: seeded order, light augmentation, and a worker that prepares ahead."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from cowvision.errors import CowVisionError
from cowvision.training.augment import scaled, varied
from cowvision.training.settings import BatchSettings

if TYPE_CHECKING:
    from cowvision.data.annotations import AnnotatedPicture

Target = dict[str, torch.Tensor]
Batch = tuple[list[torch.Tensor], list[Target]]
"""Pictures (3, h, w) uint8, and their ``boxes`` (n, 4) float32 and ``labels`` (n,) int64 from 1."""


def batches(
    pictures: Sequence[AnnotatedPicture],
    class_names: Sequence[str],
    settings: BatchSettings,
    first_step: int = 0,
    share: tuple[int, int] = (0, 1),
) -> Iterator[Batch]:
    """Endless batches from step ``first_step`` on; step n holds the same pixels however often training was resumed.

    Args:
        pictures: What is drawn from.
        class_names: Classes to learn; label n is the n-th, counted from 1.
        settings: How.
        first_step: Steps that were done already.
        share: This process and how many there are: each gets its own part of a step's pictures.

    Raises:
        PictureError: A picture cannot be read any more.
    """
    source = _Steps(pictures, tuple(class_names), settings, first_step, share)
    loader = DataLoader(
        source,
        batch_size=None,
        num_workers=settings.workers,
        prefetch_factor=4 if settings.workers else None,
        generator=torch.Generator(),  # its own: drawing from that of training would make a resumed run differ
    )
    for batch in loader:
        if isinstance(batch, CowVisionError):
            raise batch
        yield batch


class _Steps(IterableDataset[Batch | CowVisionError]):
    """Whole batches in order; with several workers each prepares every n-th."""

    def __init__(
        self,
        pictures: Sequence[AnnotatedPicture],
        names: tuple[str, ...],
        settings: BatchSettings,
        first_step: int,
        share: tuple[int, int],
    ) -> None:
        self.pictures, self.names, self.settings = pictures, names, settings
        self.first_step, self.share = first_step, share
        self._epoch, self._places = -1, np.zeros(0, np.int64)

    def __iter__(self) -> Iterator[Batch | CowVisionError]:
        worker = torch.utils.data.get_worker_info()
        if worker is not None:
            os.setpgrp()  # Ctrl-C and signals to the group are for the training process: it stops after its step
            torch.set_num_threads(1)
            cv2.setNumThreads(0)
        step = self.first_step + (worker.id if worker else 0)
        while True:
            try:
                yield self._batch(step)
            except CowVisionError as error:  # a worker would pass it on as another kind, with a traceback
                yield error
                return
            step += worker.num_workers if worker else 1

    def _batch(self, step: int) -> Batch:
        samples = [self._sample(number) for number in self._numbers(step)]
        return [sample[0] for sample in samples], [sample[1] for sample in samples]

    def _numbers(self, step: int) -> range:
        """Which pictures of the endless row of epochs this process learns in a step."""
        (rank, processes), size = self.share, self.settings.batch_size
        first = (step * processes + rank) * size
        return range(first, first + size)

    def _position(self, number: int) -> int:
        """Place in the set of a picture of the endless row: every one once an epoch, each epoch in another order."""
        epoch, place = divmod(number, len(self.pictures))
        if epoch != self._epoch:
            rng = np.random.default_rng([self.settings.seed, 1, epoch])
            self._epoch, self._places = epoch, rng.permutation(len(self.pictures))
        return int(self._places[place])

    def _sample(self, number: int) -> tuple[torch.Tensor, Target]:
        annotated = self.pictures[self._position(number)]
        rng = np.random.default_rng([self.settings.seed, 2, number])
        truth = annotated.truth
        names = [str(name) for name in truth.data.get("class_name", ())]
        kept = [i for i, name in enumerate(names) if name in self.names and not _is_crowd(truth, i)]
        xyxy = np.asarray(truth.xyxy, np.float32).reshape(-1, 4)[kept]
        labels = np.array([self.names.index(names[i]) + 1 for i in kept], np.int64)
        picture = torch.from_numpy(np.array(annotated.picture().rgb)).permute(2, 0, 1).contiguous()
        side, smooth = self._short_side(picture, rng), self.settings.smooth
        if self.settings.augment:
            picture, xyxy, learnt = varied(picture, xyxy, side, rng, smooth=smooth)
            xyxy, labels = xyxy[learnt], labels[learnt]
        elif self.settings.short_sides:
            picture, xyxy = scaled(picture, xyxy, side, smooth=smooth)
        return picture, {"boxes": torch.from_numpy(np.ascontiguousarray(xyxy)), "labels": torch.from_numpy(labels)}

    def _short_side(self, picture: torch.Tensor, rng: np.random.Generator) -> float:
        """The shorter side in pixels at which a picture will be looked at."""
        shorter, longer = sorted(picture.shape[1:])
        if not self.settings.short_sides:
            return float(shorter)
        side = float(rng.choice(self.settings.short_sides))
        return min(side, self.settings.long_side * shorter / longer) if self.settings.long_side else side


def _is_crowd(truth: object, place: int) -> bool:
    crowd = getattr(truth, "data", {}).get("crowd")
    return crowd is not None and bool(crowd[place])
