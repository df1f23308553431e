"""YOLO labels of other software: every way a line or a names file can be wrong, and what is read all the same."""

import numpy as np
import pytest
import supervision as sv
from PIL import Image

from cowvision.data.annotations import names_of, truth_boxes
from cowvision.data.exports import ExportPicture
from cowvision.data.imports import read_ground_truth
from cowvision.data.truth_exports import as_data_yaml, truth_as_zip
from tests.data.test_imports import unpacked


@pytest.fixture
def reading(tmp_path):
    """Write label files (and classes cow, dog) and read them with pictures of 100 x 50 pixels."""

    def read(labels, names=("classes.txt", "cow\ndog\n"), pictures=("a.jpg",)):
        for name in pictures:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (100, 50)).save(tmp_path / name)
        for name, text in (*labels.items(), *([names] if names else [])):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_ground_truth(tmp_path, tmp_path)

    return read


def test_an_empty_label_is_nothing_and_a_missing_one_is_not_known(reading) -> None:
    read = reading({"a.txt": "", "b.txt": "\r\n \r\n"}, pictures=("a.jpg", "b.jpg", "c.jpg"))
    assert [(one.name, len(one.truth)) for one in read.pictures] == [("a.jpg", 0), ("b.jpg", 0)]
    assert read.unlabelled == ("c.jpg",)
    assert read.problems == []


def test_lines_of_windows_tabs_and_a_byte_order_mark_are_fine(reading) -> None:
    read = reading({"a.txt": b"\xef\xbb\xbf1\t0.5 0.5 0.2 0.4\r\n0  0.25 0.5 0.5 1e0 \r\n"})
    assert read.problems == []
    np.testing.assert_allclose(read.pictures[0].truth.xyxy, [[40, 15, 60, 35], [0, 0, 50, 50]])
    assert names_of(read.pictures[0].truth).tolist() == ["dog", "cow"]
    assert (read.format, read.class_names) == ("YOLO", ("cow", "dog"))


@pytest.mark.parametrize(
    ("label", "picture"),
    [
        ("a.txt", "a.jpg"),
        ("labels/a.txt", "images/a.jpg"),
        ("labels/train/a.txt", "images/train/a.jpg"),
        ("train/labels/a.txt", "train/images/a.jpg"),
        ("labels/a.b.txt", "images/a.b.jpg"),
    ],
)
def test_labels_find_their_pictures(reading, label, picture) -> None:
    read = reading({label: "0 0.5 0.5 0.2 0.4"}, pictures=(picture,))
    assert read.problems == []
    assert [(one.name, len(one.truth)) for one in read.pictures] == [(picture, 1)]


def test_the_labels_folder_alone_finds_its_names_above(reading, tmp_path) -> None:
    reading({"labels/a.txt": "1 0.5 0.5 0.2 0.4"}, pictures=("images/a.jpg",))
    read = read_ground_truth(tmp_path / "labels", tmp_path / "images")
    assert [(one.name, names_of(one.truth).tolist()) for one in read.pictures] == [("a.jpg", ["dog"])]


def test_the_file_of_names_stands_for_its_folder(reading, tmp_path) -> None:
    reading({"a.txt": "1 0.5 0.5 0.2 0.4"})
    assert len(read_ground_truth(tmp_path / "classes.txt", tmp_path).pictures) == 1


def test_lists_and_read_mes_are_no_labels_but_a_stray_label_is_reported(reading) -> None:
    texts = {"train.txt": "images/a.jpg", "README.roboflow.txt": "hello", "stray.txt": "0 0.5 0.5 1 1"}
    (problem,) = reading(texts | {"a.txt": ""}).problems
    assert (problem.file, problem.place) == ("stray.txt", "")
    assert problem.cause == "its picture 'stray' is not among the pictures"


