"""Run folders: one training each, with its plan, its course, its best model, and what it needs to go on.

    runs/NAME/run.json            plan, data, split, seed, versions, curve, outcome (a `Run`)
    runs/NAME/model.safetensors   the best model so far, with model.json and, at the end, model.md: its card
    runs/NAME/state.pt            the last checkpoint: `training.state`

Every file is written whole or not at all, so a run that was killed at any moment is listed and can go on. Reading a run
needs no torch.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cowvision.errors import ModelFileError
from cowvision.models.catalog import OWN_WEIGHTS
from cowvision.models.places import runs_folder, write_atomically
from cowvision.training.plans import Plan, plan_from

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_RUN, _STATE, _LOCK = "run.json", "state.pt", ".lock"


class RunState(StrEnum):
    """How a run stands, as far as its own files tell; one that is killed stays "begun"."""

    BEGUN = "begun"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class Run:
    """A training.

    Attributes:
        name: Of its folder and its model: small letters, digits and hyphens.
        title: Its name for people.
        plan: What was asked for.
        state: How it stands.
        train: sha256 of the pictures learnt from; of composed scenes nothing, for they are never the same twice.
        held_out: sha256 of the pictures it is judged on; of composed scenes a number each.
        data_sha256: Digest of all pictures and boxes, in order.
        settings: `training.settings.FinetuneConfig` as a dictionary.
        versions: Of what computes.
        begun_at: Seconds since 1970.
        seconds: How long it has worked, all parts together.
        steps: Steps done.
        losses: Pairs of step and mean loss since the one before.
        looks: Step, mAP and AP50 of every look at the held-out pictures; step 0 is the model it starts from.
        best_step: Steps after which the kept model was best; None while there is none.
        verdict: The comparison with the start in words; empty before the end.
        gain: `Comparison.as_dict()` of the comparison with the start; empty before the end.
        notes: What else was said about the data, for people.
        problem: Why it failed; empty otherwise.
    """

    name: str
    title: str
    plan: Plan
    state: RunState = RunState.BEGUN
    train: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    data_sha256: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    begun_at: float = 0.0
    seconds: float = 0.0
    steps: int = 0
    losses: tuple[tuple[int, float], ...] = ()
    looks: tuple[tuple[int, float | None, float | None], ...] = ()
    best_step: int | None = None
    verdict: str = ""
    gain: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str = ""

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return runs_folder() / self.name

    @property
    def model_file(self) -> Path:
        """Weights of its best model; not there before the first look."""
        return self.folder / OWN_WEIGHTS

    @property
    def has_model(self) -> bool:
        """Whether its best model can be used."""
        return self.model_file.is_file() and self.model_file.with_suffix(".json").is_file()

    @property
    def state_file(self) -> Path:
        """Its last checkpoint."""
        return self.folder / _STATE

    def save(self) -> None:
        """Write ``run.json``.

        Raises:
            ModelFileError: It cannot be written.
        """
        facts = {key: value for key, value in asdict(self).items() if key != "name"}
        try:
            write_atomically(self.folder / _RUN, json.dumps(facts, indent=1).encode())
        except OSError as error:
            raise unwritable(self.folder, error) from None


def all_runs() -> list[Run]:
    """All runs that can be read, the newest first."""
    runs = []
    for path in runs_folder().glob(f"*/{_RUN}"):
        try:
            runs.append(read_run(path.parent.name))
        except ModelFileError:
            continue  # something else by that name, or another version's: it stays as it is
    return sorted(runs, key=lambda run: -run.begun_at)


def read_run(name: str) -> Run:
    """A run by its name.

    Raises:
        ModelFileError: There is none of that name, or its file is damaged.
    """
    path = runs_folder() / name / _RUN
    if not NAME.fullmatch(name) or not path.is_file():
        raise ModelFileError(name, "there is no run of that name", "Choose one of those that the page Fine-tune lists")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        told: dict[str, Any] = {key: tuple(facts[key]) for key in ("train", "held_out", "notes")}
        told["losses"] = tuple((int(step), float(loss)) for step, loss in facts["losses"])
        told["looks"] = tuple((int(step), score, score_50) for step, score, score_50 in facts["looks"])
        told |= {"plan": plan_from(facts["plan"]), "state": RunState(facts["state"])}
        return Run(name, **facts | told)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelFileError(str(path), f"not the record of a run ({error})", "Delete its folder") from None


def make_folder(run: Run) -> None:
    """Take a run's name and write its record; of two who ask for one name the second is told.

    Raises:
        ModelFileError: The name is taken, or the folder cannot be written; then nothing of it stays.
    """
    try:
        run.folder.mkdir(parents=True)
    except FileExistsError:
        raise ModelFileError(run.name, "there is a run of that name already", "Choose another name") from None
    except OSError as error:
        raise unwritable(run.folder, error) from None
    try:
        run.save()
    except ModelFileError:
        shutil.rmtree(run.folder, ignore_errors=True)
        raise


@contextmanager
def held(run: Run) -> Iterator[None]:
    """Keep a run for this process alone, as long as the block lasts; a process that dies lets go of it at once.

    What a process that was killed left half-written is cleared away.

    Raises:
        ModelFileError: Another process works on it, or its folder is gone or cannot be written.
    """
    try:
        lock = os.open(run.folder / _LOCK, os.O_CREAT | os.O_WRONLY)
    except OSError as error:
        raise unwritable(run.folder, error) from None
    _LOCKS.add(lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for rest in run.folder.glob(f".*.*.{'[0-9]' * 3}*"):  # as `write_atomically` names them
            rest.unlink(missing_ok=True)
        yield
    except BlockingIOError:
        raise ModelFileError(run.title, "another process works on it", "Wait for its end, or stop it") from None
    finally:
        _LOCKS.discard(lock)
        os.close(lock)


def is_held(run: Run) -> bool:
    """Whether a process works on a run."""
    try:
        with held(run):
            return False
    except ModelFileError:
        return run.folder.is_dir()
    except OSError:  # its folder is gone, or cannot be written: nobody can work in it
        return False


def _let_go() -> None:
    """In a forked process, such as one that prepares batches: the lock is its parent's, and dies with it."""
    while _LOCKS:
        os.close(_LOCKS.pop())


_LOCKS: set[int] = set()
os.register_at_fork(after_in_child=_let_go)


def versions() -> dict[str, str]:
    """Versions of what a training's outcome depends on."""
    return {"python": platform.python_version()} | {
        package: version(package) for package in ("torch", "torchvision", "numpy")
    }


def unwritable(folder: Path, error: OSError) -> ModelFileError:
    """The error to tell when a run's folder cannot be written."""
    remedy = "Free some space, or set COWVISION_HOME to a folder that can be written"
    return ModelFileError(str(folder), error.strerror or "cannot be written", remedy)
