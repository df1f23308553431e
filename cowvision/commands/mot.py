"""`python -m cowvision mot`: judge any tracker's output against true tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import supervision as sv
import typer

from cowvision.commands.reporting import write_json
from cowvision.commands.track_words import say_identity, say_written
from cowvision.commands.truth_classes import TRUTH_CLASSES
from cowvision.data.mot import read_mot
from cowvision.errors import AnnotationError


def mot(
    *,
    truth: Annotated[Path, typer.Option(help="MOT text with the true tracks; a confidence of 0 does not count.")],
    tracks: Annotated[Path, typer.Option(help="MOT text with a tracker's.")],
    classes: Annotated[list[int] | None, TRUTH_CLASSES] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Judge tracks by MOTA, MOTP, IDF1 and HOTA."""
    from cowvision.tracking.identity import judge_identity
    from cowvision.workspace.clips import read_truth

    true, told = read_truth(truth, classes), read_mot(tracks)
    if not any(map(len, [*true, *told])):
        raise AnnotationError(f"{truth.name} and {tracks.name}", "there is no box in either", "Give files with tracks")
    wanted = " of these classes" if classes else ""
    if not any(map(len, true)):
        typer.echo(f"cowvision: {truth.name} holds no box{wanted}: every track counts as false.", err=True)
    if not any(map(len, told)):
        typer.echo(f"cowvision: {tracks.name} holds no box: every animal counts as missed.", err=True)
    frames = max(len(true), len(told))
    report = judge_identity(*(_padded(one, frames) for one in (true, told)))
    say_identity(report)
    if json_file is not None:
        write_json(json_file, report.as_dict())
        say_written([json_file], is_kept=False)


def _padded(boxes: list[sv.Detections], frames: int) -> list[sv.Detections]:
    """Nothing is in the frames after the last that a file names."""
    return [*boxes, *[sv.Detections.empty()] * (frames - len(boxes))]
