"""How a job is cut into items: seeded one by one, shared between processes, and resumed where it stopped."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Run:
    """One call of the command: where renders and shipped files go, the seed, and this process's part of the items."""

    out: Path
    assets: Path
    seed: int = 0
    count: int | None = None
    shard: int = 0
    shards: int = 1

    def rng(self, job: str, item: int) -> np.random.Generator:
        """The item's own random numbers: they depend neither on other items nor on the shard."""
        return np.random.default_rng([self.seed, crc32(job.encode()), item])

    def share(self, default_count: int, batch: int = 1) -> list[int]:
        """This shard's items; ``batch`` neighbours stay together because they share a costly setting."""
        count = default_count if self.count is None else self.count
        return [item for item in range(count) if (item // batch) % self.shards == self.shard]

    def folder(self, name: str) -> Path:
        """A folder of the working folder, made if missing."""
        folder = self.out / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def scratch(self, name: str) -> Path:
        """A folder for this process's passing files, shared with no other shard."""
        return self.folder(f".scratch/{name}-{self.shard}of{self.shards}")


def work_through(
    run: Run, job: str, items: list[int], final: Callable[[int], Path], make: Callable[[int], None]
) -> None:
    """Call ``make(item)`` for every item whose final file is missing, and print a line with seconds and time left."""
    todo = [item for item in items if not final(item).exists()]
    print(f"{job}: {len(todo)} of {len(items)} items to do (shard {run.shard}/{run.shards})", flush=True)
    start = time.monotonic()
    for done, item in enumerate(todo, start=1):
        began = time.monotonic()
        make(item)
        now = time.monotonic()
        left = (now - start) / done * (len(todo) - done)
        print(f"{job} {item}: {now - began:.1f} s, {done}/{len(todo)}, {left / 60:.1f} min left", flush=True)


@contextmanager
def finished(path: Path) -> Iterator[Path]:
    """A temporary name beside ``path`` that becomes ``path`` only when the block ends without error."""
    part = path.with_name(f".part-{os.getpid()}-{path.name}")
    yield part
    part.replace(path)


def write_json(path: Path, value: object) -> None:
    """Write JSON so that the file is either whole or absent."""
    with finished(path) as part:
        part.write_text(json.dumps(value) + "\n")


def write_picture(path: Path, pixels: np.ndarray, **options: object) -> None:
    """Write float (0..1) or 8-bit pixels (height, width[, 3 or 4]); the file is either whole or absent."""
    if pixels.dtype != np.uint8:
        pixels = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    with finished(path) as part:
        Image.fromarray(pixels).save(part, **options)


def read_picture(path: Path) -> np.ndarray:
    """A picture as float32 (height, width[, channels]) in 0..1."""
    return np.asarray(Image.open(path), np.float32) / 255
