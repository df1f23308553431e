"""Fetching on the command line: done, refused, offline, stopped; and what the list of models says."""

import hashlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cowvision.__main__ import app
from cowvision.models import fetching, published
from cowvision.models.published import PUBLISHED, published_models
from cowvision.workspace import coco_cows, coco_pictures, files, job_process
from cowvision.workspace.job_log import events
from cowvision.workspace.jobs import Job, JobState, again, ask_to_stop, read_job, submit, tend
from cowvision.workspace.store import Store
from tests import tiny_coco
from tests.models.file_server import FileServer

ROOT = Path(__file__).resolve().parents[1]
DATA = bytes(range(256)) * 12_000  # 2.9 MB
COCO = tiny_coco.archive_of(tiny_coco.members())


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    monkeypatch.setenv("COWVISION_DEVICE", "cpu")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path


@pytest.fixture
def server(monkeypatch):
    """A mirror; `coco-mobilenet` is a small file there."""
    told = replace(PUBLISHED[2], size_mib=len(DATA) / 1024**2, sha256_prefix=hashlib.sha256(DATA).hexdigest()[:8])
    monkeypatch.setattr(published, "PUBLISHED", (*PUBLISHED[:2], told, PUBLISHED[3]))
    with FileServer(DATA) as running:
        monkeypatch.setenv(fetching.WEIGHTS_URL, running.url)
        yield running


@pytest.fixture
def coco(monkeypatch):
    """A mirror of a COCO of six pictures, four of them with cows."""
    monkeypatch.setattr(coco_pictures, "_PAUSE_SECONDS", 0.0)
    tiny_coco.publish(monkeypatch, COCO)
    with tiny_coco.server_of(COCO) as running:
        monkeypatch.setenv(coco_cows.COCO_URL, running.url)
        yield running


