"""The control: how much of a short fine-tuning's gain comes from new cows, and how much from one class only?"""

import json
from pathlib import Path

import typer

from cowvision.commands.measuring import TEST_HERD, read_facts
from cowvision.data.formats import read_coco
from cowvision.detection_box import DetectionBox
from cowvision.models.catalog import read_model


def run_control(folder: Path) -> None:
    """Fine-tune `herd-base` of a folder briefly with all breeds and with its own; keep both gains for the card."""
    from cowvision.training import recipes

    base = DetectionBox(read_model(folder / "herd-base.safetensors"))
    herd = read_coco(TEST_HERD / "truth.json", TEST_HERD)
    before = base.evaluate(herd).map or 0.0
    gains = {}
    for all_breeds in (True, False):
        pictures = recipes.control_pictures(all_breeds=all_breeds)
        tuned = base.train(pictures, recipes.control_config(), name="control")
        gains[all_breeds] = (tuned.evaluate(herd).map or 0.0) - before
        typer.echo(f"control, {'all breeds' if all_breeds else 'own breeds'}: mAP {gains[all_breeds]:+.3f}")
    sentence = (
        f"Control: {recipes.CONTROL_STEPS} steps of fine-tuning (stem and two stages frozen, one run each) gain "
        f"{gains[True]:+.3f} mAP on the test herd with all breeds and {gains[False]:+.3f} with no other cows than the "
        "base model's own: that share comes from the one-class head and from more steps, not from new cows."
    )
    path = folder / "herd-finetuned.facts.json"
    told = read_facts(folder, "herd-finetuned") | {"comparisons": [sentence]}
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
