"""A person's own detectron2 model: a `config.yaml` and its checkpoint become a ModelSpec; nothing in them is executed.

The checkpoint is `model_final.pth` or `.pkl` beside the config, else the file that MODEL.WEIGHTS names on this machine,
else the only checkpoint beside it. Names of classes: `class_names` of the .json beside the config or the checkpoint,
else COCO's for 80 classes, else what detectron2 knows of the config's data sets; a model whose classes nobody names is
refused, for it would count no cows.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

from cowvision.data.coco import COCO_EIGHTY
from cowvision.errors import ModelFileError
from cowvision.models.catalog import ModelSpec
from cowvision.models.detectron2_zoo import ABSENT, ENGINE, INSTALL, is_installed
from cowvision.models.published import file_sha256
from cowvision.models.quoting import first_line, printable

_CHECKPOINTS = (".pth", ".pkl")
_FINAL = "model_final"
_MOST_BYTES = 1024**2
_MOST_VALUES = 20_000  # detectron2's own have some 300; a few aliases can stand for millions
_MOST_LETTERS = 10_000  # of one value; `1:1:1:...` is a number in YAML, and takes minutes to count
_MOST_BASES = 8
_WRITE_WHOLE = "Write the whole configuration into one file with detectron2's `cfg.dump()`, and use that"


def configured_model(path: Path) -> ModelSpec:
    """The model of a config.

    Raises:
        ModelFileError: The config or its checkpoint is missing, damaged, of another kind, or would run something.
    """
    if path.suffix == ".py":
        cause = "a config in Python (LazyConfig) is a program, and nothing here runs it"
        raise ModelFileError(str(path), cause, "Use a config.yaml: what detectron2's `cfg.dump()` writes")
    settings = read_settings(path, path.parent)
    weights = _weights(path, settings)
    text = settings_text(settings)
    names = _class_names(path, weights, settings)
    name = path.parent.name if path.stem == "config" else path.stem
    notes = f"Your own, run by detectron2: {path} with {weights.name}."
    architecture = f"{ENGINE}own-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return ModelSpec(
        name, f"{name}, by detectron2", architecture, names, licence="your own", notes=notes, weights=weights,
        weights_sha256=file_sha256(weights), config=text,
    )  # fmt: skip


def read_settings(path: Path, within: Path) -> dict[str, Any]:
    """What a config says, its bases included; plain values alone.

    Args:
        path: The YAML file.
        within: The folder in which its bases must lie.

    Raises:
        ModelFileError: It cannot be read, is no plain YAML of settings, or asks for files elsewhere.
    """
    settings: dict[str, Any] = {}
    for one in reversed(_with_bases(path, within.resolve())):
        _merge(one, settings)
    return settings


def settings_text(settings: dict[str, Any]) -> str:
    """Settings in one line of JSON, without what tells only where things lie on a machine."""
    model = {key: value for key, value in settings.get("MODEL", {}).items() if key not in {"WEIGHTS", "DEVICE"}}
    kept = {key: value for key, value in settings.items() if key != "OUTPUT_DIR"} | {"MODEL": model}
    return json.dumps(kept, sort_keys=True)


def _with_bases(path: Path, within: Path) -> list[dict[str, Any]]:
    """The config, its base, the base's base ..."""
    chain, place = [_read(path)], path
    while "_BASE_" in chain[-1]:
        base = chain[-1].pop("_BASE_")
        if not isinstance(base, str) or "\0" in base or len(chain) > _MOST_BASES:
            raise ModelFileError(str(place), "its _BASE_ is not the name of one file, or has no end", _WRITE_WHOLE)
        place = (place.parent / base).resolve()
        if "://" in base or not place.is_relative_to(within):
            cause = f"it builds on {printable(base)}, which lies outside its folder and is not read"
            raise ModelFileError(str(path), cause, _WRITE_WHOLE)
        chain.append(_read(place))
    return chain


def _read(path: Path) -> dict[str, Any]:
    try:
        import yaml  # noqa: PLC0415 - comes with detectron2
    except ImportError:
        raise ModelFileError(str(path), ABSENT, INSTALL) from None
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ModelFileError(str(path), "a config is no larger than 1 MB", _WRITE_WHOLE)
        text = path.read_text(encoding="utf-8")
        if _values(yaml.compose(text, Loader=yaml.SafeLoader)) > _MOST_VALUES:  # before aliases are unfolded
            raise ModelFileError(str(path), "it unfolds to more values than a config has", _WRITE_WHOLE)
        settings = yaml.safe_load(text)
        _check_keys(settings)
        json.dumps(settings, allow_nan=False)
    except yaml.constructor.ConstructorError as error:
        cause = f"it holds more than plain values ({printable(str(error.problem))}); nothing was run"
        raise ModelFileError(str(path), cause, "Write the values out: numbers, texts, lists") from None
    except OSError as error:
        raise ModelFileError(str(path), error.strerror or "cannot be opened", "Check the path") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError, RecursionError) as error:
        cause = f"it is no YAML of plain settings ({first_line(error)})"
        raise ModelFileError(str(path), cause, _WRITE_WHOLE) from None
    if not isinstance(settings, dict) or not isinstance(settings.get("MODEL", {}), dict):
        raise ModelFileError(str(path), "it holds no settings of detectron2", _WRITE_WHOLE)
    return settings


