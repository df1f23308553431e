"""A training as a whole: what it leaves, how it goes on after any death, and what it says when it fails."""

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cowvision.detection_box import DetectionBox
from cowvision.errors import (
    CowVisionError,
    ModelFileError,
    PictureError,
    SettingError,
    TrainingDataError,
    WorkStopped,
)
from cowvision.models import places
from cowvision.models.catalog import find_model, own_models
from cowvision.models.choices import Execution
from cowvision.models.processes import Processes
from cowvision.models.provenance import is_known, trained_on
from cowvision.models.weights import read_tensors
from cowvision.training import checkpoints
from cowvision.training.checkpoints import RunState, all_runs, read_run
from cowvision.workspace import files
from cowvision.workspace.lesson_looks import as_the_first, in_words
from cowvision.workspace.lessons import begin, estimate, go_on
from cowvision.workspace.store import Store
from cowvision.workspace.teaching import teach
from cowvision.workspace.training_cards import NOT_JUDGED
from tests.detectors import untrained_box
from tests.lessons import small_plan


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COWVISION_PRECISION", "float32")
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # these networks are too small to be shared
    yield tmp_path / "home"
    torch.set_num_threads(before)


@pytest.fixture
def store(home) -> Store:
    return Store(files.store_path())


def every(run, **changes: object):
    """The run with other settings, as if its profile had been another."""
    return replace(run, settings=run.settings | changes)


def state_of(run) -> dict[str, torch.Tensor]:
    return torch.load(run.state_file, weights_only=True)["network"]


def test_it_leaves_a_model_with_its_card_and_its_record(store, tmp_path) -> None:
    told = []
    run, data = begin(small_plan(tmp_path), "mine", "My herd", store)
    run = teach(every(run, judge_every=3), data, tell=lambda **facts: told.append(facts))
    assert (run.state, run.steps, run.problem) == (RunState.DONE, 6, "")
    assert [step for step, _, _ in run.looks] == [0, 3, 6]
    assert run == read_run("mine")
    assert [one["step"] for one in told if one["kind"] == "look"] == [0, 3, 6]
    assert told[-1]["step"] == 6
    spec = find_model("mine")
    assert (spec.title, spec.class_names, spec.short_side) == ("My herd", ("cow",), 96)
    assert spec == own_models()[0]
    card = run.model_file.with_suffix(".md").read_text()
    assert "My herd" in card and "Learnt from 8 labelled pictures; 4 pictures were held out" in card
    assert "6 of 6 steps" in card and f"sha256 {run.data_sha256[:16]}" in card
    best = max(score for step, score, _ in run.looks if step)
    found = DetectionBox(spec).evaluate(data.held_out)
    assert found.map == pytest.approx(best, abs=0.02), "the model that is kept is the best that was seen"
    assert "too few" in run.verdict
    assert run.gain["delta_map"] == pytest.approx(best - run.looks[0][1], abs=0.02)


def test_its_pictures_are_known_as_learnt_from_and_the_others_are_not(store, tmp_path) -> None:
    run, data = begin(small_plan(tmp_path), "mine", "My herd", store)
    teach(run, data)
    spec = find_model("mine")
    assert not is_known(spec), "of its start nobody knows"
    assert trained_on(spec, [*data.train_ids, *data.held_out_ids]) == frozenset(data.train_ids)


def test_what_its_start_has_learnt_from_counts_as_its_own(store, tmp_path) -> None:
    plan = small_plan(tmp_path)
    start = Path(plan.start).with_suffix(".json")
    start.write_text(json.dumps(json.loads(start.read_text()) | {"trained_on": ["elsewhere"]}))
    run, data = begin(plan, "mine", "My herd", store)
    teach(run, data)
    spec = find_model("mine")
    assert trained_on(spec, ["elsewhere", data.train_ids[0]]) == {"elsewhere", data.train_ids[0]}
    assert is_known(spec)


class Killed(BaseException):
    """As if the process had died at once."""


