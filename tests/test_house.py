"""What the repository holds: the prescribed names, small enough, and free of anything of one machine."""

import re
import subprocess
import tomllib
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOP_LEVEL = {
    ".ci", ".gitattributes", ".gitignore", ".streamlit", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "app.py",
    "assets", "cowvision", "pages", "pyproject.toml", "requirements.txt", "tests",
}  # fmt: skip
MEGABYTE = 1024 * 1024
OF_ONE_MACHINE = re.compile(
    r"(?<![\w.])/(work|root|tmp/\w+|home/\w+|Users/\w+|opt/\w+)/|\bpypi\.org\b|\bfiles\.pythonhosted\b|--(extra-)?index-url"
)


@lru_cache(maxsize=1)
def tracked_files() -> list[Path]:
    """Files that are, or would be, committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_the_top_level_holds_only_what_is_prescribed() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked_files()} <= TOP_LEVEL


def test_assets_are_small_enough() -> None:
    sizes = {path: path.stat().st_size for path in tracked_files()}
    assert {str(path): size for path, size in sizes.items() if size > 40 * MEGABYTE} == {}
    assert sum(size for path, size in sizes.items() if (ROOT / "assets") in path.parents) <= 150 * MEGABYTE


def test_no_file_speaks_of_one_machine() -> None:
    found = []
    for path in tracked_files():
        text = _text(path)
        found += [f"{path.relative_to(ROOT)}: {hit.group()}" for hit in OF_ONE_MACHINE.finditer(text)]
    assert found == []


def test_requirements_are_pinned_exactly() -> None:
    for name in ("requirements.txt", "tests/requirements.txt", "assets/studio/requirements.txt"):
        lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
        loose = [
            line
            for line in lines
            if line and not re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.+]+|-r \.\./requirements\.txt", line)
        ]
        assert loose == [], f"{name}: {loose}"


def test_the_pages_stay_on_this_machine() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["browser"]["gatherUsageStats"] is False
    assert "://" not in (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")


def test_the_server_takes_what_the_widgets_promise() -> None:
    from cowvision.data.pictures import MAX_BYTES
    from cowvision.ui import herd_import, intake

    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["maxUploadSize"] == max(herd_import.MOST_MEGABYTES, intake.MOST_MEGABYTES)
    assert intake.MOST_MEGABYTES * MEGABYTE > MAX_BYTES, "what is too large is named by us, not lost on its way"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""  # pictures, clips, weights
