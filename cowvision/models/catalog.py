"""Which detectors exist: those that ship, those that were fetched, and anybody's own by the path of its weights."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cowvision.data.coco import COCO_EIGHTY
from cowvision.errors import ModelFileError, ModelNotFoundError
from cowvision.models.detectron2_zoo import as_chosen, can_run, check_known, own_configs
from cowvision.models.places import home_folder, runs_folder
from cowvision.models.published import (
    PublishedModel,
    file_sha256,
    published_as,
    published_models,
)

WEIGHTS_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "weights"
DEFAULT_MODEL = "herd-finetuned"
OWN_WEIGHTS = "model.safetensors"
"""Weights of a model that was trained here, in its run's folder, which gives it its name."""

_PICKLED = (".pth", ".pkl")
_CONFIGS = (".yaml", ".yml", ".py")

INFERENCE = 1
"""Counted up when the same weights and picture give other detections, so that none kept before are shown for them."""


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
        weights: The safetensors file, the .pth or .pkl of a published model, or such a checkpoint of detectron2;
            None for weights that live in memory only.
        weights_sha256: Digest of the weights.
        config: Settings of detectron2's, as JSON, for a model that it builds and that is not of its zoo.
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
    config: str = ""

    @property
    def id(self) -> str:
        """Sha256 of the weights, of the settings that change what the model answers, and of how answers are made."""
        settings = [INFERENCE, self.architecture, self.class_names, self.short_side, self.weights_sha256]
        settings += [self.config] if self.config else []
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()

    def class_name(self, class_id: int) -> str:
        """Return the name of a class id (counted from 1)."""
        return self.class_names[class_id - 1]

    def to_json(self) -> str:
        """Return the settings file's text; where the weights lie and their digest are not part of it."""
        settings = {key: value for key, value in asdict(self).items() if not key.startswith("weights")}
        settings = {key: value for key, value in settings.items() if key != "config" or value}
        return json.dumps(settings, indent=2) + "\n"


def read_model(weights: str | Path) -> ModelSpec:
    """Read the ModelSpec of a weights file from the .json beside it.

    The file of a published model needs none, nor does a checkpoint of detectron2 that knows the 80 classes of COCO. The
    path of detectron2's own `config.yaml` stands for the checkpoint beside it or named in it.

    Raises:
        ModelFileError: Either file is missing or cannot be read, or the settings are not those of a model.
    """
    path = Path(weights)
    try:
        return _read_model(path)
    except OSError as error:
        cause = error.strerror or "cannot be read"
        raise ModelFileError(str(path), cause, "Check the path, and who may read it") from None


def embedded_models(
    folder: Path = WEIGHTS_FOLDER, on_problem: Callable[[ModelFileError], object] | None = None
) -> list[ModelSpec]:
    """Return the models that ship with the project, the fine-tuned one last.

    Args:
        folder: Where they lie.
        on_problem: Told of a model that cannot be used, which is then left out; None raises the error instead.
    """
    return _read_all(sorted(folder.glob("*.safetensors")), on_problem)


def downloaded_models(home: Path | None = None) -> list[ModelSpec]:
    """Return the published models whose whole file lies in `downloads_folder(home)`; damaged ones are left out."""
    folder = downloads_folder(home)
    files = [(model, folder / model.file_name) for model in published_models()]
    return [_published_spec(model, path) for model, path in files if model.is_whole(path)]


def own_models(on_problem: Callable[[ModelFileError], object] | None = None) -> list[ModelSpec]:
    """Return the models that a person trained or put here, the newest last; arguments as of ``embedded_models``."""
    files = [path for path in runs_folder().glob(f"*/{OWN_WEIGHTS}") if path.with_suffix(".json").is_file()]
    files += own_configs()
    return _read_all(sorted(files, key=lambda path: (path.parent.stat().st_ctime, path)), on_problem)


def all_models(on_problem: Callable[[ModelFileError], object] | None = None) -> list[ModelSpec]:
    """Return every model that can be used at once: embedded, downloaded, own; arguments as of the first."""
    found = embedded_models(on_problem=on_problem) + downloaded_models() + own_models(on_problem)
    return [spec for spec in found if can_run(spec)]


def downloads_folder(home: Path | None = None) -> Path:
    """Where the weights of published models are kept: `weights` in the given home, else in `home_folder()`."""
    return (home or home_folder()) / "weights"


