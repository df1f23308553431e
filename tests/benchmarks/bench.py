"""How fast CowVision is on this machine, in ratios of one run: `make bench`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import numpy as np
import supervision as sv
import torch
from rich.console import Console
from rich.live import Live
from rich.table import Table
from torch import nn

from cowvision.data.formats import read_coco
from cowvision.data.pictures import picture_from_array
from cowvision.detection_box import RAW_SCORE, DetectionBox
from cowvision.errors import CowVisionError
from cowvision.models.catalog import WEIGHTS_FOLDER, ModelSpec, find_model
from cowvision.models.choices import Execution
from cowvision.models.half_precision import is_bfloat16_hopeless
from cowvision.models.torchvision_engine import build_network
from tests.benchmarks import comparing, detectron2, evaluation, finetuning, labelling, pages, tracking

T = TypeVar("T")
Row = tuple[str, str, str]
HERD = WEIGHTS_FOLDER.parent / "herd"
NO_BFLOAT16 = "not measured: this processor computes bfloat16 number by number"


def main() -> None:
    """Print one table; what cannot be measured yet says why."""
    table = Table("What", "Measured", "Wanted", title=f"CowVision on {torch.get_num_threads()} threads")
    network = (published_network, detectron2.speed, embedded_model, precision, composer)
    scores = (evaluation.figures, evaluation.interval, evaluation.studio)
    labels = (labelling.saving, labelling.large_herd)
    detect = (pages.slider, pages.again, pages.second_start, pages.memory)
    with Live(table, console=Console(width=118), auto_refresh=False) as live:  # a row as soon as it is known
        for part in (*network, *scores, *detect, *labels, comparing.studio, finetuning.rows, tracking.rows):
            try:
                for row in part():
                    table.add_row(*row)
                    live.refresh()
            except CowVisionError as error:
                table.add_row(part.__name__.replace("_", " "), str(error), "")


def published_network() -> Iterator[Row]:
    """`predict` against torchvision's own call on the same Faster R-CNN R50-FPN, at 800x1066."""
    rgb = scene(1066, 800)
    network = seeded_network(rgb)
    spec = ModelSpec("r50", "R50-FPN", "fasterrcnn_resnet50_fpn", ("cow",))
    default, default_seconds = timed(lambda: torchvision_call(network, rgb), repeats=3)
    yield "torchvision's default call, R50-FPN, 800x1066", f"{default_seconds:.2f} s", ""
    for dtype in ("float32", "bfloat16"):
        if dtype == "bfloat16" and is_bfloat16_hopeless("cpu"):
            yield "predict, bfloat16, channels last", NO_BFLOAT16, "5x or more"
            continue
        execution = Execution("cpu", dtype, channels_last=True, threads=torch.get_num_threads())
        box = DetectionBox(spec, network=network, execution=execution)
        found, seconds = timed(lambda box=box: box.predict([rgb])[0], repeats=3)
        wanted = "5x or more" if dtype == "bfloat16" else "1e-3 px at most"
        exact = dtype == "float32"  # untrained scores lie too close together to compare after rounding to bfloat16
        ratio = f"{seconds:.2f} s, {default_seconds / seconds:.1f}x as fast"
        yield f"predict, {dtype}, channels last", ratio + f"; {differences(default, found)}" * exact, wanted


def embedded_model() -> Iterator[Row]:
    """Pictures a second of the fine-tuned model, run as `predict` chooses."""
    box = DetectionBox(find_model("herd-finetuned"))
    picture = picture_from_array(scene(640, 360))
    words = box.execution.describe()
    _, seconds = timed(lambda: box.predict([picture]), repeats=12)
    yield f"herd-finetuned, 640x360, {words}", f"{1 / seconds:.1f} pictures/s", "15 or more"


