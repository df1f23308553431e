"""`python -m cowvision detect`: find and count cows on pictures, folders and clips."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import supervision as sv
import typer

from cowvision.commands.inputs import Shot, Source, count_shots, find_sources, read_shots
from cowvision.commands.reporting import progress_bar, report_all, say_timing, write_json
from cowvision.data.annotations import names_of
from cowvision.data.detections import as_tutorial_dict, count_named
from cowvision.data.pictures import save_jpeg
from cowvision.detection_box import DetectionBox
from cowvision.errors import CowVisionError, SettingError
from cowvision.models.catalog import DEFAULT_MODEL
from cowvision.viz.drawing import at_least, draw_detections


@dataclass(frozen=True)
class _Wishes:
    """What is to be done with each picture: lowest score that counts, folder to draw into, every n-th frame."""

    threshold: float
    save: Path | None
    every: int


def detect(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Pictures, folders or clips.")],
    *,
    model: Annotated[str, typer.Option(help="Name of a model, or path of its weights or config.yaml.")] = DEFAULT_MODEL,
    threshold: Annotated[float, typer.Option(min=0.0, max=1.0, help="Lowest score that counts.")] = 0.5,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write what was found to this file.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write pictures with boxes into this folder.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Of a clip, look at every N-th frame.")] = 1,
) -> None:
    """Find and count cows on pictures, folders and clips."""
    box = DetectionBox(model)
    problems: list[CowVisionError] = []
    sources = find_sources(inputs, problems.append)
    _check_targets(save, json_file, sources)
    say_timing(box)
    entries = _look_at_all(box, sources, _Wishes(threshold, save, every), problems)
    for entry in entries:
        typer.echo(f"{entry['cows']:4d} cow{' ' if entry['cows'] == 1 else 's'}  {entry['image']}")
    if json_file is not None:
        write_json(json_file, entries)
    report_all(problems)


def _check_targets(save: Path | None, json_file: Path | None, sources: list[Source]) -> None:
    """Refuse, before any work, what cannot be written, and drawings that could take the place of their pictures."""
    if json_file is not None and json_file.is_dir():
        raise SettingError(str(json_file), "--json names a folder", "Give the name of a file")
    if save is None:
        return
    if save.is_file():
        raise SettingError(str(save), "--save names a file", "Give the name of a folder")
    if any(save.resolve() == source.path.resolve().parent for source in sources):
        cause = "pictures to look at lie in this folder, and drawings could overwrite them"
        raise SettingError(str(save), cause, "Give another folder with --save")


def _look_at_all(
    box: DetectionBox, sources: list[Source], wishes: _Wishes, problems: list[CowVisionError]
) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    names = _FileNames()
    with progress_bar("finding cows", total=count_shots(sources, wishes.every)) as advance:
        for shot in read_shots(sources, wishes.every, problems.append):
            [raw] = box.predict([shot.picture])
            entries.append(_entry(shot, raw, wishes.threshold))
            if wishes.save is not None:
                drawn = draw_detections(shot.picture.rgb, raw, threshold=wishes.threshold)
                save_jpeg(drawn, wishes.save / names.for_shot(shot))
            advance()
    return entries


def _entry(shot: Shot, raw: sv.Detections, threshold: float) -> dict[str, Any]:
    """One picture's row of the JSON; frames of a clip carry their index, counted from 0, and their time."""
    width, height = shot.picture.resolution_wh
    place = {} if shot.frame is None else {"frame": shot.frame, "seconds": shot.seconds}
    return {
        "image": shot.picture.name,
        "image_id": shot.picture.id,
        **place,
        "width": width,
        "height": height,
        "cows": count_named(raw, threshold),
        "detections": _rows(at_least(raw, threshold)),
    }


def _rows(detections: sv.Detections) -> list[dict[str, Any]]:
    answer = as_tutorial_dict(detections)
    columns = (answer["pred_boxes"], answer["scores"], answer["pred_classes"], names_of(detections))
    return [
        {
            "xyxy": [round(float(side), 2) for side in box],
            "score": round(float(score), 6),
            "class_id": int(class_id),
            "class_name": str(name),
        }
        for box, score, class_id, name in zip(*columns, strict=True)
    ]


class _FileNames:
    """Names of saved pictures: flat, .jpg, and each given out once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def for_shot(self, shot: Shot) -> str:
        """Return a file name for a picture or for a frame of a clip."""
        name = shot.picture.name if shot.frame is None else shot.picture.name.removesuffix(f"#{shot.frame}")
        base = Path(name).with_suffix("").as_posix().replace("/", "_")
        base += "" if shot.frame is None else f"_{shot.frame:06d}"
        number = 1
        while (unique := base if number == 1 else f"{base}-{number}").lower() in self._taken:
            number += 1
        self._taken.add(unique.lower())
        return f"{unique}.jpg"
