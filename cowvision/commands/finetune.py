"""`python -m cowvision finetune`: teach a model your herd; the page Fine-tune starts this very command."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cowvision.commands.evaluate import shown
from cowvision.commands.finetune_words import say_estimate, say_outcome, slower
from cowvision.commands.reporting import INTERRUPTED, make_bar, progress_bar, report, stoppable, write_json
from cowvision.errors import SettingError, WorkStopped
from cowvision.training.plans import CUSTOM, QUICK, TUTORIAL, Plan
from cowvision.workspace.files import store_path
from cowvision.workspace.job_work import Work, at_work
from cowvision.workspace.store import Store

if TYPE_CHECKING:
    from cowvision.training.checkpoints import Run
    from cowvision.workspace.training_sets import TrainingSet


class Profile(StrEnum):
    """How long and how much; see `training.plans`."""

    QUICK = QUICK
    TUTORIAL = TUTORIAL
    CUSTOM = CUSTOM


class Kind(StrEnum):
    """An optimizer."""

    ADAMW = "adamw"
    SGD = "sgd"


class Course(StrEnum):
    """How the learning rate falls."""

    COSINE = "cosine"
    STEP = "step"


def finetune(
    *,
    name: Annotated[str | None, typer.Option(help="Of the new model: small letters, digits, hyphens.")] = None,
    title: Annotated[str | None, typer.Option(help="Its name for people; the same by default.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder with labelled pictures.")] = None,
    truth: Annotated[Path | None, typer.Option(help="COCO JSON with their boxes.")] = None,
    herd: Annotated[int | None, typer.Option(help="Number of a herd that was labelled on the page Label.")] = None,
    coco_cows: Annotated[bool, typer.Option("--coco-cows", help="Learn from COCO's cows (fetch coco-cows).")] = False,
    scenes: Annotated[float, typer.Option(min=0, max=1, help="Share of freshly composed scenes, 0 to 1.")] = 0.0,
    start: Annotated[
        str, typer.Option("--start", "--start-from", help="Model to start from; torchrun takes the second form only.")
    ] = "herd-base",
    profile: Annotated[Profile, typer.Option(help="quick (240 steps), tutorial (1,000) or custom.")] = Profile.QUICK,
    iterations: Annotated[int | None, typer.Option(min=1, help="Steps, in place of the profile's.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="For a batch of 4, in place of the profile's.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, max=64, help="Pictures a step (of one process).")] = None,
    frozen_stages: Annotated[int | None, typer.Option(min=0, max=4, help="Stages of the trunk left alone.")] = None,
    optimizer: Annotated[Kind | None, typer.Option(help="In place of the profile's.")] = None,
    schedule: Annotated[Course | None, typer.Option(help="In place of the profile's.")] = None,
    patience: Annotated[int | None, typer.Option(min=0, help="Looks without a better one to end it; 0: none.")] = None,
    short_side: Annotated[int | None, typer.Option(min=128, max=1600, help="At which the model looks.")] = None,
    held_out: Annotated[float, typer.Option(min=0.05, max=0.9, help="Share of pictures kept back to judge.")] = 0.3,
    precision: Annotated[str, typer.Option(help="float32 or bfloat16; the faster one here by default.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Fixes split, order and sampling.")] = 0,
    resume: Annotated[str | None, typer.Option(metavar="NAME", help="Go on with a run that ended too early.")] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say how long it would take.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the run's record to this file.")] = None,
) -> None:
    """Fine-tune a model on your own pictures, and say whether it got better."""
    plan = Plan(
        start=start, profile=profile.value, images=_full(images), truth=_full(truth), herd_id=herd,
        coco_cows=coco_cows, scenes=scenes, short_side=short_side, held_out=held_out, iterations=iterations,
        learning_rate=learning_rate, batch_size=batch_size, frozen_stages=frozen_stages,
        optimizer=optimizer and optimizer.value, schedule=schedule and schedule.value, patience=patience,
        precision=precision, seed=seed,
    )  # fmt: skip
    _check(plan, name, resume, estimate=estimate)
    store, run = Store(store_path()), None
    with at_work(store) as work:
        try:
            _check_herd(plan, store)
            if estimate:
                _estimate(plan, store, work)
                return
            run = _learn(plan, name or "", title or name or "", resume, store, work)
            was_stopped = run is not None and run.state.value == "stopped"
        except WorkStopped as stop:  # the job is over; there was nothing to keep
            report(stop)
            was_stopped = True
    if run is not None and json_file is not None:
        write_json(json_file, asdict(run))
    if was_stopped and work.job_id is None and "WORLD_SIZE" not in os.environ:  # torchrun tells by itself
        raise typer.Exit(INTERRUPTED)


def _check(plan: Plan, name: str | None, resume: str | None, *, estimate: bool) -> None:
    """Refuse options that do not fit together.

    Raises:
        SettingError: They do not.
    """
    if bool(plan.images) != bool(plan.truth):
        raise SettingError("--images and --truth", "one was given without the other", "Give both")
    if plan.precision not in {"", "float32", "bfloat16"}:
        raise SettingError("--precision", f"'{plan.precision}' is none", "Say float32 or bfloat16, or leave it out")
    if plan.learning_rate is not None and not 0 < plan.learning_rate < 1:
        raise SettingError("--learning-rate", "it must lie between 0 and 1", "Try 0.0005")
    if resume is not None and name is not None:
        raise SettingError("--resume", "a run that goes on has its name already", "Leave --name out")
    if resume is not None and plan != Plan():
        raise SettingError("--resume", "a run goes on with the settings it began with", "Leave the other options out")
    if name is None and resume is None and not estimate:
        raise SettingError("--name", "the new model needs a name", "Add --name my-herd")


def _check_herd(plan: Plan, store: Store) -> None:
    """Refuse a herd that is not there.

    Raises:
        SettingError: It is not.
    """
    from cowvision.workspace.herds import all_herds

    there = {} if plan.herd_id is None else {herd.herd_id: herd.name for herd in all_herds(store)}
    if plan.herd_id is None or plan.herd_id in there:
        return
    named = ", ".join(f"{number} ({name})" for number, name in there.items())
    remedy = f"Choose one of {named}" if named else "Make one on the page Label, or give --images and --truth"
    raise SettingError("--herd", f"there is no herd {plan.herd_id}", remedy)


def _learn(  # noqa: PLR0917 - the arguments of its one caller
    plan: Plan, name: str, title: str, resume: str | None, store: Store, work: Work
) -> "Run | None":
    """Begin or go on with a run in every process, and tell about it in the first."""
    from cowvision.models.processes import ToldByFirst, processes
    from cowvision.training.checkpoints import RunState, read_run
    from cowvision.workspace.lessons import begin, go_on, left_behind
    from cowvision.workspace.teaching import teach

    if not resume and work.job_id is not None:  # its first process may have come so far
        resume = left_behind(plan, name, title)
        if resume and (left := read_run(resume)).state is RunState.DONE:
            work.result = {"run": resume}
            return left
    try:
        with processes() as group, _telling(work, is_shown=group.is_first) as tell:
            made: list[tuple[Run, TrainingSet]] = []
            with group.as_one():
                if group.is_first:
                    heard: Any = {"on_picture": _reading(tell), "should_stop": work.should_stop}
                    made.append(go_on(resume, store, **heard) if resume else begin(plan, name, title, store, **heard))
                    work.result = {"run": made[0][0].name}
                    tell(kind="run", run=made[0][0].name)
            run, data = group.told_by_first(made)
            for note in (*run.notes, *slower(run)):
                tell(kind="says", text=note)
            with stoppable() as was_asked:
                run = teach(
                    run, data, tell=tell, should_stop=lambda: work.should_stop() or was_asked(), processes=group
                )
            if not group.is_first:
                return None
    except ToldByFirst:
        return None
    say_outcome(run)
    return run


def _reading(tell: Callable[..., None]) -> Callable[[int, int], None]:
    """Say twice a second at most how many pictures were read."""
    said = [0.0]

    def on_picture(done: int, total: int) -> None:
        if time.monotonic() - said[0] > 0.5 or done == total:
            said[0] = time.monotonic()
            tell(kind="reading", done=done, total=total)

    return on_picture


class _telling:  # noqa: N801 - used as a context manager, like a function
    """Tells a job's log, and a terminal by a bar and lines."""

    def __init__(self, work: Work, *, is_shown: bool) -> None:
        self._bar = make_bar(is_shown=is_shown)
        self._work, self._is_shown = work, is_shown
        self._task = self._bar.add_task("reading pictures", total=None)

    def __enter__(self) -> Callable[..., None]:
        self._bar.start()
        return self._tell

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _tell(self, **facts: Any) -> None:
        if not self._is_shown:
            return
        self._work.tell(**facts)
        kind = facts["kind"]
        if kind == "step":
            words = f"loss {facts['loss']:.2f}"
            self._bar.update(self._task, description=words, completed=facts["step"], total=facts["steps"])
        elif kind == "reading":
            self._bar.update(self._task, description="reading pictures", completed=facts["done"], total=facts["total"])
        elif kind == "look":
            best = ", the best so far" if facts["is_best"] else ""
            typer.echo(f"step {facts['step']}: held-out mAP {shown(facts['map'])}{best}", err=True)
        elif kind == "says":
            typer.echo(facts["text"], err=True)


def _estimate(plan: Plan, store: Store, work: Work) -> None:
    from cowvision.workspace.lessons import estimate

    with progress_bar("reading pictures, timing steps", None):
        told = estimate(plan, store, work.should_stop)
    work.result = asdict(told)
    say_estimate(told)


def _full(path: Path | None) -> str:
    """A path as the run's record keeps it: of any folder it is resumed from."""
    return "" if path is None else str(path.resolve())