def test_a_picture_called_like_a_list_has_a_label(reading) -> None:
    read = reading({"train.txt": "0 0.5 0.5 1 1"}, pictures=("train.jpg",))
    assert [len(one.truth) for one in read.pictures] == [1]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("0 0.5 0.5 0.2", "the line has 4 columns"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3 0.4", "the line has 8 columns"),
        ("0", "the line has 1 columns"),
        ("2 0.5 0.5 0.2 0.4", "the class 2 is not among the 2 class names"),
        ("-1 0.5 0.5 0.2 0.4", "the class is '-1', not a whole number from 0"),
        ("1.0 0.5 0.5 0.2 0.4", "the class is '1.0', not a whole number from 0"),
        ("cow 0.5 0.5 0.2 0.4", "the class is 'cow', not a whole number from 0"),
        ("0 nan 0.5 0.2 0.4", "a number of the line is not finite"),
        ("0 0.5 0.5 inf 0.4", "a number of the line is not finite"),
        ("0 0.1 0.1 0.9 nan 0.5 0.5", "a number of the line is not finite"),
        ("0 0.5 x 0.2 0.4", "'x' is not a number"),
        ("0 0.5 0_1 0.2 0.4", "'0_1' is not a number"),
        ("0 0.5 0,5 0.2 0.4", "'0,5' is not a number"),
        ("0 0.5 0.5 -0.2 0.4", "the width of the box is -20 px: it is inverted"),
        ("0 0.5 0.5 0.2 0", "the height of the box is 0 px: nothing is in it"),
        ("0 0.95 0.5 0.2 0.4", "the box (85, 15, 105, 35) reaches outside the picture of 100 x 50 pixels"),
        ("0 50 25 20 20", "its numbers are pixels or worse, not shares of the picture from 0 to 1"),
    ],
)
def test_a_bad_line_is_reported_and_the_rest_is_read(reading, line, cause) -> None:
    read = reading({"a.txt": f"1 0.5 0.5 0.2 0.4\n\n{line}\n"})
    (problem,) = read.problems
    assert (problem.file, problem.place, problem.cause) == ("a.txt", "line 3", cause)
    assert (problem.left_out, problem.picture) == (True, "a.jpg")
    assert names_of(read.pictures[0].truth).tolist() == ["dog"]


def test_a_sixth_column_is_read_past_and_said_once(reading) -> None:
    read = reading({"a.txt": "0 0.5 0.5 0.2 0.4 0.93\n" * 3})
    (problem,) = read.problems
    assert (problem.place, problem.left_out) == ("line 1", False)
    assert problem.cause == "the line (and 2 more) has a sixth column, which is passed over"
    assert len(read.pictures[0].truth) == 3
    assert read.pictures[0].truth.confidence is None


def test_an_outline_becomes_its_box_and_is_said(reading) -> None:
    read = reading({"a.txt": "0 0.1 0.2 0.5 0.8 0.3 0.1"})
    (problem,) = read.problems
    assert (problem.file, problem.place, problem.left_out) == ("a.txt", "line 1", False)
    assert "an outline, of which its upright bounding box is taken" in problem.cause
    np.testing.assert_allclose(read.pictures[0].truth.xyxy, [[10, 5, 50, 40]])


def test_a_label_that_is_no_text_leaves_its_picture_out(reading) -> None:
    read = reading({"a.txt": b"0 0.5 \xff"})
    (problem,) = read.problems
    assert (problem.file, problem.picture) == ("a.txt", "a.jpg")
    assert problem.cause == "cannot be read as text (UnicodeDecodeError)"
    assert (read.pictures, read.unlabelled) == ([], ())


def test_two_labels_of_a_picture_are_both_left_out(reading) -> None:
    read = reading({"labels/a.txt": "", "a.txt": "0 0.5 0.5 0.2 0.4"})
    assert sorted(problem.file for problem in read.problems) == ["a.txt", "labels/a.txt"]
    assert {problem.cause for problem in read.problems} == {"the picture a.jpg has 2 entries"}
    assert read.pictures == []


def test_two_pictures_of_a_label_leave_it_out(reading) -> None:
    (problem,) = reading({"a.txt": "0 0.5 0.5 0.2 0.4"}, pictures=("a.jpg", "a.png")).problems
    assert problem.file == "a.txt"
    assert problem.cause == "its picture 'a' may be any of a.jpg, a.png"


