"""Exports are read back by other readers than our own writers."""

import csv
import io
import json
import zipfile
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import supervision as sv
from pycocotools.coco import COCO
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

from cowvision.data.coco import COCO_NAMES, category_ids
from cowvision.data.exports import ExportPicture, as_coco, as_csv, as_voc, as_yolo, as_zip, safe_stems
from tests.samples import boxes, truth

BOXES = [[1.25, 2.5, 31.75, 40.125], [0, 0, 640, 480], [100.01, 200.02, 101.03, 202.04]]
COWS = ExportPicture("herd one.HEIC", (640, 480), boxes(BOXES, [0.9, 0.75, 0.5]))
NOTHING = ExportPicture("empty.png", (64, 48), boxes([], []))


def test_the_names_are_torchvisions() -> None:
    assert ("__background__", *COCO_NAMES) == tuple(FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"])


def test_ids_are_cocos_own_and_others_come_after_them() -> None:
    assert category_ids(["dog", "zebu", "alpaca"]) == {"dog": 18, "cow": 21, "alpaca": 91, "zebu": 92}
    assert category_ids([]) == {"cow": 21}


def test_pycocotools_reads_the_coco_json(tmp_path, capsys) -> None:
    path = tmp_path / "coco.json"
    path.write_text(as_coco([COWS, NOTHING]))
    coco = COCO(str(path))
    capsys.readouterr()
    assert [image["file_name"] for image in coco.loadImgs(coco.getImgIds())] == ["herd one.jpg", "empty.jpg"]
    rows = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
    assert [row["id"] for row in rows] == [1, 2, 3]
    assert {row["category_id"] for row in rows} == {21}
    xywh = np.array([row["bbox"] for row in rows])
    np.testing.assert_allclose(np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]), BOXES, atol=1e-4)
    assert coco.getAnnIds(imgIds=[2]) == []


def test_yolo_is_read_back_by_supervision(tmp_path) -> None:
    from supervision.dataset.formats.yolo import yolo_annotations_to_detections

    lines = as_yolo(COWS, ["dog", "cow"]).splitlines()
    read = yolo_annotations_to_detections(lines, (640, 480), with_masks=False)
    np.testing.assert_allclose(read.xyxy, BOXES, atol=0.01)
    assert read.class_id.tolist() == [1, 1, 1]
    assert as_yolo(NOTHING, ["cow"]) == ""


def test_voc_counts_pixels_from_one_and_keeps_hundredths() -> None:
    root = ET.fromstring(as_voc(COWS, "herd one.jpg"))  # noqa: S314 - our own text
    assert [root.findtext(f"size/{key}") for key in ("width", "height", "depth")] == ["640", "480", "3"]
    first = root.find("object")
    assert first.findtext("name") == "cow"
    assert [float(first.findtext(f"bndbox/{key}")) for key in ("xmin", "ymin", "xmax", "ymax")] == pytest.approx(
        [2.25, 3.5, 31.75, 40.125], abs=0.01
    )


def test_csv_has_a_row_a_box_and_one_for_nothing() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv([COWS, NOTHING]))))
    assert [row["image"] for row in rows] == ["herd one.HEIC"] * 3 + ["empty.png"]
    assert float(rows[0]["x_max"]) == 31.75
    assert rows[3]["class"] == ""


def test_truth_has_no_score_in_a_table() -> None:
    (row,) = csv.DictReader(io.StringIO(as_csv([ExportPicture("a.jpg", (9, 9), truth([[0, 0, 4, 4]]))])))
    assert (row["class"], row["score"], row["x_max"]) == ("cow", "", "4.00")


@pytest.mark.parametrize("name", ["=1+1.jpg", "@SUM(A1).png", "-2.jpg", "+3.jpg"])
def test_a_spreadsheet_never_computes_a_name(name) -> None:
    row = next(csv.DictReader(io.StringIO(as_csv([ExportPicture(name, (4, 4), boxes([], []))]))))
    assert row["image"] == f"'{name}"


def test_markup_in_a_name_stays_text() -> None:
    evil = ExportPicture("a", (4, 4), boxes([[0, 0, 2, 2]], [0.9], "<b>&cow"))
    assert ET.fromstring(as_voc(evil, "<x>&.jpg")).findtext("object/name") == "<b>&cow"  # noqa: S314 - our own text


def test_names_become_files_that_stay_in_the_folder() -> None:
    names = ["../../etc/passwd", "C:\\x\\cow.jpg", "cow.png", "COW.jpg", "", "...", "🐄" * 300, "<b>.jpg", "a/b"]
    stems = safe_stems(names)
    assert stems[:4] == ["passwd", "cow", "cow-2", "COW-3"]
    assert stems[4:6] == ["picture", "picture-2"]
    assert len({stem.lower() for stem in stems}) == len(names)
    assert all(len(stem.encode()) <= 130 and not set(stem) & set('/\\<>:"|?*\0') for stem in stems)


def test_names_of_devices_are_changed() -> None:
    assert safe_stems(["con.jpg", "Lpt1.tar.png", "console.jpg"]) == ["con_", "Lpt1.tar_", "console"]


def test_a_zip_holds_every_format_of_every_picture() -> None:
    told = []
    data = as_zip([COWS, NOTHING], lambda number: b"jpeg %d" % number, on_picture=told.append)
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    assert set(archive.namelist()) == {
        "detections.csv", "coco.json", "yolo/classes.txt", "yolo/herd one.txt", "yolo/empty.txt",
        "voc/herd one.xml", "voc/empty.xml", "pictures/herd one.jpg", "pictures/empty.jpg",
    }  # fmt: skip
    assert archive.read("pictures/empty.jpg") == b"jpeg 1"
    assert archive.read("yolo/classes.txt") == b"cow\n"
    assert len(json.loads(archive.read("coco.json"))["annotations"]) == 3
    assert told == [1, 2]
    assert "pictures/empty.jpg" not in zipfile.ZipFile(io.BytesIO(as_zip([NOTHING]))).namelist()


def test_detections_without_anything_are_fine() -> None:
    picture = ExportPicture("x", (4, 4), sv.Detections.empty())
    assert len(json.loads(as_coco([picture]))["annotations"]) == 0
