"""Work of several kinds at once on one stream of things, in order: what comes before and after the slowest step runs
beside it, and queues of a few places keep memory constant.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")

_END = object()
_LOOK_SECONDS = 0.1  # how long a wait lasts before it is asked whether there is still something to wait for


class StageClock:
    """Adds up how long each kind of work took, in whichever thread; seconds on the wall."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    @contextmanager
    def of(self, kind: str) -> Iterator[None]:
        """Count the time inside as that kind's."""
        started = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._seconds[kind] += time.perf_counter() - started

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by kind."""
        return dict(self._seconds)


class Ahead(Generic[T]):
    """Takes from an iterable in a thread of its own, a few things ahead; what it raises is raised where it is read.

    Args:
        things: Where they come from.
        places: How many wait at most.
    """

    def __init__(self, things: Iterable[T], places: int) -> None:
        self._things = things
        self._queue: queue.Queue[object] = queue.Queue(places)
        self._enough = threading.Event()
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._take_all, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def __iter__(self) -> Iterator[T]:
        while (thing := self._queue.get()) is not _END:
            yield thing  # type: ignore[misc]  # nothing else but the end is ever put there
        if self._problem is not None:
            raise self._problem

    def _take_all(self) -> None:
        try:
            for thing in self._things:
                if not self._put(thing):
                    break
        except BaseException as error:  # noqa: BLE001 - it is raised where the things are read
            self._problem = error
        finally:
            close = getattr(self._things, "close", None)
            if close is not None:
                close()  # a file that is read is let go in the thread that reads it
            self._put(_END)

    def _put(self, thing: object) -> bool:
        while not self._enough.is_set():
            try:
                self._queue.put(thing, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False


class Behind(Generic[T]):
    """Does something with each thing in a thread of its own, in order; leaving the block waits for the last one.

    What goes wrong there is raised by the next `put`, or at the end of the block. If the block itself fails, things
    that still wait are dropped.

    Args:
        work: What is done with each.
        places: How many wait at most.
    """

    def __init__(self, work: Callable[[T], None], places: int) -> None:
        self._work = work
        self._queue: queue.Queue[object] = queue.Queue(places)
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._work_through, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del error, trace
        if kind is not None:
            self._problem = self._problem or InterruptedError()
        self._queue.put(_END)
        self._thread.join()
        if kind is None and self._problem is not None:
            raise self._problem

    def put(self, thing: T) -> None:
        """Give the next thing; waits while all places are taken."""
        if self._problem is not None:
            raise self._problem
        self._queue.put(thing)

    def _work_through(self) -> None:
        while (thing := self._queue.get()) is not _END:
            if self._problem is None:
                try:
                    self._work(thing)  # type: ignore[arg-type]  # nothing else but the end is ever put there
                except BaseException as error:  # noqa: BLE001 - it is raised where the things come from
                    self._problem = error
