"""How `track` tells how far it is: a terminal by a bar, a job's page by events and a picture."""

from __future__ import annotations

import time
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cowvision.commands.reporting import make_bar
from cowvision.models.places import write_atomically
from cowvision.workspace.job_log import job_folder

if TYPE_CHECKING:
    from cowvision.tracking.pipeline import TrackProgress
    from cowvision.workspace.job_work import Work

PREVIEW = "preview.jpg"
"""In a job's folder: the frame that was drawn last, once a second."""

_TOLD_EVERY, _SHOWN_EVERY = 0.5, 1.0  # seconds
_PREVIEW_SIDE = 640  # pixels


class Telling:
    """Tells a terminal by a bar, and a job's log and preview for the page.

    Attributes:
        total: Frames in all as far as the clip says it; None before the first frame, and where it does not.
    """

    def __init__(self, work: Work) -> None:
        self._bar, self._work = make_bar(), work
        self._task = self._bar.add_task("tracking", total=None)
        self._told = self._shown = 0.0
        self.total: int | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def tell(self, progress: TrackProgress) -> None:
        """Take how far it is; the last frame is always told."""
        self.total = progress.total
        now, is_last = time.monotonic(), progress.done == progress.total
        words = f"tracking, {progress.cows} in sight"
        self._bar.update(self._task, description=words, completed=progress.done, total=progress.total)
        if now - self._told > _TOLD_EVERY or is_last:
            self._told = now
            self._work.tell(kind="frame", done=progress.done, total=progress.total, cows=progress.cows)
        if now - self._shown > _SHOWN_EVERY and progress.preview is not None and self._work.job_id is not None:
            from cowvision.viz.encoding import as_jpeg, scaled_down

            self._shown = now
            with suppress(OSError):  # a full disk is told by the clip's own error
                small = as_jpeg(scaled_down(progress.preview, _PREVIEW_SIDE), quality=75)
                write_atomically(job_folder(self._work.job_id) / PREVIEW, small)
