"""Composed scenes: the same seed gives the same bytes, and the truth is what the pixels show."""

import json
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from cowvision.data import herd
from cowvision.data.herd import MANY, HerdAssets, Scene, SceneSettings, compose_scene, scene_rng
from cowvision.data.herd_pictures import HerdPictures, compose_to_folder
from cowvision.data.layout import Crowd, draw_layout
from cowvision.data.plates import Background, PlatePool
from cowvision.data.sprites import SpritePool
from cowvision.errors import AssetError
from tests.small_herd import draw_herd

SMALL = SceneSettings(resolution_wh=(160, 96))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_herd(tmp_path_factory.mktemp("herd"))


@pytest.fixture(scope="module")
def assets(folder: Path) -> HerdAssets:
    return HerdAssets.read(folder)


def scenes(assets: HerdAssets, count: int, settings: SceneSettings = SMALL, seed: int = 7) -> list[Scene]:
    return [compose_scene(scene_rng(seed, index), assets, settings) for index in range(count)]


def test_same_seed_same_bytes_in_any_order(assets: HerdAssets) -> None:
    forward = scenes(assets, 12)
    for index in (11, 3, 0):
        again = compose_scene(scene_rng(7, index), assets, SMALL)
        assert again.rgb.tobytes() == forward[index].rgb.tobytes()
        assert again.xyxy.tobytes() == forward[index].xyxy.tobytes()
        assert again.class_name == forward[index].class_name


def test_other_seed_or_index_other_scene(assets: HerdAssets) -> None:
    first, other_index = scenes(assets, 2)
    other_seed = compose_scene(scene_rng(8, 0), assets, SMALL)
    assert first.rgb.tobytes() != other_index.rgb.tobytes()
    assert first.rgb.tobytes() != other_seed.rgb.tobytes()


def test_boxes_are_exactly_what_the_id_map_shows(assets: HerdAssets) -> None:
    boxes = 0
    for scene in scenes(assets, 60):
        assert scene.rgb.shape == (96, 160, 3)
        assert scene.rgb.dtype == np.uint8
        assert scene.xyxy.dtype == np.float32
        for box, number, fraction in zip(scene.xyxy, scene.object_id, scene.visible_fraction, strict=True):
            rows, columns = np.nonzero(scene.id_map == number)
            assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert herd.LEAST_VISIBLE <= fraction <= 1
            boxes += 1
    assert boxes > 100


def test_tiny_and_hidden_animals_are_never_annotated(assets: HerdAssets) -> None:
    for scene in scenes(assets, 60, replace(SMALL, crowds=((Crowd((20, 30), (6, 40), together=True), 1.0),))):
        sides = scene.xyxy[:, 2:] - scene.xyxy[:, :2]
        assert (sides.max(axis=1, initial=0) >= 8).all() or len(sides) == 0
        assert (sides >= 4).all()


def test_everything_hidden_is_a_scene_without_boxes() -> None:
    id_map = np.zeros((20, 20), np.int16)
    id_map[2:4, 2:18] = 1  # 32 of 400 pixels: 8 % visible
    id_map[10:11, 3:4] = 2  # one pixel, all there is of it
    rgb = np.zeros((20, 20, 3), np.uint8)
    scene = herd._with_truth(rgb, id_map, ["cow", "dog", "sheep"], [400, 1, 0])
    assert scene.xyxy.shape == (0, 4)
    assert scene.class_name == ()


def test_no_animals(assets: HerdAssets) -> None:
    for scene in scenes(assets, 5, replace(SMALL, empty=1.0)):
        assert scene.xyxy.shape == (0, 4)
        assert not (scene.id_map > 0).any()


def test_a_pool_without_the_wanted_kinds_gives_empty_scenes(assets: HerdAssets) -> None:
    only_cows = replace(assets, sprites=assets.sprites.only(lambda sprite: sprite.kind == "cow"))
    settings = replace(SMALL, kinds=(("cow", 0.5), ("person", 0.5)))
    assert {name for scene in scenes(only_cows, 20, settings) for name in scene.class_name} == {"cow"}
    assert all(not scene.class_name for scene in scenes(only_cows, 3, replace(SMALL, kinds=(("person", 1.0),))))


def test_near_animals_hide_far_ones_and_look_larger(assets: HerdAssets) -> None:
    rng = np.random.default_rng(0)
    background = assets.plates.cut(rng, (640, 360))
    layout = draw_layout(rng, assets.sprites, background, MANY, kinds={"cow": 1.0}, breed_weights={})
    depths = [placement.depth_m for placement in layout]
    assert depths == sorted(depths, reverse=True)
    scales = np.array([placement.pixels_per_metre for placement in layout])
    assert np.allclose(scales * depths, background.focal_px, rtol=0.35)


def test_sparse_scenes_keep_animals_apart(assets: HerdAssets) -> None:
    rng = np.random.default_rng(1)
    background = assets.plates.cut(rng, (640, 360))
    crowd = Crowd((20, 20), (30, 200))
    apart = draw_layout(
        rng, assets.sprites, background, crowd, kinds={"cow": 1.0}, breed_weights={}, largest_overlap=0.0
    )
    assert 0 < len(apart) < 20


