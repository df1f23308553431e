"""`python -m cowvision finetune`: what it refuses, what it says, and processes that end with the same weights."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from cowvision.training.checkpoints import RunState, all_runs, read_run
from tests.lessons import as_options, small_plan

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-m", "cowvision", "finetune")


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COWVISION_PRECISION", "float32")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return small_plan(tmp_path)


def run(*arguments: str, command: tuple[str, ...] = COMMAND) -> subprocess.CompletedProcess:
    return subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_it_ends_by_saying_both_figures_and_the_interval(plan, tmp_path) -> None:
    done = run(*as_options(plan), "--name", "mine", "--title", "My herd", "--json", str(tmp_path / "run.json"))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "start.safetensors: held-out mAP 0." in lines[0]
    assert lines[1].startswith("mine: held-out mAP 0.")
    assert "4 pictures" in lines[2]
    assert "Ready after 6 steps" in lines[-1]
    assert "too few to tell whether the model got better" in done.stderr
    record = json.loads((tmp_path / "run.json").read_text())
    assert (record["state"], record["steps"], len(record["losses"])) == ("done", 6, 6)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--name", "x"], "nothing to learn from was chosen"),
        (["--images", "a", "--name", "x"], "one was given without the other"),
        (["--scenes", "1"], "the new model needs a name"),
        (["--scenes", "1", "--name", "Not a name"], "other signs than"),
        (["--scenes", "1", "--name", "herd-base"], "a model named herd-base already"),
        (["--scenes", "1", "--name", "x", "--start", "nobody"], "no model of that name"),
        (["--scenes", "1", "--name", "x", "--learning-rate", "7"], "must lie between 0 and 1"),
        (["--scenes", "1", "--name", "x", "--precision", "int4"], "float32 or bfloat16"),
        (["--herd", "77", "--name", "x"], "--herd: there is no herd 77"),
        (["--coco-cows", "--name", "x"], "they were not fetched yet"),
        (["--scenes", "1", "--name", "x", "--profile", "fast"], "'--profile': 'fast' is not one of"),
        (["--resume", "nobody"], "there is no run of that name"),
        (["--resume", "x", "--name", "y"], "has its name already"),
        (["--resume", "x", "--iterations", "9"], "the settings it began with"),
        (["--images", "nowhere", "--truth", "nowhere.json", "--name", "x"], "No such file"),
    ],
)
def test_refusals_are_one_line_and_leave_nothing(plan, arguments: list[str], told: str) -> None:
    from typer.testing import CliRunner

    from cowvision.__main__ import app

    done = CliRunner().invoke(app, ["finetune", *arguments])
    assert done.exit_code == 2, done.output
    [line] = done.stderr.strip().splitlines()
    assert told in line
    assert all_runs() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_the_best_and_says_how_it_stands(plan, number) -> None:
    options = [*as_options(plan), "--name", "mine", "--iterations", "100000"]
    process = subprocess.Popen(
        [*COMMAND, *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not any(one.looks for one in all_runs()):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.1)
        time.sleep(3)  # that look was at step 0, and a run that is stopped before its first step has nothing to keep
        asked = time.monotonic()
        os.killpg(process.pid, number)  # as a terminal does: also what prepares pictures gets it
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert time.monotonic() - asked < 20
    assert "ending after this step" in err
    assert "Stopped after" in out
    kept = read_run("mine")
    assert (kept.state, kept.has_model) == (RunState.STOPPED, True)


def test_what_is_finished_does_not_go_on(plan) -> None:
    assert run(*as_options(plan), "--name", "mine").returncode == 0
    before = read_run("mine")
    again = run("--resume", "mine")
    assert (again.returncode, again.stdout) == (2, "")
    [line] = again.stderr.strip().splitlines()
    assert "it is finished already" in line
    assert read_run("mine") == before


def test_a_training_beside_it_is_said(plan) -> None:
    from cowvision.commands.finetune_words import slower
    from cowvision.training.checkpoints import Run, held

    mine, other = (Run(name, name.capitalize(), plan) for name in ("mine", "other"))
    mine.save()
    other.save()
    assert slower(mine) == []
    with held(other):
        assert slower(mine) == ["Another training works on this machine (Other): both are slower."]


def test_the_estimate_says_that_nothing_is_held_out_and_tells_of_no_looks(plan, monkeypatch) -> None:
    document = json.loads(Path(plan.truth).read_text())
    Path(plan.truth).write_text(json.dumps(document | {"annotations": document["annotations"][:1]}))
    monkeypatch.setenv("FORCE_COLOR", "1")  # as at a terminal
    done = run(*as_options(plan), "--estimate")
    assert done.returncode == 0, done.stderr
    assert "reading pictures, timing steps" in done.stderr
    assert "s a step" in done.stdout
    assert "look" not in done.stdout
    assert "Nothing could be held out to judge by" in done.stderr


@pytest.fixture
def as_job(plan, monkeypatch):
    """Does the command in this process, as a job of the workspace's; tells its exit status and the job afterwards."""
    from typer.testing import CliRunner

    from cowvision.__main__ import app
    from cowvision.workspace import files, jobs
    from cowvision.workspace.job_process import this_process
    from cowvision.workspace.store import Store

    monkeypatch.setattr(jobs, "begin", lambda *_: this_process())
    store = Store(files.store_path())

    def work(*arguments: str, before=lambda _: None):
        command = ["finetune", *as_options(plan), *arguments]
        job = jobs.submit(store, "finetune", "Fine-tune", command)
        monkeypatch.setenv("COWVISION_JOB", str(job.job_id))
        before(lambda: jobs.ask_to_stop(store, job.job_id))
        done = CliRunner().invoke(app, command)
        return done, jobs.read_job(store, job.job_id)

    return work


