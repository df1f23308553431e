"""What Fine-tune must do in a real browser: teach a model, lose nothing meanwhile, stop, and have it used on Detect."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cowvision.workspace.files import store_path
from cowvision.workspace.jobs import JobState, all_jobs
from cowvision.workspace.store import Store
from tests.browser.server import dashboard
from tests.browser.watched import READY, Watched

pytestmark = pytest.mark.browser

TINY = "data=scenes&profile=custom&iterations=600&batch=1&side=160&frozen=4&precision=float32"
"""Long enough to be stopped, and light enough for a step to take a moment."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Iterator[Path]:
    """A workspace of its own: what is trained here is in no other test's list of models, and ends with the test."""
    folder = tmp_path / "home"
    yield folder
    monkeypatch.setenv("COWVISION_HOME", str(folder))
    for job in all_jobs(Store(store_path())):
        if job.state is JobState.RUNNING and job.process is not None:
            job.process.end(by_force=True)


@contextmanager
def visit(browser: Browser, address: str, width: int = 1440, height: int = 900) -> Iterator[Watched]:
    """A visitor at an address, who hears every complaint."""
    context = browser.new_context(viewport={"width": width, "height": height})
    watched = Watched(context.new_page())
    watched.open(address)
    yield watched
    context.close()
    assert watched.complaints == []


def step(page: Page) -> int:
    """How far the training at work is."""
    return int(page.locator("[data-step]").get_attribute("data-step", timeout=READY) or 0)


def wait_for_step(page: Page, number: int) -> int:
    """Wait until more than that many steps are done."""
    script = "number => [...document.querySelectorAll('[data-step]')].some(one => +one.dataset.step > number)"
    page.wait_for_function(script, arg=number, timeout=READY)
    return step(page)


def points(page: Page) -> int:
    """Points of the loss curve."""
    return int(page.locator(".js-plotly-plot").first.evaluate("plot => plot.data[0].x.length"))


def test_a_training_is_watched_left_found_again_stopped_and_used(browser: Browser, home: Path) -> None:
    with dashboard(home) as address, visit(browser, f"{address}/finetune?{TINY}") as watched:
        page = watched.page
        page.get_by_role("button", name="Start the fine-tuning").click()
        expect(page.get_by_role("heading", name="Composed scenes is learning")).to_be_visible(timeout=READY)
        reached = wait_for_step(page, 2)
        few = points(page)
        page.get_by_role("link", name="Compare", exact=True).first.click()
        expect(page.get_by_role("heading", name="Which model is better?")).to_be_visible(timeout=READY)
        page.get_by_role("link", name="Fine-tune", exact=True).click()
        reached = wait_for_step(page, reached)
        assert points(page) > few
        page.reload()
        reached = wait_for_step(page, reached)
    with dashboard(home) as address, visit(browser, f"{address}/finetune") as watched:  # the server was restarted
        page = watched.page
        wait_for_step(page, reached)
        page.locator(".st-key-at_work").get_by_role("button", name="Stop").click()
        run = page.locator('[data-run="composed-scenes"]')
        expect(run).to_have_attribute("data-state", "stopped", timeout=READY)
        expect(page.locator(".st-key-at_work")).to_have_count(0)
        expect(page.get_by_role("button", name="Go on")).to_be_visible()
        watched.settled()
        page.get_by_role("link", name="Use it on Detect").click()
        expect(page.get_by_role("heading", name="How many cows?")).to_be_visible(timeout=READY)
        expect(page.locator('[data-model="composed-scenes"]')).to_be_visible(timeout=READY)
        expect(page.get_by_role("button", name="Composed scenes", exact=True)).to_have_attribute("aria-pressed", "true")
        watched.settled()


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, home: Path) -> None:
    with dashboard(home) as address, visit(browser, f"{address}/finetune", 390, 844) as watched:
        page = watched.page
        expect(page.get_by_text("No labelled herd yet")).to_be_visible(timeout=READY)
        page.get_by_role("button", name="Begin with composed scenes").click()
        expect(page.get_by_role("button", name="Start the fine-tuning")).to_be_visible(timeout=READY)
        expect(page).to_have_url(re.compile("data=scenes"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
