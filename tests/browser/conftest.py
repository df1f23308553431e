"""A running dashboard and a Chromium that looks at it."""

import os

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import chromium
from tests.browser.server import dashboard


@pytest.fixture(scope="session")
def browser():
    path = chromium.find()
    if path is None:
        reason = "no Chromium on this machine: `python -m tests.browser.chromium --install` gets one"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=chromium.switches())
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def address(browser: Browser):
    with dashboard() as url:
        yield url
