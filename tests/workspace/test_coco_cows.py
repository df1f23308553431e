"""COCO's cows from servers that are slow, cut, lie, refuse or are gone, and from archives that are not what they seem.

All of it from a COCO of six pictures that is made here.
"""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cowvision.data.annotations import crowds_of, names_of
from cowvision.errors import AnnotationError, DownloadError, DownloadStopped
from cowvision.models import fetching
from cowvision.models.partial_file import PartialFile
from cowvision.workspace import coco_cows, coco_pictures
from cowvision.workspace.coco_cows import coco_cows as read_cows
from cowvision.workspace.coco_cows import coco_cows_are_there, coco_cows_folder, coco_url, fetch_coco_cows
from tests import tiny_coco
from tests.models.file_server import FileServer
from tests.tiny_coco import ARCHIVE, COWS, COWS_VAL, TRAIN, archive_of, document, jpeg, members

ROOT = Path(__file__).resolve().parents[2]
GOOD = archive_of(members())
WHOLE = sorted([*COWS, *COWS_VAL, "fetched.json", "truth-train.json", "truth-val.json"])
FIRST = f"/{COWS[0]}"


@pytest.fixture(autouse=True)
def tiny(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(fetching, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(coco_pictures, "_PAUSE_SECONDS", 0.0)
    tiny_coco.publish(monkeypatch, GOOD)


@pytest.fixture
def server(monkeypatch):
    with tiny_coco.server_of(GOOD) as running:
        monkeypatch.setenv(coco_cows.COCO_URL, f"{running.url}/")
        yield running


def files() -> list[str]:
    folder = coco_cows_folder()
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def publish(server: FileServer, monkeypatch: pytest.MonkeyPatch, told: dict[str, bytes]) -> None:
    archive = archive_of(told)
    server.files[ARCHIVE].data = archive
    tiny_coco.publish(monkeypatch, archive)


def truth_file(split: str) -> Path:
    return coco_cows_folder() / f"truth-{split}.json"


def test_the_pictures_with_cows_and_no_others_with_progress(server) -> None:
    steps = []
    assert not coco_cows_are_there()
    fetched = fetch_coco_cows(on_progress=lambda *step: steps.append(step))
    assert (fetched.pictures, fetched.missing) == (4, ())
    assert files() == WHOLE, "no archive is left, and no picture without cows came"
    assert coco_cows_are_there()
    assert steps[-1] == (coco_cows.TOTAL_BYTES, coco_cows.TOTAL_BYTES)
    assert {total for _, total in steps} == {coco_cows.TOTAL_BYTES}
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert sorted(server.paths) == sorted([ARCHIVE, *(f"/{place}" for place in COWS + COWS_VAL)])


def test_the_truth_is_that_of_the_animals(server) -> None:
    fetch_coco_cows()
    train, val = read_cows()
    assert [picture.name for picture in train + val] == [place[-16:] for place in COWS + COWS_VAL]
    assert [names_of(picture.truth).tolist() for picture in train] == [["cow", "sheep"], ["cow"], ["cow", "bird"]]
    assert [crowds_of(picture.truth).any() for picture in train] == [False, True, False]
    assert train[0].truth.xyxy.tolist() == [[1, 2, 11.5, 11], [2, 2, 12.5, 11]]
    assert train[0].truth.data["area"].tolist() == [50.5, 50.5]
    assert train[0].picture().resolution_wh == tiny_coco.SIZE_WH
    told = json.loads(truth_file("val").read_bytes())
    assert told["info"]["annotations"] == "COCO Consortium, CC BY 4.0"
    assert told["licenses"] and told["images"][0]["flickr_url"] and told["images"][0]["license"] == 4
    assert "segmentation" not in told["annotations"][0]


def test_before_the_first_fetch_there_is_nothing_and_nobody_is_asked() -> None:
    assert read_cows() == ([], [])
    assert not coco_cows_are_there()
    assert not coco_cows_folder().exists()


def test_what_is_there_is_not_fetched_again(server) -> None:
    fetch_coco_cows()
    server.requests.clear()
    assert fetch_coco_cows().pictures == 4
    assert server.requests == []
    (coco_cows_folder() / COWS[1]).unlink()
    assert len(read_cows()[0]) == 2
    assert fetch_coco_cows().pictures == 4
    assert server.paths == [f"/{COWS[1]}"]


def test_slow_lines_that_break_in_the_archive_and_in_a_picture(server) -> None:
    server.files[ARCHIVE].pause_seconds = 0.01
    server.files[ARCHIVE].cuts = [50_000, 60_000]
    server.files[FIRST].cuts = [100, 300]
    assert fetch_coco_cows() == coco_cows.Fetched(4, ())
    assert files() == WHOLE
    archive = [asked for path, asked in server.requests if path == ARCHIVE]
    assert archive == [None, "bytes=50000-", "bytes=110000-"]
    assert server.paths.count(FIRST) == 3


@pytest.mark.parametrize(
    ("faults", "why", "times"),
    [
        ({"status": 404}, r"answered 404 \(Not Found\)", 1),
        ({"status": 503}, r"answered 503 \(Service Unavailable\)", 3),
        ({"cuts": [100] * 9}, r"the connection broke off \(100 of \d+ bytes came\)", 3),
        ({"told": 500}, r"the connection broke off \(\d+ of \d+ bytes came\)", 3),
        ({"told": -500}, "the picture is damaged or incomplete", 3),
        ({"data": jpeg((30, 40))}, "30 x 40 pixels came, and 40 x 30 were published", 3),
        ({"data": b""}, "the file is empty", 3),
        ({"data": b"<html>log in</html>"}, "not a picture in a known format", 3),
        ({"data": b"<html>log in</html>", "kind": "text/html"}, "a web page came instead of it", 3),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_picture_that_is_wrong_is_named_and_left_out_and_the_others_go_on(server, faults, why, times) -> None:
    for name, value in faults.items():
        setattr(server.files[FIRST], name, value)
    fetched = fetch_coco_cows()
    assert fetched.pictures == 3
    [told] = fetched.missing
    assert told.startswith(f"{COWS[0]}: ")
    assert re.search(why, told), told
    assert server.paths.count(FIRST) == times
    assert files() == sorted({*WHOLE} - {COWS[0]})
    assert [picture.name for picture in read_cows()[0]] == [place[-16:] for place in COWS[1:]]
    server.files[FIRST] = FileServer(jpeg())
    assert fetch_coco_cows() == coco_cows.Fetched(4, ())


def test_a_picture_without_a_length_is_judged_by_itself(server) -> None:
    server.files[FIRST].told = None
    assert fetch_coco_cows().pictures == 4


def test_no_picture_at_all_is_an_error(server) -> None:
    for place in COWS + COWS_VAL:
        server.files[f"/{place}"].status = 404
    with pytest.raises(DownloadError, match=r"coco-cows: no picture came \(train2017/\d{12}\.jpg: answered 404"):
        fetch_coco_cows()
    assert not coco_cows_are_there()


def test_a_server_that_refuses_every_picture_is_not_asked_for_all(server, monkeypatch) -> None:
    many = document(dict.fromkeys(range(1, 1_000), ("cow",)))
    publish(server, monkeypatch, members(many))
    with pytest.raises(DownloadError, match=r"gave none of 25 pictures in a row \(the last: train2017/.*answered 404"):
        fetch_coco_cows()
    assert len(server.requests) < 500


def test_other_annotations_than_published(server) -> None:
    wrong = bytearray(GOOD)
    wrong[1000] ^= 1
    server.files[ARCHIVE].data = bytes(wrong)
    with pytest.raises(DownloadError, match=r"coco-cows: 127.* sent other bytes than were published \(the checksum"):
        fetch_coco_cows()
    assert files() == []
    server.files[ARCHIVE].data = GOOD
    assert fetch_coco_cows().pictures == 4


@pytest.mark.parametrize("told", [-1, 1, 5000])
def test_an_archive_of_another_length_is_refused_at_once(server, told) -> None:
    server.files[ARCHIVE].told = told
    with pytest.raises(DownloadError, match="COWVISION_COCO_URL"):
        fetch_coco_cows()
    assert files() == []


def annotated(**changes) -> dict[str, bytes]:
    return members(document(TRAIN) | changes)


def renamed(file_name: str, number: int = 9) -> dict[str, bytes]:
    told = document(TRAIN)
    told["images"] = [one | ({"file_name": file_name} if one["id"] == number else {}) for one in told["images"]]
    return members(told)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"readme.txt": b"no annotations"}, "no item named 'annotations/instances_train2017.json'"),
        ({f"../../{name}": data for name, data in members().items()}, "no item named"),
        (members(b"{"), "instances_train2017.json cannot be used"),
        (members(json.dumps(document(TRAIN)).encode()[:-300]), "cannot be used"),
        (members(None, b"\xff\xfe\x00"), "instances_val2017.json cannot be used .*decode"),
        (members(b"[" * 100_000), "cannot be used"),
        (members(b'{"annotations": [' + b"[" * 100_000), "recursion"),
        (members([]), "cannot be used"),
        (annotated(images=["x"]), "not an object"),
        (annotated(images=[]), "boxes on a picture 9 that it does not have"),
        (annotated(annotations=[]), "no picture in it has a cow"),
        (annotated(annotations=[{"id": 1}]), "category_id"),
        (annotated(annotations=[{"id": 1, "image_id": 9, "category_id": 21, "bbox": "moo"}]), "not four numbers"),
        (annotated(categories=[{"id": 21, "name": "horse"}]), "its classes are not COCO's"),
        (renamed("../../x.jpg"), r"a picture is called '\.\./\.\./x\.jpg'"),
        (renamed("000000000009.jpg/../../../evil.jpg"), "a picture is called"),
        (renamed("/000000000009.jpg"), "a picture is called"),
        (renamed("٠٠٠٠٠٠٠٠٠٠٠٩.jpg"), "a picture is called"),
        (renamed("000000000009.jpg\n"), "a picture is called"),
    ],
)
def test_an_archive_that_is_not_what_it_seems_leads_nowhere(server, monkeypatch, tmp_path, told, why) -> None:
    publish(server, monkeypatch, told)
    with pytest.raises(DownloadError, match=f"annotations_trainval2017.zip: .*(?i:{why})"):
        fetch_coco_cows()
    assert files() == []
    assert server.paths == [ARCHIVE]
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_an_evil_member_beside_the_good_ones_is_never_unpacked(server, monkeypatch, tmp_path) -> None:
    publish(server, monkeypatch, {"../../evil.txt": b"moo", "/evil.txt": b"moo"} | members())
    assert fetch_coco_cows().pictures == 4
    assert files() == WHOLE
    assert [path for path in tmp_path.rglob("*") if "evil" in path.name] == []


