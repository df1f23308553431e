"""Find a Chromium, or install one: `python -m tests.browser.chromium --install`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
"""Switches that keep the browser itself from asking the network for anything."""


def find() -> str | None:
    """Path of a Chromium: on the PATH, else the one Playwright downloaded, else None."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None


def switches() -> list[str]:
    """Command line switches; root, as in a container, cannot use the sandbox."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*QUIET, *(["--no-sandbox"] if is_root else [])]


def install() -> str | None:
    """Find a Chromium, or install Debian's package as root, else Playwright's own build."""
    if found := find():
        return found
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Chromium for the browser tests ...")
        _quietly("apt-get", "update")
        _quietly("apt-get", "install", "-y", "--no-install-recommends", "chromium")
    if not find():
        print("Downloading Chromium for the browser tests ...")
        _quietly(sys.executable, "-m", "playwright", "install", "chromium")
    return find()


def _quietly(*command: str) -> None:
    """Run a command that may fail; what it says is shown only then."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        print((result.stdout + result.stderr)[-800:])


if __name__ == "__main__":
    browser = install() if "--install" in sys.argv else find()
    print(browser or "No Chromium was found: the browser tests are skipped (with CI=true they fail).")
    sys.exit(browser is None)
