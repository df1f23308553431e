"""detectron2 itself, as an engine: the only module that imports it. Its pictures are BGR; nobody outside sees that."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import detectron2
import numpy as np
import torch
from detectron2.config import CfgNode, get_cfg
from detectron2.data import MetadataCatalog
from detectron2.data import transforms as T
from detectron2.modeling import Backbone, build_model
from detectron2.modeling.proposal_generator.rpn import StandardRPNHead
from detectron2.modeling.roi_heads.fast_rcnn import FastRCNNOutputLayers
from detectron2.solver import build_lr_scheduler, build_optimizer
from detectron2.structures import Boxes, Instances
from detectron2.utils.events import EventStorage
from numpy.typing import NDArray

from cowvision.errors import ModelFileError
from cowvision.models import detectron2_tensors as tensors
from cowvision.models.choices import Execution
from cowvision.models.d2_checkpoint import check_fit, stored_weights
from cowvision.models.detectron2_config import read_settings
from cowvision.models.detectron2_zoo import ENGINE
from cowvision.models.engines import OwnEngine
from cowvision.models.execution import applied
from cowvision.models.quoting import printable
from cowvision.models.torchvision_engine import as_float

if TYPE_CHECKING:
    from cowvision.models.catalog import ModelSpec
    from cowvision.models.execution import RawDetections

logging.getLogger("torch.fx._symbolic_trace").setLevel(logging.ERROR)  # detectron2 asks it in a way it warns of

_ZOO = Path(detectron2.__file__).parent / "model_zoo" / "configs"
_RAW_SCORE = 0.05
_NOT_WEIGHTS = ("pixel_mean", "pixel_std", "proposal_generator.anchor_generator.", "anchor_generator.")
_NOT_BUILT = ("roi_heads.mask_", "roi_heads.keypoint_")
_ASKED = {
    "META_ARCHITECTURE": {"GeneralizedRCNN"},
    "PROPOSAL_GENERATOR.NAME": {"RPN"},
    "ROI_HEADS.NAME": {"StandardROIHeads", "Res5ROIHeads", "CascadeROIHeads"},
    "ANCHOR_GENERATOR.NAME": {"DefaultAnchorGenerator"},
}
_USE_FASTER_RCNN = "Use the config of a Faster R-CNN, as detectron2 0.6 writes it"


class Detectron2Network(OwnEngine):
    """A Faster R-CNN of detectron2's, run as its predictor runs it and taught by its own losses and solver.

    Attributes:
        cfg: Its configuration, on the processor and without an address of weights.
        model: What detectron2 built of it.
    """

    def __init__(self, cfg: CfgNode) -> None:
        super().__init__()
        self.cfg: Any = cfg
        self.model: Any = build_model(cfg.clone())
        for module in self.model.modules():
            if isinstance(module, Backbone | StandardRPNHead | FastRCNNOutputLayers):
                module.register_forward_hook(as_float)

    @property
    def sides_px(self) -> tuple[int, int]:
        """As its configuration says for looking; where that leaves pictures as they are, as it says for learning."""
        shown = self.cfg.INPUT
        return int(shown.MIN_SIZE_TEST or max(shown.MIN_SIZE_TRAIN)), int(shown.MAX_SIZE_TEST)

    def detect(
        self, images: Sequence[NDArray[np.uint8]], short_side: int | None, execution: Execution | None
    ) -> list[RawDetections]:
        """As ``engines.raw_detections``; what is no CUDA runs on the processor."""
        execution = execution or Execution(threads=torch.get_num_threads())
        layout = torch.channels_last if execution.channels_last else torch.contiguous_format
        self.to("cuda" if execution.device == "cuda" else "cpu", memory_format=layout)  # type: ignore[call-overload]
        with applied(execution):
            found = self.model([self._shown(rgb, short_side or self.cfg.INPUT.MIN_SIZE_TEST) for rgb in images])
        return [tensors.raw(one["instances"]) for one in found]

    def forward(self, pictures: Sequence[torch.Tensor], targets: Sequence[dict[str, torch.Tensor]]) -> dict[str, Any]:
        """The losses of pictures, which its own augmentation varies first, at the sizes its configuration learns at."""
        losses: dict[str, Any] = {}
        with tensors.drawn_by_torch(), EventStorage():  # its losses take notes there, and need a place for them
            batch = [self._taught(*pair) for pair in zip(pictures, targets, strict=True)]
            with tensors.diverging_is_a_loss(losses):
                losses |= self.model(batch)
        return losses

    def with_classes(self, known: Sequence[str], wanted: Sequence[str]) -> Detectron2Network:
        """As ``OwnEngine`` says; the head of the classes is new, all else is kept."""
        cfg = self.cfg.clone()
        cfg.MODEL.ROI_HEADS.NUM_CLASSES = len(wanted)
        fresh = Detectron2Network(cfg)
        heads = [name for name, module in self.model.named_modules() if isinstance(module, FastRCNNOutputLayers)]
        kept = {name: value for name, value in self.model.state_dict().items() if not name.startswith(tuple(heads))}
        fresh.model.load_state_dict(kept, strict=False)
        pairs = [(list(known).index(name), place) for place, name in enumerate(wanted) if name in known]
        one_box = bool(cfg.MODEL.ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG)
        for name in heads:
            old, new = (one.model.get_submodule(name) for one in (self, fresh))
            tensors.copy_classes(old, new, pairs, one_box=one_box)
        return fresh.to(next(self.parameters()).device)

    def freeze(self, stages: int) -> None:
        """As ``OwnEngine`` says, by its own way of freezing."""
        self.requires_grad_(requires_grad=True)
        trunk = getattr(self.model.backbone, "bottom_up", self.model.backbone)
        if stages > 0 and hasattr(trunk, "freeze"):
            trunk.freeze(stages + 1)  # it counts the stem as the first

    def optimizer(self, kind: str, rate: float, decay: float) -> torch.optim.Optimizer:
        """As ``OwnEngine`` says; biases and norms are not decayed."""
        cfg = self.cfg.clone()
        cfg.SOLVER.BASE_LR, cfg.SOLVER.WEIGHT_DECAY = rate, decay
        cfg.SOLVER.WEIGHT_DECAY_NORM, cfg.SOLVER.WEIGHT_DECAY_BIAS = 0.0, 0.0
        sgd: torch.optim.Optimizer = build_optimizer(cfg, self.model)
        if kind == "sgd":
            return tensors.with_rate_factors(sgd, rate)
        groups = [{key: group[key] for key in ("params", "lr", "weight_decay")} for group in sgd.param_groups]
        return tensors.with_rate_factors(torch.optim.AdamW(groups, rate, betas=(0.9, 0.99)), rate)

    def rate_factor(self, schedule: str, steps: int, warm_up: int, drops_at: Sequence[float]) -> Callable[[int], float]:
        """As ``OwnEngine`` says."""
        cfg = self.cfg.clone()
        solver = cfg.SOLVER
        solver.LR_SCHEDULER_NAME = "WarmupMultiStepLR" if schedule == "step" else "WarmupCosineLR"
        solver.MAX_ITER, solver.WARMUP_ITERS, solver.GAMMA = steps, min(warm_up, steps), 0.1
        solver.STEPS = tuple(sorted({round(share * steps) for share in drops_at} & set(range(1, steps))))
        course = build_lr_scheduler(cfg, torch.optim.SGD([torch.zeros(1)], lr=1.0))

        def factor(step: int) -> float:
            course.last_epoch = step
            return float(course.get_lr()[0])

        return factor

    def _shown(self, rgb: NDArray[np.uint8], short_side: int) -> dict[str, Any]:
        """A picture as its predictor shows it to the model."""
        height, width = rgb.shape[:2]
        pixels = self._channels(rgb)
        if short_side:
            size = T.ResizeShortestEdge.get_output_shape(height, width, short_side, self.cfg.INPUT.MAX_SIZE_TEST)
            pixels = T.ResizeTransform(height, width, *(max(1, side) for side in size)).apply_image(pixels)
        return {"image": tensors.as_tensor(pixels), "height": height, "width": width}

    def _taught(self, picture: torch.Tensor, target: dict[str, torch.Tensor]) -> dict[str, Any]:
        """A picture and its truth as its model learns from them, varied by its own augmentation."""
        pixels = (picture * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        learnt = T.AugInput(self._channels(pixels), boxes=target["boxes"].cpu().numpy())
        T.AugmentationList(self._variations(min(pixels.shape[:2])))(learnt)
        truth = Instances(learnt.image.shape[:2])
        truth.gt_boxes = Boxes(torch.as_tensor(learnt.boxes, dtype=torch.float32))
        truth.gt_boxes.clip(truth.image_size)
        truth.gt_classes = target["labels"].cpu() - 1
        return {"image": tensors.as_tensor(learnt.image), "instances": truth[truth.gt_boxes.nonempty()]}

    def _variations(self, short_side: int) -> list[Any]:
        """Resizing and mirroring as its configuration says, around the size at which it will look."""
        shown, usual = self.cfg.INPUT, self.sides_px[0]
        sides = [max(1, round(short_side * side / usual)) for side in shown.MIN_SIZE_TRAIN]
        found = [T.ResizeShortestEdge(sides, shown.MAX_SIZE_TRAIN, shown.MIN_SIZE_TRAIN_SAMPLING)]
        flips = {"horizontal": shown.RANDOM_FLIP == "horizontal", "vertical": shown.RANDOM_FLIP == "vertical"}
        return [*found, T.RandomFlip(**flips)] if any(flips.values()) else found

    def _channels(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(rgb[:, :, ::-1] if self.cfg.INPUT.FORMAT == "BGR" else rgb)


def build(spec: ModelSpec) -> Detectron2Network:
    """The network of a spec, with random weights.

    Raises:
        ModelFileError: Its configuration is not one of a Faster R-CNN of detectron2.
    """
    warnings.filterwarnings("ignore", message=r"torch\.meshgrid")  # its anchors ask for it in an older way
    label = spec.architecture.removeprefix(ENGINE)
    zoo = _ZOO / "COCO-Detection" / f"{label}.yaml"
    if not spec.config and zoo not in _ZOO.glob("COCO-Detection/*.yaml"):
        raise ModelFileError(spec.name, f"detectron2's zoo has no '{printable(label)}'", _USE_FASTER_RCNN)
    try:
        settings = json.loads(spec.config) if spec.config else read_settings(zoo, _ZOO)
        return Detectron2Network(_configuration(settings, len(spec.class_names), spec.name))
    except ModelFileError:
        raise
    except Exception as error:  # noqa: BLE001 - its settings are a stranger's, and can fail in any way
        told = (str(error.args[0] if error.args else error) or type(error).__name__).splitlines()[0]
        cause = f"detectron2 cannot build what its config asks for ({told[:160]})"
        raise ModelFileError(spec.name, cause, _USE_FASTER_RCNN) from None


def load_checkpoint(network: Detectron2Network, path: Path) -> None:
    """Fill a network with the weights of a checkpoint, the zoo's or a person's.

    Raises:
        ModelFileError: It is damaged, would run something, or is of another network.
    """
    found = {name: value for name, value in stored_weights(path).items() if not name.startswith(_NOT_WEIGHTS)}
    found = {name: value for name, value in found.items() if not name.startswith(_NOT_BUILT)}
    wanted = {name: tuple(value.shape) for name, value in network.model.state_dict().items()}
    wanted = {name: shape for name, shape in wanted.items() if not name.endswith(".num_batches_tracked")}
    check_fit(found, wanted, path, "Use the config.yaml that was written when this checkpoint was trained")
    if not all(bool(torch.isfinite(value).all()) for value in found.values()):
        raise ModelFileError(str(path), "the weights hold values that are not numbers", "Use an earlier checkpoint")
    network.model.load_state_dict({name: value.float() for name, value in found.items()}, strict=False)


def class_names_of(data_sets: Sequence[str]) -> tuple[str, ...]:
    """Names of the classes of the first of these data sets that detectron2 knows; none if it knows none of them."""
    for name in data_sets:
        if name in MetadataCatalog.list():  # asking for another would make an entry of it
            return tuple(MetadataCatalog.get(name).get("thing_classes", ()))
    return ()


def _configuration(settings: dict[str, Any], num_classes: int, name: str) -> CfgNode:
    cfg = get_cfg()
    version = settings.get("VERSION", cfg.VERSION)
    if version != cfg.VERSION:
        cause = f"its config is of VERSION {printable(str(version))}, and this detectron2 writes {cfg.VERSION}"
        raise ModelFileError(name, cause, _USE_FASTER_RCNN)
    cfg.merge_from_other_cfg(CfgNode(settings))
    for key, known in _ASKED.items():
        asked = _at(cfg.MODEL, key)
        if asked not in known:
            ours = ", ".join(sorted(known))
            cause = f"its config asks for {printable(str(asked))} as MODEL.{key}, and what is run here is {ours}"
            raise ModelFileError(name, cause, _USE_FASTER_RCNN)
    if cfg.INPUT.FORMAT not in {"BGR", "RGB"}:
        raise ModelFileError(name, f"its pictures are {printable(cfg.INPUT.FORMAT)}, not BGR or RGB", _USE_FASTER_RCNN)
    cfg.MODEL.DEVICE, cfg.MODEL.WEIGHTS, cfg.OUTPUT_DIR = "cpu", "", ""
    cfg.VIS_PERIOD = 0  # its drawings for TensorBoard, which nobody would see
    cfg.MODEL.MASK_ON = cfg.MODEL.KEYPOINT_ON = cfg.MODEL.LOAD_PROPOSALS = False
    cfg.MODEL.ROI_HEADS.NUM_CLASSES = num_classes
    cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = _RAW_SCORE  # thresholds are chosen later, and mAP needs all
    return cfg


def _at(node: Any, key: str) -> Any:
    for part in key.split("."):
        node = node[part]
    return node
