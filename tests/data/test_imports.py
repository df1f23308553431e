"""Ground truth of other software, all formats alike: which format it is, which picture is meant, out and back."""

import io
import json
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from cowvision.data.annotations import names_of, truth_boxes
from cowvision.data.exports import ExportPicture
from cowvision.data.import_findings import Findings
from cowvision.data.import_pictures import PictureFiles
from cowvision.data.imports import FORMATS, read_ground_truth
from cowvision.data.pictures import read_picture
from cowvision.data.truth_exports import truth_as_zip, what_is_lost
from cowvision.errors import AnnotationError
from tests.samples import noise, truth

CLASSES = ["cow", "brown cow, 'Elsa'", "größte Kuh #1"]


def picture(folder, name: str, size=(64, 48), **options):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path, **options)
    return path


def random_truth(rng, count: int, size=(1333, 750)):
    low = rng.uniform(0, 0.9, (count, 2)) * size
    high = low + rng.uniform(0.01, 1, (count, 2)) * (np.array(size) - low)
    high[: count // 4] = size  # boxes at the very edge
    low[: count // 4, 0] = 0
    return truth_boxes(np.hstack([low, high]), rng.choice(CLASSES, count).tolist(), crowd=rng.random(count) < 0.3)


def unpacked(data: bytes, folder):
    zipfile.ZipFile(io.BytesIO(data)).extractall(folder)
    return folder


@pytest.fixture
def herd(tmp_path):
    """Three pictures on disk, the second without anything on it, and their truth."""
    rng = np.random.default_rng(7)
    shown = [("a cow.jpg", random_truth(rng, 40)), ("nothing.png", truth([])), ("c.webp", random_truth(rng, 1))]
    for name, _ in shown:
        picture(tmp_path / "pictures", name, (1333, 750))
    return tmp_path / "pictures", [ExportPicture(name, (1333, 750), boxes) for name, boxes in shown]


@pytest.mark.parametrize("kind", FORMATS)
def test_out_and_back_keeps_every_box_name_and_empty_picture(herd, tmp_path, kind) -> None:
    folder, shown = herd
    read = read_ground_truth(unpacked(truth_as_zip(shown, kind), tmp_path / "out"), folder)
    assert (read.problems, read.format, read.unlabelled) == ([], kind, ())
    back = {one.name: one for one in read.pictures}
    assert set(back) == {"a cow.jpg", "nothing.png", "c.webp"}
    for one in shown:
        again = back[one.name].truth
        np.testing.assert_allclose(again.xyxy, one.detections.xyxy, atol=0.01)
        assert names_of(again).tolist() == names_of(one.detections).tolist()
        crowd = one.detections.data["crowd"] if kind == "COCO" else np.zeros(len(again), bool)
        assert again.data["crowd"].tolist() == crowd.tolist()
    assert read_picture(back["c.webp"].source).resolution_wh == (1333, 750)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_zip_with_its_pictures_is_complete_by_itself(herd, tmp_path, kind) -> None:
    _, shown = herd
    stream = io.BytesIO()
    Image.fromarray(noise(1333, 750)).save(stream, "JPEG")
    out = unpacked(truth_as_zip(shown, kind, lambda _: stream.getvalue()), tmp_path / "out")
    read = read_ground_truth(out, out)
    assert read.problems == []
    assert sorted(one.name.rpartition("/")[2] for one in read.pictures) == ["a cow.jpg", "c.jpg", "nothing.jpg"]
    assert read.pictures[0].picture().resolution_wh == (1333, 750)


def test_a_selection_of_pictures_reports_the_others_and_reads_its_own(herd, tmp_path) -> None:
    folder, shown = herd
    out = unpacked(truth_as_zip(shown, "YOLO"), tmp_path / "out")
    read = read_ground_truth(out, {"c.webp": folder / "c.webp"})
    assert [one.name for one in read.pictures] == ["c.webp"]
    assert {problem.file for problem in read.problems} == {"labels/a cow.txt", "labels/nothing.txt"}
    assert all("not among the pictures" in problem.cause for problem in read.problems)


def test_what_a_format_cannot_say_is_said() -> None:
    boxes = truth([[0, 0, 4, 4], [1, 1, 3, 3]], crowd=[True, False], visible_fraction=[0.5, 1], area=[16, 2])
    shown = [ExportPicture("a.jpg", (9, 9), boxes), ExportPicture("a.png", (9, 9), truth([]))]
    assert what_is_lost(shown, "COCO") == ["1 pictures get other names: e.g. a-2.png for a.png."]
    assert what_is_lost(shown, "COCO", with_jpeg=True) == []
    assert what_is_lost(shown, "YOLO", with_jpeg=True) == [
        "1 crowd regions become ordinary boxes: YOLO has no such mark.",
        "1 boxes lose their visible share: YOLO has none.",
        "1 boxes lose their number of visible pixels: YOLO has none.",
    ]


def test_another_format_is_refused_before_anything_is_written() -> None:
    with pytest.raises(AnnotationError, match="expected one of COCO, YOLO, Pascal VOC, got 'KITTI'"):
        truth_as_zip([], "KITTI")


def test_a_problem_is_one_line_with_file_place_cause_and_remedy(tmp_path) -> None:
    (tmp_path / "t.json").write_text('{"images": [], "annotations": [3], "categories": []}')
    (problem,) = read_ground_truth(tmp_path / "t.json", tmp_path).problems
    assert str(problem) == "t.json, annotation entry 1: the entry is 3, not an object. Remove it or write it anew."
    assert problem.left_out


# Which format


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ({}, "no ground truth in a known format"),
        ({"run.json": "{}"}, r"^run\.json: JSON without annotations"),
        ({"found.json": "[]"}, r"^found\.json: a list, not ground truth"),
        ({"cut.json": "{images"}, r"^cut\.json: not JSON \(.*line 1 column 2"),
        ({"a.json": "{", "b.json": "{}"}, r"a\.json is not JSON \(.*; b\.json is JSON without annotations"),
        ({"a.json": '{"annotations": []}', "b.json": '{"annotations": []}'}, r"holds a\.json and b\.json, of which"),
        (
            {"a.json": '{"annotations": []}', "b.json": '{"annotations": []}', "c.json": "{"},
            r"holds a\.json and b\.json, of which only one can be meant; c\.json is not JSON \(",
        ),
        (
            {"a.json": '{"annotations": []}', "b.json": '{"annotations": ['},
            r"holds a\.json and b\.json, of which only one can be meant; b\.json is not JSON \(",
        ),
        ({"a.json": '{"annotations": []}', "a.xml": "<annotation/>"}, r"a\.json and a\.xml \(COCO and Pascal VOC\)"),
        ({"a.json": '{"annotations": []}', "classes.txt": "cow"}, r"a\.json and classes\.txt \(COCO and YOLO\)"),
    ],
)
def test_a_folder_of_nothing_or_of_several_formats_is_refused(tmp_path, files, match) -> None:
    (tmp_path / "x").mkdir()
    for name, text in files.items():
        (tmp_path / "x" / name).write_text(text)
    with pytest.raises(AnnotationError, match=match):
        read_ground_truth(tmp_path / "x", tmp_path)


