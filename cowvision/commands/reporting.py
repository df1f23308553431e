"""How commands talk: one line an error, progress on stderr, results on stdout."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from cowvision.errors import CowVisionError, SettingError

if TYPE_CHECKING:  # `--help` needs no network
    from cowvision.detection_box import DetectionBox

BAD_INPUT, INTERRUPTED = 2, 130


class OneLineErrors(TyperGroup):
    """A command group that tells every error a person can meet in one line on stderr, with exit status 2."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line and leave with its exit status."""
        options["standalone_mode"] = False
        try:
            status = super().main(*args, **options)
        except CowVisionError as error:
            report(error)
            status = BAD_INPUT
        except typer.TyperException as error:
            _report_usage(error)
            status = BAD_INPUT
        except (typer.Abort, KeyboardInterrupt):
            typer.echo("cowvision: stopped before the end.", err=True)
            status = INTERRUPTED
        _leave(status if isinstance(status, int) else 0)


def _leave(status: int) -> NoReturn:
    """End the process; under torchrun at once, for gloo's threads may abort one that is taken down piece by piece."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def report(error: CowVisionError) -> None:
    """Write one line about an error to stderr."""
    typer.echo(f"cowvision: {error}", err=True)


def report_all(problems: list[CowVisionError]) -> None:
    """Report what could not be used and, if there was any, leave with exit status 2."""
    for problem in problems:
        report(problem)
    if problems:
        raise typer.Exit(BAD_INPUT)


def _report_usage(error: typer.TyperException) -> None:
    line = " ".join(error.format_message().split()).rstrip(".").replace("Value error, ", "")
    if line:  # a command without arguments has shown its help and says no more
        typer.echo(f"cowvision: {line}. See --help for what is allowed.", err=True)


def make_bar(*, is_shown: bool = True) -> Progress:
    """A bar on stderr with words, steps and time left; silent where no person watches, or if it shall not be shown."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not (is_shown and console.is_terminal))


@contextmanager
def progress_bar(title: str, total: int | None) -> Iterator[Callable[[], None]]:
    """Show progress on stderr while the work inside goes on, if a person watches; gives what to call after each step.

    Args:
        title: What is being done.
        total: Steps in all; None when nobody knows.
    """
    with make_bar() as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Let work inside end well when it is asked to (Ctrl-C, or SIGTERM); asked twice, it ends at once.

    Gives what tells whether somebody asked.
    """
    asked = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(*_: object) -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        typer.echo("cowvision: ending after this step; once more ends it at once.", err=True)
        asked.set()

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write_json(path: Path, document: Any) -> None:
    """Write a result file.

    Raises:
        SettingError: It cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        cause = error.strerror or "cannot be written"
        raise SettingError(str(path), cause, "Choose a file in a folder you may write to") from None


def say_timing(box: "DetectionBox") -> None:
    """Say at a terminal that the first look takes longer than all others, where it does."""
    if sys.stderr.isatty() and not box.is_timed:
        typer.echo(f"Finding out, once, how this machine runs {box.spec.title} best: up to a minute.", err=True)
