"""Fetching from servers that are slow, cut the line, lie, refuse, change the file, or are not there at all."""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cowvision.errors import DownloadError, DownloadStopped
from cowvision.models import fetching
from cowvision.models.fetching import fetch, source_url
from cowvision.models.published import PublishedModel
from tests.models.file_server import PARCEL, FileServer

DATA = np.random.default_rng(0).bytes(600_000)
OTHER = np.random.default_rng(1).bytes(len(DATA))


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.25)
    monkeypatch.setattr(fetching, "_PAUSE_SECONDS", 0.0)
    monkeypatch.delenv(fetching.WEIGHTS_URL, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server():
    with FileServer(DATA) as running:
        yield running


def model_at(url: str, data: bytes = DATA) -> PublishedModel:
    digest = hashlib.sha256(data).hexdigest()
    return PublishedModel("moo", "Moo", "any", f"{url}/files/moo.pth", len(data) / 1024**2, digest[:8], 0.5)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def part_of(folder: Path, data: bytes, version: str = "") -> None:
    (folder / "moo.pth.part").write_bytes(data)
    if version:
        (folder / "moo.pth.part.version").write_text(version)


def assert_whole(path: Path, folder: Path) -> None:
    assert path == folder / "moo.pth"
    assert path.read_bytes() == DATA
    assert files_in(folder) == ["moo.pth"], "nothing is left beside it"


def test_a_whole_file_with_progress(server, tmp_path) -> None:
    seen = []
    path = fetch(model_at(server.url), tmp_path / "new" / "folder", on_progress=lambda *step: seen.append(step))
    assert_whole(path, tmp_path / "new" / "folder")
    assert (seen[0], seen[-1]) == ((0, len(DATA)), (len(DATA), len(DATA)))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert server.requests == [("/files/moo.pth", None)]


def test_what_is_there_and_whole_is_not_asked_for_again(server, tmp_path) -> None:
    (tmp_path / "moo.pth").write_bytes(DATA)
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)
    assert_whole(fetch(model_at("no address"), tmp_path), tmp_path)
    assert server.requests == []
    (tmp_path / "moo.pth").write_bytes(OTHER)
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)


def test_a_cut_line_is_taken_up_where_it_broke(server, tmp_path) -> None:
    server.cuts = [200_000, 100_000]
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)
    assert server.ranges == [None, "bytes=200000-", "bytes=300000-"]


def test_a_line_that_brings_nothing_more_is_given_up_and_taken_up_later(server, tmp_path) -> None:
    server.cuts = [200_000, 0, 0]
    with pytest.raises(DownloadError, match=r"moo: the connection to 127\.0\.0\.1:\d+ broke off; 0 of 1 MB are kept"):
        fetch(model_at(server.url), tmp_path)
    assert len(server.requests) == 2
    assert (tmp_path / "moo.pth.part").read_bytes() == DATA[:200_000]
    server.cuts = []
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)
    assert server.ranges[-1] == "bytes=200000-"


def test_a_line_that_breaks_again_and_again_is_not_tried_for_ever(server, tmp_path) -> None:
    server.cuts = [1000] * 100
    with pytest.raises(DownloadError, match="broke off"):
        fetch(model_at(server.url), tmp_path)
    assert len(server.requests) == 5


def test_a_slow_server_is_waited_for_as_long_as_it_stirs(server, tmp_path) -> None:
    server.pause_seconds = 0.02  # 37 parcels take longer than the time allowed for silence
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)
    assert len(server.requests) == 1


def test_a_silent_server_is_not(server, tmp_path) -> None:
    server.pause_seconds = 30
    started = time.monotonic()
    with pytest.raises(DownloadError, match="broke off"):
        fetch(model_at(server.url), tmp_path)
    assert time.monotonic() - started < 5
    assert (tmp_path / "moo.pth.part").stat().st_size % PARCEL == 0


def test_stopping_keeps_what_came_and_the_next_one_goes_on(server, tmp_path) -> None:
    server.pause_seconds = 0.05
    done = []
    started = time.monotonic()
    with pytest.raises(
        DownloadStopped, match=r"moo: stopped at 0 of 1 MB\. .*python -m cowvision fetch moo"
    ) as stopped:
        fetch(
            model_at(server.url),
            tmp_path,
            on_progress=lambda now, _: done.append(now),
            should_stop=lambda: bool(done) and done[-1] > 50_000,
        )
    assert time.monotonic() - started < 1, "a slow server must not hold up the one who stops"
    assert 50_000 < stopped.value.bytes_done == (tmp_path / "moo.pth.part").stat().st_size < 150_000
    assert stopped.value.bytes_total == len(DATA)
    server.pause_seconds = 0
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)
    assert server.ranges == [None, f"bytes={stopped.value.bytes_done}-"]