def test_a_strange_name_without_cows_is_of_no_interest(server, monkeypatch) -> None:
    publish(server, monkeypatch, renamed("../../x.jpg", number=30))
    assert fetch_coco_cows().pictures == 4


def test_no_archive_at_all(server, monkeypatch) -> None:
    server.files[ARCHIVE].data = b"moo" * 1000
    tiny_coco.publish(monkeypatch, server.files[ARCHIVE].data)
    with pytest.raises(DownloadError, match="not a zip file"):
        fetch_coco_cows()
    assert files() == []


def test_boxes_without_extent_say_nothing(server, monkeypatch) -> None:
    told = document(TRAIN)
    for place, bbox in enumerate([[5, 5, 0, 3], [5, 5, 3, 0], [5, 5, -1, 4], [5, 5, 1e-30, 4]]):
        told["annotations"].append({"id": 900 + place, "image_id": 9, "category_id": 21, "bbox": bbox})
    publish(server, monkeypatch, members(told))
    fetch_coco_cows()
    assert len(read_cows()[0][0].truth) == 2


def test_the_order_of_the_lists_does_not_matter(server, monkeypatch) -> None:
    publish(server, monkeypatch, members(dict(reversed(document(TRAIN).items()))))
    assert fetch_coco_cows().pictures == 4
    assert len(read_cows()[0]) == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda told: json.dumps(told).encode()[:-100],
        lambda told: json.dumps(told | {"images": []}).encode(),
        lambda told: json.dumps(told | {"categories": None}).encode(),
        lambda told: json.dumps(told | {"annotations": [{"image_id": 9}]}).encode(),
        lambda told: json.dumps(told).replace("[1.0, 2.0, 10.5, 9.0]", "[1, 2, 0, 9]").encode(),
        lambda told: json.dumps(told).replace("000000000009.jpg", "../../secret.jpg").encode(),
    ],
)
def test_a_damaged_truth_file_is_said_and_mended_by_the_next_fetch(server, damage) -> None:
    fetch_coco_cows()
    whole = truth_file("train").read_bytes()
    truth_file("train").write_bytes(damage(json.loads(whole)))
    with pytest.raises(AnnotationError, match=r"truth-train\.json: it is damaged .*fetch coco-cows"):
        read_cows()
    server.requests.clear()
    assert fetch_coco_cows().pictures == 4
    assert server.paths == [ARCHIVE], "the pictures are still good"
    assert truth_file("train").read_bytes() == whole


