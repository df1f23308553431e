"""How long a step takes on this machine, and in which precision it is faster: measured, never guessed."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import nn

from cowvision.models.callbacks import never, stop_if
from cowvision.models.choices import Execution, keep_choice, kept_choices
from cowvision.models.execution import device_name, preferred_device
from cowvision.models.half_precision import is_bfloat16_hopeless
from cowvision.training.batches import batches
from cowvision.training.settings import FinetuneConfig
from cowvision.training.steps import descend, freeze, losses_of, make_optimizer, seed_step, set_mode

if TYPE_CHECKING:
    from cowvision.data.annotations import AnnotatedPicture

TIMED_STEPS = 3


def seconds_per_step(
    network: nn.Module,
    pictures: Sequence[AnnotatedPicture],
    config: FinetuneConfig,
    class_names: Sequence[str],
    *,
    steps: int = TIMED_STEPS,
    should_stop: Callable[[], bool] = never,
) -> float:
    """Seconds of a step, after one to warm up; the network stays as it is.

    Args:
        network: Its labels must be ``class_names`` counted from 1.
        pictures: Of the training's own.
        config: The training's own.
        class_names: The network's foreground classes.
        steps: How many to time; the shortest counts double, for a busy machine only ever makes steps longer.
        should_stop: Asked before every step.

    Raises:
        WorkStopped: It was asked to stop.
    """
    trial = copy.deepcopy(network).to(memory_format=torch.channels_last)
    trial.to("cuda" if preferred_device() == "cuda" else "cpu")
    freeze(trial, config)
    optimizer = make_optimizer(trial, config)
    source = batches(pictures, class_names, replace(config.batch, workers=0))
    drawn = []  # at work they are prepared ahead
    for _ in range(steps + 1):
        stop_if(should_stop)
        drawn.append(next(source))
    seconds = []
    for step in range(steps + 1):
        stop_if(should_stop)
        started = time.perf_counter()
        seed_step(config.seed, step, 0)
        set_mode(trial, config)
        descend(trial, optimizer, losses_of(trial, drawn[step], config), 1e-6, config.clip)
        seconds.append(time.perf_counter() - started)
    timed = sorted(seconds[1:])
    return (timed[0] + sum(timed)) / (1 + len(timed))


def faster_precision(
    network: nn.Module,
    pictures: Sequence[AnnotatedPicture],
    config: FinetuneConfig,
    class_names: Sequence[str],
    *,
    key: str,
    should_stop: Callable[[], bool] = never,
) -> bool:
    """Whether bfloat16 makes steps faster here; timed at most once per ``key`` and machine.

    Args:
        network: As for ``seconds_per_step``.
        pictures: As there.
        config: As there; its own precision does not matter.
        class_names: As there.
        key: What it depends on besides the machine: architecture and size.
        should_stop: As there.

    Raises:
        WorkStopped: It was asked to stop.
    """
    asked = os.environ.get("COWVISION_PRECISION", "").strip().lower()
    if asked:
        return asked == "bfloat16"
    if is_bfloat16_hopeless("cuda" if preferred_device() == "cuda" else "cpu"):
        return False
    key = f"training | {key} | {device_name()} | torch {torch.__version__}"
    kept = kept_choices().get(key)
    if kept is None:
        seconds = {}
        for dtype in ("float32", "bfloat16"):
            tried = replace(config, bfloat16=dtype == "bfloat16")
            seconds[dtype] = seconds_per_step(network, pictures, tried, class_names, steps=2, should_stop=should_stop)
        kept = Execution(preferred_device(), min(seconds, key=lambda dtype: seconds[dtype]))
        keep_choice(key, kept)
    return kept.dtype == "bfloat16"
