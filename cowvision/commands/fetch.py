"""`python -m cowvision fetch`: download a published model's weights, once."""

from collections.abc import Callable
from typing import Annotated

import typer

from cowvision.commands.reporting import progress_bar, report
from cowvision.errors import DownloadStopped
from cowvision.models.catalog import downloads_folder
from cowvision.models.published import find_published

_INTERRUPTED = 130  # as for any command that Ctrl-C ends


def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="One of the published models that `models` lists.")],
) -> None:
    """Download a published model; a download that was stopped goes on where it was."""
    from cowvision.models.fetching import fetch as fetch_weights

    model = find_published(name)
    with progress_bar(f"fetching {name} (MB)", total=round(model.size_mib)) as advance:
        megabytes = _Megabytes(advance)
        try:
            path = fetch_weights(model, downloads_folder(), on_progress=megabytes)
        except KeyboardInterrupt:
            report(DownloadStopped(name, megabytes.bytes_done, model.size_bytes))
            raise typer.Exit(_INTERRUPTED) from None
    typer.echo(f"{name} is ready: {path}")


class _Megabytes:
    """Advances a bar once a megabyte, and remembers how far it was."""

    def __init__(self, advance: Callable[[], None]) -> None:
        self.bytes_done = 0
        self._advance = advance
        self._shown = 0

    def __call__(self, done: int, _total: int | None) -> None:
        """Take the bytes there are so far."""
        self.bytes_done = done
        while self._shown < done // 1024**2:
            self._advance()
            self._shown += 1
