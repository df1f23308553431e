"""Numbers with their nouns, for notes, terminals and pages."""

from __future__ import annotations


def counted(number: float, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 cow", "7 boxes", "29.97 frames", "2 switches"; a fraction has four digits."""
    is_one = f"{number:.4g}" == "1"
    shown = str(number) if isinstance(number, int) else f"{number:.4g}"
    usual = noun + ("es" if noun.endswith("x") else "s")
    return f"{shown} {noun if is_one else plural or usual}"
