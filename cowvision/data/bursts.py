"""Which pictures are of one moment: tested on a picture's twin, a model is tested on what it was trained on.

Two pictures belong together if they look alike (64-bit perceptual hashes at most `ALIKE_BITS` apart; ImageHash's phash,
by the method of Krawetz, "Looks Like It", 2011), if one camera took them in the same minute (EXIF), or if they are
frames of one clip. What belongs to something that belongs to a third belongs to the third too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from cowvision.data.pictures import Picture

ALIKE_BITS = 6
_ROWS = 256  # compared at once
_CLIP_FRAME = re.compile(
    r"((?P<clip>.+?)\.(mp4|mov|avi|mkv|webm|gif)|(?P<row>.*?(^|[-_ ])(frame|clip|video)))[-_# ]*\d+(\.\w+)?",
    re.IGNORECASE,
)
_EXIF_BLOCK, _TAKEN_AT, _CAMERA = 0x8769, 0x9003, (0x010F, 0x0110)
_BITS = np.array([byte.bit_count() for byte in range(256)], dtype=np.uint8)


@dataclass(frozen=True)
class Trace:
    """What tells a picture's moment: perceptual hash, camera with minute, and clip; the last two empty if unknown."""

    looks: int
    minute: str = ""
    clip: str = ""


def trace_of(picture: Picture, data: bytes = b"") -> Trace:
    """The traces a picture carries.

    Args:
        picture: The picture, upright.
        data: Its file's bytes, for what the camera wrote into them; without them that is unknown.
    """
    looks = int(str(imagehash.phash(Image.fromarray(picture.rgb))), 16)
    return Trace(looks, _minute(data), clip_of(picture.name))


def clip_of(name: str) -> str:
    """The clip that a picture is a frame of, as far as its name tells; empty if it does not."""
    frame = _CLIP_FRAME.fullmatch(name)
    return (frame["clip"] or frame["row"]) if frame else ""


def bursts(traces: Sequence[Trace]) -> NDArray[np.int64]:
    """A number for each picture, (n,) int64 from 0 in the order in which they come; one burst has one number."""
    count = len(traces)
    if count == 0:
        return np.zeros(0, np.int64)
    pairs = [_alike(np.array([trace.looks for trace in traces], dtype=np.uint64))]
    pairs += [_same([getattr(trace, told) for trace in traces]) for told in ("minute", "clip")]
    one, other = np.concatenate(pairs).T
    links = coo_matrix((np.ones(len(one), np.int8), (one, other)), shape=(count, count))
    _, numbers = connected_components(links, directed=False)
    _, first, places = np.unique(numbers, return_index=True, return_inverse=True)
    return np.asarray(first.argsort().argsort()[places], dtype=np.int64)


def _minute(data: bytes) -> str:
    """Camera and minute, as "maker model 2026:05:01 10:31"; empty where the file does not say when it was taken."""
    with suppress(Exception):  # whatever is wrong with it, EXIF is a hint and no more
        exif = Image.open(BytesIO(data)).getexif()
        taken_at = str(exif.get_ifd(_EXIF_BLOCK).get(_TAKEN_AT, ""))
        camera = " ".join(str(exif.get(tag, "")).strip("\0 ") for tag in _CAMERA)
        if re.match(r"\d{4}:\d\d:\d\d \d\d:\d\d", taken_at) and not taken_at.startswith("0000"):
            return f"{camera} {taken_at[:16]}"
    return ""


def _alike(looks: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Pairs (p, 2) of places whose hashes differ in few bits."""
    found = [np.zeros((0, 2), np.int64)]
    for start in range(0, len(looks), _ROWS):
        apart = looks[start : start + _ROWS, None] ^ looks[None]
        bits = _BITS[apart.view(np.uint8)].reshape(*apart.shape, 8).sum(axis=2, dtype=np.uint8)
        found.append(np.argwhere(bits <= ALIKE_BITS) + np.array([start, 0]))
    return np.concatenate(found)


def _same(words: Sequence[str]) -> NDArray[np.int64]:
    """Pairs (p, 2): each place and the first with the same word; an empty word is like no other."""
    first: dict[str, int] = {}
    pairs = [(place, first.setdefault(word, place)) for place, word in enumerate(words) if word]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
