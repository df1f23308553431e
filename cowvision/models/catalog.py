"""Which detectors exist: ModelSpec values, each read from the settings file beside its weights."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from cowvision.errors import ModelFileError, ModelNotFoundError

WEIGHTS_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "weights"
DEFAULT_MODEL = "herd-finetuned"


@dataclass(frozen=True)
class ModelSpec:
    """All there is to know about one detector without loading it.

    Attributes:
        name: Short name, as on the command line.
        title: Name for people.
        architecture: What the engine builds, e.g. "compact-fpn-w32".
        class_names: Foreground classes; the class id of a detection is its place here, counted from 1.
        short_side: Shorter side in pixels the picture is scaled to; None keeps the architecture's own.
        licence: Licence of the weights.
        own_map: mAP@[.50:.95] of cows on the test herd (0..1), where it was measured.
        published_map: mAP its authors published, and nobody here measured.
        notes: Limits and origin in plain words.
        weights: The safetensors file; None for weights that live in memory only.
        weights_sha256: Digest of the weights.
    """

    name: str
    title: str
    architecture: str
    class_names: tuple[str, ...]
    short_side: int | None = None
    licence: str = "Apache-2.0"
    own_map: float | None = None
    published_map: float | None = None
    notes: str = ""
    weights: Path | None = None
    weights_sha256: str = ""

    @property
    def id(self) -> str:
        """Sha256 of the weights and of the settings that change what the model answers."""
        settings = [self.architecture, self.class_names, self.short_side, self.weights_sha256]
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()

    def class_name(self, class_id: int) -> str:
        """Return the name of a class id (counted from 1)."""
        return self.class_names[class_id - 1]

    def to_json(self) -> str:
        """Return the settings file's text; where the weights lie and their digest are not part of it."""
        settings = {key: value for key, value in asdict(self).items() if not key.startswith("weights")}
        return json.dumps(settings, indent=2) + "\n"


def read_model(weights: str | Path) -> ModelSpec:
    """Read the ModelSpec of a weights file from the .json beside it.

    Raises:
        ModelFileError: Either file is missing, or the settings are not those of a model.
    """
    path = Path(weights)
    if not path.is_file():
        raise ModelFileError(str(path), "no such weights file", "Check the path, or train the model again")
    settings = _read_settings(path.with_suffix(".json"))
    return ModelSpec(**settings, weights=path, weights_sha256=_file_sha256(path, path.stat().st_mtime_ns))


def embedded_models(folder: Path = WEIGHTS_FOLDER) -> list[ModelSpec]:
    """Return the models that ship with the project, the fine-tuned one last."""
    return [read_model(path) for path in sorted(folder.glob("*.safetensors"))]


def find_model(name: str, folder: Path = WEIGHTS_FOLDER) -> ModelSpec:
    """Return the embedded model of that name, or the one whose weights file `name` is a path to.

    Raises:
        ModelNotFoundError: Neither exists.
        ModelFileError: It exists and cannot be used.
    """
    if name.endswith(".safetensors") or Path(name).is_file():
        return read_model(name)
    if (folder / f"{name}.safetensors").is_file():
        return read_model(folder / f"{name}.safetensors")
    known = ", ".join(path.stem for path in sorted(folder.glob("*.safetensors"))) or "none yet (run `make weights`)"
    raise ModelNotFoundError(name, "no model of that name", f"Known models: {known}; or give a .safetensors file")


def _read_settings(path: Path) -> dict[str, Any]:
    remedy = "Keep the .json that was saved with the weights beside them"
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        settings["class_names"] = tuple(str(name) for name in settings["class_names"])
        known = {field.name for field in fields(ModelSpec)} - {"weights", "weights_sha256"}
        chosen = {key: settings[key] for key in known & settings.keys()}
        ModelSpec(**chosen)
    except FileNotFoundError:
        raise ModelFileError(str(path), "the model's settings file is missing", remedy) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(str(path), f"not the settings of a model ({error})", remedy) from None
    return chosen


@lru_cache(maxsize=64)
def _file_sha256(path: Path, _modified_ns: int) -> str:
    """Digest of a file; `_modified_ns` keys the cache, so that a rewritten file is read again."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
