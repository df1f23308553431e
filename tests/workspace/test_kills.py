"""kill -9 of a training, its server, or both, at random moments: nothing half-written is ever listed."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from cowvision.models.catalog import own_models
from cowvision.models.weights import read_tensors
from cowvision.training.checkpoints import RunState, all_runs, read_run
from cowvision.workspace import files
from cowvision.workspace.jobs import Job, JobState, all_jobs, read_job, submit, tend
from cowvision.workspace.lessons import begin, go_on
from cowvision.workspace.store import Store
from cowvision.workspace.teaching import teach
from tests.lessons import small_plan

ROOT = Path(__file__).resolve().parents[2]
KILLS, JOB_KILLS, STEPS = 14, 6, 56
LEARNERS = """
import os, sys
from pathlib import Path
import torch
from cowvision.workspace import files
from cowvision.workspace.lessons import go_on
from cowvision.workspace.store import Store
from cowvision.workspace.teaching import teach
torch.set_num_threads(1)
for _ in sys.stdin:
    if learner := os.fork():
        print(learner, flush=True)
        print(os.waitpid(learner, 0)[1], flush=True)
        continue
    teach(*go_on("broken", Store(files.store_path())),
          tell=lambda **facts: Path(sys.argv[1]).touch() if "loss" in facts else None)
    os._exit(0)
"""
"""Begins a process that learns for every line it is told; they need not import torch again, which takes seconds."""

SERVER = """
import sys, time
from cowvision.workspace import files
from cowvision.workspace.jobs import submit, tend
from cowvision.workspace.store import Store
store = Store(files.store_path())
submit(store, "finetune", "training", ["finetune", "--resume", "mine"])
while True:
    tend(store)
    time.sleep(0.05)
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COWVISION_PRECISION", "float32")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(ROOT)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path / "home"
    torch.set_num_threads(before)
    for job in all_jobs(Store(files.store_path())):
        if job.process is not None:
            job.process.end(by_force=True)


def check_what_is_listed() -> None:
    """Every run that is listed can be read, every model that is listed can be loaded."""
    for run in all_runs():
        if run.state_file.is_file():
            torch.load(run.state_file, weights_only=True)
    for spec in own_models():
        assert all(bool(torch.isfinite(value).all()) for value in read_tensors(spec.weights).values())


def begun(folder: Path, name: str, plan=None):
    run, data = begin(plan or small_plan(folder, iterations=STEPS), name, name.capitalize(), Store(files.store_path()))
    run = type(run)(
        **{**vars(run), "settings": run.settings | {"checkpoint_every": 2, "judge_every": 9, "patience": 0}}
    )
    run.save()
    return run, data


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_training_killed_again_and_again_ends_like_the_unbroken_one(tmp_path) -> None:
    rng = random.Random(5)
    plan = small_plan(tmp_path, iterations=STEPS)
    whole, data = begun(tmp_path, "whole", plan)
    whole = teach(whole, data)
    _, data = begun(tmp_path, "broken", plan)
    pace, at_work = whole.seconds / STEPS, tmp_path / "at work"
    command = [sys.executable, "-c", LEARNERS, str(at_work)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as learners:
        for _ in range(KILLS):
            print(file=learners.stdin, flush=True)
            learner = int(learners.stdout.readline())
            while not at_work.exists():  # from the first step on; how it begins is killed in the other test
                assert is_alive(learner), "it ended before its first step"
                time.sleep(0.005)
            at_work.unlink()
            time.sleep(rng.uniform(0, 2 * pace))
            with suppress(ProcessLookupError):  # it was done already
                os.kill(learner, signal.SIGKILL)
            assert int(learners.stdout.readline()) in {signal.SIGKILL, 0}
            check_what_is_listed()
            assert read_run("broken").state in {RunState.BEGUN, RunState.DONE}
        learners.stdin.close()
    resumed, data = go_on("broken", Store(files.store_path()))
    resumed = teach(resumed, data)
    assert (resumed.state, resumed.steps) == (RunState.DONE, STEPS)
    one, other = (torch.load(run.state_file, weights_only=True)["network"] for run in (whole, resumed))
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, atol=1e-6, rtol=1e-5)
    assert resumed.looks[-1][1] == pytest.approx(whole.looks[-1][1], abs=1e-6)


@pytest.fixture
def server() -> subprocess.Popen:
    started = []

    def start() -> subprocess.Popen:
        started.append(subprocess.Popen([sys.executable, "-c", SERVER], cwd=ROOT))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def newest_job(store: Store, after: int) -> Job:
    """The job that a server asked for, once it runs."""
    deadline = time.monotonic() + 60
    while True:
        jobs = [job for job in all_jobs(store) if job.job_id > after and job.process is not None]
        if jobs:
            return jobs[-1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_job_server_and_both_killed_at_random_moments(tmp_path, server) -> None:
    rng = random.Random(7)
    store = Store(files.store_path())
    begun(tmp_path, "mine")
    last = 0
    for kill in ("job", "server", "both") * (JOB_KILLS // 3):
        parent = server()
        job = newest_job(store, last)
        last = job.job_id
        time.sleep(rng.uniform(0.5, 6.0))
        if kill != "job":
            parent.kill()
            parent.wait()
            tend(store)  # another server, or a page
            assert read_job(store, last).state in {JobState.RUNNING, JobState.DONE}, "a job outlives its server"
        if kill != "server" or read_job(store, last).state is JobState.RUNNING:
            job.process.end(by_force=True)
        deadline = time.monotonic() + 30
        while not read_job(store, last).state.is_over:
            tend(store)
            assert time.monotonic() < deadline
            time.sleep(0.02)
        parent.kill()
        parent.wait()
        check_what_is_listed()
    final = submit(store, "finetune", "training", ["finetune", "--resume", "mine"])
    deadline = time.monotonic() + 120
    while not read_job(store, final.job_id).state.is_over:
        tend(store)
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert read_job(store, final.job_id).state is JobState.DONE, read_job(store, final.job_id).problem
    assert (read_run("mine").state, read_run("mine").steps) == (RunState.DONE, STEPS)
