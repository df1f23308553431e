"""detectron2 as an engine: whether it is here, how to get it, which models only it runs, and who runs the others.

detectron2 is on no package index and nothing here needs it. Where it can be imported, the Faster R-CNNs of its model
zoo can be fetched and run by it, and so can a person's own `config.yaml` with its checkpoint. Two of the zoo's models
(`d2-r50-fpn-3x`, `d2-r101-fpn-3x`) run without it too, rebuilt of torchvision's modules, which is quicker: those are
the default. `COWVISION_DETECTRON2=engine` has detectron2 itself run them, `COWVISION_DETECTRON2=parts` says the
default aloud. The architecture tells the two apart, and with it the model's id: no answer of one is taken for one of
the other.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from cowvision.errors import ModelNotFoundError, SettingError
from cowvision.models.places import home_folder

if TYPE_CHECKING:
    from cowvision.models.catalog import ModelSpec

ENGINE = "detectron2:"
"""How the architectures begin that detectron2 itself builds; the rest names a config of its zoo, or a person's own."""

SWITCH = "COWVISION_DETECTRON2"
BY_ENGINE, BY_PARTS = "engine", "parts"

ABSENT = "needs detectron2, which is not installed here"
INSTALL = (
    "Install torch first (requirements.txt does), then build detectron2 from a checkout of its source "
    "(github.com/facebookresearch/detectron2), without build isolation: `pip install --no-build-isolation ./detectron2`"
)

OWN = (
    "Your own: a config.yaml with its model_final.pth in a folder of {folder} is listed by the folder's name; a "
    'config.json beside it names its classes: {{"class_names": ["cow"]}}'
)

EITHER = {"d2-r50-fpn-3x": "faster_rcnn_R_50_FPN_3x", "d2-r101-fpn-3x": "faster_rcnn_R_101_FPN_3x"}
"""The published models that run with and without it, and their configs in its zoo."""


@dataclass(frozen=True)
class ZooModel:
    """A Faster R-CNN of the zoo that only detectron2 runs.

    Attributes:
        name: Short name, as on the command line.
        kind: Its trunk and how long it was trained, for people.
        trunk: The same as the zoo's config has it.
        place: Where its file lies below the config's folder on the server, and the file's name without its ending.
        size_mib: Of its weights, counted from its config; the file's own size is not published.
        published_map: Box AP (0..1) on COCO val2017, as published.
    """

    name: str
    kind: str
    trunk: str
    place: str
    size_mib: float
    published_map: float

    @property
    def title(self) -> str:
        """Name for people."""
        return f"detectron2's Faster R-CNN, {self.kind}"

    @property
    def config(self) -> str:
        """Its config in the zoo, which is also its folder on the server."""
        return f"faster_rcnn_{self.trunk}"

    @property
    def architecture(self) -> str:
        """As a ModelSpec has it."""
        return f"{ENGINE}{self.config}"

    @property
    def path(self) -> str:
        """Where the weights lie below the zoo's address."""
        return f"{self.config}/{self.place}.pkl"

    @property
    def md5_prefix(self) -> str:
        """The digits of the file's md5 that are published: they are its name's."""
        return self.place.rpartition("_")[2]


def is_installed() -> bool:
    """Whether detectron2 can be imported, without doing so; a folder of its sources in the way is no detectron2."""
    found = find_spec("detectron2")
    return found is not None and found.origin is not None


def configs_folder() -> Path:
    """Where a person keeps models of detectron2 that shall be listed with all others: a folder each, named like it."""
    return home_folder() / "detectron2"


def own_configs() -> list[Path]:
    """The configs that lie there; their checkpoints lie beside them."""
    return sorted(configs_folder().glob("*/config.yaml"))


def is_for_engine(architecture: str) -> bool:
    """Whether detectron2 itself builds this architecture."""
    return architecture.startswith(ENGINE)


def can_run(spec: ModelSpec) -> bool:
    """Whether what runs a model is here."""
    return not is_for_engine(spec.architecture) or is_installed()


def as_chosen(spec: ModelSpec) -> ModelSpec:
    """A published model as the one who runs it is chosen, see the top; all but two come back as they are."""
    if spec.name not in EITHER or _asked() != BY_ENGINE:
        told = f" Run without detectron2; {SWITCH}={BY_ENGINE} has detectron2 run it."
        return replace(spec, notes=spec.notes + told) if spec.name in EITHER and is_installed() else spec
    told = f" Run by detectron2, for {SWITCH} says so; {SWITCH}={BY_PARTS} runs it without."
    return replace(spec, architecture=f"{ENGINE}{EITHER[spec.name]}", notes=spec.notes + told)


def check_choice() -> None:
    """Refuse a choice that is none.

    Raises:
        SettingError: COWVISION_DETECTRON2 holds something else than is allowed.
    """
    if _asked() not in {"", BY_ENGINE, BY_PARTS}:
        raise SettingError(SWITCH, f"'{_asked()}' is no way to run a model", f"Set it to {BY_ENGINE} or {BY_PARTS}")


def check_known(name: str) -> None:
    """Tell of a model that would be known if detectron2 were here.

    Raises:
        ModelNotFoundError: It is one of those.
    """
    if not is_installed() and any(model.name == name for model in ZOO):
        raise ModelNotFoundError(name, ABSENT, INSTALL)


def _asked() -> str:
    return os.environ.get(SWITCH, "").strip().lower()


ZOO = (
    ZooModel("d2-r50-c4-1x", "ResNet-50 C4, 1x", "R_50_C4_1x", "137257644/model_final_721ade", 129.333, 0.357),
    ZooModel("d2-r50-c4-3x", "ResNet-50 C4, 3x", "R_50_C4_3x", "137849393/model_final_f97cb7", 129.333, 0.384),
    ZooModel("d2-r50-dc5-1x", "ResNet-50 DC5, 1x", "R_50_DC5_1x", "137847829/model_final_51d356", 632.071, 0.373),
    ZooModel("d2-r50-dc5-3x", "ResNet-50 DC5, 3x", "R_50_DC5_3x", "137849425/model_final_68d202", 632.071, 0.390),
    ZooModel("d2-r50-fpn-1x", "ResNet-50, 1x", "R_50_FPN_1x", "137257794/model_final_b275ba", 159.502, 0.379),
    ZooModel("d2-r101-c4-3x", "ResNet-101 C4, 3x", "R_101_C4_3x", "138204752/model_final_298dad", 202.001, 0.411),
    ZooModel("d2-r101-dc5-3x", "ResNet-101 DC5, 3x", "R_101_DC5_3x", "138204841/model_final_3e0943", 704.740, 0.406),
    ZooModel("d2-x101-fpn-3x", "ResNeXt-101, 3x", "X_101_32x8d_FPN_3x", "139173657/model_final_68b088", 401.313, 0.430),
)
"""Of the zoo's table "Faster R-CNN", all but the two that are run without it."""
