"""What long work is told when nobody asks it to report or to stop; needs no torch."""

from __future__ import annotations

from collections.abc import Callable

from cowvision.errors import WorkStopped


def silent(*_: object, **__: object) -> None:
    """Report progress to nobody."""


def never() -> bool:
    """Let the work go on to its end."""
    return False


def stop_if(should_stop: Callable[[], bool]) -> None:
    """End work that has nothing to keep yet.

    Raises:
        WorkStopped: ``should_stop`` says so.
    """
    if should_stop():
        raise WorkStopped("the work", "it was stopped before there was anything to keep", "Begin it again")
