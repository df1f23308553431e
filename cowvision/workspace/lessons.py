"""How a run comes to be, goes on, and how long it will take: everything before its first step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from cowvision.detection_box import DetectionBox
from cowvision.errors import ModelFileError, TrainingDataError
from cowvision.models.callbacks import never, silent, stop_if
from cowvision.models.catalog import find_model
from cowvision.training.checkpoints import Run, RunState, make_folder, read_run, versions
from cowvision.training.plans import Plan
from cowvision.training.run_names import check_name, check_title, one_line
from cowvision.training.settings import FinetuneConfig
from cowvision.training.sight import as_looked_at
from cowvision.training.timing import faster_precision, seconds_per_step
from cowvision.workspace.lesson_parts import pictures_to_learn, start_network
from cowvision.workspace.store import Store
from cowvision.workspace.training_sets import OnPicture, TrainingSet, gather
from cowvision.workspace.training_space import check_space


@dataclass(frozen=True)
class Estimate:
    """How long a plan will take on this machine.

    Attributes:
        step_seconds: Of a step, measured by three.
        look_seconds: Of a look at the held-out pictures, measured by one of them.
        looks: How many looks there will be; none where nothing can be held out.
        seconds: Of the whole training.
        notes: What a person should know about the pictures, sentences.
    """

    step_seconds: float
    look_seconds: float
    looks: int
    seconds: float
    notes: tuple[str, ...] = ()


def begin(
    plan: Plan,
    name: str,
    title: str,
    store: Store,
    *,
    on_picture: OnPicture = silent,
    should_stop: Callable[[], bool] = never,
) -> tuple[Run, TrainingSet]:
    """Make a run: its pictures are gathered and split, its settings fixed, its folder written.

    Args:
        plan: What was asked for.
        name: Of its folder and model.
        title: Its name for people.
        store: The workspace.
        on_picture: As for ``training_sets.gather``.
        should_stop: Asked between pictures and between what is timed; then there is no run.

    Raises:
        WorkStopped: It was asked to stop.
        CowVisionError: The name cannot be had, there is nothing to learn from, the start model cannot be used, or there
            is not enough space.
    """
    check_name(name)
    title = check_title(title)
    start, config = find_model(plan.start), plan.config()
    data = gather(plan, store, on_picture=on_picture, should_stop=should_stop)
    check_space(start)
    config = settled(plan, config, DetectionBox(start), data, should_stop)
    stop_if(should_stop)
    run = Run(
        name, title, plan, train=data.train_ids, held_out=data.held_out_ids, data_sha256=data.sha256,
        settings=_as_facts(config), versions=versions(), begun_at=time.time(), notes=data.notes,
    )  # fmt: skip
    make_folder(run)
    return run, data


def go_on(
    name: str, store: Store, *, on_picture: OnPicture = silent, should_stop: Callable[[], bool] = never
) -> tuple[Run, TrainingSet]:
    """A run that ended too early, and its pictures as they were when it began; arguments as of ``begin``.

    Raises:
        ModelFileError: There is no such run, or it is finished.
        TrainingDataError: Its pictures or their boxes are not the same any more.
        CowVisionError: As ``begin``.
    """
    run = read_run(name)
    if run.state is RunState.DONE:
        raise ModelFileError(run.title, "it is finished already", f"To teach it more, start a new one: --start {name}")
    data = gather(run.plan, store, on_picture=on_picture, should_stop=should_stop)
    if data.sha256 != run.data_sha256:
        cause = "its pictures or their boxes were changed since it began, and the split was made for those"
        raise TrainingDataError(run.title, cause, "Start a new training; the model it has so far stays usable")
    check_space(find_model(run.plan.start))
    return run, data


def left_behind(plan: Plan, name: str, title: str) -> str | None:
    """The name, if a run has it that was made for this very plan and title: by a process of the same job that died."""
    try:
        run = read_run(name)
    except ModelFileError:
        return None
    return name if (run.plan, run.title) == (plan, one_line(title)) else None


def settled(
    plan: Plan,
    config: FinetuneConfig,
    box: DetectionBox,
    data: TrainingSet,
    should_stop: Callable[[], bool] = never,
) -> FinetuneConfig:
    """The plan's settings with what depends on the start model and this machine: its look, and the faster precision.

    Raises:
        WorkStopped: ``should_stop`` said so between two steps that were timed.
    """
    config = replace(config, batch=as_looked_at(config.batch, box.network, plan.short_side or box.spec.short_side))
    if plan.precision:
        return replace(config, bfloat16=plan.precision == "bfloat16")
    pictures = pictures_to_learn(plan, config, data.train)
    key = f"{box.spec.architecture}, {config.batch.short_sides[0]} px, {config.batch.batch_size} a step"
    network = start_network(box, plan)
    faster = faster_precision(network, pictures, config, plan.class_names, key=key, should_stop=should_stop)
    return replace(config, bfloat16=faster)


def estimate(plan: Plan, store: Store, should_stop: Callable[[], bool] = never) -> Estimate:
    """Time three steps and a look; errors as of ``begin``."""
    data = gather(plan, store, should_stop=should_stop)
    box = DetectionBox(find_model(plan.start))
    config = settled(plan, plan.config(), box, data, should_stop)
    pictures = pictures_to_learn(plan, config, data.train)
    step = seconds_per_step(start_network(box, plan), pictures, config, plan.class_names, should_stop=should_stop)
    box.choose_execution(should_stop)
    look = _look_seconds(box, data)
    looks = -(-config.iterations // config.judge_every) if config.judge_every and data.held_out else 0
    return Estimate(step, look, looks, config.iterations * step + (looks + 2) * look, data.notes)


def _look_seconds(box: DetectionBox, data: TrainingSet) -> float:
    if not data.held_out:
        return 0.0
    picture = data.held_out[0].picture()
    box.predict([picture])
    started = time.perf_counter()
    box.predict([picture])
    return (time.perf_counter() - started) * len(data.held_out)


def _as_facts(config: FinetuneConfig) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(json.dumps(asdict(config), default=str))
    return facts
