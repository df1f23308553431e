"""Measuring the embedded models on every picture set at hand, and writing it into their cards."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv
import typer

from cowvision.commands.evaluate import look_at_all, shown
from cowvision.data.annotations import AnnotatedPicture, names_of
from cowvision.data.formats import read_coco
from cowvision.detection_box import DetectionBox
from cowvision.errors import CowVisionError
from cowvision.evaluation.cards import CardFacts, model_card
from cowvision.evaluation.comparison import Comparison, compare_models
from cowvision.evaluation.metrics import MapReport, measure
from cowvision.evaluation.naming import names_given
from cowvision.models.catalog import WEIGHTS_FOLDER, read_model

TEST_HERD = Path(__file__).resolve().parents[2] / "assets" / "herd" / "test"
REAL_SETS = {
    "real: pasture": ("pasture/frames_truth.json", "pasture/frames"),
    "real: chute, from above": ("chute/cows_coco.json", "chute/images"),
    "real: COCO mini": ("coco_mini/instances.json", "coco_mini/images"),
}
"""Name of a set: its truth and its pictures inside the folder of real sets."""


@dataclass(frozen=True)
class Measured:
    """One picture set: truths, each model's detections by name, and its report."""

    truths: list[sv.Detections]
    found: dict[str, list[sv.Detections]]
    reports: dict[str, MapReport]


def measure_models(folder: Path, real: Path | None) -> None:
    """Measure `herd-base` and `herd-finetuned` of a folder; write NAME.md and the test herd's mAP into NAME.json."""
    boxes = [DetectionBox(read_model(folder / f"{name}.safetensors")) for name in ("herd-base", "herd-finetuned")]
    sets = {"test herd": read_coco(TEST_HERD / "truth.json", TEST_HERD)}
    if real is not None:
        sets |= {name: read_coco(real / truth, real / images) for name, (truth, images) in REAL_SETS.items()}
    measured = {name: _measure(name, pictures, boxes) for name, pictures in sets.items()}
    herd = measured["test herd"]
    gain = compare_models(herd.found["herd-finetuned"], herd.found["herd-base"], herd.truths)
    for box in boxes:
        name = box.spec.name
        facts = _facts(box, {key: one.reports[name] for key, one in measured.items()}, herd, gain, folder)
        (folder / f"{name}.md").write_text(model_card(facts), encoding="utf-8")
        spec = replace(box.spec, own_map=round(herd.reports[name].map or 0.0, 4))
        (folder / f"{name}.json").write_text(spec.to_json(), encoding="utf-8")
    typer.echo(gain.sentence("herd-finetuned", "herd-base"))


def _measure(name: str, pictures: list[AnnotatedPicture], boxes: list[DetectionBox]) -> Measured:
    problems: list[CowVisionError] = []
    answers, truths = look_at_all(name, boxes, pictures, problems)
    if problems:  # a card tells of whole sets
        raise problems[0]
    found = {box.spec.name: one for box, one in zip(boxes, answers, strict=True)}
    reports = {key: measure(one, truths) for key, one in found.items()}
    for key, report in reports.items():
        typer.echo(f"{name}: {key} mAP {shown(report.map)}, AP50 {shown(report.map_50)}")
    return Measured(truths, found, reports)


def read_facts(folder: Path, name: str) -> dict[str, Any]:
    """What a card says in words: NAME.facts.json of the folder, else the one that ships."""
    own = folder / f"{name}.facts.json"
    return dict(json.loads((own if own.is_file() else WEIGHTS_FOLDER / own.name).read_text(encoding="utf-8")))


def _facts(
    box: DetectionBox, reports: dict[str, MapReport], herd: Measured, gain: Comparison, folder: Path
) -> CardFacts:
    """What the card says: words and hours from NAME.facts.json beside the weights, every figure measured now."""
    spec, told = box.spec, read_facts(folder, box.spec.name)
    cows = [np.asarray(truth.xyxy)[names_of(truth) == "cow"] for truth in herd.truths]
    size = (spec.weights.stat().st_size if spec.weights else 0) / 1e6
    return CardFacts(
        title=spec.title,
        summary=told["summary"],
        facts={
            "name": f"`{spec.name}`", "architecture": f"{spec.architecture}, short side {spec.short_side} px",
            "classes": ", ".join(spec.class_names), "size": f"{size:.1f} MB (float16 safetensors)",
            "licence": spec.licence, "run as": box.execution.describe(),
        },
        recipe=told["recipe"],
        reports=reports,
        naming=names_given(cows, herd.found[spec.name]) if len(spec.class_names) > 1 else {},
        comparisons=[gain.sentence("herd-finetuned", "herd-base"), *told["comparisons"]],
        limits=told["limits"],
        how_measured=["python -m cowvision weights --only cards --real FOLDER"],
    )  # fmt: skip
