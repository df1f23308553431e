"""What long work is told when nobody asks it to report or to stop; needs no torch."""

from __future__ import annotations


def silent(*_: object, **__: object) -> None:
    """Report progress to nobody."""


def never() -> bool:
    """Let the work go on to its end."""
    return False
