"""Rendered truth: boxes are exact to the pixel, and rendering at once agrees with laying animals into a plate."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from studio.annotations import CATEGORY_IDS, from_record, is_annotated, visible_box

ROOT = Path(__file__).parents[2]
TRUTH = ROOT / "tests" / "data" / "truth"
PICTURES = ROOT / "assets" / "pictures"
SCENES = ("farmer_and_cows", "from_above", "mixed_species", "overcast_holsteins")


def index_map(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def seen(scene: str, way: str) -> dict:
    records = json.loads((TRUTH / f"{scene}.json").read_text())[way]
    return {record["mask_value"]: from_record(record) for record in records}


@pytest.mark.parametrize("way", ["scene", "layer"])
@pytest.mark.parametrize("scene", SCENES)
def test_boxes_are_exact_against_the_mask(scene, way):
    index = index_map(TRUTH / f"{scene}.{way}.png")
    for value, one in seen(scene, way).items():
        assert visible_box(index == value) == one.bbox
        assert (index == value).sum() == one.area


@pytest.mark.parametrize("scene", SCENES)
def test_both_ways_of_rendering_agree(scene):
    whole, layered = (index_map(TRUTH / f"{scene}.{way}.png") for way in ("scene", "layer"))
    for value, one in filter(lambda item: is_annotated(item[1]), seen(scene, "scene").items()):
        union = ((whole == value) | (layered == value)).sum()
        assert ((whole == value) & (layered == value)).sum() / union > 0.95, (value, one.kind)
        other = seen(scene, "layer")[value]
        assert abs(other.visible_fraction - one.visible_fraction) < 0.05


def test_shipped_pictures_agree_with_their_masks():
    truth = json.loads((PICTURES / "truth.json").read_text())
    masks = {i["id"]: index_map(PICTURES / "masks" / i["file_name"].replace(".jpg", ".png")) for i in truth["images"]}
    for annotation in truth["annotations"]:
        mask = masks[annotation["image_id"]] == annotation["mask_value"]
        assert visible_box(mask) == tuple(annotation["bbox"])
        assert annotation["visible_fraction"] >= 0.15


def test_shipped_test_herd_is_large_enough():
    truth = json.loads((ROOT / "assets" / "herd" / "test" / "truth.json").read_text())
    cows = [a for a in truth["annotations"] if a["category_id"] == CATEGORY_IDS["cow"]]
    with_cows = {a["image_id"] for a in cows}
    assert len(truth["images"]) >= 120 and len(cows) >= 700
    assert len(truth["images"]) - len(with_cows) >= 15


def test_shipped_clips_have_a_row_for_what_moves():
    for path in sorted((ROOT / "assets" / "clips").glob("*.gt.txt")):
        rows = np.loadtxt(path, delimiter=",")
        assert rows[:, 0].min() >= 1 and rows[:, 0].max() <= 240
        assert (rows[:, 4:6] > 0).all() and (rows[:, 8] >= 0.15).all()