def test_stopping_at_once_asks_nobody(server, tmp_path) -> None:
    with pytest.raises(DownloadStopped):
        fetch(model_at(server.url), tmp_path, should_stop=lambda: True)
    assert server.requests == []


@pytest.mark.parametrize("told", [500, None], ids=["too long", "none"])
def test_a_length_that_is_a_little_wrong_or_missing_does_no_harm(server, tmp_path, told) -> None:
    server.told = told
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)


def test_no_length_and_a_cut_line(server, tmp_path) -> None:
    server.told, server.cuts = None, [200_000]
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)


def test_a_length_that_is_too_short_is_found_out(server, tmp_path) -> None:
    server.told = -500
    with pytest.raises(DownloadError, match="other bytes than were published"):
        fetch(model_at(server.url), tmp_path)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("told", [-400_000, 400_000])
def test_a_length_far_from_the_published_one_is_refused_before_anything_is_lost(server, tmp_path, told) -> None:
    part_of(tmp_path, DATA[:1000], '"old"')  # of another version, so that the server begins again
    server.told = told
    with pytest.raises(DownloadError, match=r"offers \d\.\d+ MB, and 0\.572 MB were published.*login page"):
        fetch(model_at(server.url), tmp_path)
    assert (tmp_path / "moo.pth.part").read_bytes() == DATA[:1000]


def test_a_login_page_is_not_taken_for_weights(server, tmp_path) -> None:
    part_of(tmp_path, DATA[:1000])
    server.knows_ranges, server.kind, server.told, server.data = False, "text/html; charset=utf-8", None, b"log in"
    with pytest.raises(DownloadError, match=r"sent a web page instead of the file.*login page"):
        fetch(model_at(server.url), tmp_path)
    assert (tmp_path / "moo.pth.part").read_bytes() == DATA[:1000]


def test_a_server_that_says_a_new_part_is_too_long(server, tmp_path) -> None:
    part_of(tmp_path, DATA[:1000])
    server.status = 416
    with pytest.raises(DownloadError, match="answered 416"):
        fetch(model_at(server.url), tmp_path)
    assert server.ranges == ["bytes=1000-", None]


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_refusal_is_told_with_its_number_and_not_repeated(server, tmp_path, status) -> None:
    part_of(tmp_path, DATA[:1000])
    server.status = status
    with pytest.raises(DownloadError, match=rf"moo: 127\.0\.0\.1:\d+ answered {status} \(.*COWVISION_WEIGHTS_URL"):
        fetch(model_at(server.url), tmp_path)
    assert len(server.requests) == 1
    assert files_in(tmp_path) == ["moo.pth.part"]


def test_wrong_bytes_are_removed(server, tmp_path) -> None:
    server.data = OTHER
    with pytest.raises(DownloadError, match="the checksum differs"):
        fetch(model_at(server.url), tmp_path)
    assert files_in(tmp_path) == []


def test_a_server_that_knows_no_ranges_begins_again(server, tmp_path) -> None:
    server.knows_ranges, server.cuts = False, [200_000]
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)
    assert server.ranges == [None, "bytes=200000-"]


@pytest.mark.parametrize("heeds", [True, False], ids=["server heeds If-Range", "server ignores it"])
def test_a_file_that_changed_meanwhile_is_not_glued_to_the_old_one(server, tmp_path, heeds) -> None:
    part_of(tmp_path, OTHER[:200_000], '"v0"')
    server.heeds_if_range = heeds
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)
    assert server.ranges == ["bytes=200000-"] + [None] * (not heeds)


def test_glued_all_the_same_where_nobody_names_versions_it_is_found_out(server, tmp_path) -> None:
    server.tag = ""
    part_of(tmp_path, OTHER[:200_000])
    with pytest.raises(DownloadError, match="the checksum differs"):
        fetch(model_at(server.url), tmp_path)
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)


def test_another_part_than_was_asked_for_is_not_taken(server, tmp_path) -> None:
    part_of(tmp_path, DATA[:200_000])
    server.shift = 7
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)
    assert server.ranges == ["bytes=200000-", None]


