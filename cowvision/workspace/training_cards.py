"""The card of a model that somebody trained here: data, settings, seed, result, and what the result does not say."""

from __future__ import annotations

from collections.abc import Mapping

from cowvision.evaluation.cards import CardFacts, model_card
from cowvision.evaluation.metrics import MapReport
from cowvision.models.catalog import ModelSpec
from cowvision.training.checkpoints import Run

NOT_JUDGED = "No pictures were kept back, so nobody can say whether it got better."


def training_card(run: Run, spec: ModelSpec, reports: Mapping[str, MapReport]) -> str:
    """The card, as Markdown.

    Args:
        run: The run at its end.
        spec: Its model.
        reports: Figures on the held-out pictures, of the start and of the model, by their titles.
    """
    return model_card(
        CardFacts(
            title=run.title,
            summary=f"Fine-tuned on this machine from {run.plan.start}, profile {run.plan.profile}.",
            facts={
                "name": f"`{run.name}`",
                "architecture": f"{spec.architecture}, short side {spec.short_side or 'its own'}",
                "classes": ", ".join(spec.class_names),
                "licence": spec.licence,
                "seed": str(run.plan.seed),
                "computed with": ", ".join(f"{package} {version}" for package, version in run.versions.items()),
            },
            recipe=_recipe(run),
            reports=reports,
            comparisons=[" ".join(filter(None, (run.verdict, str(run.gain.get("trust", "")))))],
            limits=_limits(run),
            rows="model",
        )
    )


def _recipe(run: Run) -> list[str]:
    settings = run.settings
    batch = settings["batch"]
    learnt = [f"{len(run.train)} labelled pictures"] if run.train else []
    learnt += [f"{run.plan.scenes:.0%} composed scenes"] if run.plan.scenes > 0 else []
    stages = "1 stage" if settings["frozen_stages"] == 1 else f"{settings['frozen_stages']} stages"
    held_out = f"{len(run.held_out)} pictures were held out" if len(run.held_out) != 1 else "1 picture was held out"
    size = f"{batch['batch_size']} pictures at short side {', '.join(map(str, batch['short_sides']))} px"
    rate = f"learning rate {settings['learning_rate']:g} ({settings['schedule']}, warm-up {settings['warm_up']})"
    precision = "bfloat16" if settings["bfloat16"] else "float32"
    average = f"{precision}, moving average {settings['average_decay']:g}"
    return [
        f"Learnt from {' and '.join(learnt)}; {held_out} before the first step.",
        f"{run.steps} of {settings['iterations']} steps of {size}, {run.seconds / 60:.1f} minutes.",
        f"{settings['optimizer']}, {rate}, {stages} frozen, {average}.",
        f"The model kept is that of step {run.best_step}. Data, in order, with boxes: sha256 {run.data_sha256[:16]}.",
    ]


def _limits(run: Run) -> list[str]:
    looks = sum(step > 0 for step, _, _ in run.looks)
    told = list(run.notes)
    if looks > 1:
        told.append(
            f"The step was chosen among {looks} by the held-out pictures themselves, so their figure for it is a "
            "little too good. Pictures that nobody has used yet say more."
        )
    return told