@pytest.fixture
def ctrl_c():
    """Presses Ctrl-C as soon as something is so; also where the tests run in the background, which ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = threading.Event()
    running.set()

    def press(when: Callable[[], bool]) -> None:
        while running.is_set() and not when():
            time.sleep(0.01)
        if running.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    def begin(when: Callable[[], bool]) -> threading.Event:
        threading.Thread(target=press, args=(when,)).start()
        return running

    yield begin
    running.clear()
    signal.signal(signal.SIGINT, before)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def one_line(result: Result) -> str:
    [line] = result.stderr.strip().splitlines()
    assert (result.exit_code, line[:11]) == (2, "cowvision: ")
    return line


def test_fetch_and_the_list_before_and_after(server, home) -> None:
    before = run("models").stdout.splitlines()
    [offer] = [line for line in before if line.startswith("coco-mobilenet ")]
    assert offer.endswith("not downloaded, 3 MB: python -m cowvision fetch coco-mobilenet")
    assert "mAP 0.328 on COCO val2017 as published, not measured here" in offer
    result = run("fetch", "coco-mobilenet")
    path = home / "weights" / PUBLISHED[2].file_name
    assert (result.exit_code, result.stderr, result.stdout) == (0, "", f"coco-mobilenet is ready: {path}\n")
    assert path.read_bytes() == DATA
    [line] = [line for line in run("models").stdout.splitlines() if line.startswith("coco-mobilenet ")]
    assert "as published, not measured here" in line
    assert "download" not in line
    assert run("fetch", "coco-mobilenet").exit_code == 0
    assert len(server.requests) == 1, "what is there is not fetched again"


def test_the_list_offers_all_six_and_keeps_the_embedded_ones_first() -> None:
    lines = run("models").stdout.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["herd-base", "herd-finetuned"]
    assert [line.split()[-1] for line in lines[2 : 2 + len(published_models())]] == [
        model.name for model in published_models()
    ]
    assert "not downloaded, 160 MB: python -m cowvision fetch coco-r50" in lines[2]


def test_refusals_are_one_line(server) -> None:
    assert "herd-base: no published model of that name. Published models: coco-r50," in one_line(
        run("fetch", "herd-base")
    )
    server.status = 404
    assert "answered 404" in one_line(run("fetch", "coco-mobilenet"))
    assert "fetch coco-mobilenet" in one_line(run("detect", "assets", "--model", "coco-mobilenet"))


def test_offline_is_one_line(monkeypatch) -> None:
    with FileServer(b"") as gone:
        monkeypatch.setenv(fetching.WEIGHTS_URL, gone.url)
    line = one_line(run("fetch", "coco-r50"))
    assert "this machine may be offline" in line
    assert "the embedded models work" in line


def test_ctrl_c_keeps_the_part_and_says_how_to_go_on(home, ctrl_c) -> None:
    model = PUBLISHED[3]
    part = home / "weights" / f"{model.file_name}.part"
    with FileServer(bytes(model.size_bytes), pause_seconds=0.05) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv(fetching.WEIGHTS_URL, server.url)  # all of it would take four minutes
        running = ctrl_c(lambda: part.exists() and part.stat().st_size > 100_000)
        result = run("fetch", model.name)
        running.clear()
    assert result.exit_code == 130
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("cowvision: coco-mobilenet-320: stopped at ")
    assert line.endswith(f" of 74 MB. Fetch it again to go on from there: `{model.fetch_command}`.")
    assert sorted(path.name for path in part.parent.iterdir()) == [part.name, f"{part.name}.version"]


def test_cows_of_coco_and_no_word_of_them_among_the_models(coco, home) -> None:
    result = run("fetch", "coco-cows")
    assert (result.exit_code, result.stderr) == (0, "")
    ready, licences = result.stdout.splitlines()
    assert ready == f"coco-cows is ready: 4 pictures in {home / 'coco-cows'}"
    assert "CC BY 4.0" in licences and "Flickr" in licences
    assert "coco-cows" not in run("models").stdout
    assert "coco-cows" in run("fetch", "--help").stdout
    assert one_line(run("fetch", "cows")).endswith("Published pictures: coco-cows.")
    assert not files.store_path().exists(), "a person's own command needs no workspace"


def test_pictures_left_out_are_named_and_the_rest_is_ready(coco, monkeypatch) -> None:
    monkeypatch.setattr("cowvision.commands.fetch._MOST_NAMED", 1)
    for place in tiny_coco.COWS[:2]:
        coco.files[f"/{place}"].status = 404
    result = run("fetch", "coco-cows")
    assert (result.exit_code, result.stdout.splitlines()[0][:31]) == (0, "coco-cows is ready: 2 pictures ")
    named, more = result.stderr.splitlines()
    assert named.startswith("cowvision: left out: train2017/0000000000")
    assert named.endswith(".jpg: answered 404 (Not Found).")
    assert more == "cowvision: left out: 1 more. Fetch again to try them again."


def test_cows_of_coco_refused_or_offline_is_one_line(coco, monkeypatch) -> None:
    coco.files[tiny_coco.ARCHIVE].status = 403
    assert "coco-cows: 127.0.0.1" in one_line(run("fetch", "coco-cows"))
    with FileServer(b"") as gone:
        monkeypatch.setenv(coco_cows.COCO_URL, gone.url)
    assert "this machine may be offline" in one_line(run("fetch", "coco-cows"))


@pytest.mark.parametrize("where", ["archive", "pictures"])
def test_ctrl_c_keeps_what_came_of_the_cows(coco, home, ctrl_c, where) -> None:
    folder, first = home / "coco-cows", coco.files[f"/{tiny_coco.COWS[0]}"]
    if where == "archive":
        coco.files[tiny_coco.ARCHIVE].pause_seconds = 0.5
        running = ctrl_c(lambda: any(part.stat().st_size > 20_000 for part in folder.glob("*.part")))
    else:
        first.wait_seconds = 3
        running = ctrl_c(lambda: any(folder.glob("*/*.jpg")))
    result = run("fetch", "coco-cows")
    running.clear()
    assert result.exit_code == 130
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("cowvision: coco-cows: stopped at 0 of 0 MB. Fetch it again to go on from there")
    coco.files[tiny_coco.ARCHIVE].pause_seconds = first.wait_seconds = 0
    assert run("fetch", "coco-cows").exit_code == 0
    asked = [told for path, told in coco.requests if path == tiny_coco.ARCHIVE]
    assert len(asked) == (2 if where == "archive" else 1)
    assert where == "pictures" or asked[1].startswith("bytes=")


def over(store: Store, job: Job) -> Job:
    until = time.monotonic() + 60
    while time.monotonic() < until and not read_job(store, job.job_id).state.is_over:
        tend(store)
        time.sleep(0.05)
    return read_job(store, job.job_id)


def test_cows_of_coco_as_a_job_that_is_stopped_and_goes_on(coco, home, monkeypatch, tmp_path_factory) -> None:
    script = tmp_path_factory.mktemp("job") / "cowvision_job.py"
    told = {name: getattr(coco_cows, name) for name in ("ARCHIVE_BYTES", "ARCHIVE_SHA256", "TOTAL_BYTES")}
    script.write_text(
        "from cowvision.__main__ import app\nfrom cowvision.workspace import coco_cows\n"
        f"vars(coco_cows).update({told!r}, _PICTURE_BYTES=1000, _ALL_PICTURES_BYTES=4000)\napp()\n"
    )
    monkeypatch.setattr(job_process, "PROGRAM", (sys.executable, str(script)))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    coco.files[tiny_coco.ARCHIVE].pause_seconds = 0.3
    store = Store(files.store_path())
    job = submit(store, "fetch", "COCO's cows", ["fetch", "coco-cows"])
    until = time.monotonic() + 60
    while time.monotonic() < until and not events(job.job_id):
        time.sleep(0.02)
    ask_to_stop(store, job.job_id)
    assert over(store, job).state is JobState.STOPPED
    coco.files[tiny_coco.ARCHIVE].pause_seconds = 0
    done = over(store, again(store, job.job_id))
    assert (done.state, done.result) == (JobState.DONE, {"pictures": 4, "missing": []})
    assert {event["total"] for event in events(job.job_id)} == {coco_cows.TOTAL_BYTES}
    assert events(job.job_id)[-1]["done"] == coco_cows.TOTAL_BYTES
    assert [told for path, told in coco.requests if path == tiny_coco.ARCHIVE][1].startswith("bytes=")