def test_stopped_in_the_archive_then_in_the_pictures_then_done(server) -> None:
    done = []
    server.files[ARCHIVE].pause_seconds = 0.05

    def go(past: int) -> None:
        done[:] = [0]
        fetch_coco_cows(on_progress=lambda now, _: done.append(now), should_stop=lambda: done[-1] > past)

    with pytest.raises(DownloadStopped, match=r"coco-cows: stopped at 0 of 0 MB\. .*python -m cowvision fetch coco-c"):
        go(40_000)
    [part] = [name for name in files() if name.endswith(".part")]
    kept = (coco_cows_folder() / part).stat().st_size
    assert 40_000 < kept < 150_000
    server.files[ARCHIVE].pause_seconds = 0
    server.files[FIRST].wait_seconds = 0.4
    with pytest.raises(DownloadStopped) as stopped:
        go(len(GOOD))
    assert server.requests[1] == (ARCHIVE, f"bytes={kept}-")
    assert stopped.value.bytes_total == coco_cows.TOTAL_BYTES
    assert stopped.value.bytes_done > len(GOOD)
    assert not coco_cows_are_there()
    there = [name for name in files() if name.endswith(".jpg")]
    assert there and COWS[0] not in there, "the one that was still awaited was let go"
    server.requests.clear()
    assert fetch_coco_cows().pictures == 4
    assert sorted(server.paths) == sorted(f"/{place}" for place in COWS + COWS_VAL if place not in there)


