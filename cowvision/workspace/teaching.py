"""One training, from its plan to a model with a verdict and a card."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING

from torch import nn

from cowvision.detection_box import DetectionBox
from cowvision.errors import CowVisionError, TrainingDataError, WorkStopped
from cowvision.evaluation.metrics import MapReport, measure
from cowvision.models.callbacks import never, silent
from cowvision.models.catalog import ModelSpec, find_model, read_model
from cowvision.models.places import write_atomically
from cowvision.models.processes import Processes
from cowvision.models.provenance import is_known, learnt_from
from cowvision.models.weights import save_model
from cowvision.training.checkpoints import Run, RunState, held
from cowvision.training.finetune import Look, StepReport, finetune
from cowvision.training.settings import config_from
from cowvision.workspace.lesson_looks import answers, as_the_first, in_words, judged
from cowvision.workspace.lesson_parts import pictures_to_learn, prepared_pictures, start_network, tuned_spec
from cowvision.workspace.training_cards import NOT_JUDGED, training_card
from cowvision.workspace.training_sets import TrainingSet

if TYPE_CHECKING:
    import supervision as sv

Tell = Callable[..., object]

NEW = "the new model"
"""What verdict and card call it: its name may change."""

_TELLS_A_SECOND, _LOSSES_KEPT = 2.0, 300


def teach(
    run: Run,
    data: TrainingSet,
    *,
    tell: Tell = silent,
    should_stop: Callable[[], bool] = never,
    processes: Processes | None = None,
) -> Run:
    """Do a run, or go on with it, to its end or until it is stopped; its best model is kept and can be used at once.

    Args:
        run: As ``lessons.begin`` or ``lessons.go_on`` made it.
        data: Its pictures.
        tell: Called with facts by name: twice a second at most with ``kind="step"`` (step, steps, loss, learning_rate,
            seconds, look_seconds, waited), then ``kind="look"`` (step, map, map_50, is_best), ``kind="says"`` (text).
        should_stop: Asked before every step and between the pictures of a look.
        processes: Those of torchrun.

    Returns:
        The run as it then is, also on disk.

    Raises:
        CowVisionError: It failed; what was best until then is kept, and the run says why.
    """
    processes = processes or Processes()
    with ExitStack() as stack:
        with processes.as_one():
            if processes.is_first:
                stack.enter_context(held(run))
        lesson = _Lesson(run, data, tell, should_stop, processes)
        try:
            lesson.work()
        except WorkStopped:
            lesson.end(RunState.STOPPED)
        except CowVisionError as error:
            lesson.fail(error)
            raise
        except Exception as error:
            told = in_words(run.title, error)
            lesson.fail(told)
            raise told from error
        return lesson.run


class _Lesson:
    """The state of a run at work."""

    def __init__(
        self, run: Run, data: TrainingSet, tell: Tell, should_stop: Callable[[], bool], processes: Processes
    ) -> None:
        self.run, self.data, self.processes = run, data, processes
        self.tell, self.should_stop = tell if processes.is_first else silent, should_stop
        self.started, self.before = time.monotonic(), run.seconds
        self.losses, self.looks = list(run.losses), list(run.looks)
        self.report: MapReport | None = None
        self._found: list[sv.Detections] | None = None
        self._best_found: list[sv.Detections] | None = None
        self._since: list[float] = []
        self._told, self._look_seconds, self.steps, self._is_first_step = 0.0, 0.0, run.steps, True

    def work(self) -> None:
        """From the start model to the verdict."""
        with self.processes.as_one():
            start = DetectionBox(find_model(self.run.plan.start))
            self.learnt, self.began_unknown = learnt_from(start.spec), not is_known(start.spec)
            spec, config = tuned_spec(self.run, start.spec), config_from(self.run.settings)
            config = replace(config, checkpoint=self.run.state_file)  # its folder may have been renamed
            self.run = replace(self.run, state=RunState.BEGUN, problem="")
            self._save()
            if self.data.held_out:
                self.tell(kind="says", text=f"{start.spec.title} looks at {len(self.data.held_out)} held-out pictures")
        start = as_the_first(start, self.processes, self.should_stop)
        base = self._answers(start, self.should_stop)
        if base is None:
            self.end(RunState.STOPPED)
            return
        with self.processes.as_one():
            if base:
                self._note_look(0, self._measured(base))
        if self.data.train:
            self.tell(kind="says", text=f"{len(self.data.train)} pictures are prepared")
        prepared = prepared_pictures(self.data, config.batch, self.run.folder, self.processes, self.should_stop)
        network = finetune(
            start_network(start, self.run.plan),
            pictures_to_learn(self.run.plan, config, prepared),
            config,
            class_names=self.run.plan.class_names,
            on_step=self._note_step,
            should_stop=self.should_stop,
            judge=lambda one: self._judged(one, spec, start) if self._can_judge else None,
            on_look=lambda look, one: self._note_judged(look, one, spec),
            processes=self.processes,
        )
        stopped = any(self.processes.mean(float(self.should_stop())))  # whichever of them was asked
        with self.processes.as_one():  # until the first has written the model
            if self.run.best_step is None:  # nobody could judge, or it ended before anybody did
                self._keep_model(network, spec, self.steps)
        found = self._last_answers(start, stopped=stopped)
        with self.processes.as_one():
            if found is not None:
                self._conclude(start, base, found)
            self.end(RunState.STOPPED if stopped else RunState.DONE)

    def fail(self, error: CowVisionError) -> None:
        """Write why it ended, and what is left of it."""
        kept = f" The best so far, of step {self.run.best_step}, is kept." if self.run.has_model else ""
        self.end(RunState.FAILED, f"{error}{kept}")

    def end(self, state: RunState, problem: str = "") -> None:
        """Write how it came out."""
        self.run = replace(self.run, state=state, problem=problem)
        self._save()
        if self.processes.is_first:
            shutil.rmtree(self.run.folder / "pictures", ignore_errors=True)

    @property
    def _can_judge(self) -> bool:
        return self.report is not None and self.report.map is not None

    def _judged(self, network: nn.Module, spec: ModelSpec, start: DetectionBox) -> float | None:
        started = time.perf_counter()
        box = DetectionBox(spec, network=network, execution=start.execution)
        self._found = self._answers(box, self.should_stop)
        if self._found is None:
            return None
        self._look_seconds = time.perf_counter() - started
        return self._measured(self._found).map

    def _note_step(self, report: StepReport) -> None:
        if self._is_first_step:  # what was noted after the checkpoint is done once more
            self._is_first_step = False
            self.losses = [one for one in self.losses if one[0] < report.step]
            self.looks = [one for one in self.looks if one[0] < report.step]
        self.steps = report.step
        self._since.append(report.loss)
        if report.step % max(1, report.steps // _LOSSES_KEPT) == 0 or report.step == report.steps:
            self.losses.append((report.step, sum(self._since) / len(self._since)))
            self._since = []
        if report.step % int(self.run.settings["checkpoint_every"]) == 0:
            self._save()  # so that the curve has no gap where the run goes on
        now = time.monotonic()
        if now - self._told >= 1 / _TELLS_A_SECOND or report.step == report.steps:
            self._told = now
            self.tell(
                kind="step", step=report.step, steps=report.steps, loss=report.loss, learning_rate=report.learning_rate,
                seconds=report.seconds, look_seconds=self._look_seconds, waited=report.waited,
            )  # fmt: skip

    def _note_judged(self, look: Look, network: nn.Module, spec: ModelSpec) -> None:
        if self.report is not None:
            self._note_look(look.step, self.report, is_best=look.is_best)
        if look.is_best:
            self._best_found = self._found
            self._keep_model(network, spec, look.step)

    def _note_look(self, step: int, report: MapReport, *, is_best: bool = False) -> None:
        others = [one for one in self.looks if one[0] != step]
        self.looks = sorted([*others, (step, report.map, report.map_50)], key=itemgetter(0))
        self.tell(kind="look", step=step, map=report.map, map_50=report.map_50, is_best=is_best)
        self._save()

    def _keep_model(self, network: nn.Module, spec: ModelSpec, step: int) -> None:
        self.run = replace(self.run, best_step=step)
        if self.processes.is_first:
            try:
                learnt, unknown = self.learnt | frozenset(self.run.train), self.began_unknown
                save_model(network, spec, self.run.folder, trained_on=learnt, began_unknown=unknown)
            except OSError as error:
                cause = f"the best model, of step {step}, could not be kept ({error.strerror or error})"
                raise TrainingDataError("training", cause, "Free some space, then have the run go on") from None
        self._save()

    def _last_answers(self, start: DetectionBox, *, stopped: bool) -> list[sv.Detections] | None:
        """Of the model that is kept; who was stopped has no time to look again, and takes what the best look saw."""
        if stopped:
            return self._best_found
        with self.processes.as_one():
            tuned = DetectionBox(read_model(self.run.model_file), execution=start.execution)
        return self._answers(tuned, never)

    def _conclude(self, start: DetectionBox, base: list[sv.Detections], found: list[sv.Detections]) -> None:
        """Verdict and card."""
        verdict = judged(found, base, self.data.held_out, self.run.plan.class_names)
        reports = {} if verdict is None else {start.spec.title: verdict.before, NEW: verdict.after}
        self.run = replace(self.run, verdict=NOT_JUDGED)
        if verdict is not None:
            sentence, after = verdict.gain.sentence(NEW, start.spec.title), verdict.after
            self.run = replace(self.run, verdict=sentence, gain=verdict.facts())
            if all(step != self.run.best_step for step, _, _ in self.looks):  # nobody had looked
                self.looks.append((self.steps, after.map, after.map_50))
        if self.processes.is_first:
            card = training_card(self.run, read_model(self.run.model_file), reports)
            write_atomically(self.run.model_file.with_suffix(".md"), card.encode())

    def _answers(self, box: DetectionBox, should_stop: Callable[[], bool]) -> list[sv.Detections] | None:
        return answers(box, self.data.held_out, self.processes, should_stop)

    def _measured(self, found: list[sv.Detections]) -> MapReport:
        truths = [one.truth for one in self.data.held_out]
        self.report = measure(found, truths, class_names=self.run.plan.class_names)
        return self.report

    def _save(self) -> None:
        seconds = self.before + time.monotonic() - self.started
        looks, losses = tuple(self.looks), tuple(self.losses)
        self.run = replace(self.run, seconds=seconds, steps=self.steps, looks=looks, losses=losses)
        if self.processes.is_first:
            self.run.save()
