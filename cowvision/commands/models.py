"""`python -m cowvision models`: which detectors there are, and how they are run here."""

import typer

from cowvision.commands.reporting import report
from cowvision.models.catalog import ModelSpec, downloaded_models, embedded_models, own_models
from cowvision.models.detectron2_zoo import (
    ABSENT,
    INSTALL,
    OWN,
    ZOO,
    can_run,
    check_choice,
    configs_folder,
    is_for_engine,
    is_installed,
)
from cowvision.models.published import PublishedModel, published_models


def models() -> None:
    """List the models and the device they run on."""
    from cowvision.models.execution import device_name

    check_choice()
    embedded, downloaded = embedded_models(), downloaded_models()
    for spec in embedded + downloaded + own_models(on_problem=report):
        typer.echo(_line(spec))
    if not embedded:
        typer.echo("No embedded models yet: `make weights` trains them.")
    there = {spec.name for spec in downloaded}
    for model in published_models():
        if model.name not in there:
            typer.echo(_offer(model))
    typer.echo(f"Device: {device_name()}")
    typer.echo(f"detectron2: {_engine()}")


def _engine() -> str:
    if not is_installed():
        return f"not installed; it adds {len(ZOO)} more of its zoo's models and your own config.yaml. {INSTALL}"
    return f"installed. {OWN.format(folder=configs_folder())}"


def _line(spec: ModelSpec) -> str:
    classes = ", ".join(spec.class_names) if len(spec.class_names) <= 8 else "the classes of COCO"
    runs = "run by detectron2" if is_for_engine(spec.architecture) else spec.architecture
    ending = "" if spec.licence == "your own" else f"; {spec.licence}"
    return f"{spec.name:18} {spec.title}: {runs if can_run(spec) else ABSENT}, {classes}; {_quality(spec)}{ending}"


def _quality(spec: ModelSpec) -> str:
    if spec.published_map is not None and spec.own_map is None:
        return _as_published(spec.published_map)
    if spec.own_map is None:
        return f"your own, in {spec.weights.parent}" if spec.weights else "your own"
    return f"mAP {spec.own_map:.3f} on the test herd"


def _offer(model: PublishedModel) -> str:
    cost = f"not downloaded, {model.size_mib:.0f} MB: {model.fetch_command}"
    return f"{model.name:18} {model.title}: {_as_published(model.published_map)}; {model.licence}; {cost}"


def _as_published(box_map: float) -> str:
    return f"mAP {box_map:.3f} on COCO val2017 as published, not measured here"
