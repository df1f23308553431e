"""How fast mAP, the interval of a gain and the threshold studio are, on boxes that are made up."""

from __future__ import annotations

import contextlib
import io
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import faster_coco_eval
import numpy as np
import supervision as sv

from cowvision.data.annotations import truth_boxes
from cowvision.evaluation.comparison import compare_models
from cowvision.evaluation.flips import flip_list
from cowvision.evaluation.matching import match_class
from cowvision.evaluation.metrics import measure
from cowvision.evaluation.operating import operating_point
from cowvision.evaluation.verification import results_document, truth_document

Row = tuple[str, str, str]
Pictures = list[sv.Detections]


def figures() -> Iterator[Row]:
    """`measure` against faster-coco-eval, which takes documents: with the time to make them from boxes, and without."""
    found, _, truths = herd(5_000, 20)
    made, alone, ours = [], [], []
    for _ in range(4):
        started = time.perf_counter()
        documents = truth_document(truths, ("cow",)), results_document(found, ("cow",))
        made.append(time.perf_counter() - started)
        alone.append(seconds(lambda documents=documents: faster_coco_eval_alone(*documents)))
        ours.append(seconds(lambda: measure(found, truths)))
    times = [statistics.median(values) for values in (ours, alone, made)]
    words = f"{times[0]:.1f} s, {times[0] / times[1]:.2f}x; {times[0] / (times[1] + times[2]):.2f}x from boxes on"
    yield "mAP of 5,000 pictures x 20 boxes, to faster-coco-eval alone", words, "2x at most"


def faster_coco_eval_alone(truth: dict, results: list[dict]) -> None:
    """What its documentation shows."""
    with contextlib.redirect_stdout(io.StringIO()):
        known = faster_coco_eval.COCO()
        known.dataset = truth
        known.createIndex()
        run = faster_coco_eval.COCOeval_faster(known, known.loadRes(results), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()


def interval() -> Iterator[Row]:
    """Gain and interval from two models' boxes, matching included; each size in a process of its own."""
    for pictures, wanted in ((500, "2 s or less"), (5_000, "20 s or less")):
        command = [sys.executable, "-m", "tests.benchmarks.evaluation", str(pictures)]
        took, megabytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        what = f"interval of a gain, {pictures:,} pictures x 20 boxes, 1,000 draws"
        yield what, f"{float(took):.1f} s, {megabytes} MB in all", f"{wanted}, below 1 GB"


def studio() -> Iterator[Row]:
    """A new threshold: figures of both models and the flip list, from matches that are there."""
    found, other, truths = herd(200, 10)
    models = [match_class(one, truths, "cow") for one in (found, other)]
    matching = min(seconds(lambda: [match_class(one, truths, "cow") for one in (found, other)]) for _ in range(5))
    points = min(seconds(lambda: [operating_point(one, 0.4) for one in models]) for _ in range(5))
    flips = min(seconds(lambda: flip_list(found, other, truths, threshold=0.4)) for _ in range(5))
    words = f"{1000 * points:.1f} ms, flip list {1000 * flips:.0f} ms, matching once {1000 * matching:.0f} ms"
    yield "a new threshold, 200 pictures x 10 boxes, two models", words, "200 ms or less in all"


def herd(pictures: int, each: int, seed: int = 0) -> tuple[Pictures, Pictures, Pictures]:
    """Answers of two models and the truth of as many pictures; most cows are met, some boxes are false alarms."""
    rng = np.random.default_rng(seed)
    answers: tuple[Pictures, Pictures] = ([], [])
    truths = []
    for _ in range(pictures):
        corners = rng.uniform(0, 1000, (each, 2))
        real = np.hstack([corners, corners + rng.uniform(30, 200, (each, 2))])
        truths.append(truth_boxes(real, ["cow"] * each))
        for shake, found in zip((4, 8), answers, strict=True):
            met = rng.random(each) < 0.85
            guess = np.where(met[:, None], real + rng.normal(0, shake, real.shape), rng.uniform(0, 1000, (each, 4)))
            guess[:, 2:] = np.maximum(guess[:, 2:], guess[:, :2] + 10)
            scores = (1 / (1 + np.exp(-rng.normal(met * 2.0 - 1.0, 1.0)))).astype(np.float32)
            label = {"class_name": np.full(each, "cow")}
            found.append(sv.Detections(guess.astype(np.float32), None, scores, np.ones(each, int), data=label))
    return *answers, truths


def seconds(call: object) -> float:
    """What one call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    sets = herd(int(sys.argv[1]), 20)
    took = seconds(lambda: compare_models(*sets))
    print(took, int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text()).group(1)) // 1024)
