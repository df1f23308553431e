"""The dashboard, started as `make demo` starts it, on a free port and without opening a browser."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90


@contextmanager
def dashboard(home: Path | None = None, script: Path | str = "app.py") -> Iterator[str]:
    """Yield the address of a running dashboard; it ends with the block.

    Args:
        home: Its workspace; an empty one, gone afterwards, by default.
        script: Another page to run instead of it.

    Raises:
        RuntimeError: It does not come up; the message holds what it printed.
    """
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true", f"--server.port={port}"]
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as empty:
        environment = _environment() | {"COWVISION_HOME": str(home or empty)}
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
        try:
            address = f"http://127.0.0.1:{port}"
            if not _is_up(f"{address}/_stcore/health", process):
                log.seek(0)
                raise RuntimeError(f"the dashboard did not start:\n{log.read().decode(errors='replace')}")
            yield address
        finally:
            _end(process)


def _end(process: subprocess.Popen) -> None:
    """Ask it to stop; a server in the middle of a long network run is stopped by force."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """This environment without what would change Streamlit's settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_up(url: str, process: subprocess.Popen) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - the address is ours
                if answer.status == 200:
                    return True
        except OSError:
            time.sleep(0.3)
    return False
