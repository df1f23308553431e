"""Which pictures a model was trained on, as far as its own files tell."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from cowvision.errors import ModelFileError
from cowvision.models.catalog import ModelSpec

TRAINED_ON = "trained_on"
"""Key in a model's settings file (the .json beside its weights) of the ids (sha256) of the pictures it learnt from."""


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
    """Whether the model's files tell what it was trained on; a published model's do not."""
    return spec.published_map is None


def _listed(spec: ModelSpec) -> frozenset[str]:
    path = _settings_file(spec)
    if path is None or not path.is_file():
        return frozenset()
    try:
        listed = json.loads(path.read_text(encoding="utf-8")).get(TRAINED_ON, [])
    except (OSError, ValueError, AttributeError) as error:
        raise _unreadable(path, f"it cannot be read ({error})") from None
    if not isinstance(listed, list):
        raise _unreadable(path, f"`{TRAINED_ON}` is not a list of picture ids")
    return frozenset(str(one) for one in listed)


def _settings_file(spec: ModelSpec) -> Path | None:
    return None if spec.weights is None else spec.weights.with_suffix(".json")


def _unreadable(path: Path, cause: str) -> ModelFileError:
    return ModelFileError(str(path), cause, "Keep the .json that was saved with the weights beside them")
