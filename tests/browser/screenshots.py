"""Photograph the pages, wide and phone, light and dark: `make screenshots [OUT=folder]`."""

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser import chromium
from tests.browser.server import ROOT, dashboard

FOLDER = ROOT / "assets" / "screenshots"
SIZES = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
VIEWS = {
    "home": ("/", "figure img"),
    "detect": ("/detect?picture=many_cows", "[data-network-runs]"),
    "label": ("/label?picture=many_cows&model=herd-finetuned", "canvas"),
    "compare": ("/compare", "[data-verdict]"),
    "finetune": ("/finetune?data=scenes&profile=quick", ".st-key-start button"),
    "track": ("/track?clip=crossing&frame=120", ".twin video"),
}
"""Where each page is photographed, and what tells that it is there."""

SCROLLED_TO = {"track": ".twin"}
"""What a photograph is to show where it lies below the first screen."""

READY = 180_000  # milliseconds
SHIPPED = tuple((page, "wide", "light") for page in VIEWS)


def photograph_all(folder: Path) -> list[Path]:
    """Write a PNG per page, size and colour scheme; the README's one is named after its page alone."""
    path = chromium.find()
    if path is None:
        sys.exit("No Chromium was found: `python -m tests.browser.chromium --install` gets one.")
    folder.mkdir(parents=True, exist_ok=True)
    with dashboard() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.switches())
        written = [
            _photograph(browser, address + view, there, folder, (page, size, scheme))
            for page, (view, there) in VIEWS.items()
            for size in SIZES
            for scheme in ("light", "dark")
        ]
        browser.close()
    return written


def _photograph(browser: Browser, url: str, there: str, folder: Path, which: tuple[str, str, str]) -> Path:
    name, size, scheme = which
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)
    page = context.new_page()
    page.goto(url)
    page.locator(there).first.wait_for(timeout=READY)
    page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=READY)
    if name in SCROLLED_TO:
        page.locator(SCROLLED_TO[name]).first.evaluate("element => element.scrollIntoView({block: 'end'})")
    page.wait_for_timeout(1500)  # pictures fade in
    path = folder / (f"{name}.png" if which in SHIPPED else f"{name}-{size}-{scheme}.png")
    page.screenshot(path=path)
    context.close()
    return path


if __name__ == "__main__":
    for written in photograph_all(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(written)
