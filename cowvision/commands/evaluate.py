"""`python -m cowvision evaluate`: measure one model, or two against each other, on pictures with truth."""

from pathlib import Path
from typing import Annotated

import supervision as sv
import typer

from cowvision.commands.reporting import progress_bar, report_all, write_json
from cowvision.data.annotations import AnnotatedPicture
from cowvision.data.formats import read_coco
from cowvision.data.pictures import Picture
from cowvision.detection_box import DetectionBox
from cowvision.errors import CowVisionError
from cowvision.models.catalog import DEFAULT_MODEL


def evaluate(
    *,
    images: Annotated[Path, typer.Option(help="Folder with the pictures.")],
    truth: Annotated[Path, typer.Option(help="COCO JSON with their ground truth.")],
    model: Annotated[str, typer.Option(help="Name of a model, or path of its weights.")] = DEFAULT_MODEL,
    against: Annotated[str | None, typer.Option(help="A second model to compare with.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Measure a model on pictures with ground truth, alone or against another."""
    from cowvision.evaluation.comparison import compare_models
    from cowvision.evaluation.metrics import measure

    boxes = [DetectionBox(name) for name in (model, against) if name is not None]
    problems: list[CowVisionError] = []
    answers, truths = look_at_all("measuring", boxes, read_coco(truth, images), problems)
    reports = [measure(found, truths) for found in answers]
    document = {"model": model, "images": len(truths), **reports[0].as_dict()}
    if against is not None:
        comparison = compare_models(answers[0], answers[1], truths)
        document |= {"against": {"model": against, **reports[1].as_dict()}, **comparison.as_dict()}
        typer.echo(comparison.sentence(model, against))
    for name, one in zip((model, against), reports, strict=False):
        typer.echo(f"{name}: mAP {shown(one.map)}, AP50 {shown(one.map_50)}, AP75 {shown(one.map_75)}")
    if json_file is not None:
        write_json(json_file, document)
    report_all(problems)


def look_at_all(
    title: str, boxes: list[DetectionBox], annotated: list[AnnotatedPicture], problems: list[CowVisionError]
) -> tuple[list[list[sv.Detections]], list[sv.Detections]]:
    """Answers of each model and the truths, of the pictures that could be read; `problems` takes the others' errors."""
    answers: list[list[sv.Detections]] = [[] for _ in boxes]
    truths: list[sv.Detections] = []
    with progress_bar(title, total=len(annotated)) as advance:
        for one in annotated:
            advance()
            picture = _read(one, problems)
            if picture is None:
                continue
            truths.append(one.truth)
            for box, found in zip(boxes, answers, strict=True):
                found.extend(box.predict([picture]))
    return answers, truths


def _read(annotated: AnnotatedPicture, problems: list[CowVisionError]) -> Picture | None:
    try:
        return annotated.picture()
    except CowVisionError as error:
        problems.append(error)
        return None


def shown(value: float | None) -> str:
    """A score in three digits."""
    return "n/a (no truth)" if value is None else f"{value:.3f}"