def precision() -> Iterator[Row]:
    """What bfloat16 costs in quality: mAP of the fine-tuned model on the test herd, both ways."""
    if is_bfloat16_hopeless("cpu"):
        yield "mAP, float32 and bfloat16", NO_BFLOAT16, "0.002 apart at most"
        return
    pictures = read_coco(HERD / "test" / "truth.json", HERD / "test")
    maps = []
    for dtype in ("float32", "bfloat16"):
        execution = Execution("cpu", dtype, channels_last=True, threads=torch.get_num_threads())
        maps.append(DetectionBox(find_model("herd-finetuned"), execution=execution).evaluate(pictures).map or 0.0)
    words = f"{maps[0]:.4f} and {maps[1]:.4f}, {abs(maps[0] - maps[1]):.4f} apart"
    yield f"mAP on {len(pictures)} test pictures, float32 and bfloat16", words, "0.002 apart at most"


def composer() -> Iterator[Row]:
    """Scenes a second on two processes, as training composes them."""
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(compose, (0, 1), (2, 2)))  # both processes read their sprites
        started = time.perf_counter()
        scenes = sum(pool.map(compose, (2, 3), (60, 60)))
        seconds = time.perf_counter() - started
    yield "composing scenes, 640x360, 2 processes", f"{scenes / seconds:.1f} scenes/s", "15 or more"


def timed(call: Callable[[], T], repeats: int) -> tuple[T, float]:
    """The answer, and the median seconds of some runs after one to warm up."""
    answer = call()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return answer, statistics.median(seconds)


def scene(width: int, height: int) -> np.ndarray:
    """Soft blobs, (height, width, 3) uint8: something with edges of many sizes."""
    rows, columns = np.mgrid[0:height, 0:width]
    rng = np.random.default_rng(0)
    rgb = np.full((height, width, 3), 90.0)
    for x, y, size in zip(rng.uniform(0, width, 60), rng.uniform(0, height, 60), rng.uniform(8, 120, 60), strict=True):
        inside = np.abs(columns - x) / size + np.abs(rows - y) / (0.6 * size) < 1
        rgb[inside] = rng.uniform(0, 255, 3)
    return rgb.astype(np.uint8)


def seeded_network(rgb: np.ndarray) -> nn.Module:
    """R50-FPN with seeded weights, scaled to numbers as a trained one has: boxes near their anchors, scores spread."""
    torch.manual_seed(0)
    network = build_network("fasterrcnn_resnet50_fpn", 1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    network.train()
    with torch.no_grad():
        network.backbone(torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255)
        for parameter in network.backbone.fpn.parameters():
            parameter.mul_(0.1)
    return network.eval()


def torchvision_call(network: nn.Module, rgb: np.ndarray) -> sv.Detections:
    """What torchvision's documentation shows."""
    with torch.no_grad():
        [found] = network([torch.from_numpy(rgb).permute(2, 0, 1).float() / 255])
    boxes, scores = found["boxes"].numpy(), found["scores"].numpy()
    kept = scores >= RAW_SCORE
    return sv.Detections(xyxy=boxes[kept], confidence=scores[kept])


def differences(default: sv.Detections, found: sv.Detections) -> str:
    """How far apart two answers are: each box against the nearest of the other side."""
    if not len(default) or not len(found):
        return f"{len(default)} and {len(found)} boxes"
    apart = np.abs(default.xyxy[:, None] - found.xyxy[None]).max(axis=2)
    nearest = apart.argmin(axis=1)
    pixels = apart.min(axis=1)
    scores = np.abs(default.confidence - found.confidence[nearest])
    return (
        f"{len(default)}/{len(found)} boxes, apart by {np.median(pixels):.0e} px in the middle, "
        f"{pixels.max():.0e} px at most; scores by {scores.max():.0e}"
    )


def compose(seed: int, count: int) -> int:
    """Compose scenes in a process of its own; returns how many."""
    from cowvision.data.herd_pictures import HerdPictures

    torch.set_num_threads(1)
    return sum(1 for _ in HerdPictures(count, seed))


if __name__ == "__main__":
    main()
