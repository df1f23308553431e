"""`python -m cowvision herd` and `weights`: make scenes, and train the embedded models again."""

from pathlib import Path
from typing import Annotated

import typer

from cowvision.commands.reporting import progress_bar


def herd(
    *,
    count: Annotated[int, typer.Option(min=1, help="Scenes to compose.")],
    out: Annotated[Path, typer.Option(help="Folder for the pictures and truth.json.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same scenes.")] = 0,
    width: Annotated[int, typer.Option(min=64, help="Width in pixels.")] = 640,
    height: Annotated[int, typer.Option(min=64, help="Height in pixels.")] = 360,
) -> None:
    """Compose annotated scenes of the rendered herd: pictures and COCO truth."""
    from cowvision.data.herd_pictures import compose_to_folder

    with progress_bar("composing", total=count) as advance:
        compose_to_folder(count, seed, out, resolution_wh=(width, height), on_scene=lambda *_: advance())
    typer.echo(f"{count} scenes with truth.json in {out}")
