"""How fast a training is: against a bare torchvision loop, its wait for pictures and for a stop, its memory."""

from __future__ import annotations

import copy
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import torch

from cowvision.data.formats import read_coco
from cowvision.data.herd_pictures import compose_to_folder
from cowvision.detection_box import DetectionBox
from cowvision.training.batches import batches
from cowvision.training.finetune import StepReport, finetune
from cowvision.training.plans import PROFILES, QUICK, Plan
from cowvision.training.settings import FinetuneConfig
from cowvision.training.steps import freeze, set_mode
from cowvision.workspace.files import store_path
from cowvision.workspace.lesson_parts import start_network
from cowvision.workspace.lessons import begin, settled
from cowvision.workspace.store import Store
from cowvision.workspace.teaching import teach
from cowvision.workspace.training_sets import TrainingSet
from tests.benchmarks.pages import megabytes
from tests.lessons import small_plan

Row = tuple[str, str, str]
PICTURES, STEPS, LONG = 60, 40, 2000
EVERY = 100
"""Steps between two looks, and between two checkpoints, while the memory is watched."""


def rows() -> Iterator[Row]:
    """All of them."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, {"COWVISION_HOME": folder}):
        compose_to_folder(PICTURES, 7, Path(folder) / "herd")
        yield from against_torchvision(Path(folder) / "herd")
    yield from memory()


def against_torchvision(folder: Path) -> Iterator[Row]:
    """Steps of the quick profile, and of a bare loop over the same batches, in turns: machines have moods."""
    pictures = read_coco(folder / "truth.json", folder)
    box, plan = DetectionBox("herd-base"), Plan(profile=QUICK)
    data = TrainingSet(tuple(pictures), (), (), (), "")
    config = settled(plan, replace(PROFILES[QUICK], iterations=STEPS, judge_every=0), box, data)
    network = start_network(box, plan)
    ours, bare, shares, stops = [], [], [], []
    for _ in range(3):
        reports: list[StepReport] = []
        stopped: list[float] = []

        def note(report: StepReport, told: list[StepReport] = reports) -> None:
            told.append(report)

        def should_stop(told: list[StepReport] = reports, asked: list[float] = stopped) -> bool:
            if len(told) == STEPS - 2:
                asked.append(time.perf_counter())
            return len(told) >= STEPS - 2

        finetune(copy.deepcopy(network), pictures, config, class_names=("cow",), on_step=note, should_stop=should_stop)
        stops.append(time.perf_counter() - stopped[0] + statistics.median(one.seconds for one in reports))
        timed = reports[5:]
        ours.append(len(timed) / sum(one.seconds for one in timed))
        shares.append(sum(one.waited for one in timed) / sum(one.seconds for one in timed))
        bare.append(_bare_steps_per_second(copy.deepcopy(network), pictures, config))
    ratio = statistics.median(one / other for one, other in zip(ours, bare, strict=True))
    precision = "bfloat16" if config.bfloat16 else "float32"
    what = (
        f"fine-tuning, {config.batch.batch_size} pictures a step, short side {config.batch.short_sides[0]}, {precision}"
    )
    yield f"{what}: a bare torchvision loop", f"{statistics.median(bare):.2f} steps/s", ""
    yield f"{what}: ours", f"{statistics.median(ours):.2f} steps/s, {ratio:.2f}x", "1.0x or more"
    yield "of which it waits for pictures", f"{statistics.median(shares):.1%}", "never the bottleneck"
    yield "a stop, from the press in the middle of a step to the end", f"{max(stops):.2f} s", "2 s or less"


def _bare_steps_per_second(network: torch.nn.Module, pictures: list, config: FinetuneConfig) -> float:
    """The loop of torchvision's own reference, without its logging, fed by the same loader."""
    source = batches(pictures, ("cow",), config.batch)
    freeze(network, config)
    set_mode(network, config)
    optimizer = torch.optim.AdamW([one for one in network.parameters() if one.requires_grad], 5e-4)
    seconds = []
    for _ in range(STEPS - 2):
        started = time.perf_counter()
        images, targets = next(source)
        floats = [image.float() / 255 for image in images]
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
            losses = network(floats, targets)
        loss = sum(losses.values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - started)
    return len(seconds[5:]) / sum(seconds[5:])


def memory(steps: int = LONG) -> Iterator[Row]:
    """Memory of a whole training on small pictures, at its looks: with its checkpoints, models kept and record."""
    seen: dict[int, float] = {}

    def note(**facts: object) -> None:
        if facts["kind"] == "look":
            seen[int(str(facts["step"]))] = megabytes()

    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, {"COWVISION_HOME": f"{folder}/home"}):
        plan = small_plan(Path(folder), iterations=steps, batch_size=1)
        run, data = begin(plan, "long", "Long", Store(store_path()))
        often = {"judge_every": EVERY, "checkpoint_every": EVERY, "patience": 0}
        teach(replace(run, settings=run.settings | often), data, tell=note)
    first, last = 2 * EVERY, max(seen)
    what = f"memory after {last} steps with {len(seen)} looks and {steps // EVERY} checkpoints"
    yield f"{what}, above that after {first}", f"{seen[last] - seen[first]:+.0f} MB", "none that grows"
    middle = min(seen, key=lambda step: abs(step - last / 2))
    yield "of which in its second half", f"{seen[last] - seen[middle]:+.0f} MB", "none that grows"


if __name__ == "__main__":
    for row in rows():
        print(row)
