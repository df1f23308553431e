"""For all tests: a home of their own, so that no test reads or writes the home of whoever runs it."""

import os
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _home_of_its_own():
    with tempfile.TemporaryDirectory(prefix="cowvision-home-") as folder:
        os.environ["COWVISION_HOME"] = folder
        yield
        os.environ.pop("COWVISION_HOME", None)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT
