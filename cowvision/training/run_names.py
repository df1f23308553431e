"""Names of runs: which are free, and what else is done to a whole run: another name, or its end."""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from dataclasses import replace

from cowvision.errors import SettingError
from cowvision.models.catalog import all_models
from cowvision.models.places import runs_folder, write_atomically
from cowvision.models.published import published_models
from cowvision.training.checkpoints import NAME, Run, held, read_run, unwritable

LONGEST_NAME = 60


def check_name(name: str) -> str:
    """The name, if a run may have it.

    Raises:
        SettingError: It has other signs than it may have, is too long, or is taken.
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        cause = f"'{name}' has other signs than small letters, digits and hyphens, or more than {LONGEST_NAME}"
        raise SettingError("--name", cause, "Give it another name, such as my-herd")
    if (runs_folder() / name).exists():
        remedy = f"Choose another name, or let it go on with --resume {name}"
        raise SettingError("--name", f"there is a run named {name} already", remedy)
    models = {spec.name for spec in all_models(on_problem=lambda _: None)}
    if name in models | {model.name for model in published_models()}:
        raise SettingError("--name", f"there is a model named {name} already", "Choose another name")
    return name


def check_title(title: str, but: str = "") -> str:
    """The name for people, in one line, if no other model goes by it.

    Args:
        title: What it shall be called.
        but: The run that may have it already.

    Raises:
        SettingError: It is empty, or another model's.
    """
    kept = one_line(title)
    if not kept:
        raise SettingError("name", "it is empty", "Give it a name of a letter or more")
    others = [spec for spec in all_models(on_problem=lambda _: None) if spec.name != but]
    if kept.casefold() in {name.casefold() for spec in others for name in (spec.title, spec.name)}:
        raise SettingError("name", f"there is a model called {kept} already", "Choose another name")
    return kept


def one_line(title: str) -> str:
    """A name for people as it is kept."""
    return " ".join(title.split())[:LONGEST_NAME]


def name_for(title: str) -> str:
    """A free name for a run that people call ``title``."""
    plain = _plain(title)
    candidates = [plain, *(f"{plain}-{number}" for number in range(2, 1000))]
    for candidate in candidates:
        try:
            return check_name(candidate)
        except SettingError:
            continue
    raise SettingError("name", f"{plain} is taken a thousand times", "Choose another name")


def rename_run(name: str, title: str) -> Run:
    """Give a run and its model another name for people; its short name, which commands and scripts use, stays.

    Raises:
        ModelFileError: There is no such run, a process works on it, or its files cannot be written.
        SettingError: The title is empty, or another model's.
    """
    run = replace(read_run(name), title=check_title(title, but=name))
    try:
        with held(run):
            _entitle_model(run)
            run.save()
    except OSError as error:
        raise unwritable(run.folder, error) from None
    return run


def delete_run(name: str) -> None:
    """Delete a run with its model.

    Raises:
        ModelFileError: There is none of that name, a process works on it, or it cannot be deleted.
    """
    run = read_run(name)
    try:
        with held(run):
            run.model_file.with_suffix(".json").unlink(missing_ok=True)  # from now on nobody lists it
            shutil.rmtree(run.folder)
    except OSError as error:
        raise unwritable(run.folder, error) from None


def _plain(title: str) -> str:
    """A title in the signs a name may have."""
    letters = unicodedata.normalize("NFKD", title.casefold())
    bare = "".join(sign for sign in letters if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-")[: LONGEST_NAME - 4] or "my-model"


def _entitle_model(run: Run) -> None:
    path = run.model_file.with_suffix(".json")
    if path.is_file():
        settings = json.loads(path.read_text(encoding="utf-8")) | {"title": run.title}
        write_atomically(path, (json.dumps(settings, indent=2) + "\n").encode())
    card = path.with_suffix(".md")
    if card.is_file():
        _, *lines = card.read_text(encoding="utf-8").split("\n")
        named = [f"- **name**: `{run.name}`" if line.startswith("- **name**: ") else line for line in lines]
        write_atomically(card, "\n".join([f"# {run.title}", *named]).encode())
