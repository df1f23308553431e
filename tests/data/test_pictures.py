"""Pictures of every kind a phone or a scanner makes, and files that are none."""

import numpy as np
import pytest
from PIL import Image

from cowvision.data import pictures
from cowvision.data.pictures import decode_picture, list_pictures, picture_from_array, read_picture, save_jpeg
from cowvision.errors import PictureError
from tests.samples import encoded, noise

RED_TOP = np.zeros((40, 60, 3), np.uint8)
RED_TOP[:20] = (255, 0, 0)


def close(rgb: np.ndarray, wanted: tuple[int, int, int], tolerance: int = 12) -> bool:
    return bool((np.abs(rgb.astype(int) - wanted) <= tolerance).all())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF", "BMP", "GIF"])
def test_every_format_gives_upright_rgb(kind: str) -> None:
    picture = decode_picture(encoded(Image.fromarray(RED_TOP), kind), "a")
    assert picture.resolution_wh == (60, 40)
    assert picture.rgb.dtype == np.uint8
    assert close(picture.rgb[5, 5], (255, 0, 0))
    assert close(picture.rgb[35, 5], (0, 0, 0))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF"])
@pytest.mark.parametrize(("orientation", "red"), [(3, "bottom"), (6, "right"), (8, "left")])
def test_a_turned_photo_is_turned_once(kind: str, orientation: int, red: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    rgb = decode_picture(encoded(Image.fromarray(RED_TOP), kind, exif=exif.tobytes()), "a").rgb
    height, width = rgb.shape[:2]
    assert (width, height) == ((60, 40) if orientation == 3 else (40, 60))
    spot = {"bottom": rgb[-3, 5], "right": rgb[5, -3], "left": rgb[5, 3]}[red]
    assert close(spot, (255, 0, 0))


def test_16_bit_grey_keeps_its_upper_bits() -> None:
    grey = np.full((8, 8), 0x8000, np.uint16)
    grey[0, 0] = 0xFFFF
    rgb = decode_picture(encoded(Image.fromarray(grey), "PNG"), "deep.png").rgb
    assert rgb[0, 0].tolist() == [255] * 3
    assert close(rgb[4, 4], (128, 128, 128), 1)


def test_float_grey_is_read_as_0_to_1() -> None:
    rgb = decode_picture(encoded(Image.fromarray(np.full((4, 4), 0.5, np.float32)), "TIFF"), "float.tif").rgb
    assert close(rgb[0, 0], (128, 128, 128), 1)


def test_cmyk_and_grey_and_one_bit() -> None:
    red = Image.fromarray(RED_TOP)
    assert close(decode_picture(encoded(red.convert("CMYK"), "JPEG"), "print.jpg").rgb[5, 5], (255, 0, 0), 30)
    assert decode_picture(encoded(red.convert("L"), "JPEG"), "grey.jpg").rgb.shape == (40, 60, 3)
    assert decode_picture(encoded(red.convert("1"), "PNG"), "fax.png").rgb[35, 5].tolist() == [0, 0, 0]


def test_transparent_pixels_lie_on_white() -> None:
    rgba = Image.new("RGBA", (4, 4), (10, 20, 30, 0))
    assert decode_picture(encoded(rgba, "PNG"), "clear.png").rgb[0, 0].tolist() == [255, 255, 255]
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 200, 0, 0])
    clear = encoded(palette, "PNG", transparency=1)
    assert decode_picture(clear, "palette.png").rgb[0, 0].tolist() == [255, 255, 255]
    assert decode_picture(encoded(palette, "PNG"), "palette.png").rgb[0, 0].tolist() == [200, 0, 0]


def test_of_an_animation_the_first_frame_counts() -> None:
    second = Image.new("RGB", (60, 40), (0, 0, 255))
    data = encoded(Image.fromarray(RED_TOP), "GIF", save_all=True, append_images=[second])
    assert close(decode_picture(data, "moving.gif").rgb[5, 5], (255, 0, 0))


def test_the_id_is_that_of_the_bytes() -> None:
    data = encoded(Image.fromarray(RED_TOP), "PNG")
    assert decode_picture(data, "a").id == decode_picture(data, "b").id
    assert decode_picture(data, "a").id != decode_picture(encoded(Image.fromarray(RED_TOP), "BMP"), "a").id


def test_pixels_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        decode_picture(encoded(Image.fromarray(RED_TOP), "PNG"), "a").rgb[0] = 0


def test_a_truncated_photo_says_so() -> None:
    for kind in ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF", "GIF"):
        data = encoded(Image.fromarray(noise(300, 200)), kind)
        with pytest.raises(PictureError, match="half"):
            decode_picture(data[: len(data) // 2], "half")


@pytest.mark.parametrize("data", [b"hello, this is no picture", b"%PDF-1.4 x", b"<svg></svg>", b"\0" * 4096])
def test_a_text_renamed_jpg_is_refused_with_a_remedy(data: bytes) -> None:
    with pytest.raises(PictureError, match=r"notes\.jpg: not a picture .* Export it as JPEG or PNG\.$"):
        decode_picture(data, "notes.jpg")


def test_an_empty_and_a_missing_file(tmp_path) -> None:
    with pytest.raises(PictureError, match="empty"):
        decode_picture(b"", "nothing.jpg")
    with pytest.raises(PictureError, match="no such file"):
        read_picture(tmp_path / "gone.jpg")
    with pytest.raises(PictureError, match=r"directory|may be read"):
        read_picture(tmp_path)


def test_a_decompression_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = encoded(Image.new("1", (20_000, 10_000)), "PNG")
    assert len(bomb) < 100_000
    with pytest.raises(PictureError, match="60 megapixels"):
        decode_picture(bomb, "bomb.png")
    just_over = encoded(Image.new("1", (10_000, 6_001)), "PNG")
    with pytest.raises(PictureError, match="10000 x 6001 pixels, 60 megapixels at most"):
        decode_picture(just_over, "over.png")


def test_a_file_of_too_many_bytes_is_refused_unread(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(pictures, "MAX_BYTES", 1024)
    path = tmp_path / "big.bmp"
    path.write_bytes(encoded(Image.fromarray(RED_TOP), "BMP"))
    with pytest.raises(PictureError, match="at most"):
        read_picture(path)


def test_arrays_are_taken_as_they_are_or_refused() -> None:
    assert picture_from_array(np.zeros((3, 5), np.uint8)).rgb.shape == (3, 5, 3)
    assert picture_from_array(RED_TOP).id != picture_from_array(RED_TOP[::-1]).id
    for wrong in (RED_TOP / 255.0, np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 4), np.uint8)):
        with pytest.raises(PictureError, match="expected a"):
            picture_from_array(wrong)


def test_a_folder_lists_its_visible_pictures_sorted(tmp_path) -> None:
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.jpg", "sub/c.webp", ".cache/d.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in list_pictures(tmp_path)] == ["a.png", "b.JPG", "c.webp"]


def test_a_saved_picture_carries_no_metadata(tmp_path) -> None:
    save_jpeg(RED_TOP, tmp_path / "new" / "a.jpg")
    with Image.open(tmp_path / "new" / "a.jpg") as saved:
        assert not saved.getexif()
    with pytest.raises(PictureError, match="may write"):
        save_jpeg(RED_TOP, tmp_path / "new" / "a.jpg" / "b.jpg")
