"""How detectron2's network runs without detectron2: seconds a picture beside its own DefaultPredictor, and agreement.

`python -m tests.benchmarks.detectron2` prints how every recorded answer of detectron2's agrees with ours.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch

from cowvision.data.coco import COCO_EIGHTY
from cowvision.detection_box import DetectionBox
from cowvision.models.catalog import ModelSpec
from cowvision.models.choices import Execution
from cowvision.models.half_precision import is_bfloat16_hopeless
from tests.models import d2_golden

Row = tuple[str, str, str]
ARCHITECTURE = "d2-r50-fpn"
VIEW = "many_cows"
REPEATS = 5


def speed() -> Iterator[Row]:
    """Seconds a picture of DefaultPredictor and of ours, turn by turn, with the same weights and picture."""
    if not d2_golden.is_installed:
        yield "R50-FPN against detectron2's DefaultPredictor", "skipped: detectron2 is not installed", "2x or more"
        return
    rgb = d2_golden.view(VIEW)
    with tempfile.TemporaryDirectory() as folder:
        path = d2_golden.write_checkpoint(ARCHITECTURE, Path(folder) / "model.pkl")
        predict = d2_golden.predictor(ARCHITECTURE, path)
        exact = detector(path, "float32")
    boxes = [exact]
    if not is_bfloat16_hopeless("cpu"):
        boxes.append(DetectionBox(exact.spec, network=exact.network, execution=execution("bfloat16")))
    bgr = np.ascontiguousarray(rgb[:, :, ::-1])
    theirs, *ours = turns((lambda: predict(bgr), *(partial(box.predict, [rgb]) for box in boxes)))
    answer = d2_golden.asked(predict, rgb)
    size = f"{rgb.shape[1]}x{rgb.shape[0]}"
    yield f"detectron2's DefaultPredictor, R50-FPN, {size}", f"{theirs:.2f} s", ""
    for box, seconds, most_score in zip(boxes, ours, (1e-3, 2e-2), strict=False):
        agreed = d2_golden.agreement(answer, box.predict([rgb])[0], most_score)
        words = f"{seconds:.2f} s, {theirs / seconds:.2f}x as fast; {told(agreed)}"
        yield f"ours without detectron2, {box.execution.dtype}", words, f"2x or more; scores within {most_score:g}"


def turns(calls: tuple[Callable[[], object], ...]) -> list[float]:
    """Fewest seconds of each, one after the other in every round: other work on the machine only ever adds some."""
    rounds = []
    for _ in range(REPEATS + 1):
        rounds.append([])
        for call in calls:
            started = time.perf_counter()
            call()
            rounds[-1].append(time.perf_counter() - started)
    return [min(seconds) for seconds in zip(*rounds[1:], strict=True)]


def execution(dtype: str) -> Execution:
    """All threads, channels last."""
    return Execution("cpu", dtype, channels_last=True, threads=torch.get_num_threads())


def detector(path: Path, dtype: str, architecture: str = ARCHITECTURE) -> DetectionBox:
    """Ours with the weights of a checkpoint."""
    return DetectionBox(
        ModelSpec("golden", "Golden", architecture, COCO_EIGHTY, weights=path), execution=execution(dtype)
    )


def told(agreed: d2_golden.Agreement) -> str:
    """In words."""
    apart = f"{agreed.worst_px:.0e} px and {agreed.worst_score:.0e} of score apart at most"
    return f"{agreed.matched}/{agreed.boxes} boxes matched, {apart}"


def main() -> None:
    """Print the agreement of every view, by the record, and the speed where detectron2 is installed."""
    for architecture in d2_golden.CONFIGS:
        with tempfile.TemporaryDirectory() as folder:
            box = detector(
                d2_golden.write_checkpoint(architecture, Path(folder) / "model.pkl"), "float32", architecture
            )
        for name in d2_golden.VIEWS:
            [found] = box.predict([d2_golden.view(name)])
            agreed = d2_golden.agreement(d2_golden.recorded(architecture, name), found)
            print(f"{architecture:12} {name:14} {told(agreed)}", flush=True)
    for row in speed():
        print(*row, sep=" | ")


if __name__ == "__main__":
    sys.exit(main())
