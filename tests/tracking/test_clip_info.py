"""What is told of a clip before it is decoded, and the rate it is tracked at."""

import resource
import struct
from fractions import Fraction
from io import BytesIO

import pillow_heif
import pytest
from PIL import Image

from cowvision.errors import ClipError
from cowvision.tracking.clip_info import ClipInfo, probe, steady_fps
from tests.tracking.clips import cut_off, numbered, write_clip, write_empty, write_sound

pillow_heif.register_heif_opener()
NTSC = Fraction(30000, 1001)


def info_of(fps: Fraction | float) -> ClipInfo:
    return ClipInfo("a.mp4", (64, 48), 10, 1.0, Fraction(fps), "h264")


def test_size_length_rate_and_codec(tmp_path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 20, fps=NTSC)
    assert probe(clip) == ClipInfo("a.mp4", (64, 48), 20, pytest.approx(20 / NTSC, abs=1e-3), NTSC, "h264")
    assert probe(clip, name="herd.mp4").name == "herd.mp4"


def test_a_container_that_counts_no_frames(tmp_path) -> None:
    info = probe(write_clip(tmp_path / "a.webm", codec="libvpx"))
    assert (info.frames, info.seconds, info.fps, info.codec) == (None, pytest.approx(1.0), 10, "vp8")


def test_the_size_is_that_of_the_upright_picture(tmp_path) -> None:
    assert probe(write_clip(tmp_path / "a.mov", size_wh=(48, 80), rotation=90)).resolution_wh == (48, 80)
    assert probe(write_clip(tmp_path / "b.mov", size_wh=(48, 80), rotation=180)).resolution_wh == (48, 80)


def test_a_moving_gif_is_a_clip(tmp_path) -> None:
    info = probe(write_clip(tmp_path / "a.gif", codec="gif", pix_fmt="rgb8"))
    assert (info.frames, info.seconds, info.fps, info.codec) == (10, pytest.approx(1.0), 10, "gif")


def test_a_clip_that_is_cut_off_is_still_told_about(tmp_path) -> None:
    whole = write_clip(tmp_path / "a.mp4", 100, muxer={"movflags": "+faststart"})
    info = probe(whole)
    assert probe(cut_off(whole, 0.6)) == info


@pytest.mark.parametrize(
    ("own", "steady"),
    [
        (1, 1),
        (Fraction(1, 2), 1),
        (Fraction(25, 2), Fraction(25, 2)),
        (Fraction(24000, 1001), Fraction(24000, 1001)),
        (25, 25),
        (NTSC, NTSC),
        (30, 30),
        (Fraction(15000, 1001), Fraction(15000, 1001)),
        (Fraction(100, 3), Fraction(100, 3)),
        (Fraction(100, 7), Fraction(100, 7)),
        (60, 60),
        (90, 45),
        (120, 60),
        (Fraction(120000, 1001), Fraction(60000, 1001)),
        (240, 60),
        (Fraction(240000, 1001), Fraction(60000, 1001)),
        (Fraction(287111, 10007), NTSC),  # 28.69: a phone's, in dim light
        (Fraction(300100, 10007), 30),
        (Fraction(249991, 10007), 25),
        (Fraction(599700, 10007), Fraction(60000, 1001)),
        (Fraction(2399000, 10007), Fraction(60000, 1001)),
    ],
)
def test_the_rate_a_clip_is_tracked_at(own, steady) -> None:
    assert steady_fps(info_of(own)) == steady


def test_a_rate_that_varies_becomes_a_common_one(tmp_path) -> None:
    times = [0, 0.03, 0.07, 0.1, 0.15, 0.18, 0.2, 0.24, 0.28]
    info = probe(write_clip(tmp_path / "phone.mp4", times=times))
    assert info.fps == pytest.approx(9 / 0.38, rel=0.01)
    assert steady_fps(info) == Fraction(24000, 1001)


def test_an_hour_without_a_picture_does_not_slow_the_clip_down(tmp_path) -> None:
    info = probe(write_clip(tmp_path / "a.mp4", times=[0, 0.1, 0.2, 3600, 3600.1]))
    assert (info.seconds, info.frames) == (pytest.approx(3600.2), 5)
    assert steady_fps(info) == 10


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "HEIF", "AVIF"])
def test_a_still_picture_is_called_one_whatever_its_name(tmp_path, kind: str) -> None:
    data = BytesIO()
    Image.fromarray(numbered(5, (256, 256))).save(data, kind)
    said = "HEIC" if kind == "HEIF" else kind
    remedy = f"Let its name end in .{said.lower()}, and open it on Detect"
    for name in ("cow.mp4", f"cow_01.{said.lower()}", "cow_01.jpg"):
        (tmp_path / name).write_bytes(data.getvalue())
        with pytest.raises(ClipError, match=rf"{name}: this is a still picture \({said}\), not a video. {remedy}"):
            probe(tmp_path / name)


def test_too_large_a_picture_is_refused(tmp_path) -> None:
    probe(write_clip(tmp_path / "just.mp4", 1, size_wh=(8192, 16)))
    with pytest.raises(ClipError, match=r"8208 × 16: they are larger than 8192 pixels a side\. Export it smaller"):
        probe(write_clip(tmp_path / "wide.mp4", 1, size_wh=(8208, 16)))


@pytest.mark.parametrize("name", ["bomb.avi", "bomb.gif"])
def test_a_header_that_promises_a_huge_picture_is_refused_before_decoding(tmp_path, name: str) -> None:
    codec, pix_fmt = ("gif", "rgb8") if name.endswith("gif") else ("rawvideo", "bgr24")
    clip = write_clip(tmp_path / name, 2, codec=codec, pix_fmt=pix_fmt)
    stated, huge = ("<HH", (64, 48)), ("<HH", (15_000, 15_000))
    if name.endswith("avi"):
        stated, huge = ("<ii", (64, -48)), ("<ii", (15_000, -15_000))  # rows from above count negative there
    data, size = clip.read_bytes(), struct.pack(stated[0], *stated[1])
    assert size in data
    clip.write_bytes(data.replace(size, struct.pack(huge[0], *huge[1]), 1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ClipError, match="larger than 8192 pixels a side"):
        probe(clip)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kilobytes"


def test_an_unknown_codec(tmp_path) -> None:
    clip = write_clip(tmp_path / "a.mp4")
    clip.write_bytes(clip.read_bytes().replace(b"avc1", b"zzz1"))
    with pytest.raises(ClipError, match=r"a codec that is not known here\. Export it as MP4"):
        probe(clip)


def test_every_other_bad_file_has_one_sentence_and_a_remedy(tmp_path) -> None:
    (tmp_path / "notes.mp4").write_bytes(b"these are notes, no frames at all" * 50)
    (tmp_path / "nothing.mp4").write_bytes(b"")
    write_sound(tmp_path / "moo.mkv")
    write_empty(tmp_path / "zero.mp4")
    said = {
        "gone.mp4": "no such file. Check the path.",
        "notes.mp4": "not a video that can be read",
        "nothing.mp4": "the file is empty. Copy it again.",
        "moo.mkv": "there is sound but no picture track. Give a clip with pictures.",
        "zero.mp4": "there is not a single frame in it. Export it as MP4",
    }
    for name, words in said.items():
        with pytest.raises(ClipError) as refused:
            probe(tmp_path / name, name="herd.mp4")
        assert str(refused.value).startswith("herd.mp4: ") and words in str(refused.value)
