"""A page that remembers every complaint of its console and every request that leaves this machine."""

import re

from playwright.sync_api import ConsoleMessage, Page, expect

READY = 300_000  # milliseconds: the first visit also times the machine, which may be busy
PROBES = ("/_stcore/health", "/_stcore/host-config")
"""Below a page's own path Streamlit's browser side asks for these in the wrong place first."""


class Watched:
    """A page of the dashboard under watch."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"page: {error}"))
        page.on("request", lambda request: self._asked(request.url))

    def open(self, address: str) -> None:
        """Go to an address and wait for the page."""
        self.page.goto(address)
        self.settled()

    def cows(self, model: str) -> int:
        """The headline count of a model."""
        return int(self.page.locator(f'[data-model="{model}"]').get_attribute("data-cows"))

    def network_runs(self) -> int:
        """How often a network has looked at a picture."""
        return int(self.page.locator("[data-network-runs]").get_attribute("data-network-runs"))

    def settled(self) -> None:
        """Wait until the page has stopped working."""
        expect(self.page.locator("h1")).to_be_visible(timeout=READY)
        self.page.wait_for_timeout(400)
        expect(self.page.locator('[data-test-script-state="running"]')).to_have_count(0, timeout=READY)
        self.page.wait_for_timeout(400)

    def _heard(self, message: ConsoleMessage) -> None:
        probe = (message.location or {}).get("url", "").endswith(PROBES)
        if message.type == "error" and not probe:
            self.complaints.append(f"console: {message.text}")

    def _asked(self, url: str) -> None:
        if not re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:", url):
            self.complaints.append(f"request: {url}")
