"""A training small enough for a test: an untrained model, a dozen small pictures, a few steps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from cowvision.data.formats import write_coco
from cowvision.training.plans import Plan
from tests.detectors import untrained_box
from tests.samples import truth

SIZE_WH = (96, 64)


def small_plan(folder: Path, pictures: int = 12, **changes: object) -> Plan:
    """A plan over pictures of a bright square on noise, from a model that knows nothing, in float32."""
    images = folder / "pictures"
    images.mkdir(parents=True)
    rows = []
    for number in range(pictures):
        rng = np.random.default_rng(number)
        rgb = rng.integers(0, 120, (SIZE_WH[1] // 8, SIZE_WH[0] // 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        x, y = int(rng.integers(0, 60)), int(rng.integers(0, 30))
        rgb[y : y + 30, x : x + 32] = 230
        Image.fromarray(rgb).save(images / f"{number}.png")
        rows.append((f"{number}.png", SIZE_WH, truth([[x, y, x + 32, y + 30]])))
    write_coco(images / "truth.json", rows)
    box = untrained_box(("cow", "dog"))
    box.spec = replace(box.spec, name="start", title="Start")
    box.save(folder)
    plan = Plan(
        start=str(folder / "start.safetensors"), images=str(images), truth=str(images / "truth.json"), iterations=6,
        batch_size=2, precision="float32", profile="custom",
    )  # fmt: skip
    return replace(plan, **changes)


def as_options(plan: Plan) -> list[str]:
    """The plan as options of the command ``finetune``."""
    return [
        "--images", plan.images, "--truth", plan.truth, "--start-from", plan.start, "--profile", plan.profile,
        "--iterations", str(plan.iterations), "--batch-size", str(plan.batch_size), "--precision", plan.precision,
    ]  # fmt: skip
