"""What the command `finetune` says to people: how a training came out, how long it takes, what slows it down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cowvision.commands.evaluate import shown
from cowvision.data.words import counted

if TYPE_CHECKING:
    from cowvision.training.checkpoints import Run
    from cowvision.workspace.lessons import Estimate


def say_outcome(run: Run) -> None:
    """The outcome, for people."""
    if not run.has_model:
        typer.echo("Stopped before the first step: there is no new model. --resume goes on.")
        return
    _, before, before_50 = next((look for look in run.looks if look[0] == 0), (0, None, None))
    _, after, after_50 = next((look for look in run.looks if look[0] == run.best_step), (0, None, None))
    if run.held_out and not run.looks:
        typer.echo("It ended before the held-out pictures were looked at, so there is no mAP to tell.")
    else:
        typer.echo(f"{run.plan.start}: held-out mAP {shown(before)}, AP50 {shown(before_50)}")
        typer.echo(f"{run.name}: held-out mAP {shown(after)}, AP50 {shown(after_50)} (step {run.best_step})")
    if run.verdict:
        typer.echo(" ".join(filter(None, (run.verdict, str(run.gain.get("trust", ""))))))
    how = "Stopped" if run.state.value == "stopped" else "Ready"
    typer.echo(f"{how} after {counted(run.steps, 'step')} and {run.seconds / 60:.1f} minutes: {run.model_file}")


def say_estimate(told: Estimate) -> None:
    """How long it would take, and what is to be known about the pictures."""
    looks = f", {told.looks} looks of {told.look_seconds:.1f} s" if told.looks else ""
    typer.echo(f"about {told.seconds / 60:.1f} minutes: {told.step_seconds:.2f} s a step{looks}")
    for note in told.notes:
        typer.echo(note, err=True)


def slower(run: Run) -> list[str]:
    """What to say if another training works on this machine; jobs of the page wait for each other by themselves."""
    from cowvision.training.checkpoints import all_runs, is_held

    others = [one.title for one in all_runs() if one.name != run.name and one.state.value == "begun" and is_held(one)]
    return [f"Another training works on this machine ({others[0]}): both are slower."] if others else []
