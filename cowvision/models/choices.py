"""How a network is run, as a value, and the choices kept from earlier timings; reading them needs no torch."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass

from cowvision.models.places import home_folder, write_atomically


@dataclass(frozen=True)
class Execution:
    """How a network is run.

    Attributes:
        device: "cpu", "cuda" or "mps".
        dtype: "float32", or "bfloat16" under autocast.
        channels_last: Memory format of pictures and weights.
        threads: Threads of one operation on the CPU.
    """

    device: str = "cpu"
    dtype: str = "float32"
    channels_last: bool = False
    threads: int = 1

    def describe(self) -> str:
        """Return the choice in words, e.g. "CPU, 2 threads, bfloat16, channels last"."""
        return f"{self.where}, {self.dtype}, channels {'last' if self.channels_last else 'first'}"

    @property
    def where(self) -> str:
        """The device in words, e.g. "CPU, 2 threads"."""
        return f"CPU, {self.threads} thread{'s' * (self.threads > 1)}" if self.device == "cpu" else self.device.upper()


def kept_choices() -> dict[str, Execution]:
    """Choices of earlier timings; none when the file is missing, unreadable or of another form."""
    try:
        kept = json.loads((home_folder() / "execution.json").read_text(encoding="utf-8"))
        return {key: Execution(**choice) for key, choice in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def keep_choice(key: str, choice: Execution) -> None:
    """Keep a choice for the next start."""
    kept = {name: asdict(one) for name, one in kept_choices().items()} | {key: asdict(choice)}
    with suppress(OSError):  # a home that cannot be written costs the timing again next time, nothing else
        write_atomically(home_folder() / "execution.json", json.dumps(kept, indent=2).encode())
