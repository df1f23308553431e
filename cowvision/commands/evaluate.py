"""`python -m cowvision evaluate`: measure one model, or two against each other, on pictures with truth.

The answers come from models that look at the pictures, or from COCO results files, which need neither.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import supervision as sv
import typer

from cowvision.commands.coco_files import class_names_of, read_results, read_truth
from cowvision.commands.evaluate_inputs import check_classes, check_what_is_given, say_what_was_seen, seen_in_training
from cowvision.commands.reporting import progress_bar, report_all, say_timing, write_json
from cowvision.data.annotations import AnnotatedPicture
from cowvision.data.formats import read_coco
from cowvision.detection_box import DetectionBox
from cowvision.errors import CowVisionError, SettingError
from cowvision.models.catalog import DEFAULT_MODEL

if TYPE_CHECKING:
    from cowvision.models.processes import Processes

Answers = list[list[sv.Detections]]
Classes = tuple[str, ...] | None
EVERY_CLASS = "all"


def evaluate(
    *,
    truth: Annotated[Path, typer.Option(help="COCO JSON with the ground truth.")],
    images: Annotated[Path | None, typer.Option(help="Folder with the pictures.")] = None,
    model: Annotated[
        str | None,
        typer.Option(help=f"Name of a model, or path of its weights or config.yaml; {DEFAULT_MODEL} if none."),
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="COCO results JSON, in place of --images and --model.")
    ] = None,
    against: Annotated[str | None, typer.Option(help="A second model, or results file, to compare with.")] = None,
    classes: Annotated[str, typer.Option(help="Classes to judge, with commas between, or all.")] = "cow",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Measure a model on pictures with ground truth, alone or against another."""
    from cowvision.models.processes import processes
    from cowvision.workspace.lesson_looks import as_the_first

    chosen = _classes(classes)
    check_what_is_given(images, model, predictions, against)
    problems: list[CowVisionError] = []
    seen: list[int | None] = []
    with processes() as group:  # alone, or those of torchrun
        if images is None:
            names = [str(predictions), *([] if against is None else [against])]
            answers, truths = _read_files(truth, names, chosen)
        else:
            names = [model or DEFAULT_MODEL, *([] if against is None else [against])]
            pictures = read_coco(truth, images)
            check_classes(truth, class_names_of(truth), chosen)
            boxes = [DetectionBox(name) for name in names]
            if group.count > 1:
                boxes = [as_the_first(box, group) for box in boxes]
            for box in boxes if group.is_first else ():
                say_timing(box)
            seen = [seen_in_training(box.spec, pictures) for box in boxes]
            answers, truths = look_at_all("measuring", boxes, pictures, problems, group)
    if group.is_first:
        say_what_was_seen(names, seen, len(pictures) if seen else 0)
        _report(names, answers, truths, chosen, json_file, seen=seen)
        report_all(problems)


def _report(
    names: list[str],
    answers: Answers,
    truths: list[sv.Detections],
    classes: Classes,
    json_file: Path | None,
    *,
    seen: list[int | None],
) -> None:
    """Tell the figures; ``seen`` says on how many of the pictures each model was trained, nothing of results files."""
    from cowvision.evaluation.comparison import compare_models
    from cowvision.evaluation.metrics import measure

    reports = [measure(found, truths, class_names=classes) for found in answers]
    trained = [{"trained_on": count} for count in seen] or [{}, {}]
    document = {"model": names[0], "images": len(truths), **trained[0], **reports[0].as_dict()}
    if len(names) > 1:
        comparison = compare_models(answers[0], answers[1], truths, class_names=classes)
        document |= {"against": {"model": names[1], **trained[1], **reports[1].as_dict()}, **comparison.as_dict()}
        typer.echo(comparison.sentence(*names))
        typer.echo(comparison.trust())
    for name, one in zip(names, reports, strict=True):
        typer.echo(f"{name}: mAP {shown(one.map)}, AP50 {shown(one.map_50)}, AP75 {shown(one.map_75)}")
    if json_file is not None:
        write_json(json_file, document)


def _classes(given: str) -> Classes:
    """The classes an option names; None for all.

    Raises:
        SettingError: It names none.
    """
    names = tuple(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    if not names:
        raise SettingError("--classes", "no class is named", f"Name one, or say {EVERY_CLASS}")
    return None if names == (EVERY_CLASS,) else names


def _read_files(truth: Path, results: list[str], classes: Classes) -> tuple[Answers, list[sv.Detections]]:
    known = read_truth(truth)
    check_classes(truth, set(known.classes.values()), classes)
    return [read_results(Path(path), known) for path in results], known.truths


def look_at_all(
    title: str,
    boxes: list[DetectionBox],
    annotated: list[AnnotatedPicture],
    problems: list[CowVisionError],
    group: "Processes | None" = None,
) -> tuple[Answers, list[sv.Detections]]:
    """Answers of each model and the truths, of the pictures that could be read; `problems` takes the others' errors.

    Of several processes each looks at a part, and all get the whole, in order.
    """
    mine = annotated if group is None else group.part(annotated)
    looks: list[tuple[CowVisionError | None, list[sv.Detections]]] = []
    is_shown = group is None or group.is_first
    with progress_bar(title, total=len(mine) if is_shown else 0) as advance:
        for one in mine:
            advance()
            looks.append(_look(one, boxes))
    looks = looks if group is None else group.together(looks)
    problems.extend(problem for problem, _ in looks if problem is not None)
    found = [answers for problem, answers in looks if problem is None]
    truths = [one.truth for one, (problem, _) in zip(annotated, looks, strict=True) if problem is None]
    return [[answers[place] for answers in found] for place in range(len(boxes))], truths


def _look(annotated: AnnotatedPicture, boxes: list[DetectionBox]) -> tuple[CowVisionError | None, list[sv.Detections]]:
    try:
        picture = annotated.picture()
    except CowVisionError as error:
        return error, []
    return None, [box.predict([picture])[0] for box in boxes]


def shown(value: float | None) -> str:
    """A score in three digits."""
    return "n/a (no truth)" if value is None else f"{value:.3f}"