def test_flat_ground_and_its_inverse_agree(assets: HerdAssets) -> None:
    background = assets.plates.cut(np.random.default_rng(3), (320, 180))
    for row in (background.horizon_row + 5, background.horizon_row + 100):
        assert background.row_of(background.pixels_per_metre(row)) == pytest.approx(row)
    assert background.elevation_deg(10.0) < background.elevation_deg(100.0) < 90


def test_only_chosen_breeds(assets: HerdAssets) -> None:
    chosen = assets.with_breeds(("spotted",), each=1)
    assert chosen.sprites.breeds("cow") == ("spotted",)
    assert set(chosen.sprites.kinds) == set(assets.sprites.kinds)


def test_assets_travel_to_worker_processes(assets: HerdAssets) -> None:
    copy = pickle.loads(pickle.dumps(assets))  # noqa: S301
    one, other = (compose_scene(scene_rng(1, 4), each, SMALL) for each in (assets, copy))
    assert one.rgb.tobytes() == other.rgb.tobytes()


def test_a_missing_or_broken_archive_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"sprites\.zip"):
        HerdAssets.read(tmp_path)
    (tmp_path / "plates.zip").write_bytes((folder / "plates.zip").read_bytes()[:100])
    with pytest.raises(AssetError, match=r"plates\.zip"):
        PlatePool.read(tmp_path / "plates.zip")


def test_animals_of_the_test_herd_are_refused(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(folder / "sprites.zip") as whole, zipfile.ZipFile(tmp_path / "sprites.zip", "w") as changed:
        for name in whole.namelist():
            changed.writestr(name, whole.read(name).replace(b'"split": "train"', b'"split": "test"', 1))
    with pytest.raises(AssetError, match="never see"):
        SpritePool.read(tmp_path / "sprites.zip")


def test_every_pixel_of_an_animal_has_its_colour(assets: HerdAssets, monkeypatch) -> None:
    monkeypatch.setattr(herd.weathering, "mild", lambda _, rgb: rgb)
    strongest = {"cow": 2, "dog": 0, "horse": 0, "person": 1}  # of red, green, blue; see KINDS of the small herd
    kinds = dict.fromkeys(strongest, 0)
    for scene in scenes(assets, 40, replace(SMALL, strong=0.0, plates=1.0)):
        for name, number in zip(scene.class_name, scene.object_id, strict=True):
            if name in strongest and (scene.id_map == number).sum() > 200:
                right = scene.rgb[scene.id_map == number].argmax(axis=1) == strongest[name]
                assert right.mean() > 0.9, name
                kinds[name] += 1
    assert all(kinds.values())


def test_a_mirrored_plate_mirrors_its_depth() -> None:
    depth = np.arange(12, dtype=np.float32).reshape(3, 4)
    rgb = np.repeat(depth[..., None], 3, axis=2).astype(np.uint8)
    mirrored = Background(rgb, depth, 100.0, 1.0, 1.7, 0.0, 40.0, 30.0, "clear").flipped()
    np.testing.assert_array_equal(mirrored.depth_m, depth[:, ::-1])
    np.testing.assert_array_equal(mirrored.rgb, rgb[:, ::-1])
    assert mirrored.sun_azimuth_deg == -30.0


def test_pictures_of_another_seed_are_others(folder: Path) -> None:
    one, again, other = (HerdPictures(1, seed, SMALL, folder=folder).scene(0).rgb for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_the_base_model_sees_a_dozen_pictures_of_cows() -> None:
    from cowvision.training.recipes import BASE_BREEDS, BASE_SPRITES_EACH

    chosen = HerdAssets.read().with_breeds(BASE_BREEDS, BASE_SPRITES_EACH).sprites
    assert sum(sprite.kind == "cow" for sprite in chosen.sprites) == 12


def test_pictures_are_a_sequence_of_annotated_scenes(folder: Path) -> None:
    pictures = HerdPictures(5, 3, SMALL, folder=folder)
    assert len(pictures) == 5
    assert [picture.name for picture in pictures] == [f"{index:06d}.jpg" for index in range(5)]
    assert pictures[-1].picture().rgb.tobytes() == pictures[4].picture().rgb.tobytes()
    with pytest.raises(IndexError):
        pictures[5]


def test_a_folder_of_scenes_with_coco_truth(folder: Path, tmp_path: Path) -> None:
    done: list[int] = []
    for name in ("one", "two"):
        compose_to_folder(4, 11, tmp_path / name, resolution_wh=(160, 96), on_scene=done.append, folder=folder)
    assert done == [1, 2, 3, 4] * 2
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    truth = json.loads((tmp_path / "one" / "truth.json").read_text())
    assert len(truth["images"]) == 4
    for image in truth["images"]:
        assert cv2.imread(str(tmp_path / "one" / image["file_name"])).shape == (96, 160, 3)
    assert all(row["bbox"][2] > 0 and row["area"] > 0 for row in truth["annotations"])


def test_the_shipped_herd_composes_cows_of_all_sizes() -> None:
    made = scenes(herd.shared_assets(), 60, SceneSettings())
    sides = np.concatenate(
        [(scene.xyxy[:, 2:] - scene.xyxy[:, :2]).max(axis=1, initial=0) for scene in made if len(scene.xyxy)]
    )
    assert len(sides) > 150
    assert sides.min() < 20
    assert sides.max() > 200
    assert {"cow", "horse", "sheep", "dog", "person"} <= {name for scene in made for name in scene.class_name}
