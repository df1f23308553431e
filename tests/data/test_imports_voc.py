"""Pascal VOC of other software: every way an object can be wrong, and what is read all the same."""

import numpy as np
import pytest
import supervision as sv
from PIL import Image

from cowvision.data.annotations import names_of, truth_boxes
from cowvision.data.exports import ExportPicture, as_voc
from cowvision.data.imports import read_ground_truth

BOX = "<bndbox><xmin>11</xmin><ymin>6</ymin><xmax>20</xmax><ymax>30</ymax></bndbox>"
SIZE = "<size><width>100</width><height>50</height><depth>3</depth></size>"
DOG = f"<object><name>dog</name>{BOX}</object>"


def document(inside: str, file_name: str = "a.jpg", size: str = SIZE) -> str:
    return f"<annotation><folder>x</folder><filename>{file_name}</filename>{size}{inside}</annotation>"


def boxed(x_min, y_min, x_max, y_max, name: str = "cow", *, more: str = "") -> str:
    ends = f"<xmin>{x_min}</xmin><ymin>{y_min}</ymin><xmax>{x_max}</xmax><ymax>{y_max}</ymax>"
    return f"<object><name>{name}</name>{more}<bndbox>{ends}</bndbox></object>"


@pytest.fixture
def reading(tmp_path):
    """Write XML files and read them with pictures of 100 x 50 pixels."""

    def read(*texts, pictures=("a.jpg",)):
        for name in pictures:
            Image.new("RGB", (100, 50)).save(tmp_path / name)
        (tmp_path / "Annotations").mkdir()
        for name, text in zip("abc", texts, strict=False):
            data = text if isinstance(text, bytes) else text.encode()
            (tmp_path / "Annotations" / f"{name}.xml").write_bytes(data)
        return read_ground_truth(tmp_path, tmp_path)

    return read


def test_pixels_count_from_one_and_ends_are_inclusive(reading) -> None:
    read = reading(document(boxed(1, 1, 100, 50) + boxed(7, 8, 7, 8, "calf") + boxed(" 1.5", 2.25, 10.5, "20.125\n")))
    assert (read.problems, read.format, read.class_names) == ([], "Pascal VOC", ("calf", "cow"))
    assert read.pictures[0].truth.xyxy.tolist() == [[0, 0, 100, 50], [6, 7, 7, 8], [0.5, 1.25, 10.5, 20.125]]
    assert names_of(read.pictures[0].truth).tolist() == ["cow", "calf", "cow"]


def test_no_objects_are_nothing_and_no_file_is_not_known(reading) -> None:
    read = reading(document(""), pictures=("a.jpg", "b.jpg"))
    assert [(one.name, len(one.truth)) for one in read.pictures] == [("a.jpg", 0)]
    assert read.unlabelled == ("b.jpg",)


@pytest.mark.parametrize("size", ["", SIZE.replace("100", "0").replace("50", "0")])
def test_a_size_that_is_not_declared_comes_from_the_picture(reading, size) -> None:
    read = reading(document(DOG, size=size))
    assert (read.problems, len(read.pictures[0].truth)) == ([], 1)


