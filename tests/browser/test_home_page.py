"""Home in a real browser: the line between before and after moves, the links lead on, the phone is wide enough."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.watched import READY, Watched

pytestmark = pytest.mark.browser


@pytest.fixture(params=[(1440, 900), (390, 844)], ids=["wide", "phone"])
def home(request, browser: Browser, address: str):
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=width < 500)
    watched = Watched(context.new_page())
    watched.open(address)
    expect(watched.page.get_by_role("slider")).to_be_attached(timeout=READY)
    yield watched
    context.close()
    assert watched.complaints == []


def test_the_line_follows_keys_and_mouse(home: Watched) -> None:
    page = home.page
    slider, cover = page.get_by_role("slider"), page.locator("figure .cover")
    images = page.locator("figure img")
    expect(images).to_have_count(2)
    for place in range(2):
        assert images.nth(place).evaluate("image => image.naturalWidth") > 600
        assert "finds" in images.nth(place).get_attribute("alt")
    widths = []
    for key in ("Home", "End"):
        slider.focus()
        page.keyboard.press(key)
        widths.append(cover.evaluate("cover => getComputedStyle(cover).clipPath"))
    assert widths[0] != widths[1]
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    assert 20 < float(slider.input_value()) < 30


def test_the_first_step_opens_detect_on_its_example(home: Watched) -> None:
    page = home.page
    page.get_by_role("link", name="Open").first.click()
    expect(page.get_by_role("heading", name="How many cows?")).to_be_visible(timeout=READY)
    expect(page.get_by_role("heading", name="Farmer and cows")).to_be_visible(timeout=READY)
    assert "picture=farmer_and_cows" in page.url
    home.settled()


def test_nothing_is_wider_than_the_screen(home: Watched) -> None:
    width = home.page.viewport_size["width"]
    assert home.page.evaluate("document.documentElement.scrollWidth") <= width
    expect(home.page.get_by_role("heading", name="For real photos")).to_be_attached()
