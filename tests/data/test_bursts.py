"""Pictures of one moment stay together, and the two sides of a split never share one."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from cowvision.data.bursts import Trace, bursts, trace_of
from cowvision.data.pictures import picture_from_array
from cowvision.data.splits import last_stretch, split
from tests.samples import noise


def photo(seed: int, taken_at: str = "", camera: str = "Moo 1") -> bytes:
    """A JPEG as a camera writes it."""
    exif = Image.Exif()
    exif[0x0110] = camera
    if taken_at:
        exif.get_ifd(0x8769)[0x9003] = taken_at
    stream = io.BytesIO()
    Image.fromarray(noise(160, 120, seed)).save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def traces(*pictures: tuple[np.ndarray, str, bytes]) -> list[Trace]:
    return [trace_of(picture_from_array(rgb, name), data) for rgb, name, data in pictures]


def test_the_same_scene_a_little_later_is_the_same_burst() -> None:
    scene, other = noise(320, 240, 1), noise(320, 240, 2)
    later = cv2.GaussianBlur(np.roll(scene, 3, axis=1), (5, 5), 0)
    small = cv2.resize(scene, (160, 120), interpolation=cv2.INTER_AREA)
    found = bursts(traces((scene, "a", b""), (other, "b", b""), (later, "c", b""), (small, "d", b"")))
    assert found.tolist() == [0, 1, 0, 0]


def test_one_camera_in_one_minute_is_a_burst() -> None:
    files = [
        photo(1, "2026:05:01 10:31:02"), photo(2, "2026:05:01 10:31:59"), photo(3, "2026:05:01 10:32:00"),
        photo(4, "2026:05:01 10:31:30", camera="Moo 2"), photo(5), photo(6), photo(7, "0000:00:00 00:00:00"),
        photo(8, "0000:00:00 00:00:00"), b"no picture",
    ]  # fmt: skip
    found = bursts(traces(*((noise(160, 120, seed), f"{seed}", data) for seed, data in enumerate(files, 1))))
    assert found.tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 7]


def test_frames_of_one_clip_are_a_burst_and_numbered_photos_are_not() -> None:
    names = ["cows.mp4#30", "cows.MP4#60", "cows.mp4_000090.jpg", "IMG_1234.jpg", "IMG_1235.jpg", "walk_frame_01.png",
             "walk_frame_02.png"]  # fmt: skip
    found = bursts(traces(*((noise(160, 120, seed), name, b"") for seed, name in enumerate(names))))
    assert found.tolist() == [0, 0, 0, 1, 2, 3, 3]
    names = ["frame_0001.jpg", "frame0002.png", "clip_0001.jpg", "clip_0002.jpg", "video-00012.jpg", "DSC0001.jpg",
             "DSC0002.jpg"]  # fmt: skip
    found = bursts(traces(*((noise(160, 120, seed), name, b"") for seed, name in enumerate(names))))
    assert found.tolist() == [0, 0, 1, 1, 2, 3, 4]


def test_what_belongs_to_one_that_belongs_to_a_third_belongs_to_it_too() -> None:
    assert (
        bursts([Trace(0, "m"), Trace(2**40 - 1, "m"), Trace(2**40 - 1, "", "c"), Trace(2**20, "", "c")]).tolist()
        == [0] * 4
    )
    assert bursts([Trace(0), Trace(0b111111), Trace(0b1111111)]).tolist() == [0, 0, 0], (
        "6 bits, and 1 bit from the second"
    )
    assert bursts([Trace(0), Trace(0b1111111)]).tolist() == [0, 1]
    assert bursts([]).tolist() == []


def test_many_pictures_are_compared_in_blocks() -> None:
    looks = np.random.default_rng(0).integers(0, 2**63, 600)
    looks[599], looks[300] = looks[3], looks[3] ^ 1
    found = bursts([Trace(int(one)) for one in looks])
    assert found[3] == found[300] == found[599]
    assert len(set(found.tolist())) == 598


@pytest.mark.parametrize("seed", range(20))
def test_a_burst_is_never_torn_and_the_share_is_about_kept(seed: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 25, 80)
    ids = [f"p{place}" for place in range(80)]
    has_boxes = rng.random(80) < 0.7
    made = split(ids, numbers, has_boxes=has_boxes, share=0.3, seed=seed)
    sides = [{numbers[ids.index(one)] for one in side} for side in (made.train, made.held_out)]
    assert not sides[0] & sides[1]
    assert sorted([*made.train, *made.held_out]) == sorted(ids)
    assert 0.2 < len(made.held_out) / 80 < 0.4
    assert made == split(ids, numbers, has_boxes=has_boxes, share=0.3, seed=seed)


def test_both_sides_have_something_to_learn_and_to_judge_by() -> None:
    ids = [f"p{place}" for place in range(10)]
    for seed in range(10):
        made = split(ids, range(10), has_boxes=[place < 2 for place in range(10)], seed=seed)
        assert {"p0", "p1"} & set(made.train)
        assert {"p0", "p1"} & set(made.held_out)
    assert split(ids, [0] * 10).held_out == (), "one burst cannot be on both sides"
    assert len(split(["a", "b"], [0, 1]).held_out) == 1
    assert split([], []).train == ()


def test_seeds_differ_and_nonsense_is_refused() -> None:
    ids = [f"p{place}" for place in range(30)]
    assert len({split(ids, range(30), seed=seed).held_out for seed in range(5)}) == 5
    for wrong in ({"picture_ids": ["a", "a"], "burst_numbers": [0, 1]}, {"picture_ids": ["a"], "burst_numbers": []},
                  {"picture_ids": ["a"], "burst_numbers": [0], "share": 1.0}):  # fmt: skip
        with pytest.raises(ValueError, match=r"twice|burst numbers|between 0 and 1"):
            split(**wrong)


def test_the_last_stretch_goes_by_numbers_and_leaves_something_to_learn_from() -> None:
    names = ["f10", "f9", "f1", "f2", "f11"]
    looks = [2**40 - 1, 2**20 - 1, 0, 2**60, 2**40 - 2]
    assert last_stretch(names, looks, 0.2) == ([4], [0]), "f11 is held out, and f10 looks like it"
    assert last_stretch(names, [0] * 5, 0.2) == ([], [])
    assert last_stretch(["f1", "f2"], [0, 2**64 - 1], 0.3) == ([1], [])
    assert last_stretch(["f1"], [0], 0.3) == ([], [])
    assert last_stretch(["f1", "f2", "f3"], [0, 2**20 - 1, 2**64 - 1], 0.9) == ([1, 2], []), "never all"