def _values(node: Any, counted: int = 0) -> int:
    """How many values a YAML document unfolds to, keys included, or at least more than allowed.

    Raises:
        ValueError: One of them is longer than a config has it.
    """
    held = getattr(node, "value", "")  # a text, a list of nodes, or a list of pairs of nodes
    if isinstance(held, str):
        if len(held) > _MOST_LETTERS:
            raise ValueError(f"a value of {len(held)} letters")
        return counted + 1
    for part in held:
        for one in part if isinstance(part, tuple) else (part,):
            if counted > _MOST_VALUES:
                return counted
            counted = _values(one, counted)
    return counted + 1


def _check_keys(value: object) -> None:
    """Refuse names of settings that are no texts.

    Raises:
        TypeError: There is one.
    """
    for part in value if isinstance(value, list) else ():
        _check_keys(part)
    for key, part in value.items() if isinstance(value, dict) else ():
        if not isinstance(key, str):
            raise TypeError(f"{key!r} is no name of a setting")
        _check_keys(part)


def _merge(settings: dict[str, Any], into: dict[str, Any]) -> None:
    for key, value in settings.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(value, into[key])
        else:
            into[key] = value


def _weights(path: Path, settings: dict[str, Any]) -> Path:
    beside = [one for one in sorted(path.parent.iterdir()) if one.suffix in _CHECKPOINTS and one.is_file()]
    final = [one for one in beside if one.stem == _FINAL]
    named = str(settings.get("MODEL", {}).get("WEIGHTS") or "")
    if final:
        return final[0]
    if named and "://" not in named and "\0" not in named and _is_file(path.parent / named):
        return path.parent / named
    if len(beside) == 1:
        return beside[0]
    cause = f"it has no checkpoint: {_FINAL}.pth beside it, or a file that MODEL.WEIGHTS names"
    if "://" in named:
        cause = f"its MODEL.WEIGHTS is an address ({printable(named)}), and nothing is fetched that nobody asked for"
    elif named:
        cause = f"its MODEL.WEIGHTS names {printable(named)}, which is not there"
    elif len(beside) > 1:
        cause = f"there are {len(beside)} checkpoints beside it, and MODEL.WEIGHTS names none of them"
    raise ModelFileError(str(path), cause, f"Put the checkpoint beside it, as {_FINAL}.pth or {_FINAL}.pkl")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # too long a name, for one
        return False


def _class_names(path: Path, weights: Path, settings: dict[str, Any]) -> tuple[str, ...]:
    count = _class_count(path, settings)
    for file in (path.with_suffix(".json"), weights.with_suffix(".json")):
        told = _told(file) if file.is_file() else None
        if told is not None and len(told) != count:
            cause = f"{file.name} names {len(told)} classes, and its network has {count}"
            raise ModelFileError(str(path), cause, "Name every class once, in the order of training")
        if told is not None:
            return told
    known = COCO_EIGHTY if count == len(COCO_EIGHTY) else _known_to_detectron2(settings)
    if len(known) == count:
        return known
    classes = "its class is" if count == 1 else f"its {count} classes are"
    remedy = f'Write {path.with_suffix(".json").name} beside it, such as {{"class_names": ["cow"]}}'
    raise ModelFileError(str(path), f"nobody says what {classes} called", remedy)


def _class_count(path: Path, settings: dict[str, Any]) -> int:
    heads = settings.get("MODEL", {}).get("ROI_HEADS", {})
    count = heads.get("NUM_CLASSES", len(COCO_EIGHTY)) if isinstance(heads, dict) else None
    if type(count) is not int or not 0 < count <= 10_000:
        raise ModelFileError(str(path), "its MODEL.ROI_HEADS.NUM_CLASSES is no number of classes", _WRITE_WHOLE)
    return count


def _told(file: Path) -> tuple[str, ...] | None:
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        names = facts.get("class_names", facts.get("thing_classes"))
    except (OSError, ValueError, AttributeError, RecursionError):
        names = ""  # no list either
    if names is not None and not isinstance(names, list):
        raise ModelFileError(str(file), "it names no classes", 'Write {"class_names": ["cow"]}, or delete it')
    return None if names is None else tuple(str(name) for name in names)


def _known_to_detectron2(settings: dict[str, Any]) -> tuple[str, ...]:
    """Names that detectron2 knows for the data sets of a config, such as Pascal VOC's; none without it."""
    data_sets = settings.get("DATASETS", {})
    if not is_installed() or not isinstance(data_sets, dict):
        return ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what torch says about the way in which detectron2 uses it
            from cowvision.models.detectron2_engine import class_names_of  # noqa: PLC0415 - takes seconds, rarely needed
    except Exception:  # noqa: BLE001 - built for another torch, it fails in any way; `engines` says so
        return ()
    told = [data_sets.get(part) for part in ("TRAIN", "TEST")]
    return class_names_of([str(name) for names in told if isinstance(names, list) for name in names])