@pytest.mark.parametrize("at", [1, 4, 5])
def test_killed_at_any_step_it_ends_like_the_unbroken_run(store, tmp_path, at: int) -> None:
    plan = small_plan(tmp_path, iterations=7)
    settings = {"judge_every": 3, "checkpoint_every": 2}
    whole, data = begin(plan, "whole", "Whole", store)
    whole = teach(every(whole, **settings), data)
    broken, data = begin(plan, "broken", "Broken", store)
    broken = every(broken, **settings)
    broken.save()

    def die(**facts: object) -> None:
        if facts["kind"] == "step" and facts["step"] >= at:
            raise Killed

    with pytest.raises(Killed):
        teach(broken, data, tell=die)
    assert read_run("broken").state is RunState.BEGUN
    resumed, data = go_on("broken", store)
    resumed = teach(resumed, data)
    assert [step for step, _ in resumed.losses] == [step for step, _ in whole.losses] == list(range(1, 8))
    for (_, one), (_, other) in zip(whole.losses, resumed.losses, strict=True):
        assert one == pytest.approx(other, abs=1e-5)
    assert [step for step, _, _ in resumed.looks] == [0, 3, 6, 7]
    ends = state_of(resumed)
    for name, value in state_of(whole).items():
        torch.testing.assert_close(ends[name], value, atol=1e-6, rtol=1e-5)
    kept, other = (read_tensors(run.model_file) for run in (whole, resumed))
    for name, value in kept.items():
        torch.testing.assert_close(other[name], value, atol=1e-3, rtol=1e-3)  # both are kept as float16


def test_a_stop_keeps_the_best_and_it_goes_on_from_there(store, tmp_path) -> None:
    run, data = begin(small_plan(tmp_path), "mine", "My herd", store)
    looks = []
    run = teach(
        every(run, judge_every=2), data, tell=lambda **facts: looks.append(facts["step"] if "map" in facts else 0),
        should_stop=lambda: 2 in looks,
    )  # fmt: skip
    assert (run.state, run.steps, run.best_step, run.has_model) == (RunState.STOPPED, 2, 2, True)
    assert find_model("mine").title == "My herd"
    more, data = go_on("mine", store)
    seen = []
    more = teach(more, data, tell=lambda **facts: seen.append(facts["step"]) if "loss" in facts else None)
    assert seen[0] == 3
    assert (more.state, more.steps) == (RunState.DONE, 6)


@pytest.mark.parametrize("asks", [0, 5, 14, 24])
def test_stopped_while_it_is_made_leaves_no_run(store, tmp_path, monkeypatch, asks: int) -> None:
    monkeypatch.delenv("COWVISION_PRECISION")
    plan, answers = small_plan(tmp_path, precision=""), iter([False] * asks)
    with pytest.raises(WorkStopped):
        begin(plan, "mine", "My herd", store, should_stop=lambda: next(answers, True))
    assert all_runs() == []
    assert not (places.runs_folder() / "mine").exists()


def test_stopped_while_its_pictures_are_prepared_it_is_a_stopped_run_and_goes_on(store, tmp_path) -> None:
    told, plan = [], small_plan(tmp_path, short_side=128)
    run, data = begin(plan, "mine", "My herd", store)
    is_preparing = lambda: any("are prepared" in text for text in told)  # noqa: E731 - it is short
    run = teach(run, data, tell=lambda **facts: told.append(str(facts.get("text"))), should_stop=is_preparing)
    assert (run.state, run.problem, run.steps, run.has_model) == (RunState.STOPPED, "", 0, False)
    assert read_run("mine").state is RunState.STOPPED
    run, data = go_on("mine", store)
    assert teach(run, data).state is RunState.DONE


def test_a_stop_is_heard_while_the_ways_to_run_it_are_timed(monkeypatch) -> None:
    box, runs = untrained_box(), []
    box = DetectionBox(box.spec, network=box.network)
    monkeypatch.setattr("cowvision.models.torchvision_engine.raw_detections", lambda *_, **__: runs.append(1) or [])
    with pytest.raises(WorkStopped):
        box.choose_execution(should_stop=lambda: len(runs) == 2)
    assert len(runs) == 2


