"""Trainings as jobs: how one is asked for, which are under way, and which run a job works on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields

from cowvision.errors import ModelFileError
from cowvision.models.catalog import ModelSpec
from cowvision.models.choices import kept_choices
from cowvision.models.places import runs_folder
from cowvision.training.checkpoints import Run, RunState, all_runs, is_held, read_run
from cowvision.training.plans import Plan
from cowvision.training.run_names import name_for, one_line
from cowvision.ui import cache
from cowvision.workspace.jobs import Job, JobState, again, all_jobs, submit

TRAIN, ESTIMATE = "finetune", "estimate"
AT_WORK, WAITS = "at work", "waits its turn"
_NO_OPTION = {"class_names"}
_OTHERWISE_NAMED = {"herd_id": "herd"}


def arguments_of(plan: Plan) -> list[str]:
    """The plan as the command `finetune` takes it; what is left to the profile is left out."""
    arguments = [TRAIN]
    usual = Plan()
    for field in fields(Plan):
        value = getattr(plan, field.name)
        if field.name in _NO_OPTION or value is None or value == getattr(usual, field.name):
            continue
        option = f"--{_OTHERWISE_NAMED.get(field.name, field.name).replace('_', '-')}"
        arguments += [option] if value is True else [option, str(value)]
    return arguments


def start(plan: Plan, name: str, title: str) -> Job:
    """Ask for a training; it begins at once if nothing else computes.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    arguments = [*arguments_of(plan), "--name", name, "--title", title]
    return submit(cache.store(), TRAIN, f"Fine-tune {title}", arguments)


def go_on(run: Run) -> Job:
    """Ask for the rest of a training; errors as of `start`."""
    return submit(cache.store(), TRAIN, f"Fine-tune {run.title}", [TRAIN, "--resume", run.name])


def time_it(plan: Plan) -> Job:
    """Ask how long a training would take; errors as of `start`."""
    return submit(cache.store(), ESTIMATE, "Time three steps", [*arguments_of(plan), "--estimate"])


def try_again(job: Job, specs: Iterable[ModelSpec]) -> None:
    """Have a job do what failed: go on with the run it left, or begin anew, by another name if its own is taken by now.

    Raises:
        SettingError: All names are taken.
        WorkspaceError: As of `start`.
    """
    name, title = _told(job, "--name"), title_of(job)
    others = [one for one in trainings() if one.job_id != job.job_id]
    free = free_title(title, taken_titles(others, all_runs(), specs))
    is_free = free.casefold() == title.casefold() and not (runs_folder() / name).exists()
    if not name or run_of(job) is not None or is_free:
        again(cache.store(), job.job_id)
        return
    renamed = {"--name": free_name(free, others), "--title": free}
    pairs = zip(("", *job.arguments), job.arguments, strict=False)
    arguments = [renamed.get(before, argument) for before, argument in pairs]
    submit(cache.store(), TRAIN, f"Fine-tune {free}", arguments)


def trainings() -> list[Job]:
    """All jobs that train, the oldest first; errors as of `jobs.all_jobs`."""
    return all_jobs(cache.store(), TRAIN)


def is_open(job: Job) -> bool:
    """Whether a job waits or runs."""
    return not job.state.is_over


def run_name(job: Job) -> str:
    """Name of the run that a training works on, also before its folder is there."""
    return _told(job, "--resume") or _told(job, "--name")


def run_of(job: Job) -> Run | None:
    """The run of a training; None before it has begun, after it was deleted, and for another's of that name."""
    try:
        run = read_run(run_name(job))
    except ModelFileError:
        return None
    title = _told(job, "--title")
    return run if not title or run.title == one_line(title) else None


def title_of(job: Job) -> str:
    """What people call the model to come."""
    return _told(job, "--title") or job.title.removeprefix("Fine-tune ")


def busy_runs(jobs: Iterable[Job], runs: Iterable[Run]) -> dict[str, str]:
    """Runs that a process works on, or that one waits to work on, and which of both, in words, by their names.

    Those of a terminal's command are among them.
    """
    busy = {run_name(job): WAITS if job.state is JobState.WAITING else AT_WORK for job in jobs if is_open(job)}
    begun = (run for run in runs if run.state is RunState.BEGUN and run.name not in busy)
    return busy | {run.name: AT_WORK for run in begun if is_held(run)}


def taken_titles(jobs: Iterable[Job], runs: Iterable[Run], specs: Iterable[ModelSpec]) -> set[str]:
    """What models, runs and trainings that wait are called, by people and on the command line, in small letters."""
    titles = {name for job in jobs if is_open(job) for name in (title_of(job), run_name(job))}
    titles |= {name for run in runs for name in (run.title, run.name)}
    titles |= {name for spec in specs for name in (spec.title, spec.name)}
    return {title.casefold() for title in titles}


def runs_on(specs: Iterable[ModelSpec]) -> str:
    """Where trainings compute, as far as a timing has told; in which precision, each of them chooses for itself."""
    choices = kept_choices().items()
    told = (choice.where for spec in specs for key, choice in choices if key.startswith(f"{spec.architecture},"))
    return next(told, "what is quickest here, timed at the first picture")


def free_title(wanted: str, taken: Collection[str]) -> str:
    """The title, numbered if something is called so already; the pages tell models apart by their titles."""
    return next(one for one in _numbered(wanted) if one.casefold() not in taken)


def free_name(title: str, jobs: Iterable[Job]) -> str:
    """A name for the folder of a model of that title, which neither a run nor a training that waits has.

    Raises:
        SettingError: All of them are taken.
    """
    promised = {run_name(job) for job in jobs if is_open(job)}
    return next(name for name in map(name_for, _numbered(title)) if name not in promised)


def _numbered(words: str) -> Iterable[str]:
    yield words
    number = 2
    while True:
        yield f"{words} {number}"
        number += 1


def _told(job: Job, option: str) -> str:
    if option not in job.arguments[:-1]:
        return ""
    return job.arguments[job.arguments.index(option) + 1]


def is_one_elsewhere(jobs: Iterable[Job], runs: Iterable[Run]) -> bool:
    """Whether a training is at work that nobody asked for on this page: a terminal's command."""
    asked = {run_name(job) for job in jobs if is_open(job)}
    return any(run.state is RunState.BEGUN and run.name not in asked and is_held(run) for run in runs)
