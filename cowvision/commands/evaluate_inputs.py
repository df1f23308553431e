"""What the evaluate command is given: whether it goes together, and what of it a model has seen before."""

import hashlib
from pathlib import Path

import typer

from cowvision.data.annotations import AnnotatedPicture
from cowvision.errors import SettingError
from cowvision.models.catalog import ModelSpec
from cowvision.models.provenance import is_known, trained_on


def check_what_is_given(images: Path | None, model: str | None, predictions: Path | None, against: str | None) -> None:
    """Refuse options that do not go together, before anything is read.

    Raises:
        SettingError: Neither pictures nor a results file, both, or a model on one side and a results file on the other.
    """
    if predictions is None:
        _check_models(images, model, against)
        return
    if images is not None or model is not None:
        remedy = "Give either --predictions, or --images with a --model"
        raise SettingError("--predictions", "needs neither --images nor --model", remedy)
    if against is not None and not (is_results_file(against) or Path(against).is_file()):
        cause = f"a results file cannot be compared with the model {against}, which has looked at no picture here"
        remedy = "Give a second results file, or --images with --model and --against for two models"
        raise SettingError("--against", cause, remedy)


def _check_models(images: Path | None, model: str | None, against: str | None) -> None:
    for option, name in (("--model", model), ("--against", against)):
        if name is not None and is_results_file(name):
            cause = f"{name} is a results file, not a model"
            remedy = "Name a model, or give every results file as --predictions and --against, without --images"
            raise SettingError(option, cause, remedy)
    if images is None:
        if model is None and against is None:
            cause, remedy = "nothing is given to be measured", "or --predictions with a results file"
            raise SettingError("evaluate", cause, f"Give --images with a --model, {remedy}")
        raise SettingError("--images", "is missing: a model needs pictures to look at", "Give the folder they are in")


def is_results_file(name: str) -> bool:
    """Whether what is named is taken for a COCO results file, which is JSON; models' weights are not."""
    return Path(name).suffix.lower() == ".json"


def seen_in_training(spec: ModelSpec, pictures: list[AnnotatedPicture]) -> int | None:
    """On how many of the pictures the model was trained; None where nobody here knows.

    Raises:
        ModelFileError: What stands beside the model's weights cannot be read.
    """
    found = len(trained_on(spec, map(_digest, pictures)))
    return found if found or is_known(spec) else None


def say_what_was_seen(names: list[str], seen: list[int | None], pictures: int) -> None:
    """One line on stderr about each model that was trained on some of what it is measured on."""
    for name, count in dict(zip(names, seen, strict=False)).items():
        if count:
            typer.echo(
                f"cowvision: {name} was trained on {count} of these {pictures} pictures: there it shows what it "
                "remembers, not what it can do.",
                err=True,
            )


def check_classes(truth: Path, there: set[str], wanted: tuple[str, ...] | None) -> None:
    """Refuse a class that the truth does not know.

    Raises:
        SettingError: It names the classes there are.
    """
    for name in wanted or ():
        if name not in there:
            remedy = (
                f"Name classes with --classes, or say --classes all. There are: {', '.join(sorted(there)) or 'none'}"
            )
            raise SettingError(str(truth), f"it has no class {name}", remedy)


def _digest(picture: AnnotatedPicture) -> str:
    """Sha256 of a picture's bytes; nothing's for a file that cannot be read, which is told where it is looked at."""
    try:
        return hashlib.sha256(picture.source.read_bytes()).hexdigest() if isinstance(picture.source, Path) else ""
    except OSError:
        return ""
