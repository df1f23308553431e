"""Counting a tray in the background: it goes on while the page answers, and ends when it is stopped or nobody looks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cowvision.errors import CowVisionError, unforeseen

Pair = tuple[str, str]
UNSEEN_SECONDS = 20.0
"""Nobody has asked how far it is for so long: the page was closed, and its count makes room for others'."""


@dataclass
class Counting:
    """Looks that are to be taken, one after the other; read by the page, written by its own thread.

    Attributes:
        looks: What to do, each for one picture and one model, which it is known by.
        tried: Takes what was done, well or not.
        problems: Takes what went wrong with some; the others go on.
        done: How many are done.
    """

    looks: Sequence[tuple[Pair, Callable[[], object]]]
    tried: set[Pair] = field(default_factory=set)
    problems: list[CowVisionError] = field(default_factory=list)
    done: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _seen: float = field(default_factory=time.monotonic)
    _thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether there is more to come; asking keeps it going."""
        self._seen = time.monotonic()
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="counting a tray", daemon=True)
        self._thread.start()

    def stop(self, wait: float | None = None) -> None:
        """End after the look in progress; what is done stays. Waits so many seconds for it, if asked."""
        self._stop.set()
        if wait is not None and self._thread is not None:
            self._thread.join(wait)

    def finish(self, wait: float) -> None:
        """Wait for the end, so many seconds at most."""
        if self._thread is not None:
            self._thread.join(wait)

    def _run(self) -> None:
        for pair, look in self.looks:
            if self._stop.is_set() or time.monotonic() - self._seen > UNSEEN_SECONDS:
                return
            try:
                look()
            except CowVisionError as error:
                self.problems.append(error)
            except Exception as error:  # whatever it is, the other pictures are counted and the visitor is told
                logging.getLogger(__name__).exception("A look failed")
                self.problems.append(unforeseen("count", error))
            self.tried.add(pair)
            self.done += 1