@pytest.mark.parametrize("part", [DATA, DATA + b"more", OTHER], ids=["whole", "too long", "wrong"])
def test_a_part_as_long_as_the_file(server, tmp_path, part) -> None:
    part_of(tmp_path, part)
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)
    assert server.ranges == ([] if part == DATA else [f"bytes={len(part)}-", None])


def test_offline_says_so_and_what_still_works(tmp_path) -> None:
    with FileServer(DATA) as gone:
        url = gone.url
    part_of(tmp_path, DATA)
    wish = model_at(url, DATA * 2)
    with pytest.raises(
        DownloadError, match=r"cannot be reached \(Connection refused\); this machine may be offline"
    ) as e:
        fetch(wish, tmp_path)
    assert "meanwhile the embedded models work; 1 of 1 MB are kept" in str(e.value)
    assert "Connect to the internet" in e.value.remedy


def test_two_at_once(server, tmp_path) -> None:
    server.pause_seconds = 0.01
    begun, paths = threading.Event(), []
    wish = model_at(server.url)
    first = threading.Thread(target=lambda: paths.append(fetch(wish, tmp_path, on_progress=lambda *_: begun.set())))
    first.start()
    assert begun.wait(5)
    with pytest.raises(DownloadError, match=r"moo\.pth: it is being fetched already"):
        fetch(wish, tmp_path)
    first.join(10)
    assert_whole(paths[0], tmp_path)


def test_the_lock_of_one_that_died_does_not_last(server, tmp_path) -> None:
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    (tmp_path / "moo.pth.lock").write_text(str(died.pid))
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)


@pytest.mark.parametrize("owner", ["", str(os.getpid())], ids=["not yet written", "a number used again"])
def test_a_lock_is_honoured_until_it_is_long_silent(server, tmp_path, owner) -> None:
    lock = tmp_path / "moo.pth.lock"
    lock.write_text(owner)
    with pytest.raises(DownloadError, match="being fetched already"):
        fetch(model_at(server.url), tmp_path)
    assert lock.exists()
    long_ago = time.time() - 1000
    os.utime(lock, (long_ago, long_ago))
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)


def test_a_folder_that_cannot_be_made(server, tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match=r"file/weights: Not a directory\. .*COWVISION_HOME"):
        fetch(model_at(server.url), tmp_path / "file" / "weights")
    assert server.requests == []


def test_a_full_disk_is_noticed_before(server, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1024**2))
    with pytest.raises(DownloadError, match="33 MB are needed and 1 MB are free"):
        fetch(model_at(server.url), tmp_path)
    assert server.requests == []


@pytest.mark.parametrize(
    "base", ["file:///etc", "ftp://127.0.0.1", "http://", "weights", "http://host:x", "http://a b"]
)
def test_only_web_addresses(tmp_path, base) -> None:
    with pytest.raises(DownloadError, match="http and https addresses only"):
        fetch(model_at("http://127.0.0.1"), tmp_path, base_url=base)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("location", ["file:///etc/hostname", "ftp://127.0.0.1/moo.pth"])
def test_a_redirect_leads_nowhere_else(server, tmp_path, location) -> None:
    server.location = location
    with pytest.raises(DownloadError, match=r"http and https addresses only|answered 302"):
        fetch(model_at(server.url), tmp_path)
    assert files_in(tmp_path) == []


def test_a_redirect_within_the_web_is_followed_with_the_range(server, tmp_path) -> None:
    part_of(tmp_path, DATA[:1000], server.tag)
    server.location = f"{server.url}/moved"
    assert_whole(fetch(model_at(server.url), tmp_path), tmp_path)
    assert server.requests[-1] == ("/moved", "bytes=1000-")


def test_a_mirror_stands_in_for_all_before_the_file_name(server, tmp_path, monkeypatch) -> None:
    wish = model_at("http://authors.invalid")
    monkeypatch.setenv(fetching.WEIGHTS_URL, f"{server.url}/mirror/")
    assert_whole(fetch(wish, tmp_path), tmp_path)
    assert server.requests == [("/mirror/moo.pth", None)]
    assert source_url(wish, "https://nearer.invalid/a") == "https://nearer.invalid/a/moo.pth"
    monkeypatch.delenv(fetching.WEIGHTS_URL)
    assert source_url(wish) == wish.url