def test_a_stop_while_pictures_are_read_is_answered_at_once_and_leaves_no_run(as_job, monkeypatch) -> None:
    from cowvision.workspace import training_sets

    trace_of, asked = training_sets.trace_of, []

    def slow(*arguments):
        time.sleep(0.4)
        return trace_of(*arguments)

    def stop_soon(ask) -> None:
        threading.Timer(1.0, lambda: (ask(), asked.append(time.monotonic()))).start()

    monkeypatch.setattr(training_sets, "trace_of", slow)
    done, job = as_job("--name", "mine", before=stop_soon)
    assert time.monotonic() - asked[0] < 2
    assert (done.exit_code, job.state, job.problem) == (0, "stopped", "")
    assert all_runs() == []


def test_a_job_asked_for_again_goes_on_with_the_run_its_first_process_left(as_job, plan) -> None:
    from cowvision.workspace import files
    from cowvision.workspace.lessons import begin
    from cowvision.workspace.store import Store

    begin(plan, "mine", "My herd", Store(files.store_path()))  # and there its process died
    done, job = as_job("--name", "mine", "--title", "My  herd")
    assert (done.exit_code, job.state, job.result) == (0, "done", {"run": "mine"}), job.problem
    assert read_run("mine").state is RunState.DONE
    done, job = as_job("--name", "mine", "--title", "My herd")
    assert (done.exit_code, job.state, job.result) == (0, "done", {"run": "mine"}), "it was finished already"
    done, job = as_job("--name", "mine", "--title", "Another herd")
    assert (job.state, "there is a run named mine already" in job.problem) == ("failed", True)


# torchrun reads `--start` as its own `--start-method`, so there is a longer form
def launch(count: int, *arguments: str) -> subprocess.CompletedProcess:
    return run(command=(*torchrun(count), "-m", "cowvision", *arguments))


def torchrun(count: int) -> tuple[str, ...]:
    options = (f"--nproc-per-node={count}", "--standalone", "--local-addr=127.0.0.1")
    return (sys.executable, "-m", "torch.distributed.run", *options)


def test_two_processes_learn_as_one_and_write_once(plan, tmp_path) -> None:
    options = ["finetune", *as_options(plan), "--frozen-stages", "0"]
    both = launch(2, *options, "--name", "both")
    assert both.returncode == 0, both.stderr
    assert both.stdout.count("Ready after") == 1
    assert [one.name for one in all_runs()] == ["both"]
    kept = read_run("both")
    assert (kept.state, kept.steps, kept.has_model) == (RunState.DONE, 6, True)
    alone = run(*options[1:], "--name", "alone", "--batch-size", "4")
    assert alone.returncode == 0, alone.stderr
    scores = {name: [score for _, score, _ in read_run(name).looks] for name in ("both", "alone")}
    assert scores["both"][0] == scores["alone"][0]
    assert scores["both"][-1] == pytest.approx(scores["alone"][-1], abs=0.1)


def test_the_weights_are_the_same_on_both_after_every_step(plan, tmp_path) -> None:
    script = tmp_path / "watched.py"
    script.write_text(WATCHED)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = (*torchrun(2), str(script), str(tmp_path))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    one, other = (json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1))
    assert len(one["weights"]) == 5
    assert one["weights"] == other["weights"]
    assert len(set(one["weights"])) == 5, "and they do move"
    assert one["losses"] == other["losses"], "both are told the mean"
    assert not set(one["pictures"][:6]) & set(other["pictures"][:6]), "within an epoch no picture is learnt twice"
    assert len({*one["pictures"][:6], *other["pictures"][:6]}) == 12


