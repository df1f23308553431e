"""Jobs: nothing is lost when a page, a server or the job itself dies, and nothing is done twice."""

import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cowvision.errors import WorkspaceError
from cowvision.workspace import files, job_process, jobs
from cowvision.workspace.job_log import append_event, events, events_file
from cowvision.workspace.job_process import Known, this_process
from cowvision.workspace.jobs import Job, JobState, again, ask_to_stop, place_in_queue, read_job, submit, tend
from cowvision.workspace.store import MIGRATIONS, Store

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import os, sys, time
from cowvision.errors import TrainingDataError
from cowvision.workspace import files, job_process
from cowvision.workspace.job_work import at_work
from cowvision.workspace.store import Store
job_process.PROGRAM = (sys.executable, sys.argv[0])
with at_work(Store(files.store_path())) as work:
    for step in range(int(sys.argv[2])):
        if work.should_stop():
            break
        work.tell(step=step)
        time.sleep(0.02)
        if sys.argv[1] == "stubborn":
            time.sleep(60)
    if sys.argv[1] == "fails":
        raise TrainingDataError("herd", "there are no pictures", "Add a few")
    if sys.argv[1] == "breaks":
        raise RuntimeError("boom")
    if sys.argv[1] == "dies":
        print("last words", flush=True)
        os._exit(3)
    work.result = {"steps": step + 1}
