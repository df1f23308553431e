"""Fetching on the command line: done, refused, offline, stopped; and what the list of models says."""

import hashlib
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cowvision.__main__ import app
from cowvision.models import fetching, published
from cowvision.models.published import PUBLISHED
from tests.models.file_server import FileServer

DATA = bytes(range(256)) * 12_000  # 2.9 MB


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


def test_the_list_offers_all_four_and_keeps_the_embedded_ones_first() -> None:
    lines = run("models").stdout.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["herd-base", "herd-finetuned"]
    assert [line.split()[-1] for line in lines[2:6]] == [model.name for model in PUBLISHED]
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


def test_ctrl_c_keeps_the_part_and_says_how_to_go_on(home) -> None:
    model = PUBLISHED[3]
    part = home / "weights" / f"{model.file_name}.part"
    running = threading.Event()

    def interrupt() -> None:
        while running.is_set() and not (part.exists() and part.stat().st_size > 2 * 1024**2):
            time.sleep(0.01)
        if running.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    with FileServer(bytes(model.size_bytes), pause_seconds=0.005) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv(fetching.WEIGHTS_URL, server.url)
        running.set()
        threading.Thread(target=interrupt).start()
        result = run("fetch", model.name)
        running.clear()
    assert result.exit_code == 130
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("cowvision: coco-mobilenet-320: stopped at ")
    assert line.endswith(f" of 74 MB. Fetch it again to go on from there: `{model.fetch_command}`.")
    assert sorted(path.name for path in part.parent.iterdir()) == [part.name, f"{part.name}.version"]