WATCHED = """
import hashlib, json, sys
from pathlib import Path
import torch
from cowvision.models.processes import processes
from cowvision.training import finetune as loop
from cowvision.training.settings import BatchSettings, FinetuneConfig
from tests.detectors import untrained_network
from tests.training.test_finetune import picture

class Seen(list):
    def __getitem__(self, place):
        drawn.append(list.__getitem__(self, place).name)
        return list.__getitem__(self, place)

drawn, weights, losses = [], [], []
torch.set_num_threads(1)
with processes() as group:
    network = untrained_network(seed=group.rank)  # even if they began apart: the first one's count
    config = FinetuneConfig(iterations=5, bfloat16=False, frozen_stages=0, batch=BatchSettings(batch_size=2))
    pictures = Seen([picture(number) for number in range(12)])
    def note(report):
        values = b"".join(value.detach().numpy().tobytes() for value in network.state_dict().values())
        weights.append(hashlib.sha256(values).hexdigest())
        losses.append(report.loss)
    loop.finetune(network, pictures, config, class_names=("cow",), on_step=note, processes=group)
    told = {"weights": weights, "losses": losses, "pictures": drawn}
    (Path(sys.argv[1]) / f"rank{group.rank}.json").write_text(json.dumps(told))
"""


@pytest.mark.parametrize(
    ("rank", "trouble", "told"),
    [(1, "picture", "7.png: it is cut short"), (1, "look", "boom"), (0, "disk", "step 6 could not be kept")],
)
def test_what_fails_in_one_process_ends_all_at_once_and_is_told_once(plan, tmp_path, rank, trouble, told) -> None:
    script = tmp_path / "broken.py"
    script.write_text(BROKEN)
    options = ["finetune", *as_options(plan), "--name", "both"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "FAILS": trouble, "FAILS_IN": str(rank)}
    command = [*torchrun(2), str(script), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110, env=environment)
    assert done.returncode != 0
    assert sum(told in line for line in done.stderr.splitlines() if line.startswith("cowvision: ")) == 1, done.stderr
    kept = read_run("both")
    assert kept.state is RunState.FAILED
    assert told in kept.problem
    reached = [float(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("failing-at ")]
    assert time.monotonic() - reached[0] < 15, "the other one did not wait for it"


BROKEN = """
import os, sys, time
from cowvision.errors import PictureError
from cowvision.training import finetune as loop
from cowvision.training.state import Checkpoint
from cowvision.workspace import teaching

def failing(error):
    print("failing-at", time.monotonic(), file=sys.stderr, flush=True)
    raise error

def cut_short(*arguments):
    for number, batch in enumerate(batches(*arguments)):
        if number == 2:
            failing(PictureError("7.png", "it is cut short", "Copy it again"))
        yield batch

def full(self, standing):
    failing(OSError(28, "No space left on device"))

def boom(self, pictures, **_):
    if not hasattr(self, "_looked"):
        self._looked = True
        return predict(self, pictures)
    failing(RuntimeError("boom"))

batches, predict = loop.batches, teaching.DetectionBox.predict
if os.environ["RANK"] == os.environ["FAILS_IN"]:
    if os.environ["FAILS"] == "picture":
        loop.batches = cut_short
    elif os.environ["FAILS"] == "disk":
        Checkpoint.save = full
    else:
        teaching.DetectionBox.predict = boom
from cowvision.__main__ import app
app()
"""


def test_evaluation_shared_by_two_gives_the_same_figures(plan, tmp_path) -> None:
    options = [
        "evaluate",
        "--images",
        plan.images,
        "--truth",
        plan.truth,
        "--model",
        plan.start,
        "--against",
        plan.start,
    ]
    documents = []
    for name, count in (("one", 1), ("two", 2)):
        done = launch(count, *options, "--json", str(tmp_path / f"{name}.json"))
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("AP75") == 2, "one process says it, once for each model"
        documents.append(json.loads((tmp_path / f"{name}.json").read_text()))
    one, two = documents
    assert one["images"] == two["images"] == 12
    assert one["map"] == pytest.approx(two["map"], abs=1e-6)
    assert one == two


def test_what_is_told_by_the_first_is_heard_by_all() -> None:
    from cowvision.models.processes import Processes

    alone = Processes()
    assert alone.told_by_first([3]) == 3
    assert alone.part([1, 2, 3]) == alone.together([1, 2, 3]) == [1, 2, 3]
    assert alone.mean(2.0) == [2.0]
    assert Processes(1, 3).part(list("abcdefg")) == ["b", "e"]
    assert not torch.distributed.is_initialized()