def test_stopped_while_the_archive_is_read(server, monkeypatch) -> None:
    monkeypatch.setattr(coco_cows, "_ENTRIES_A_TURN", 5)
    done = []
    with pytest.raises(DownloadStopped):
        fetch_coco_cows(on_progress=lambda now, _: done.append(now), should_stop=lambda: done[-2:] == [len(GOOD)] * 2)
    assert files() == ["annotations_trainval2017.zip"]
    assert fetch_coco_cows().pictures == 4
    assert server.paths.count(ARCHIVE) == 1
    assert files() == WHOLE


def test_stopping_at_once_asks_nobody(server) -> None:
    with pytest.raises(DownloadStopped):
        fetch_coco_cows(should_stop=lambda: True)
    assert server.requests == []


def test_a_stop_does_not_wait_for_slow_pictures(server) -> None:
    for place in COWS + COWS_VAL:
        server.files[f"/{place}"].data = jpeg((1200, 900))
        server.files[f"/{place}"].pause_seconds = 0.2
    asked = time.monotonic() + 0.6
    with pytest.raises(DownloadStopped):
        fetch_coco_cows(should_stop=lambda: time.monotonic() > asked)
    assert time.monotonic() - asked < 5, "all of them would take a quarter of a minute"
    assert not [name for name in files() if name.endswith(".jpg")]


def test_a_silent_picture_is_not_waited_for_for_ever(server, monkeypatch) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.5)
    server.files[FIRST].data = jpeg((400, 300))
    server.files[FIRST].pause_seconds = 30
    started = time.monotonic()
    assert any(told.startswith(f"{COWS[0]}: the connection broke off") for told in fetch_coco_cows().missing)
    assert time.monotonic() - started < 15


def test_offline_before_anything() -> None:
    with FileServer(b"") as gone:
        url = gone.url
    with pytest.raises(DownloadError, match=r"coco-cows: 127.* cannot be reached \(Connection refused\); this machine"):
        fetch_coco_cows(base_url=url)


def test_offline_in_the_middle_keeps_what_came(server) -> None:
    fetch_coco_cows()
    (coco_cows_folder() / COWS[0]).unlink()
    with FileServer(b"") as gone:
        url = gone.url
    with pytest.raises(DownloadError, match=r"cannot be reached .*; what came is kept"):
        fetch_coco_cows(base_url=url)
    assert len(read_cows()[0]) == 2
    assert fetch_coco_cows().pictures == 4


def test_no_space_is_said_before(server, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1024**2))
    with pytest.raises(DownloadError, match=r"home/coco-cows: 32 MB are needed and 1 MB are free"):
        fetch_coco_cows()
    assert server.requests == []


