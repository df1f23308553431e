"""`python -m cowvision weights`: train both embedded models from their seeds, measure them, write their cards."""

import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cowvision.detection_box import DetectionBox
from cowvision.models.catalog import WEIGHTS_FOLDER, ModelSpec, read_model

if TYPE_CHECKING:
    from cowvision.training.finetune import StepReport

BASE = ModelSpec(
    name="herd-base",
    title="Herd base",
    architecture="compact-fpn-w32",
    class_names=("person", "dog", "horse", "sheep", "cow"),
    short_side=480,
    notes="Trained from scratch on composed scenes; knows five kinds of animal, but few breeds of cow.",
)
FINETUNED_SIDE = 640
"""Each model looks at pictures with the short side, of 480, 560 and 640, that was best on the shipped stills."""

FINETUNED_NOTES = "Herd base, fine-tuned on composed scenes with cows of all breeds; knows cows only."
WORK = ".training"
"""Folder for checkpoints inside the output folder; it can be deleted once the models are there."""


class Part(StrEnum):
    """What `weights` does, in this order."""

    ALL = "all"
    BASE = "base"
    FINETUNED = "finetuned"
    CONTROL = "control"
    CARDS = "cards"


def weights(
    *,
    out: Annotated[Path, typer.Option(help="Folder for weights, settings and cards.")] = WEIGHTS_FOLDER,
    base_steps: Annotated[int | None, typer.Option(min=1, help="Steps of the base model (recipe's own).")] = None,
    finetuned_steps: Annotated[int | None, typer.Option(min=1, help="Steps of the fine-tuned one.")] = None,
    real: Annotated[Path | None, typer.Option(help="Folder of real picture sets to report on as well.")] = None,
    only: Annotated[Part, typer.Option(help="Do this part only.")] = Part.ALL,
) -> None:
    """Train the embedded models again (resumes where it stopped), measure them and write their cards."""
    out.mkdir(parents=True, exist_ok=True)
    if only in (Part.ALL, Part.BASE):
        _train_base(out, base_steps)
    if only in (Part.ALL, Part.FINETUNED):
        _train_finetuned(out, finetuned_steps)
    if only in (Part.ALL, Part.CONTROL):
        from cowvision.commands.control import run_control

        run_control(out)
    if only in (Part.ALL, Part.CARDS):
        from cowvision.commands.measuring import measure_models

        measure_models(out, real)


def _train_base(out: Path, steps: int | None) -> None:
    import torch

    from cowvision.models.torchvision_engine import build_network
    from cowvision.models.weights import save_model
    from cowvision.training import recipes
    from cowvision.training.finetune import finetune

    steps = steps or recipes.BASE_STEPS
    torch.manual_seed(recipes.BASE_SEED)
    network = finetune(
        build_network(BASE.architecture, len(BASE.class_names)),
        recipes.base_pictures(steps),
        recipes.base_config(steps, out / WORK / "base.pt"),
        class_names=BASE.class_names,
        on_step=_narrator(BASE.name),
    )
    save_model(network, BASE, out)
    (out / WORK / "base.pt").unlink(missing_ok=True)  # done: the next run begins anew


def _train_finetuned(out: Path, steps: int | None) -> None:
    from cowvision.training import recipes

    steps = steps or recipes.FINETUNED_STEPS
    box = DetectionBox(read_model(out / f"{BASE.name}.safetensors"))
    config = recipes.finetuned_config(steps, out / WORK / "finetuned.pt")
    tuned = box.train(
        recipes.finetuned_pictures(steps), config, name="herd-finetuned", on_step=_narrator("herd-finetuned")
    )
    tuned.spec = replace(tuned.spec, title="Herd fine-tuned", short_side=FINETUNED_SIDE, notes=FINETUNED_NOTES)
    tuned.save(out)
    (out / WORK / "finetuned.pt").unlink(missing_ok=True)


def _narrator(name: str) -> Callable[..., None]:
    """Say every hundred steps how far it is: long work is started in a terminal and looked after now and then."""
    started, losses = time.monotonic(), []

    def tell(report: "StepReport") -> None:
        step, steps = report.step, report.steps
        losses.append(report.loss)
        if step % 100 == 0 or step == steps:
            mean = sum(losses[-100:]) / len(losses[-100:])
            minutes = (time.monotonic() - started) / 60
            typer.echo(f"{name}: step {step} of {steps}, loss {mean:.3f}, {minutes:.1f} min")

    return tell
