"""The quick profile with ten seeds: `python -m tests.benchmarks.quick_seeds [SEEDS]`; about a minute or two a seed.

Each seed composes 60 other pictures of 640 x 360, splits them, fine-tunes herd-base on them as a person would with the
command, and is judged on the shipped test herd, whose landscapes and animals are in none of them. The wall time runs
from starting the command to the model on disk.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cowvision.data.formats import read_coco
from cowvision.data.herd_pictures import compose_to_folder
from cowvision.detection_box import DetectionBox
from cowvision.evaluation.comparison import compare_models
from cowvision.training.checkpoints import read_run
from tests.browser.server import ROOT

PICTURES, SIZE_WH = 60, (640, 360)
TEST_HERD = ROOT / "assets" / "herd" / "test"


def main(seeds: int) -> None:
    """Run them one after the other and print a row each, then what all of them say."""
    herd = read_coco(TEST_HERD / "truth.json", TEST_HERD)
    truths = [one.truth for one in herd]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COWVISION_HOME"] = folder
        base = _answers(DetectionBox("herd-base"), herd)
        print(
            "| seed | wall s | held-out mAP | test herd: gain in mAP | 95 % interval |\n|---|---|---|---|---|",
            flush=True,
        )
        outcomes = [_one(seed, Path(folder), base, herd, truths) for seed in range(seeds)]
    above = sum(low > 0 for _, low in outcomes)
    print(f"interval above 0 in {above} of {seeds}; slowest {max(seconds for seconds, _ in outcomes):.0f} s")


def _one(seed: int, folder: Path, base: list, herd: list, truths: list) -> tuple[float, float]:
    pictures = folder / f"pictures {seed}"
    compose_to_folder(PICTURES, 1000 + seed, pictures, resolution_wh=SIZE_WH)
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "cowvision", "finetune", "--images", str(pictures), "--truth",
         str(pictures / "truth.json"), "--profile", "quick", "--seed", str(seed), "--name", f"quick-{seed}"],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    run = read_run(f"quick-{seed}")
    found = _answers(DetectionBox(f"quick-{seed}"), herd)
    gain = compare_models(found, base, truths).map
    before, after = (score for step, score, _ in run.looks if step in {0, run.best_step})
    low, high = gain.interval_95
    line = f"| {seed} | {seconds:.0f} | {before:.3f} to {after:.3f} | {gain.value:+.3f} | {low:+.3f} to {high:+.3f} |"
    print(line, flush=True)
    return seconds, low


def _answers(box: DetectionBox, herd: list) -> list:
    return [box.predict([one.picture()])[0] for one in herd]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