def test_a_broken_file_beside_the_truth_is_named(tmp_path) -> None:
    (tmp_path / "good.json").write_text('{"images": [], "annotations": [], "categories": []}')
    (tmp_path / "cut.json").write_text("{images")
    (tmp_path / "settings.json").write_text("{}")
    [problem] = read_ground_truth(tmp_path, tmp_path).problems
    assert problem.file == "cut.json" and "not JSON" in problem.cause and problem.left_out


@pytest.mark.parametrize("name", ["cow.csv", "labels.txt"])
def test_a_file_of_no_known_format_is_refused(tmp_path, name) -> None:
    (tmp_path / name).write_text("0 0.5 0.5 1 1")
    with pytest.raises(AnnotationError, match="not ground truth in a known format"):
        read_ground_truth(tmp_path / name, tmp_path)


def test_paths_that_do_not_exist_are_refused(tmp_path) -> None:
    with pytest.raises(AnnotationError, match="no such file or folder"):
        read_ground_truth(tmp_path / "gone", tmp_path)
    with pytest.raises(AnnotationError, match="no such folder of pictures"):
        read_ground_truth(tmp_path, tmp_path / "gone")


def test_read_mes_hidden_files_and_the_leavings_of_macos_are_no_truth(tmp_path) -> None:
    for name in ("README.dataset.txt", ".t.json", "__MACOSX/u.json", "t.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"images": [], "annotations": [], "categories": []}')
    (tmp_path / "folder.xml").mkdir()
    read = read_ground_truth(tmp_path, tmp_path)
    assert (read.format, read.problems) == ("COCO", [])


def test_a_mistake_of_ours_is_never_taken_for_one_of_the_files() -> None:
    with pytest.raises(ZeroDivisionError), Findings().catching("t.json", "annotation 1"):
        raise ZeroDivisionError


def test_reading_changes_nothing_on_disk(herd, tmp_path) -> None:
    folder, shown = herd
    out = unpacked(truth_as_zip(shown, "YOLO"), tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    read_ground_truth(out, folder)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


# Which picture


def test_folders_count_only_where_both_sides_have_them(tmp_path) -> None:
    for name in ("barn/1.jpg", "field/1.jpg", "field/2.jpg"):
        picture(tmp_path, name)
    files = PictureFiles(tmp_path)
    assert files.named("barn/1.jpg") == "barn/1.jpg"
    assert files.named(".\\field\\2.jpg") == files.named("2.jpg") == "field/2.jpg"
    with pytest.raises(AnnotationError, match=r"may be any of barn/1\.jpg, field/1\.jpg"):
        files.named("1.jpg")
    with pytest.raises(AnnotationError, match="not among the pictures"):
        files.named("barn/2.jpg")
    flat = PictureFiles({"1.jpg": tmp_path / "barn/1.jpg"})
    assert flat.named("train2017/1.jpg") == "1.jpg"


@pytest.mark.parametrize("name", ["../a.jpg", "x/../../a.jpg", "/etc/a.jpg", "C:\\herd\\a.jpg", "..\\a.jpg"])
def test_a_name_never_leads_out_of_the_folder(tmp_path, name) -> None:
    picture(tmp_path, "a.jpg")
    with pytest.raises(AnnotationError, match="outside the folder of pictures"):
        PictureFiles(tmp_path).named(name)


def test_an_accent_is_the_same_however_it_is_encoded(tmp_path) -> None:
    picture(tmp_path, "ku\u0308he.jpg")
    assert PictureFiles(tmp_path).named("k\u00fche.jpg") == "ku\u0308he.jpg"


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif"])
def test_the_size_is_that_of_the_upright_picture(tmp_path, suffix) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = picture(tmp_path, f"a.{suffix}", (40, 30), exif=exif)
    files = PictureFiles(tmp_path)
    assert files.resolution_wh(path.name) == read_picture(path).resolution_wh == (30, 40)
    with pytest.raises(AnnotationError, match="declared as 40 x 30 pixels, but is 30 x 40"):
        files.resolution_wh(path.name, (40, 30))


def test_a_turned_photo_is_named_as_the_reason(tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    picture(tmp_path, "a.jpg", (40, 30), exif=exif)
    with pytest.raises(AnnotationError, match="upright by its EXIF"):
        PictureFiles(tmp_path).resolution_wh("a.jpg", (40, 30))


def test_sizes_come_from_headers_alone(tmp_path, monkeypatch) -> None:
    picture(tmp_path, "a.png")
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", lambda *_: pytest.fail("the picture was decoded"))
    assert PictureFiles(tmp_path).resolution_wh("a.png") == (64, 48)


def test_a_picture_that_is_none_or_far_too_large_is_refused(tmp_path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    picture(tmp_path, "huge.png", (9000, 7000))
    files = PictureFiles(tmp_path)
    with pytest.raises(AnnotationError, match="cannot be read"):
        files.resolution_wh("a.jpg")
    with pytest.raises(AnnotationError, match="beyond 60 megapixels"):
        files.resolution_wh("huge.png")


# Many


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("kind", FORMATS)
def test_four_times_the_annotations_take_four_times_as_long(tmp_path, kind, good) -> None:
    each, seconds = 100, []
    source = picture(tmp_path, "a.png", (640, 480))
    rng = np.random.default_rng(1)
    xywh = np.hstack([rng.uniform(0, 300, (each, 2)), rng.uniform(1, 100, (each, 2))]).round(2).tolist()
    for count in (100, 400):
        images = {f"{number}.png": source for number in range(count)}
        folder = tmp_path / str(count)
        folder.mkdir()
        _write_many(folder, kind, images, xywh if good else [[*box[:2], -5, 5] for box in xywh])
        start = time.process_time()
        read = read_ground_truth(folder, images)
        seconds.append(time.process_time() - start)
        assert len(read.pictures) == count
        assert sum(len(one.truth) for one in read.pictures) == (count * each if good else 0)
        assert len(read.problems) == (0 if good else count * each)
    assert seconds[1] < 10 * seconds[0], "16 times as long would be the square"


def _write_many(folder, kind, images, xywh) -> None:
    if kind == "COCO":
        rows = [
            {"id": number * len(xywh) + place, "image_id": number, "category_id": 1, "bbox": box}
            for number in range(len(images))
            for place, box in enumerate(xywh)
        ]
        entries = [{"id": number, "file_name": name} for number, name in enumerate(images)]
        document = {"images": entries, "annotations": rows, "categories": [{"id": 1, "name": "cow"}]}
        (folder / "t.json").write_text(json.dumps(document))
        return
    if kind == "YOLO":
        (folder / "classes.txt").write_text("cow\n")
        shares = [((x + w / 2) / 640, (y + h / 2) / 480, w / 640, h / 480) for x, y, w, h in xywh]
        text = "".join("0 " + " ".join(f"{share:.6f}" for share in line) + "\n" for line in shares)
    else:
        sides = [(x + 1, y + 1, x + w, y + h) for x, y, w, h in xywh]
        tags = ("xmin", "ymin", "xmax", "ymax")
        ends = ["".join(f"<{tag}>{side}</{tag}>" for tag, side in zip(tags, box, strict=True)) for box in sides]
        objects = (f"<object><name>cow</name><bndbox>{box}</bndbox></object>" for box in ends)
        text = f"<annotation>{''.join(objects)}</annotation>"
    for name in images:
        (folder / name).with_suffix(".txt" if kind == "YOLO" else ".xml").write_text(text)