@pytest.mark.parametrize("name", ["", "a", "a.v2"])
def test_a_name_without_a_picture_suffix_gives_way_to_the_files_own(reading, name) -> None:
    assert [one.name for one in reading(document(DOG, name)).pictures] == ["a.jpg"]


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        (boxed("nan", 1, 5, 5), "the box (nan, 0, 5, 5) is not finite"),
        (boxed(1, 1, "1e999", 5), "the box (0, 0, inf, 5) is not finite"),
        (boxed(20, 1, 5, 5), "the width of the box is -14 px: it is inverted"),
        (boxed(2, 6, 5, 5), "the height of the box is 0 px: nothing is in it"),
        (boxed(90, 1, 120, 5), "the box (89, 0, 120, 5) reaches outside the picture of 100 x 50 pixels"),
        (boxed(-5, 1, 12, 5), "the box (-6, 0, 12, 5) reaches outside the picture of 100 x 50 pixels"),
        (boxed("one", 1, 5, 5), "its xmin is 'one'"),
        (boxed("1_0", 1, 15, 5), "its xmin is '1_0'"),
        (boxed(1, "", 5, 5), "its ymin is missing"),
        (f"<object>{BOX}</object>", "the object has no class name"),
        (f"<object><name> </name>{BOX}</object>", "the object has no class name"),
        ("<object><name>cow</name><polygon/></object>", "the object has no bndbox"),
        ("<object><name>cow</name><bndbox/></object>", "its xmin is missing"),
    ],
)
def test_a_bad_object_is_reported_and_the_rest_is_read(reading, entry, cause) -> None:
    read = reading(document(DOG + entry))
    (problem,) = read.problems
    assert (problem.file, problem.place, problem.cause) == ("Annotations/a.xml", "object 2", cause)
    assert (problem.left_out, problem.picture) == (True, "a.jpg")
    assert read.pictures[0].truth.xyxy.tolist() == [[10, 5, 20, 30]]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "not XML (no element found"),
        ("<annotation>", "not XML (no element found"),
        ("<annotation><a></annotation>", "not XML (mismatched tag"),
        ("<html/>", "not Pascal VOC but a <html>"),
        (document(DOG, "gone.jpg"), "its picture 'gone.jpg' is not among the pictures"),
        (document(DOG, "../a.jpg"), "the picture '../a.jpg' lies outside the folder of pictures"),
        (document(DOG, "C:\\cows\\a.jpg"), "the picture 'C:\\\\cows\\\\a.jpg' lies outside the folder of pictures"),
        (document(DOG, size=SIZE.replace("100", "99")), "the picture a.jpg is declared as 99 x 50 pixels, but is"),
        (document(DOG, size=SIZE.replace("100", "nan")), "the picture a.jpg is declared as nan x 50 pixels, but"),
        (document(DOG, size=SIZE.replace("100", "wide")), "its width is 'wide'"),
        (document(DOG, size="<size/>"), "its width is missing"),
    ],
)  # fmt: skip
def test_a_bad_file_is_left_out_and_the_others_are_read(reading, text, cause) -> None:
    read = reading(text, document(DOG, "b.jpg"), pictures=("a.jpg", "b.jpg"))
    (problem,) = read.problems
    assert (problem.file, problem.place, problem.left_out) == ("Annotations/a.xml", "", True)
    assert problem.cause.startswith(cause)
    assert [one.name for one in read.pictures] == ["b.jpg"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE a [<!ENTITY b "xx"><!ENTITY c "&b;&b;">]>',
        '<!DOCTYPE a SYSTEM "other.dtd">',
        "<!DOCTYPE annotation>",
    ],
)
def test_a_doctype_is_refused_whatever_the_encoding(reading, doctype, encoding) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{doctype}{document(DOG)}'
    (problem,) = reading(text.encode(encoding)).problems
    assert (problem.file, problem.cause) == ("Annotations/a.xml", "it declares a DOCTYPE, which is not read")


def test_two_files_of_a_picture_are_both_left_out(reading) -> None:
    read = reading(document(DOG), document(""))
    assert [problem.file for problem in read.problems] == ["Annotations/a.xml", "Annotations/b.xml"]
    assert {problem.cause for problem in read.problems} == {"the picture a.jpg has 2 entries"}
    assert read.pictures == []


def test_pixels_that_count_from_zero_are_cut_and_said(reading) -> None:
    read = reading(document(boxed(0, 0, 50, 50) + boxed(0, 3, 99, 49)))
    (problem,) = read.problems
    assert (problem.file, problem.place, problem.left_out) == ("Annotations/a.xml", "object 1", False)
    assert "the box (and 1 more) reached up to 1 px beyond the picture" in problem.cause
    assert read.pictures[0].truth.xyxy.tolist() == [[0, 0, 50, 50], [0, 2, 99, 49]]


def test_marks_that_are_not_kept_are_said(reading) -> None:
    marks = "<truncated>1</truncated><difficult>0</difficult>"
    read = reading(document(DOG + boxed(1, 1, 5, 5, more=marks) + boxed(1, 1, 5, 5, more="<difficult>1</difficult>")))
    assert [(problem.place, problem.cause, problem.left_out) for problem in read.problems] == [
        ("object 3", "1 marked as difficult, which is not kept", False),
        ("object 2", "1 marked as truncated, which is not kept", False),
    ]
    assert len(read.pictures[0].truth) == 3


def test_one_file_stands_for_itself(reading, tmp_path) -> None:
    reading(document(DOG), document("", "b.jpg"), pictures=("a.jpg", "b.jpg"))
    read = read_ground_truth(tmp_path / "Annotations" / "b.xml", tmp_path)
    assert ([one.name for one in read.pictures], read.unlabelled) == (["b.jpg"], ("a.jpg",))


def test_our_truth_is_read_by_supervision_and_carries_no_score(tmp_path) -> None:
    truth = truth_boxes([[1.25, 2, 11, 22.13], [0, 0, 100, 50]], ["zebu", "cow"])
    Image.new("RGB", (100, 50)).save(tmp_path / "a.jpg")
    text = as_voc(ExportPicture("a.jpg", (100, 50), truth), "a.jpg")
    (tmp_path / "a.xml").write_text(text)
    theirs = sv.DetectionDataset.from_pascal_voc(str(tmp_path), str(tmp_path))
    (_, _, boxes), *_ = list(theirs)
    np.testing.assert_allclose(boxes.xyxy, truth.xyxy, atol=0.01)
    assert [theirs.classes[number] for number in boxes.class_id] == ["zebu", "cow"]
    assert text.count("<difficult>0</difficult>") == text.count("<truncated>0</truncated>") == 2
    assert "score" not in text
