"""What people wear and look like: colours drawn from a seed."""

from __future__ import annotations

import bpy
import numpy as np

from studio.anatomy_person import HATS, SLOTS
from studio.nodes import plain_material

COLOURS = {
    "trousers": ("3b4250", "2b3442", "4a4238", "5a5344", "26282c", "6b6250", "2f4a6b", "3d4a35"),
    "shirt": (
        "35618f", "9c3b2e", "5d6f3d", "c9b79a", "d8d4cc", "2f3b4a", "b8862f", "6a3f5c", "3f7a78", "1f2226", "c2603a",
    ),
    "skin": ("c68f6f", "e0b394", "a46f4f", "7a4d35", "56341f", "d6a283"),
    "boots": ("2e2621", "1a1816", "4b3a28", "3d4a2f"),
    "hat": ("c2a468", "7a6a48", "2c3440", "8a2f28", "4a5a34"),
    "hair": ("3a2a1e", "1a1411", "6b4a2c", "a58a5a", "8f8b86", "5a2f1a"),
    "eye_white": ("e8e4dc",),
    "iris": ("2a1d14", "3d4a55", "3f4a2c"),
    "mouth": ("8a4a42",),
}  # fmt: skip
ROUGHNESS = {"skin": 0.55, "boots": 0.6, "eye_white": 0.2, "iris": 0.1}


def draw_hat(rng: np.random.Generator, breed: str) -> str:
    """Farmers mostly wear a hat, visitors seldom."""
    shares = (0.15, 0.55, 0.30) if breed == "farmer" else (0.75, 0.07, 0.18)
    return str(rng.choice(HATS, p=shares))


def draw_clothes(rng: np.random.Generator) -> list[bpy.types.Material]:
    """A material for each slot of a person."""
    materials = []
    for slot in SLOTS:
        colour = _jittered(rng, str(rng.choice(COLOURS[slot])))
        materials.append(plain_material(f"{slot} {colour}", colour, ROUGHNESS.get(slot, 0.88)))
    return materials


def _jittered(rng: np.random.Generator, hex_srgb: str) -> str:
    """The colour, each channel and the whole a little lighter or darker."""
    channels = np.array([int(hex_srgb[i : i + 2], 16) for i in (0, 2, 4)], float)
    channels = channels * rng.uniform(0.88, 1.12) * rng.uniform(0.95, 1.05, 3)
    return "".join(f"{round(float(c)):02x}" for c in channels.clip(4, 245))