def test_every_process_looks_in_the_precision_that_the_first_chose(monkeypatch) -> None:
    first = Execution("cpu", "bfloat16", channels_last=True, threads=1)

    class Second(Processes):
        def mean(self, *values: float) -> list[float]:
            return list(values)

        def told_by_first(self, told: list) -> Execution:
            assert told == []
            return first

    box = untrained_box()
    monkeypatch.setattr(box, "choose_execution", lambda _: pytest.fail("it shall not choose for itself"))
    assert as_the_first(box, Second(1, 2)).execution == first


def test_stopped_before_the_first_look_keeps_the_last(store, tmp_path) -> None:
    run, data = begin(small_plan(tmp_path), "mine", "My herd", store)
    steps = []
    run = teach(run, data, tell=lambda **facts: steps.append(facts["kind"]), should_stop=lambda: "step" in steps)
    assert (run.state, run.best_step, run.has_model) == (RunState.STOPPED, 1, True)


def test_other_boxes_than_at_the_beginning_are_not_gone_on_with(store, tmp_path) -> None:
    plan = small_plan(tmp_path)
    begin(plan, "mine", "My herd", store)
    truth = Path(plan.truth)
    truth.write_text(truth.read_text().replace("32.0", "31.0", 1))
    with pytest.raises(TrainingDataError, match="were changed since it began"):
        go_on("mine", store)


@pytest.mark.parametrize(("broken", "told"), [(math.nan, "no longer a number"), (math.inf, "no longer a number"),
                                              (900.0, "has exploded")])  # fmt: skip
def test_a_loss_that_goes_wrong_stops_it_with_a_remedy_and_the_best_stays(
    store, tmp_path, monkeypatch, broken: float, told: str
) -> None:
    from cowvision.training import finetune

    losses_of, calls = finetune.losses_of, []

    def goes_wrong(*arguments: object) -> dict[str, torch.Tensor]:
        calls.append(1)
        losses = losses_of(*arguments)
        return {name: value * broken if len(calls) > 4 else value for name, value in losses.items()}

    monkeypatch.setattr(finetune, "losses_of", goes_wrong)
    run, data = begin(small_plan(tmp_path), "mine", "My herd", store)
    with pytest.raises(TrainingDataError, match=f"{told} after 4 steps.*Lower the learning rate"):
        teach(every(run, judge_every=3), data)
    run = read_run("mine")
    assert run.state is RunState.FAILED
    assert told in run.problem
    assert "The best so far, of step 3, is kept" in run.problem
    assert all(bool(torch.isfinite(value).all()) for value in read_tensors(run.model_file).values())


def test_a_disk_too_full_to_begin_is_said_and_leaves_nothing(store, tmp_path, monkeypatch) -> None:
    plan = small_plan(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 100 * 1024**2}))
    with pytest.raises(TrainingDataError, match=r"100 MB are free.*Free some space"):
        begin(plan, "mine", "My herd", store)
    assert all_runs() == []