@pytest.mark.parametrize(
    "names",
    [
        ("data.yaml", "names: [cow, dog]"),
        ("data.yaml", "nc: 2\r\nnames: ['cow', \"dog\"] # two\r\ntrain: x\r\n"),
        ("data.yaml", "names:\n- cow\n- dog\nnc: 2\n"),
        ("data.yaml", "names:  # all\n\n  # first\n  - 'cow'  # the cow\n  - dog\npath: .\n"),
        ("data.yaml", "names:\n  1: dog\n  0: cow\nnames_of_farms: [x]\n"),
        ("data.yaml", "names: {0: cow, 1: 'dog'}"),
        ("data.yaml", "names: [\n  cow, # moo\n  dog,\n]\n"),
        ("dataset.yaml", '"names":\n    "0": "c\\u006fw"\n    "1": dog\n'),
        ("data.yaml", "names: ['cow', 'dog', 'it''s']"),
        ("data.yaml", "names:\n  - cow\n  - dog\n  - 'it''s'\n"),
        ("obj.names", "cow\ndog"),
        ("classes.txt", "\ufeffcow\r\ndog\r\n\r\n"),
    ],
)
def test_names_are_read_in_every_usual_form(reading, names) -> None:
    read = reading({"a.txt": "1 0.5 0.5 0.2 0.4"}, names)
    assert read.problems == []
    assert read.class_names == ("cow", "dog", "it's")[: 3 if "it" in names[1] else 2]
    assert names_of(read.pictures[0].truth).tolist() == ["dog"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("names: *all", "its names are not understood"),
        ("names: [cow, [dog]]", "its names are not understood"),
        ("names: [cow dog", "its names are not understood"),
        ("names: {cow, dog}", "its names are not understood"),
        ("names: {0: cow]", "its names are not understood"),
        ("names:\n  - cow\n  1: dog\n", "its names are not understood at '1: dog'"),
        ("names:\n  - !!python/object cow\n", "its names are not understood"),
        ("names:\n  - &x cow\n", "its names are not understood"),
        ("names: cow", "its names are not understood at 'cow'"),
        ("names:", "there are no class names in it"),
        ("nc: 2\n", "there are no class names in it"),
        ("names: []\n", "there are no class names in it"),
        ("names:\n  0: cow\n  0: dog\n", "a number stands for two classes"),
        (b"names: [\xff]", "cannot be read as text (UnicodeDecodeError)"),
    ],
)
def test_names_that_are_not_understood_are_refused_rather_than_guessed(reading, text, cause) -> None:
    read = reading({"a.txt": "0 0.5 0.5 0.2 0.4"}, ("data.yaml", text))
    (problem,) = read.problems
    assert (problem.file, problem.cause.startswith(cause)) == ("data.yaml", True), problem.cause
    assert (read.pictures, read.class_names) == ([], ())


def test_labels_without_names_or_with_two_orders_of_names_are_not_read(reading) -> None:
    (problem,) = reading({"a.txt": "0 0.5 0.5 0.2 0.4"}, None).problems
    assert (problem.file, problem.cause) == ("classes.txt", "there is no file of class names")
    read = reading({"data.yaml": "names: [dog, cow]"})
    (problem,) = read.problems
    assert (problem.file, problem.cause) == ("classes.txt", "it names the classes differently than data.yaml")
    assert read.pictures == []


def test_a_number_without_a_name_is_an_unknown_class(reading) -> None:
    read = reading({"a.txt": "1 0.5 0.5 0.2 0.4\n2 0.5 0.5 0.2 0.4"}, ("classes.txt", "cow\n\ndog\n"))
    assert [(problem.place, problem.cause) for problem in read.problems] == [
        ("line 1", "the class 1 is not among the 2 class names")
    ]
    assert names_of(read.pictures[0].truth).tolist() == ["dog"]


def test_our_labels_and_names_are_read_by_supervision_and_yaml(tmp_path) -> None:
    yaml = pytest.importorskip("yaml")
    names = ["cow", 'a "b"', "it's: #1", "größte \\ 🐄", "yes"]
    assert yaml.safe_load(as_data_yaml(names))["names"] == dict(enumerate(names))
    assert yaml.safe_load(as_data_yaml(["a\u2028\nb"]))["names"] == {0: "a b"}
    truth = truth_boxes([[1.25, 2, 11, 22], [0, 0, 100, 50]], ["zebu", "cow"])
    Image.new("RGB", (100, 50)).save(tmp_path / "a.jpg")
    out = unpacked(truth_as_zip([ExportPicture("a.jpg", (100, 50), truth)], "YOLO"), tmp_path / "out")
    theirs = sv.DetectionDataset.from_yolo(str(tmp_path), str(out / "labels"), str(out / "data.yaml"))
    (_, _, boxes), *_ = list(theirs)
    np.testing.assert_allclose(boxes.xyxy, truth.xyxy, atol=0.01)
    assert [theirs.classes[number] for number in boxes.class_id] == ["zebu", "cow"]
