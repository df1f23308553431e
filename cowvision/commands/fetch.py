"""`python -m cowvision fetch`: download a published model's weights, or COCO's photographs of cows, once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from cowvision.commands.reporting import progress_bar, report
from cowvision.errors import DownloadStopped, ModelNotFoundError
from cowvision.models.catalog import downloads_folder
from cowvision.models.published import PublishedModel, find_published

if TYPE_CHECKING:  # `--help` needs no process of a job
    from cowvision.workspace.job_work import Work

_COCO_COWS = "coco-cows"
_INTERRUPTED = 130  # as for any command that Ctrl-C ends
_MOST_NAMED = 10
_SECONDS_BETWEEN_EVENTS = 0.5
_HELP = (
    "One of the published models that `models` lists; or coco-cows: COCO's photographs of cows with their boxes, "
    "about 2,055 pictures, 0.6 GB to download."
)


def fetch(name: Annotated[str, typer.Argument(metavar="NAME", help=_HELP)]) -> None:
    """Download a published model, or COCO's cows; a download that was stopped goes on where it was."""
    model = None if name == _COCO_COWS else _find(name)
    with _at_work() as work:
        try:
            return _fetch_cows(work) if model is None else _fetch_model(model, work)
        except DownloadStopped as stop:
            report(stop)
            if not work.should_stop():  # a job that nobody asked to stop has failed
                raise typer.Exit(_INTERRUPTED) from None
    raise typer.Exit(_INTERRUPTED)


def _find(name: str) -> PublishedModel:
    try:
        return find_published(name)
    except ModelNotFoundError as error:
        raise ModelNotFoundError(name, error.cause, f"{error.remedy}. Published pictures: {_COCO_COWS}") from None


def _fetch_model(model: PublishedModel, work: Work) -> None:
    from cowvision.models.fetching import fetch as fetch_weights

    with _course(model.name, model.size_bytes, work) as course:
        path = fetch_weights(model, downloads_folder(), on_progress=course, should_stop=work.should_stop)
        work.result = {"path": str(path)}
        typer.echo(f"{model.name} is ready: {path}")


def _fetch_cows(work: Work) -> None:
    from cowvision.workspace import coco_cows

    with _course(_COCO_COWS, coco_cows.TOTAL_BYTES, work) as course:
        fetched = coco_cows.fetch_coco_cows(on_progress=course, should_stop=work.should_stop)
        work.result = {"pictures": fetched.pictures, "missing": list(fetched.missing)}
        _report_missing(fetched.missing)
        typer.echo(f"{_COCO_COWS} is ready: {fetched.pictures} pictures in {coco_cows.coco_cows_folder()}")
        typer.echo(
            "Boxes: COCO Consortium, CC BY 4.0. Photographs: Flickr, each under the licence its truth file names."
        )


def _report_missing(missing: tuple[str, ...]) -> None:
    for one in missing[:_MOST_NAMED]:
        typer.echo(f"cowvision: left out: {one}.", err=True)
    if len(missing) > _MOST_NAMED:
        typer.echo(f"cowvision: left out: {len(missing) - _MOST_NAMED} more. Fetch again to try them again.", err=True)


@contextmanager
def _at_work() -> Iterator[Work]:
    """Work on the job that the environment names; a person's own command needs no workspace."""
    from cowvision.workspace.files import store_path
    from cowvision.workspace.job_process import JOB_VARIABLE
    from cowvision.workspace.job_work import Work, at_work
    from cowvision.workspace.store import Store

    if JOB_VARIABLE not in os.environ:
        yield Work()
        return
    with at_work(Store(store_path())) as work:
        yield work


@contextmanager
def _course(name: str, size_bytes: int, work: Work) -> Iterator[_Course]:
    """Show how far a download is; Ctrl-C stops it like anybody who asks for it."""
    with progress_bar(f"fetching {name} (MB)", total=round(size_bytes / 1024**2)) as advance:
        course = _Course(advance, work)
        try:
            yield course
        except KeyboardInterrupt:
            raise DownloadStopped(name, course.bytes_done, size_bytes) from None
        finally:
            with suppress(OSError):  # a full disk is told by the download's own error
                course.tell()


class _Course:
    """Advances a bar once a megabyte, tells the job twice a second, and remembers how far it was."""

    def __init__(self, advance: Callable[[], None], work: Work) -> None:
        self.bytes_done = 0
        self._total: int | None = None
        self._advance = advance
        self._shown = 0
        self._work = work
        self._told_at = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        """Take the bytes there are so far, and in all."""
        self.bytes_done, self._total = done, total
        while self._shown < done // 1024**2:
            self._advance()
            self._shown += 1
        if time.monotonic() - self._told_at > _SECONDS_BETWEEN_EVENTS:
            self.tell()

    def tell(self) -> None:
        """Tell the job."""
        self._told_at = time.monotonic()
        self._work.tell(done=self.bytes_done, total=self._total)
