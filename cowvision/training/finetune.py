"""The training loop: plain PyTorch, from any weights, on annotated pictures; resumable, cancellable, exact."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from cowvision.errors import TrainingDataError
from cowvision.models.callbacks import never, silent
from cowvision.models.execution import preferred_device
from cowvision.models.processes import Processes
from cowvision.training.batches import batches
from cowvision.training.settings import FinetuneConfig
from cowvision.training.state import AveragedWeights, Checkpoint, Standing, run_fingerprint
from cowvision.training.steps import descend, freeze, losses_of, make_optimizer, rate_factors, seed_step, set_mode

if TYPE_CHECKING:
    from cowvision.data.annotations import AnnotatedPicture

_SMOOTH = 0.9
_EXPLODED = 4.0  # times the lowest smoothed loss, and one more: losses of detectors lie between 0 and 3


@dataclass(frozen=True)
class StepReport:
    """What ``on_step`` is told.

    Attributes:
        step: The step just done, from 1.
        steps: Steps in all.
        losses: The losses by name, of this process's pictures.
        loss: Their sum.
        learning_rate: Of this step.
        seconds: It took, the wait for its pictures included.
        waited: Seconds of those for which the pictures were not ready.
    """

    step: int
    steps: int
    losses: dict[str, float]
    loss: float
    learning_rate: float = 0.0
    seconds: float = 0.0
    waited: float = 0.0


@dataclass(frozen=True)
class Look:
    """What the held-out pictures said: after how many steps, the mAP, and whether it was never better."""

    step: int
    score: float
    is_best: bool


def finetune(
    network: nn.Module,
    pictures: Sequence[AnnotatedPicture],
    config: FinetuneConfig,
    *,
    class_names: Sequence[str],
    on_step: Callable[..., None] = silent,
    should_stop: Callable[[], bool] = never,
    judge: Callable[[nn.Module], float | None] | None = None,
    on_look: Callable[[Look, nn.Module], None] = silent,
    processes: Processes | None = None,
) -> nn.Module:
    """Train a torchvision detector.

    Args:
        network: Of any engine, trained in place; its labels must be ``class_names`` counted from 1.
        pictures: What to learn from; boxes of other classes are background.
        config: How.
        class_names: The network's foreground classes.
        on_step: Called with a ``StepReport`` after every step.
        should_stop: Asked before every step; True ends the training early with what is there.
        judge: Tells how good the averaged network is on held-out pictures, as mAP; None (nobody can say, or it was
            stopped) leaves things as they are. Asked every ``config.judge_every`` steps and at the end.
        on_look: Called with every ``Look`` and the network it was about.
        processes: Those of torchrun, each of which calls this; the gradient is the mean of theirs.

    Returns:
        A network with the moving average of the weights, in evaluation mode on the CPU: the best that ``judge`` saw,
        else the last.

    Raises:
        TrainingDataError: There are no pictures, or the loss is no longer a number or has exploded. With a checkpoint,
            the state before that was kept.
    """
    if len(pictures) == 0:
        raise TrainingDataError("training", "there are no pictures", "Add a few pictures with boxes")
    loop = _Loop(network, pictures, config, tuple(class_names), processes or Processes())
    loop.run(on_step, should_stop, judge, on_look)
    return loop.outcome()


def _gone_wrong(cause: str) -> TrainingDataError:
    return TrainingDataError("training", cause, "Lower the learning rate, or look for boxes without extent")


def _counted(steps: int) -> str:
    return "1 step" if steps == 1 else f"{steps} steps"


class _Loop:
    """The state of one training, and its steps."""

    def __init__(
        self,
        network: nn.Module,
        pictures: Sequence[AnnotatedPicture],
        config: FinetuneConfig,
        class_names: tuple[str, ...],
        processes: Processes,
    ) -> None:
        self.config, self.processes = config, processes
        torch.manual_seed(config.seed)
        told = f"{config.course()} {class_names} {processes.count}"
        run = run_fingerprint(told, pictures, network)
        device = torch.device("cuda" if preferred_device() == "cuda" else "cpu")  # some of it has no gradient on Metal
        self.network: Any = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        freeze(network, config)
        self.optimizer, self.average = make_optimizer(network, config), AveragedWeights(network, config.average_decay)
        self.checkpoint = Checkpoint(config.checkpoint, network, self.average, self.optimizer, run)
        self.standing: Standing = self.checkpoint.load()
        self.factor = rate_factors(network, config)
        self.rate = config.peak_rate(config.batch.batch_size * processes.count)
        share = (processes.rank, processes.count)
        self.source = batches(pictures, class_names, config.batch, self.standing.step, share)
        is_shared = processes.count > 1
        self.shared: Any = DistributedDataParallel(network, forward_sync_buffers=False) if is_shared else network

    def run(
        self,
        on_step: Callable[..., None],
        should_stop: Callable[[], bool],
        judge: Callable[[nn.Module], float | None] | None,
        on_look: Callable[[Look, nn.Module], None],
    ) -> None:
        """Steps to the end, or until somebody or the held-out pictures say that it is enough."""
        config, standing = self.config, self.standing
        while standing.step < config.iterations and not self._is_enough():
            [stops] = self.processes.mean(float(should_stop()))  # if one process stops, all do
            if stops:
                self._keep()
                return
            try:
                report = self._step()
            except RuntimeError as error:
                if not (str(error).startswith("DataLoader worker") and self.processes.count == 1 and should_stop()):
                    raise
                self._keep()  # the signal that asks for a stop ended what prepares the pictures, too
                return
            with self.processes.as_one():
                on_step(report)
            is_last = standing.step == config.iterations
            if judge is not None and config.judge_every and (is_last or standing.step % config.judge_every == 0):
                self._look(judge, on_look)
            if is_last or standing.step % config.checkpoint_every == 0:
                self._keep()

    def outcome(self) -> nn.Module:
        """The best network, else the last."""
        if self.standing.best is not None:
            self.average.network.load_state_dict(self.standing.best)
        trained: nn.Module = self.average.network.cpu().requires_grad_(requires_grad=True)
        return trained

    def _step(self) -> StepReport:
        step, started = self.standing.step, time.perf_counter()
        with self.processes.as_one():
            batch = next(self.source)
        ready = time.perf_counter()
        seed_step(self.config.seed, step, self.processes.rank)
        set_mode(self.network, self.config)
        losses = losses_of(self.shared, batch, self.config)
        told = {name.removeprefix("loss_"): float(value.detach()) for name, value in losses.items()}
        [loss] = self.processes.mean(sum(told.values()))  # before the step: if one process gives up, all do
        self._check(loss)
        rate = self.rate * self.factor(step)
        if not descend(self.network, self.optimizer, losses, rate, self.config.clip):
            raise _gone_wrong(f"the gradient is no longer a number after {_counted(step)}")
        self.average.update(self.network, step)
        self.standing.step = step + 1
        now = time.perf_counter()
        return StepReport(step + 1, self.config.iterations, told, loss, rate, now - started, ready - started)

    def _check(self, loss: float) -> None:
        """Raise if the loss is no number any more, or grows without end."""
        standing = self.standing
        before = standing.smooth_loss
        smooth = loss if before is None else _SMOOTH * before + (1 - _SMOOTH) * loss
        cause = ""
        if not abs(loss) < float("inf"):
            cause = f"the loss is no longer a number after {_counted(standing.step)}"
        elif smooth > _EXPLODED * standing.lowest_loss + 1:
            cause = (
                f"the loss has exploded after {_counted(standing.step)} "
                f"({smooth:.1f}, after {standing.lowest_loss:.2f})"
            )
        if cause:
            raise _gone_wrong(cause)
        standing.smooth_loss, standing.lowest_loss = smooth, min(standing.lowest_loss, smooth)

    def _look(self, judge: Callable[[nn.Module], float | None], on_look: Callable[[Look, nn.Module], None]) -> None:
        standing, network = self.standing, self.average.network
        score = judge(network)
        if score is None:
            return
        is_best = standing.best_map is None or score > standing.best_map
        standing.looks_since += 1
        if is_best:
            standing.best_map, standing.best_step, standing.looks_since = score, standing.step, 0
            standing.best = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
        with self.processes.as_one():
            on_look(Look(standing.step, score, is_best), network)

    def _is_enough(self) -> bool:
        return bool(self.config.patience) and self.standing.looks_since >= self.config.patience

    def _keep(self) -> None:
        with self.processes.as_one():
            if not self.processes.is_first:
                return
            try:
                self.checkpoint.save(self.standing)
            except OSError as error:
                cause = f"step {self.standing.step} could not be kept ({error.strerror or error})"
                raise TrainingDataError("training", cause, "Free some space, then have the run go on") from None