def find_model(name: str, folder: Path = WEIGHTS_FOLDER) -> ModelSpec:
    """Return the embedded, downloaded or own model of that name, or the one whose file or folder `name` is a path to.

    Raises:
        ModelNotFoundError: There is none, or it is published and not downloaded, or a folder holds several.
        ModelFileError: It exists and cannot be used.
    """
    if name.endswith(".safetensors") or Path(name).is_file():
        return read_model(name)
    if (folder / f"{name}.safetensors").is_file():
        return read_model(folder / f"{name}.safetensors")
    own = {path.parent.name: path for path in [*own_configs(), *runs_folder().glob(f"*/{OWN_WEIGHTS}")]}
    if name in own:
        return read_model(own[name])
    published = {model.name: model for model in published_models()}
    if name in published:
        return _downloaded_model(published[name])
    if name and Path(name).is_dir():
        return read_model(_only_model_in(Path(name)))
    check_known(name)
    there = [path.stem for path in sorted(folder.glob("*.safetensors"))] + sorted(own)
    known = ", ".join(there) or "none yet (run `make weights`)"
    files = "a .safetensors, .pkl or .pth file or a config.yaml"
    ways = f"Known models: {known}; to be fetched: {', '.join(published)}; or give {files}"
    raise ModelNotFoundError(name, "no model of that name", ways)


def _read_model(path: Path) -> ModelSpec:
    if not path.is_file():
        raise ModelFileError(str(path), "no such weights file", "Check the path, or train the model again")
    if path.suffix in _CONFIGS:
        from cowvision.models.detectron2_config import configured_model  # noqa: PLC0415 - it needs ModelSpec

        return configured_model(path)
    published = published_as(path) if path.suffix in _PICKLED else None
    if published is not None:
        return _published_spec(published, path)
    if path.suffix in _PICKLED and not path.with_suffix(".json").is_file():
        return _checkpoint_spec(path)
    settings = _read_settings(path.with_suffix(".json"))
    if path.name == OWN_WEIGHTS and path.parent.parent == runs_folder():
        settings["name"] = path.parent.name
    return ModelSpec(**settings, weights=path, weights_sha256=file_sha256(path))


def _only_model_in(folder: Path) -> Path:
    there = sorted(path for path in folder.glob("[!.]*") if path.is_file())
    files = [path for path in there if path.suffix == ".safetensors" or path.name in {"config.yaml", "config.yml"}]
    files = files or [path for path in there if path.suffix in _PICKLED]
    if len(files) != 1:
        names = ", ".join(path.name for path in files) or "no .safetensors, .pkl or .pth file and no config.yaml"
        raise ModelNotFoundError(str(folder), f"this folder holds {names}", "Give the path of the one model's file")
    return files[0]


def _read_all(files: list[Path], on_problem: Callable[[ModelFileError], object] | None) -> list[ModelSpec]:
    specs = []
    for path in files:
        try:
            specs.append(read_model(path))
        except ModelFileError as error:
            if on_problem is None:
                raise
            on_problem(error)
    return specs


def _downloaded_model(model: PublishedModel) -> ModelSpec:
    path = downloads_folder() / model.file_name
    if model.is_whole(path):
        return _published_spec(model, path)
    cause = "its downloaded file is damaged" if path.exists() else "a published model that is not downloaded yet"
    raise ModelNotFoundError(model.name, cause, f"Fetch its {model.size_mib:.0f} MB with `{model.fetch_command}`")


def _published_spec(model: PublishedModel, path: Path) -> ModelSpec:
    same = ("name", "title", "architecture", "class_names", "licence", "published_map", "notes")
    settings: dict[str, Any] = {name: getattr(model, name) for name in same}
    return as_chosen(ModelSpec(**settings, weights=path, weights_sha256=file_sha256(path)))


def _checkpoint_spec(path: Path) -> ModelSpec:
    from cowvision.models.d2_checkpoint import described  # noqa: PLC0415 - a list of models needs no torch

    architecture, num_classes = described(path)
    if num_classes != len(COCO_EIGHTY):
        cause = f"nobody says what its {num_classes} classes are called"
        told = f'"name", "title", "architecture" ("{architecture}") and "class_names" (a list)'
        raise ModelFileError(str(path), cause, f"Write {path.with_suffix('.json').name} beside it, with {told}")
    notes = f"A checkpoint of detectron2, from {path}."
    settings = (path.stem, f"{path.stem}, of detectron2", architecture, COCO_EIGHTY)
    return ModelSpec(*settings, licence="your own", notes=notes, weights=path, weights_sha256=file_sha256(path))


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
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelFileError(str(path), f"not the settings of a model ({error})", remedy) from None
    return chosen
