"""`python -m cowvision models`: which detectors there are, and how they are run here."""

import typer

from cowvision.models.catalog import ModelSpec, embedded_models


def models() -> None:
    """List the models and the device they run on."""
    from cowvision.models.execution import device_name

    specs = embedded_models()
    for spec in specs:
        typer.echo(_line(spec))
    if not specs:
        typer.echo("No embedded models yet: `make weights` trains them.")
    typer.echo(f"Device: {device_name()}")


def _line(spec: ModelSpec) -> str:
    quality = "mAP not measured" if spec.own_map is None else f"mAP {spec.own_map:.3f}"
    classes = ", ".join(spec.class_names)
    return f"{spec.name:16} {spec.title}: {spec.architecture}, {classes}; {quality} on the test herd; {spec.licence}"
