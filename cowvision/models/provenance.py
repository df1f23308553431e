"""Which pictures a model was trained on, as far as its own files tell."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cowvision.errors import ModelFileError
from cowvision.models.catalog import ModelSpec

TRAINED_ON = "trained_on"
"""Key in a model's settings file (the .json beside its weights) of the ids (sha256) of the pictures it learnt from."""


UNKNOWN_BEFORE = "began_unknown"
"""Key there of whether it began as a model of which nobody here knows what it was trained on."""


def learnt_from(spec: ModelSpec) -> frozenset[str]:
    """Ids (sha256) of all pictures that the model's files list: those of its own training and of its start's.

    Raises:
        ModelFileError: Its settings file cannot be read, or its list is none.
    """
    return _listed(spec)


def trained_on(spec: ModelSpec, picture_ids: Iterable[str]) -> frozenset[str]:
    """Those of the pictures that the model was trained on.

    The shipped models learnt from scenes composed on the fly, which are in no set, and list nothing. Of a published
    model nobody here knows its pictures: for it, none is not a promise (see ``is_known``).

    Args:
        spec: The model.
        picture_ids: sha256 of the pictures' bytes.

    Raises:
        ModelFileError: Its settings file cannot be read, or its list is none.
    """
    return _listed(spec) & frozenset(picture_ids)


def is_known(spec: ModelSpec) -> bool:
    """Whether it is known what the model was trained on: of what ships, and of what lists it in its files.

    Raises:
        ModelFileError: As for `trained_on`.
    """
    if spec.published_map is not None:
        return False
    settings = _settings(spec)
    return spec.own_map is not None or (TRAINED_ON in settings and not settings.get(UNKNOWN_BEFORE, False))


def _listed(spec: ModelSpec) -> frozenset[str]:
    listed = _settings(spec).get(TRAINED_ON, [])
    if not isinstance(listed, list):
        raise _unreadable(_settings_file(spec), f"`{TRAINED_ON}` is not a list of picture ids")
    return frozenset(str(one) for one in listed)


def _settings(spec: ModelSpec) -> dict[str, Any]:
    """What stands in the file beside the weights; nothing where there is none."""
    if spec.weights is None or not _settings_file(spec).is_file():
        return {}
    path = _settings_file(spec)
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, f"it cannot be read ({error})") from None
    if not isinstance(settings, dict):
        raise _unreadable(path, "it holds no settings")
    return settings


def _settings_file(spec: ModelSpec) -> Path:
    return Path(spec.weights or spec.name).with_suffix(".json")


def _unreadable(path: Path, cause: str) -> ModelFileError:
    return ModelFileError(str(path), cause, "Keep the .json that was saved with the weights beside them")