def test_a_disk_that_fills_up_stops_it_and_it_goes_on_later(store, tmp_path, monkeypatch) -> None:
    run, data = begin(small_plan(tmp_path), "mine", "My herd", store)
    run, fsync = every(run, checkpoint_every=2), os.fsync
    run.save()
    kept = []

    def full(handle: int) -> None:
        kept.append(str(Path(f"/proc/self/fd/{handle}").readlink()) if Path("/proc").is_dir() else "state.pt")
        if "state.pt" in kept[-1] and sum("state.pt" in one for one in kept) == 2:
            raise OSError(28, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(places.os, "fsync", full)
    with pytest.raises(TrainingDataError, match=r"step 4 could not be kept \(No space left.*Free some space"):
        teach(run, data)
    assert not list(run.folder.glob(".state*")), "half a file would keep the disk full"
    seen, (run, data) = [], go_on("mine", store)
    teach(run, data, tell=lambda **facts: seen.append(facts["step"]) if facts["kind"] == "step" else None)
    assert seen[0] == 3


def test_a_picture_that_is_gone_is_said_and_the_run_is_over(store, tmp_path) -> None:
    run, data = begin(small_plan(tmp_path), "mine", "My herd", store)
    data.train[3].source.unlink()
    with pytest.raises(PictureError, match="no such file"):
        teach(every(run, batch=run.settings["batch"] | {"batch_size": 8}), data)
    assert read_run("mine").state is RunState.FAILED
    assert "no such file" in read_run("mine").problem


def test_what_nobody_foresaw_is_told_in_words(store, tmp_path, monkeypatch) -> None:
    from cowvision.workspace import teaching

    run, data = begin(small_plan(tmp_path), "mine", "My herd", store)

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(teaching, "finetune", breaks)
    with pytest.raises(CowVisionError, match=r"not foreseen.*boom"):
        teach(run, data)
    assert read_run("mine").state is RunState.FAILED


def test_no_name_is_given_twice(store, tmp_path) -> None:
    plan = small_plan(tmp_path)
    begin(plan, "mine", "My herd", store)
    with pytest.raises(SettingError, match="already"):
        begin(plan, "mine", "My herd", store)


def test_two_processes_never_teach_one_run(store, tmp_path) -> None:
    run, data = begin(small_plan(tmp_path), "mine", "My herd", store)
    with checkpoints.held(run), pytest.raises(ModelFileError, match="another process works on it"):
        teach(run, data)


def test_the_time_it_will_take_is_measured(store, tmp_path) -> None:
    told = estimate(small_plan(tmp_path, iterations=100), store)
    assert told.step_seconds > 0
    assert told.looks == 8
    assert told.seconds == pytest.approx(100 * told.step_seconds + 10 * told.look_seconds)
    assert all_runs() == []


def test_without_anything_to_judge_by_the_last_is_kept(store, tmp_path) -> None:
    plan = small_plan(tmp_path)
    document = json.loads(Path(plan.truth).read_text())
    run, data = begin(plan, "mine", "My herd", store)
    held_back = {one.name for one in data.held_out}
    ids = {image["id"] for image in document["images"] if image["file_name"] in held_back}
    document["annotations"] = [row for row in document["annotations"] if row["image_id"] not in ids]
    blind = [replace(one, truth=one.truth[[]]) for one in data.held_out]
    run = teach(every(run, judge_every=2), replace(data, held_out=tuple(blind)))
    assert (run.state, run.best_step, run.looks) == (RunState.DONE, 6, ((0, None, None),))
    assert run.verdict == NOT_JUDGED
    assert NOT_JUDGED in run.model_file.with_suffix(".md").read_text()


def test_nothing_held_out_is_never_looked_at(store, tmp_path) -> None:
    told = []
    run, data = begin(small_plan(tmp_path), "mine", "My herd", store)
    unjudged = replace(data, held_out=(), held_out_ids=())
    run = teach(replace(every(run, judge_every=2), held_out=()), unjudged, tell=lambda **facts: told.append(facts))
    assert (run.state, run.best_step, run.looks, run.gain) == (RunState.DONE, 6, (), {})
    assert run.verdict == NOT_JUDGED
    assert not [one for one in told if one["kind"] == "look" or "looks at" in one.get("text", "")]
    card = run.model_file.with_suffix(".md").read_text()
    assert NOT_JUDGED in card
    assert "## Figures" not in card


def test_the_trust_in_its_verdict_is_kept_apart_from_it(store, tmp_path) -> None:
    run, data = begin(small_plan(tmp_path), "mine", "My herd", store)
    run = teach(run, data)
    assert "No interval is quoted" not in run.verdict
    assert "No interval is quoted" in run.gain["trust"]
    card = run.model_file.with_suffix(".md").read_text()
    assert run.verdict in card and run.gain["trust"] in card
    assert "| model | pictures |" in card


def test_what_prepares_pictures_and_is_ended_is_told_in_words() -> None:
    error = in_words("Mine", RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "))
    assert "was ended from outside" in error.cause
    assert "have the run go on" in error.remedy


def test_what_is_finished_does_not_go_on_and_stays_as_it_is(store, tmp_path) -> None:
    run, data = begin(small_plan(tmp_path), "mine", "Mine", store)
    done = teach(run, data)
    before = {path.name: path.read_bytes() for path in done.folder.iterdir() if path.is_file()}
    with pytest.raises(ModelFileError, match=r"finished already.*--start mine"):
        go_on("mine", store)
    assert {path.name: path.read_bytes() for path in done.folder.iterdir() if path.is_file()} == before
