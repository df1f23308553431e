"""What the demo must do: open, find cows on a still, take a picture, follow the slider - and ask nobody else."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from cowvision.viz.drawing import CLASS_COLOURS

ROOT = Path(__file__).resolve().parents[2]
STILLS = ROOT / "assets" / "pictures"
READY = 300_000  # milliseconds: the first visit also times the machine, which may be busy

pytestmark = pytest.mark.browser


class Watched:
    """A page together with every complaint of its console and every request that leaves this machine."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda message: self._heard(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._heard(str(error)))
        page.on("request", lambda request: self._asked(request.url))

    def cows(self, model: str) -> int:
        return int(self.page.locator(f'[data-model="{model}"]').get_attribute("data-cows"))

    def network_runs(self) -> int:
        return int(self.page.locator("[data-network-runs]").get_attribute("data-network-runs"))

    def settled(self) -> None:
        """Wait until the page has stopped working."""
        expect(self.page.locator("[data-network-runs]")).to_be_visible(timeout=READY)
        expect(self.page.locator('[data-test-script-state="running"]')).to_have_count(0, timeout=READY)
        self.page.wait_for_timeout(300)

    def _heard(self, text: str) -> None:
        self.complaints.append(f"console: {text}")

    def _asked(self, url: str) -> None:
        if not re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:", url):
            self.complaints.append(f"request: {url}")


@pytest.fixture
def watched(browser: Browser, address: str):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    watched = Watched(page)
    page.goto(address)
    watched.settled()
    yield watched
    context.close()
    assert watched.complaints == []


def still_as_png() -> bytes:
    """A shipped still in another encoding: a picture the page has not seen."""
    path = min(STILLS.glob("*.jpg"))
    stream = BytesIO()
    Image.open(path).resize((640, 427)).save(stream, format="PNG")
    return stream.getvalue()


def photographed(page: Page, selector: str) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(page.locator(selector).first.screenshot())).convert("RGB"), dtype=int)


def test_the_page_finds_cows_takes_an_upload_and_follows_the_slider(watched: Watched) -> None:
    page = watched.page
    assert watched.cows("herd-finetuned") > 0
    shown = photographed(page, ".st-key-result_herd-finetuned [data-testid='stImage'] img")
    amber = np.array([int(CLASS_COLOURS["cow"][place : place + 2], 16) for place in (1, 3, 5)])
    assert (np.abs(shown - amber).max(axis=2) < 40).sum() > 50, "no boxes in the cows' colour on the still"

    runs = watched.network_runs()
    page.locator("input[type=file]").set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": still_as_png()}
    )
    expect(page.get_by_role("heading", name="mine")).to_be_visible(timeout=READY)
    watched.settled()
    assert watched.network_runs() == runs + 2

    counts = []
    slider = page.get_by_role("slider")
    for key in ("Home", "End"):
        slider.focus()
        page.keyboard.press(key)
        page.wait_for_timeout(700)
        watched.settled()
        counts.append(watched.cows("herd-finetuned"))
    assert counts[0] > counts[1]
    assert watched.network_runs() == runs + 2, "the slider must not run the network"


def test_a_shared_address_shows_the_same_view(watched: Watched, address: str) -> None:
    page = watched.page
    key = max(path.stem for path in STILLS.glob("*.jpg"))
    page.goto(f"{address}/?picture={key}&threshold=0.9")
    watched.settled()
    expect(page.get_by_role("slider")).to_have_value("0.9")
    assert f"picture={key}" in page.url


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    watched = Watched(context.new_page())
    watched.page.goto(address)
    watched.settled()
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert watched.page.locator(".cv-count").first.is_visible()
    context.close()
    assert watched.complaints == []
