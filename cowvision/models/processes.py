"""Work shared among processes that ``torchrun`` began: who this is, which part is its own, and what all of them found.

Without torchrun there is one process, which does everything and asks nobody.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import distributed

from cowvision.errors import CowVisionError, WorkStopped
from cowvision.models.execution import preferred_device

T = TypeVar("T")


class ToldByFirst(CowVisionError):  # noqa: N818 - nothing of its own went wrong
    """The work of all has failed; the first process tells why, and the others, which get this, say nothing."""


@dataclass(frozen=True)
class Processes:
    """This process, counted from 0, and how many there are."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this one writes files and talks to people."""
        return self.rank == 0

    def part(self, whole: Sequence[T]) -> list[T]:
        """Every n-th, so that parts are about as long; of no two processes the same."""
        return list(whole[self.rank :: self.count])

    def together(self, part: Sequence[T]) -> list[T]:
        """What every process made of its part, in the order of the whole; all of them get it."""
        if self.count == 1:
            return list(part)
        parts: list[Any] = [None] * self.count
        distributed.all_gather_object(parts, list(part))
        size = sum(map(len, parts))
        return [parts[place % self.count][place // self.count] for place in range(size)]

    def told_by_first(self, told: Sequence[T]) -> T:
        """The one thing that the first process has, for all of them; the others give nothing."""
        if self.count == 1:
            return told[0]
        box: list[Any] = [told[0] if told else None]
        distributed.broadcast_object_list(box, src=0)
        kept: T = box[0]
        return kept

    def mean(self, *values: float) -> list[float]:
        """The mean of each value over all processes, the same in each of them."""
        if self.count == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=_device())
        distributed.all_reduce(total)
        return [float(value) / self.count for value in total]

    @contextmanager
    def as_one(self) -> Iterator[None]:
        """What fails in one process inside the block fails in all at its end, so that none waits for it in vain.

        Nothing inside may ask the other processes: one that has failed would not answer.

        Raises:
            ToldByFirst: It failed in this process or in another; the first process gets the error itself.
            WorkStopped: One of them was asked to stop.
        """
        if self.count == 1:
            yield
            return
        trouble: Exception | None = None
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the others must hear of any
            trouble = error
        [failed] = self.mean(float(trouble is not None))  # a single number while all is well
        if failed:
            raise self._trouble_of_all(trouble)

    def _trouble_of_all(self, own: Exception | None) -> Exception:
        """The first trouble there is, for the first process; the same in words for the others.

        A wish to stop is no trouble, and heard as such by all.
        """
        as_sent = own if own is None or isinstance(own, CowVisionError | OSError) else RuntimeError(repr(own))
        troubles: list[Any] = [None] * self.count
        distributed.all_gather_object(troubles, as_sent)
        first: Exception = next(one for one in troubles if one is not None)
        if self.is_first:
            return first if own is None else own
        if isinstance(first, WorkStopped):
            return first
        return ToldByFirst("training", str(first), "See what the first process says")


@contextmanager
def processes() -> Iterator[Processes]:
    """Join the processes that torchrun began, for as long as the block lasts; alone without it."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count <= 1:
        yield Processes()
        return
    if _device() == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if _device() == "cuda" else "gloo")
    try:
        yield Processes(distributed.get_rank(), count)
        distributed.barrier()  # nobody leaves while another still asks
    finally:
        distributed.destroy_process_group()


def _device() -> str:
    return "cuda" if preferred_device() == "cuda" else "cpu"