@pytest.mark.parametrize("where", ["archive", "truth", "picture"])
def test_a_disk_that_fills_up_meanwhile_is_one_sentence_and_mended_later(server, where) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        owner, name = {
            "archive": (PartialFile, "finish"),
            "truth": (coco_cows, "write_atomically"),
            "picture": (coco_pictures, "write_atomically"),
        }[where]
        patch.setattr(owner, name, full)
        with pytest.raises(DownloadError, match=r"home/coco-cows: No space left on device\. Free some space"):
            fetch_coco_cows()
    assert not coco_cows_are_there()
    assert fetch_coco_cows().pictures == 4
    assert files() == WHOLE
    assert server.paths.count(ARCHIVE) == 1


def test_a_home_that_cannot_be_written(server, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "file"))
    with pytest.raises(DownloadError, match="COWVISION_HOME"):
        fetch_coco_cows()


@pytest.mark.parametrize("base", ["file:///etc", "ftp://127.0.0.1", "coco", "http://a b"])
def test_only_web_addresses(base) -> None:
    with pytest.raises(DownloadError, match=r"http and https addresses only\. Set COWVISION_COCO_URL"):
        fetch_coco_cows(base_url=base)


def test_a_redirect_of_a_picture_leads_nowhere_else(server) -> None:
    server.files[FIRST].location = "file:///etc/hostname"
    assert "answered 302" in fetch_coco_cows().missing[0]
    server.files[FIRST].location = "ftp://127.0.0.1/moo.jpg"
    with pytest.raises(DownloadError, match=r"http and https addresses only"):
        fetch_coco_cows()


def test_where_coco_lies(monkeypatch) -> None:
    assert coco_url() == "http://images.cocodataset.org"
    monkeypatch.setenv(coco_cows.COCO_URL, "https://mirror.invalid/coco/")
    assert coco_url() == "https://mirror.invalid/coco"
    assert coco_url("http://nearer.invalid") == "http://nearer.invalid"


def test_two_at_once(server) -> None:
    server.files[ARCHIVE].pause_seconds = 0.02
    begun, results = threading.Event(), []
    first = threading.Thread(target=lambda: results.append(fetch_coco_cows(on_progress=lambda *_: begun.set())))
    first.start()
    assert begun.wait(5)
    with pytest.raises(DownloadError, match="it is being fetched already"):
        fetch_coco_cows()
    first.join(20)
    assert results[0].pictures == 4
    assert files() == WHOLE


def test_what_a_killed_one_left_half_written_is_removed_once_it_is_old(server) -> None:
    fetch_coco_cows()
    folder = coco_cows_folder() / "train2017"
    old, young = folder / ".000000000009.jpg.1.2", folder / ".000000000025.jpg.3.4"
    for left in (old, young):
        left.write_bytes(b"half")
    os.utime(old, (0, 0))
    fetch_coco_cows()
    assert (old.exists(), young.exists()) == (False, True)


CHILD = """
import sys
from cowvision.workspace import coco_cows
coco_cows.ARCHIVE_BYTES, coco_cows.ARCHIVE_SHA256, coco_cows.TOTAL_BYTES = int(sys.argv[1]), sys.argv[2], 4000
coco_cows._PICTURE_BYTES = coco_cows._ALL_PICTURES_BYTES = 1000
coco_cows.fetch_coco_cows()
"""


@pytest.mark.parametrize("seconds", np.linspace(0.02, 0.9, 6).round(2))
def test_killed_at_any_moment_and_fetched_again(server, seconds) -> None:
    server.files[ARCHIVE].pause_seconds = 0.02
    for place in COWS + COWS_VAL:
        server.files[f"/{place}"].wait_seconds = 0.2
    told = [sys.executable, "-c", CHILD, str(len(GOOD)), coco_cows.ARCHIVE_SHA256]
    child = subprocess.Popen(told, cwd=ROOT, start_new_session=True)
    until = time.monotonic() + 30
    while not server.requests and time.monotonic() < until:
        time.sleep(0.005)
    time.sleep(seconds)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    train, val = read_cows()
    assert all(picture.picture().resolution_wh == tiny_coco.SIZE_WH for picture in train + val)
    server.files[ARCHIVE].pause_seconds = 0
    assert fetch_coco_cows().pictures == 4
    assert {*WHOLE} <= {*files()}
    assert not [name for name in files() if "zip" in name]
