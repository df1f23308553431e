"""Breeds: the coat, build and size of each, and how often it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from studio.anatomy_cow import CowShape


@dataclass(frozen=True)
class Coat:
    """Colours (sRGB hex) and pattern of a coat.

    ``dark`` and ``light`` are the two colours of a patched coat, ``patch`` the threshold and scale (per metre) of its
    noise; a ``solid`` coat runs from ``dark`` below to ``back`` above. ``white_*`` paint parts in ``light``,
    the others name the colour of a part, empty for the coat's own. ``dirt`` and ``sheen`` are strengths, 0..1.
    """

    dark: str
    light: str
    muzzle: str
    back: str = ""
    solid: bool = False
    patch: tuple[float, float] = (0.5, 1.4)
    blaze: bool = False
    belt: bool = False
    white_face: bool = False
    white_belly: bool = False
    white_feet: bool = False
    white_tuft: bool = False
    shade: str = ""
    ring: str = ""
    mane: str = ""
    tuft: str = ""
    wool: str = ""
    udder: str = "d9a796"
    hoof: str = "3b322b"
    dirt: float = 0.38
    sheen: float = 0.05
    hair: float = 0.35


@dataclass(frozen=True)
class Breed:
    """A breed's kind, coat, mean size, and how often it is drawn among its kind; ``cow`` gives a cow's build."""

    kind: str
    coat: Coat
    size: float = 1.0
    frequency: float = 1.0
    cow: CowShape | None = None
    horned: float = 0.0


BEEF = CowShape(udder=0.0, bulk=1.08, dewlap=1.5)
DAIRY = CowShape(udder=1.0)
SUCKLER = CowShape(udder=0.6, bulk=1.05, dewlap=1.3)
ZEBU = CowShape(udder=0.45, bulk=0.95, hump=0.17, dewlap=2.3, hanging_ears=True)

BREEDS: dict[str, Breed] = {
    "holstein": Breed("cow", Coat(
        "0e0b09", "f1ece2", "4a3c3a", patch=(0.50, 1.45), blaze=True), 1.0, 3.0, DAIRY, 0.1),
    "red_holstein": Breed("cow", Coat(
        "6a2f18", "f1e9dc", "c89a8c", patch=(0.50, 1.4), blaze=True), 1.0, 1.2, DAIRY, 0.1),
    "fleckvieh": Breed("cow", Coat(
        "74401f", "f0e6d6", "d9a898", patch=(0.47, 1.25), white_face=True, udder="dba898"), 1.03, 1.6, DAIRY, 0.5),
    "brown_swiss": Breed("cow", Coat(
        "5d4a39", "b8a68f", "29221e", back="84705a", solid=True, ring="d9ccb8", shade="5d4a3b", udder="c9a592"),
        1.0, 1.4, DAIRY, 0.5),
    "jersey": Breed("cow", Coat(
        "7d4b20", "c99a66", "241c19", back="a06e3a", solid=True, ring="e0cdb0", shade="5e3a22", udder="d3a48c"),
        0.91, 1.2, DAIRY, 0.2),
    "hereford": Breed("cow", Coat(
        "6b2c14", "f0e7da", "dca898", solid=True, white_face=True, white_belly=True, white_feet=True, white_tuft=True,
        udder="d8a594"), 1.0, 1.0, BEEF, 0.3),
    "angus": Breed("cow", Coat(
        "0b0908", "1e1916", "0d0b0a", solid=True, back="14100d", dirt=0.2, sheen=0.03, udder="1c1614"), 1.0, 1.3, BEEF),
    "red_angus": Breed("cow", Coat(
        "5a2413", "7a3a1f", "6d4337", solid=True, back="6a2d17", udder="8a5240"), 1.0, 0.7, SUCKLER, 0.0),
    "charolais": Breed("cow", Coat(
        "e6d8bd", "f0e6d2", "d8ab9a", solid=True, udder="dcb09e"), 1.06, 0.9, BEEF, 0.3),
    "limousin": Breed("cow", Coat(
        "8a4c22", "c99a66", "c79a84", solid=True, back="8f5224", ring="d3ac7c", udder="cf9c84"), 1.02, 0.8, BEEF, 0.4),
    "belted": Breed("cow", Coat(
        "0e0b0a", "efe9dd", "14100f", solid=True, belt=True, back="151110", hair=0.6, udder="2a211e"), 0.93, 0.6, SUCKLER),
    "highland": Breed("cow", Coat(
        "7f4219", "b06a2e", "b98973", solid=True, back="95531f", hair=0.9, sheen=0.1, udder="a86f55"),
        0.88, 0.6, CowShape(udder=0.0, horns="long", bulk=1.06), 1.0),
    "zebu": Breed("cow", Coat(
        "b9b2a6", "d9d3c8", "2b2624", solid=True, back="cfc9be", shade="7d766d", udder="a58d80"), 0.98, 1.0, ZEBU, 0.6),
    "bay": Breed("horse", Coat(
        "5e341b", "8a5330", "2c211c", back="70421f", solid=True, shade="3b2215", ring="6e4526", udder="5e341b",
        mane="15100d", tuft="15100d", hoof="2d2620", dirt=0.2), 1.0, 2.0),
    "chestnut": Breed("horse", Coat(
        "7a3f1c", "f0e7da", "5b3426", back="8a4a22", solid=True, blaze=True, udder="7a3f1c", mane="7b4524", tuft="8a5230",
        dirt=0.2), 1.0, 1.2),
    "black": Breed("horse", Coat(
        "100d0c", "211c19", "0c0a09", back="171311", solid=True, udder="171311", mane="0b0908", tuft="0b0908",
        dirt=0.15), 1.0, 1.0),
    "grey": Breed("horse", Coat(
        "8d8983", "d8d4cc", "4a4543", back="c9c5bd", solid=True, shade="77726c", udder="6e6863", mane="9c9892",
        tuft="cfcbc3", dirt=0.25), 1.0, 1.0),
    "haflinger": Breed("horse", Coat(
        "a2672f", "f0e6d2", "4d3a30", back="b2763a", solid=True, blaze=True, udder="a2672f", mane="e8dcc0",
        tuft="e8dcc0", dirt=0.2), 0.92, 0.8),
    "pinto": Breed("horse", Coat(
        "5c3219", "f0e9dd", "7d5d51", patch=(0.48, 1.1), blaze=True, udder="8c6a58", mane="3a2416", tuft="ece4d6",
        dirt=0.2), 0.97, 0.8),
    "collie": Breed("dog", Coat(
        "15120f", "f0ebe2", "0c0a09", patch=(0.47, 4.2), blaze=True, udder="000000", hoof="e8e0d4", dirt=0.1, hair=0.5),
        1.0, 1.4),
    "shepherd": Breed("dog", Coat(
        "8a5c30", "a9773f", "0c0a09", back="2a1f17", solid=True, udder="8a5c30", dirt=0.1, hair=0.5), 1.08, 1.0),
    "labrador": Breed("dog", Coat(
        "c9a268", "e2c796", "1d1512", back="d6b27c", solid=True, udder="c9a268", dirt=0.15), 1.02, 1.0),
    "brown_dog": Breed("dog", Coat(
        "4b2a17", "7a4c2b", "1d120d", back="5a331c", solid=True, udder="4b2a17", dirt=0.1), 0.9, 1.0),
    "black_dog": Breed("dog", Coat(
        "0d0b0a", "231e1b", "070606", back="14110f", solid=True, udder="0d0b0a", dirt=0.1), 1.05, 0.8),
    "blackface": Breed("sheep", Coat(
        "3c342d", "e3dac6", "2a2420", back="3c342d", solid=True, wool="e6decb", udder="d0b0a0", hair=0.8), 1.0, 1.0),
    "whiteface": Breed("sheep", Coat(
        "d9cdb8", "ece4d4", "b98f80", back="e2d8c6", solid=True, wool="e9e1cf", udder="d8b4a4", hair=0.8), 1.0, 1.6),
    "brown_sheep": Breed("sheep", Coat(
        "3a2a1d", "6a4e37", "211813", back="44301f", solid=True, wool="5b4431", udder="5a4030", hair=0.8), 0.95, 0.5),
    "farmer": Breed("person", Coat("000000", "000000", ""), 1.0, 1.4),
    "visitor": Breed("person", Coat("000000", "000000", ""), 0.98, 1.0),
}  # fmt: skip


def breeds_of(kind: str) -> tuple[str, ...]:
    """The names of a kind's breeds."""
    return tuple(name for name, breed in BREEDS.items() if breed.kind == kind)


COW_BREEDS = breeds_of("cow")