"""


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    monkeypatch.setattr(job_process, "PROGRAM", (sys.executable, str(script)))
    opened = Store(files.store_path())
    yield opened
    for job in jobs.all_jobs(opened):
        if job.process is not None:
            job.process.end(by_force=True)


def until(what: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def ended(store: Store, job: Job) -> Job:
    """The job once it is over, looked at as a page does."""
    until(lambda: tend(store) or read_job(store, job.job_id).state.is_over)
    return read_job(store, job.job_id)


def run(store: Store, kind: str = "works", steps: int = 3) -> Job:
    return submit(store, "finetune", f"a job that {kind}", [kind, str(steps)])


def test_a_job_runs_tells_how_far_it_is_and_leaves_its_result(store) -> None:
    job = ended(store, run(store))
    assert (job.state, job.result, job.problem) == (JobState.DONE, {"steps": 3}, "")
    assert [event["step"] for event in events(job.job_id)] == [0, 1, 2]
    assert job.asked_at <= job.started_at <= job.ended_at


@pytest.mark.parametrize(
    ("kind", "told"), [("fails", "there are no pictures"), ("breaks", "boom"), ("dies", "without a word: last words")]
)
def test_a_job_that_fails_says_why(store, kind: str, told: str) -> None:
    job = ended(store, run(store, kind))
    assert job.state is JobState.FAILED
    assert told in job.problem


def test_of_one_lane_one_runs_and_the_others_wait_in_order(store) -> None:
    first, second, third = (run(store, steps=steps) for steps in (500, 1, 1))
    fetch = submit(store, "fetch", "another lane", ["works", "1"])
    assert [read_job(store, one.job_id).state for one in (first, second, third)] == ["running", "waiting", "waiting"]
    assert [place_in_queue(store, read_job(store, one.job_id)) for one in (first, second, third)] == [0, 1, 2]
    assert ended(store, fetch).state is JobState.DONE
    ask_to_stop(store, second.job_id)
    assert read_job(store, second.job_id).state is JobState.STOPPED, "what waits never begins"
    ask_to_stop(store, first.job_id)
    assert ended(store, first).state is JobState.STOPPED
    assert ended(store, third).state is JobState.DONE
    assert events(second.job_id) == []


def test_a_stop_is_heard_at_once_and_keeps_what_is_there(store) -> None:
    job = run(store, steps=100_000)
    until(lambda: len(events(job.job_id)) > 2)
    asked = time.monotonic()
    ask_to_stop(store, job.job_id)
    job = ended(store, job)
    assert time.monotonic() - asked < 2
    assert job.state is JobState.STOPPED
    assert job.result["steps"] >= 3


def test_one_that_does_not_hear_is_ended_by_force(store, monkeypatch) -> None:
    job = run(store, "stubborn")
    until(lambda: bool(events(job.job_id)))
    ask_to_stop(store, job.job_id)
    tend(store)
    assert read_job(store, job.job_id).state is JobState.RUNNING, "it is given time"
    tend(store, time.time() + jobs.TERMINATE_SECONDS + 1)
    assert ended(store, job).state is JobState.STOPPED


def test_a_killed_job_is_found_dead_and_goes_on_when_asked(store) -> None:
    job = run(store, steps=200)
    until(lambda: bool(events(job.job_id)))
    os.kill(read_job(store, job.job_id).process.pid, signal.SIGKILL)
    job = ended(store, job)
    assert job.state is JobState.FAILED
    before = len(events(job.job_id))
    job = again(store, job.job_id)
    assert (job.state, job.problem) == (JobState.RUNNING, "")
    until(lambda: len(events(job.job_id)) > before)
    ask_to_stop(store, job.job_id)
    assert ended(store, job).state is JobState.STOPPED


def test_a_number_that_was_given_again_is_not_taken_for_the_job(store) -> None:
    me = this_process()
    assert me.is_alive
    assert not Known(me.pid, me.born - 3600).is_alive
    job = run(store, steps=100_000)
    process = read_job(store, job.job_id).process
    with store.transaction() as connection:  # as if the machine had been started anew and this process had its number
        connection.execute("UPDATE jobs SET pid = ?, pid_born = ? WHERE job_id = ?", (me.pid, me.born - 9, job.job_id))
    tend(store)
    assert read_job(store, job.job_id).state is JobState.FAILED
    Known(me.pid, me.born - 9).end(by_force=True)  # and this process is still here to say so
    process.end(by_force=True)


def test_a_clock_that_is_set_does_not_make_a_job_look_dead(store, monkeypatch) -> None:
    job = run(store, steps=100_000)
    if not read_job(store, job.job_id).process.mark:
        pytest.skip("this system does not count from its own start")
    born = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda one: born(one) + 7200)
    tend(store)
    assert read_job(store, job.job_id).state is JobState.RUNNING
    ask_to_stop(store, job.job_id)
    assert ended(store, job).state is JobState.STOPPED


def test_a_workspace_from_before_there_were_marks_knows_its_job(store, tmp_path) -> None:
    old, me = tmp_path / "old.sqlite3", this_process()
    with sqlite3.connect(old) as connection:
        for script in MIGRATIONS[:3]:
            connection.executescript(script)
        connection.execute("PRAGMA user_version = 3")
        row = "INSERT INTO jobs (kind, title, arguments, state, asked_at, pid, pid_born) VALUES ('x', 'x', '[]', "
        for born in (me.born, me.born - 60):
            connection.execute(f"{row}'running', 1.0, ?, ?)", (me.pid, born))
    mine, another = jobs.all_jobs(Store(old))
    assert mine.process.is_alive
    assert not another.process.is_alive


def test_the_next_begins_even_if_nobody_looks(store) -> None:
    first, second = run(store, steps=2), run(store, steps=2)
    assert read_job(store, second.job_id).state is JobState.WAITING
    until(lambda: read_job(store, second.job_id).state is JobState.DONE)
    assert read_job(store, first.job_id).state is JobState.DONE


def test_many_who_look_at_once_begin_it_once(store, monkeypatch) -> None:
    begun = []
    begin = jobs.begin
    monkeypatch.setattr(jobs, "begin", lambda *job: begun.append(job[0]) or begin(*job))
    blocked = run(store, steps=100_000)
    waiting = run(store, steps=1)
    process = read_job(store, blocked.job_id).process
    process.end(by_force=True)  # it cannot begin the next by itself
    until(lambda: not process.is_alive)
    threads = [threading.Thread(target=tend, args=(store,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended(store, waiting).state is JobState.DONE
    assert begun == [blocked.job_id, waiting.job_id]


def test_a_second_process_for_the_same_job_gives_way(store) -> None:
    job = run(store, steps=100_000)
    until(lambda: bool(events(job.job_id)))
    twin = job_process.begin(job.job_id, ["works", "3"])
    until(lambda: not twin.is_alive)
    assert read_job(store, job.job_id).state is JobState.RUNNING
    assert read_job(store, job.job_id).process.is_alive


def test_a_job_outlives_the_one_who_began_it(store, tmp_path) -> None:
    server = tmp_path / "server.py"
    server.write_text(
        "import sys, os\nfrom cowvision.workspace import files, job_process, jobs\n"
        "from cowvision.workspace.store import Store\n"
        f"job_process.PROGRAM = {job_process.PROGRAM!r}\n"
        "jobs.submit(Store(files.store_path()), 'finetune', 'x', ['works', '60'])\nos.kill(os.getpid(), 9)\n"
    )
    psutil.Popen([sys.executable, str(server)]).wait(60)
    [job] = jobs.all_jobs(store)
    assert ended(store, job).state is JobState.DONE


def test_half_an_event_spoils_no_other(store) -> None:
    append_event(7, {"step": 1})
    with events_file(7).open("ab") as file:
        file.write(b'{"step": 2, "los')
    append_event(7, {"step": 3})
    assert [event["step"] for event in events(7)] == [1, 3]
    assert events(8) == []


def test_a_job_that_is_not_there(store) -> None:
    for ask in (read_job, ask_to_stop, again):
        with pytest.raises(WorkspaceError, match="there is no job 99"):
            ask(store, 99)


def test_a_command_typed_by_a_person_works_without_a_job(store, monkeypatch) -> None:
    from cowvision.workspace.job_work import at_work

    monkeypatch.delenv(job_process.JOB_VARIABLE, raising=False)
    with at_work(store) as work:
        work.tell(step=1)
        assert not work.should_stop()
    assert jobs.all_jobs(store) == []
