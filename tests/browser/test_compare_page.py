"""What Compare must do in a real browser: say who is better, follow the slider, show what changed, and verify."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.watched import READY, Watched

pytestmark = pytest.mark.browser

SET = "set=test-herd"


@pytest.fixture
def watched(browser: Browser, address: str):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    watched = Watched(context.new_page())
    open_and_wait(watched, f"{address}/compare?{SET}")
    yield watched
    context.close()
    assert watched.complaints == []


def open_and_wait(watched: Watched, address: str) -> None:
    """The page once every model has looked at every picture."""
    watched.open(address)
    expect(watched.page.locator("[data-verdict]")).to_be_visible(timeout=READY)
    expect(watched.page.get_by_role("button", name="Verify")).to_be_visible(timeout=READY)
    watched.settled()


def point(page: Page, model: str = "herd-finetuned") -> tuple[int, int]:
    """Cows found and false alarms at the threshold."""
    row = page.locator(f'[data-point="{model}"]')
    return int(row.get_attribute("data-found")), int(row.get_attribute("data-false"))


def test_the_verdict_the_slider_the_flip_list_and_the_check(watched: Watched) -> None:
    page = watched.page
    verdict = page.locator("[data-verdict]")
    expect(verdict).to_contain_text("128 pictures")
    expect(verdict).to_have_attribute("data-verdict", re.compile("better|worse|no clear difference"))
    expect(page.locator(".js-plotly-plot")).to_have_count(3, timeout=READY)

    runs, before = watched.network_runs(), point(page)
    shown = page.get_by_role("img", name=re.compile("by Herd fine-tuned")).get_attribute("src")
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    expect(page.locator('[data-point="herd-finetuned"]')).not_to_have_attribute("data-found", str(before[0]))
    watched.settled()
    low = point(page)
    assert low[0] >= before[0] and low[1] > before[1]
    assert page.get_by_role("img", name=re.compile("by Herd fine-tuned")).get_attribute("src") != shown
    assert "cutoff=0.05" in page.url
    assert watched.network_runs() == runs, "the slider must not run the network"

    page.get_by_role("button", name=re.compile("Herd fine-tuned: best F1")).click()
    watched.settled()
    assert point(page)[1] < low[1]

    cards = page.locator(".st-key-flips [class*='st-key-card_flip_']")
    expect(cards).to_have_count(8)
    chosen = cards.nth(1).locator(".stButton button")
    title = chosen.inner_text()
    chosen.click()
    expect(page.locator(".cv-title h3")).to_have_text(title)
    page.get_by_text("lost", exact=True).first.click()
    watched.settled()
    expect(page.locator(".cv-title h3")).to_have_text(title)

    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("All three agree")).to_have_count(2, timeout=READY)


def test_a_shared_address_and_a_reload_show_the_same(watched: Watched, address: str) -> None:
    page = watched.page
    models = "baseline=herd-finetuned&candidate=herd-base"
    open_and_wait(watched, f"{address}/compare?set=stills&cutoff=0.7&picture=winter_cows&{models}")
    expect(page.get_by_role("slider")).to_have_value("0.7")
    expect(page.locator(".cv-title h3")).to_have_text("Winter day")
    told = page.locator("[data-verdict]").inner_text()
    assert "Herd base" in told
    page.reload()
    expect(page.locator("[data-verdict]")).to_have_text(re.compile("Herd base"), timeout=READY)
    watched.settled()
    assert page.locator("[data-verdict]").inner_text() == told


def test_two_pictures_are_too_few_to_tell(watched: Watched, address: str) -> None:
    open_and_wait(watched, f"{address}/compare?set=tutorial")
    expect(watched.page.locator("[data-verdict]")).to_contain_text("Too few to tell: 2 of the 15 needed")


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    watched = Watched(context.new_page())
    open_and_wait(watched, f"{address}/compare?{SET}")
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = "[...document.querySelectorAll('table')].filter(one => one.getBoundingClientRect().right > 390).length"
    assert watched.page.evaluate(wide) == 0
    context.close()
    assert watched.complaints == []
