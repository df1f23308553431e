"""DetectionBox: predict, train, evaluate - the class of the tutorial, on any ModelSpec."""

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.annotations import AnnotatedPicture, check_trainable
from cowvision.data.pictures import PictureLike, as_picture
from cowvision.models.callbacks import never, silent, stop_if
from cowvision.models.catalog import DEFAULT_MODEL, ModelSpec, find_model

if TYPE_CHECKING:
    from torch import nn

    from cowvision.evaluation.metrics import MapReport
    from cowvision.models.choices import Execution
    from cowvision.models.execution import RawDetections
    from cowvision.training.settings import FinetuneConfig

RAW_SCORE = 0.05
MOST_DETECTIONS = 100
_ONE_AT_A_TIME = threading.Lock()  # the number of threads is a setting of the process, and two timings spoil each other

Progress = Callable[[int, int], None]


class DetectionBox:
    """One detector, ready to use; safe to share between threads.

    Args:
        model: Name of an embedded model, path of a weights file or of detectron2's config.yaml, or a ModelSpec.
        network: The network itself, for a spec whose weights live in memory only.
        execution: How to run it; by default chosen by a one-time timing (`models.execution`).

    Attributes:
        spec: What it is.
        network: Its network, to be copied and not to be changed.

    Raises:
        ModelNotFoundError: No model of that name.
        ModelFileError: Its files cannot be used.
    """

    def __init__(
        self,
        model: str | Path | ModelSpec = DEFAULT_MODEL,
        *,
        network: "nn.Module | None" = None,
        execution: "Execution | None" = None,
    ) -> None:
        from cowvision.models.engines import for_inference, load_network

        self.spec = model if isinstance(model, ModelSpec) else find_model(str(model))
        self.network = (network if network is not None else load_network(self.spec)).eval()
        self._inference = for_inference(self.network)
        self._execution = execution

    @classmethod
    def load(cls, name: str | Path) -> "DetectionBox":
        """Load an embedded model by name, or any model by the path of its weights file."""
        return cls(name)

    @property
    def execution(self) -> "Execution":
        """Device, precision, memory format and threads; the first use may time the choices once."""
        return self.choose_execution()

    @property
    def is_timed(self) -> bool:
        """Whether it is known how to run it here; if not, its first use takes up to a minute longer."""
        from cowvision.models.execution import known_execution

        return self._execution is not None or known_execution(self._timed_as) is not None

    def choose_execution(self, should_stop: Callable[[], bool] = never) -> "Execution":
        """As ``execution``; timing a large network takes a minute, and WorkStopped is raised if asked to stop."""
        with _ONE_AT_A_TIME:
            return self._chosen_execution(should_stop)

    def predict(
        self,
        pictures: Sequence[PictureLike],
        *,
        batch_size: int = 1,
        on_progress: Progress = silent,
        should_stop: Callable[[], bool] = never,
    ) -> list[sv.Detections]:
        """Find animals on pictures: raw detections, to be thresholded later.

        Args:
            pictures: Picture values, (h, w, 3) or (h, w) uint8 RGB arrays, or paths, in any mixture of sizes.
            batch_size: Pictures that go through the network together, if they are of one size.
            on_progress: Called with (pictures done, pictures in all).
            should_stop: Asked before each batch; True ends the work early.

        Returns:
            A Detections per picture, best first, from score 0.05 up and at most 100 a picture. Boxes are
            float32 pixels of the upright picture, `class_id` counts `spec.class_names` from 1 and
            `data["class_name"]` names them. Fewer than asked for only if `should_stop` ended the work.

        Raises:
            PictureError: A picture cannot be read or is not 8-bit RGB.
        """
        found: list[sv.Detections] = []
        for batch in _batches(pictures, max(1, batch_size)):
            if should_stop():
                break
            found += self._predict_batch([as_picture(picture).rgb for picture in batch])
            on_progress(len(found), len(pictures))
        return found

    def train(
        self,
        pictures: Sequence[AnnotatedPicture],
        config: "FinetuneConfig | None" = None,
        *,
        name: str = "finetuned",
        class_names: tuple[str, ...] = ("cow",),
        on_step: Callable[..., None] = silent,
        should_stop: Callable[[], bool] = never,
    ) -> "DetectionBox":
        """Fine-tune on annotated pictures; returns a new box and leaves this one as it was.

        Raises:
            TrainingDataError: No pictures, or no box of `class_names` on any of them.
        """
        check_trainable(pictures, class_names)
        import torch

        from cowvision.models.engines import with_classes
        from cowvision.models.weights import network_sha256
        from cowvision.training.finetune import finetune
        from cowvision.training.settings import FinetuneConfig

        config = self._sized(config or FinetuneConfig())
        torch.manual_seed(config.seed)  # classes that are new to the network begin with random weights
        network = finetune(
            with_classes(copy.deepcopy(self.network), self.spec.class_names, class_names),
            pictures,
            config,
            class_names=class_names,
            on_step=on_step,
            should_stop=should_stop,
        )
        spec = replace(
            self.spec,
            name=name,
            title=f"{self.spec.title}, fine-tuned",
            class_names=class_names,
            own_map=None,
            published_map=None,
            notes=f"Fine-tuned from {self.spec.name} on {len(pictures)} pictures.",
            weights=None,
            weights_sha256=network_sha256(network),
        )
        return DetectionBox(spec, network=network, execution=self._execution)

    def evaluate(
        self,
        pictures: Sequence[AnnotatedPicture],
        *,
        class_names: tuple[str, ...] | None = ("cow",),
        on_progress: Progress = silent,
    ) -> "MapReport":
        """Measure how well the detections agree with ground truth; see `evaluation.metrics.measure`."""
        from cowvision.evaluation.metrics import measure

        found: list[sv.Detections] = []
        for picture in pictures:  # read one by one: a large set does not fit into memory
            found += self.predict([picture.picture()])
            on_progress(len(found), len(pictures))
        return measure(found, [picture.truth for picture in pictures], class_names=class_names)

    def save(self, folder: str | Path) -> ModelSpec:
        """Write weights and settings into a folder; `DetectionBox(spec)` or its path loads them again."""
        from cowvision.models.weights import save_model

        self.spec = save_model(self.network, self.spec, folder)
        return self.spec

    def _sized(self, config: "FinetuneConfig") -> "FinetuneConfig":
        """Pictures are learnt as they are looked at later, unless the settings name another size."""
        from cowvision.training.sight import as_looked_at

        looked_at = as_looked_at(config.batch, self.network, self.spec.short_side)
        return config if config.batch.short_sides else replace(config, batch=looked_at)

    def _chosen_execution(self, should_stop: Callable[[], bool] = never) -> "Execution":
        if self._execution is None:
            from cowvision.models.execution import choose_execution, sample_rgb

            sample = [sample_rgb()]
            self._execution = choose_execution(
                lambda execution: self._run(sample, execution, should_stop), self._timed_as
            )
        return self._execution

    @property
    def _timed_as(self) -> str:
        return f"{self.spec.architecture}, short side {self.spec.short_side}"

    def _run(
        self, pictures: list[NDArray[np.uint8]], execution: "Execution", should_stop: Callable[[], bool] = never
    ) -> "list[RawDetections]":
        from cowvision.models.engines import raw_detections

        stop_if(should_stop)
        network = self._inference.of(execution.dtype)
        return raw_detections(network, pictures, short_side=self.spec.short_side, execution=execution)

    def _predict_batch(self, pictures: list[NDArray[np.uint8]]) -> list[sv.Detections]:
        found: list[sv.Detections] = []
        for (height, width, _), alike in groupby(pictures, key=np.shape):  # padding to a neighbour's size would show
            with _ONE_AT_A_TIME:
                raw = self._run(list(alike), self._chosen_execution())
            found += [self._as_detections(*answer, resolution_wh=(width, height)) for answer in raw]
        return found

    def _as_detections(
        self,
        xyxy: NDArray[np.float32],
        scores: NDArray[np.float32],
        labels: NDArray[np.int64],
        *,
        resolution_wh: tuple[int, int],
    ) -> sv.Detections:
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= RAW_SCORE][:MOST_DETECTIONS]
        inside = np.clip(xyxy.reshape(-1, 4)[order], 0, [*resolution_wh, *resolution_wh])
        names = [self.spec.class_name(int(label)) for label in labels[order]]
        return sv.Detections(
            xyxy=inside.astype(np.float32),
            confidence=scores[order].astype(np.float32),
            class_id=labels[order].astype(np.int64),
            data={"class_name": np.asarray(names, dtype=np.str_)},
        )


def _batches(pictures: Sequence[PictureLike], size: int) -> Iterator[Sequence[PictureLike]]:
    for start in range(0, len(pictures), size):
        yield pictures[start : start + size]
