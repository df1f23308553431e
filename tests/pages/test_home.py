"""The Home page as a visitor meets it, without a browser."""

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cowvision.errors import WorkspaceError
from cowvision.models.catalog import downloads_folder
from cowvision.models.published import published_models
from cowvision.workspace import jobs
from cowvision.workspace.files import store_path
from cowvision.workspace.job_log import append_event
from cowvision.workspace.store import Store
from tests.pages.driving import run, words

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(page, monkeypatch) -> AppTest:
    """The page with the invented stills and models of Detect's tests."""
    monkeypatch.setattr("cowvision.models.catalog.downloaded_models", list)
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)  # links need the router's list of pages


def test_it_compares_both_models_on_the_shipped_picture(home, stills, fake_boxes, monkeypatch) -> None:
    for file in stills.glob("many.*"):
        file.rename(stills / f"many_cows{file.suffix}")
    truth = (stills / "truth.json").read_text().replace('"many.jpg"', '"many_cows.jpg"')
    (stills / "truth.json").write_text(truth)
    run(home)
    assert "3 cows can be seen in truth" in words(home)
    assert [box.seen for box in fake_boxes.values()] == [["many_cows.jpg"]] * 2


def test_without_the_shipped_picture_the_page_is_there_all_the_same(home) -> None:
    run(home)
    assert "missing here" in words(home)
    assert "story in seven steps" in words(home)


def test_each_published_model_is_offered_with_its_size_and_its_published_figure(home) -> None:
    run(home)
    labels = [button.label for button in home.button]
    for model in published_models():
        assert f"Get it ({model.size_mib:.0f} MB)" in labels
        assert f"mAP {model.published_map:.3f} on COCO val2017 as published, not measured here" in words(home)


def test_a_downloaded_model_is_offered_no_more(home, monkeypatch) -> None:
    there = published_models()[0]
    monkeypatch.setattr("cowvision.models.catalog.downloaded_models", lambda: [there])
    run(home)
    assert f"get_{there.name}" not in [button.key for button in home.button]


def ended(state: str, problem: str = "") -> None:
    with Store(store_path()).transaction() as connection:
        connection.execute("UPDATE jobs SET state = ?, problem = ?", (state, problem))


def test_a_press_fetches_as_a_job_that_is_watched_and_stopped(home, begun) -> None:
    run(home)
    home.button(key="get_coco-r50").click()
    run(home)
    assert begun == [("fetch", "coco-r50")]
    [job] = jobs.all_jobs(Store(store_path()), "fetch")
    append_event(job.job_id, {"done": 50 * 1024**2, "total": 160 * 1024**2})
    run(home)
    assert home.get("progress")[0].proto.text == "50 of 160 MB"
    home.button(key="stop_coco-r50").click()
    run(home)
    assert jobs.read_job(Store(store_path()), job.job_id).stop_asked_at is not None
    assert home.button(key="stop_coco-r50").disabled


def test_a_failure_is_told_with_its_remedy_and_pressed_again(home, begun) -> None:
    run(home)
    home.button(key="get_coco-r50").click()
    run(home)
    ended("failed", "coco-r50: the server cannot be reached. Try again when there is a network.")
    run(home)
    assert "Try again when there is a network. Press Try again" in words(home).replace("\\", "")
    assert home.button(key="get_coco-r50").label == "Try again"
    home.button(key="get_coco-r50").click()
    run(home)
    assert begun == [("fetch", "coco-r50")] * 2
    assert len(jobs.all_jobs(Store(store_path()), "fetch")) == 1


def test_a_stopped_download_says_that_it_can_go_on(home, begun) -> None:
    run(home)
    home.button(key="get_coco-mobilenet").click()
    run(home)
    ended("stopped")
    run(home)
    assert "Nothing came" in words(home)
    model = next(one for one in published_models() if one.name == "coco-mobilenet")
    downloads_folder().mkdir(parents=True)
    (downloads_folder() / f"{model.file_name}.part").write_bytes(b"x" * 1024**2)
    run(home)
    assert "a press goes on from there" in words(home)
    assert home.button(key="get_coco-mobilenet").label == f"Go on: 1 of {model.size_mib:.0f} MB"
    assert not home.error


def test_what_cannot_be_begun_is_told_where_it_was_pressed(home, begun, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise WorkspaceError("workspace", "the disk is full", "Free some space")

    run(home)
    monkeypatch.setattr("cowvision.ui.fetches.submit", full)
    home.button(key="get_coco-r50").click()
    run(home)
    assert "the disk is full" in words(home)
    run(home)
    assert "the disk is full" not in words(home)


def test_a_part_that_is_there_already_is_offered_to_go_on(home) -> None:
    model = published_models()[0]
    downloads_folder().mkdir(parents=True)
    (downloads_folder() / f"{model.file_name}.part").write_bytes(b"x" * 3 * 1024**2)
    run(home)
    assert f"Go on: 3 of {model.size_mib:.0f} MB" in [button.label for button in home.button]


def test_home_and_the_router_need_no_torch() -> None:
    code = (
        "import sys, cowvision.ui.published_offers, cowvision.ui.frame, cowvision.ui.machine, cowvision.ui.story;"
        "print([name for name in ('torch', 'torchvision', 'torchmetrics') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("is_there", [True, False])
def test_detectron2_is_told_whether_or_not_it_is_there(home, monkeypatch, is_there) -> None:
    monkeypatch.setattr("cowvision.ui.machine.is_installed", lambda: is_there)
    run(home)
    [expander] = [one for one in home.expander if "detectron2" in one.label]
    text = " ".join(markdown.value for markdown in expander.markdown)
    assert ("are run by detectron2 itself" if is_there else "--no-build-isolation") in text
    assert "config.yaml" in text
