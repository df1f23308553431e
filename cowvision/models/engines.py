"""Who builds, runs and re-heads the network of a ModelSpec: torchvision's modules, or a library in its own ways."""

from __future__ import annotations

import copy
import warnings
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cowvision.errors import ModelFileError
from cowvision.models import torchvision_engine
from cowvision.models.catalog import ModelSpec
from cowvision.models.detectron2_zoo import ABSENT, INSTALL, check_choice, is_for_engine, is_installed
from cowvision.models.fusion import InferenceCopies
from cowvision.models.quoting import first_line
from cowvision.models.weights import load_weights

if TYPE_CHECKING:
    import torch

    from cowvision.models.choices import Execution
    from cowvision.models.execution import RawDetections


class OwnEngine(nn.Module):
    """A network of another library, which runs it and teaches it by its own means.

    In training mode it is called as torchvision's detectors are: pictures (3, h, w) in 0..1 RGB and targets with
    ``boxes`` and ``labels`` from 1; it answers with its losses by name.
    """

    @property
    @abstractmethod
    def sides_px(self) -> tuple[int, int]:
        """Shorter side it scales pictures to, and the longest that the longer one may become."""

    @abstractmethod
    def detect(
        self, images: Sequence[NDArray[np.uint8]], short_side: int | None, execution: Execution | None
    ) -> list[RawDetections]:
        """As ``torchvision_engine.raw_detections``."""

    @abstractmethod
    def with_classes(self, known: Sequence[str], wanted: Sequence[str]) -> OwnEngine:
        """A new network of other classes; what this one knows about the background and shared names goes along."""

    @abstractmethod
    def freeze(self, stages: int) -> None:
        """Let everything learn but the trunk's stem and its first stages; 0 lets all of it learn."""

    @abstractmethod
    def optimizer(self, kind: str, rate: float, decay: float) -> torch.optim.Optimizer:
        """The library's optimizer: "sgd", or its groups of parameters for "adamw"."""

    @abstractmethod
    def rate_factor(self, schedule: str, steps: int, warm_up: int, drops_at: Sequence[float]) -> Callable[[int], float]:
        """The library's schedule: the factor on the learning rate in a step (from 0).

        Args:
            schedule: "cosine", or "step", which drops tenfold.
            steps: In all.
            warm_up: Steps over which the rate rises.
            drops_at: Where it drops, as shares of all steps.
        """


class AsItIs:
    """A copy of a network to look with in which nothing is changed."""

    def __init__(self, network: nn.Module) -> None:
        self._copy = copy.deepcopy(network).eval()

    def of(self, _dtype: str) -> nn.Module:
        """The same for every precision."""
        return self._copy


def load_network(spec: ModelSpec) -> nn.Module:
    """The network of a spec, with its weights if they are in a file.

    Raises:
        ModelFileError: Its files cannot be used, or its library is not here.
        SettingError: COWVISION_DETECTRON2 holds something else than is allowed.
    """
    check_choice()
    if is_for_engine(spec.architecture):
        return _by_detectron2(spec)
    network = torchvision_engine.build_network(spec.architecture, len(spec.class_names))
    if spec.weights is not None:
        load_weights(network, spec.weights)
    return network


def for_inference(network: nn.Module) -> InferenceCopies | AsItIs:
    """Copies to look with: quicker ones, or one as it is where another library runs it."""
    return AsItIs(network) if isinstance(network, OwnEngine) else InferenceCopies(network)


def raw_detections(
    network: nn.Module,
    images: Sequence[NDArray[np.uint8]],
    *,
    short_side: int | None = None,
    execution: Execution | None = None,
) -> list[RawDetections]:
    """As ``torchvision_engine.raw_detections``, for networks of any engine."""
    if isinstance(network, OwnEngine):
        return network.detect(images, short_side, execution) if images else []
    return torchvision_engine.raw_detections(network, images, short_side=short_side, execution=execution)


def with_classes(network: nn.Module, known: Sequence[str], wanted: Sequence[str]) -> nn.Module:
    """As ``torchvision_engine.with_classes``, for networks of any engine."""
    if isinstance(network, OwnEngine):
        return network.with_classes(known, wanted)
    return torchvision_engine.with_classes(network, known, wanted)


def _by_detectron2(spec: ModelSpec) -> nn.Module:
    if not is_installed():
        alone = "Of a plain R50-FPN or R101-FPN, its checkpoint can be given alone instead of the config. "
        raise ModelFileError(spec.name, ABSENT, (alone if spec.config else "") + INSTALL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what torch says about the way in which detectron2 uses it
            from cowvision.models import detectron2_engine  # noqa: PLC0415 - most people have none
    except Exception as error:  # noqa: BLE001 - built for another torch or Pillow, it fails in any way
        cause = f"detectron2 is installed and cannot be imported ({first_line(error)})"
        raise ModelFileError(spec.name, cause, f"Build it again for this torch. {INSTALL}") from None
    network: Any = detectron2_engine.build(spec)
    if spec.weights is not None and spec.weights.suffix == ".safetensors":
        load_weights(network, spec.weights)
    elif spec.weights is not None:
        detectron2_engine.load_checkpoint(network, spec.weights)
    return network  # type: ignore[no-any-return]
