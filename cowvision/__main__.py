"""The command line: `python -m cowvision COMMAND`; the same functions as the pages."""

import typer

from cowvision.commands.detect import detect
from cowvision.commands.evaluate import evaluate
from cowvision.commands.fetch import fetch
from cowvision.commands.finetune import finetune
from cowvision.commands.make import herd
from cowvision.commands.models import models
from cowvision.commands.mot import mot
from cowvision.commands.reporting import OneLineErrors
from cowvision.commands.track import track
from cowvision.commands.weights import weights

app = typer.Typer(
    cls=OneLineErrors,
    name="cowvision",
    help="Find, count and measure cows.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (models, fetch, detect, evaluate, finetune, track, mot, herd, weights):
    app.command()(command)

if __name__ == "__main__":
    app()
