"""`python -m cowvision track`: follow the cows of a clip; the page Track starts this very command."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cowvision.commands.reporting import INTERRUPTED, report, report_all, say_timing, stoppable
from cowvision.commands.track_targets import Targets, target_file
from cowvision.commands.track_telling import Telling
from cowvision.commands.track_words import say, say_instead, say_part, say_written
from cowvision.commands.truth_classes import TRUTH_CLASSES
from cowvision.errors import ClipError, CowVisionError, SettingError, WorkStopped
from cowvision.models.catalog import DEFAULT_MODEL
from cowvision.tracking.settings import TrackerSettings
from cowvision.workspace.files import store_path
from cowvision.workspace.job_process import JOB_VARIABLE
from cowvision.workspace.job_work import Work, at_work
from cowvision.workspace.store import Store

if TYPE_CHECKING:  # `--help` needs no network and no video
    import supervision as sv

    from cowvision.detection_box import DetectionBox
    from cowvision.workspace.clips import Clip
    from cowvision.workspace.tracked_clips import TrackedClip

_USUAL = TrackerSettings()


@dataclass(frozen=True)
class _Wish:
    """What somebody asked for."""

    clip: str
    model: str
    settings: TrackerSettings
    truth: Path | None
    classes: tuple[int, ...]
    targets: Targets
    keep: bool
    ship: bool
    yes: bool


@dataclass(frozen=True)
class _Outcome:
    """What came of it.

    Attributes:
        tracked: The tracks; its folder may be gone.
        made: What was tracked just now: something shorter than `tracked` if an older part goes further.
        total: Frames of the whole clip; None where it does not say.
        was_asked: Whether a person stopped it.
        written: Files.
        problems: Why others were not written.
        is_kept: Whether the page Track has it.
        has_older: Whether a result of the whole clip is there from before, and stays the one that is shown.
    """

    tracked: TrackedClip
    made: TrackedClip
    total: int | None
    was_asked: bool
    written: list[Path]
    problems: list[CowVisionError]
    is_kept: bool
    has_older: bool


def _target(words: str, *names: str) -> Any:
    """An option that names a file to write."""
    return typer.Option(*names, help=words, parser=target_file, metavar="FILE")


def track(
    clip: Annotated[str, typer.Argument(metavar="CLIP", help="A clip's file, or one that ships, such as 'crossing'.")],
    *,
    model: Annotated[str, typer.Option(help="Name of a model, or path of its weights or config.yaml.")] = DEFAULT_MODEL,
    every: Annotated[
        int, typer.Option(min=1, max=60, help="Look at every N-th frame; N is below --patience.")
    ] = _USUAL.every,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Lowest score that is tracked.")] = _USUAL.least_score,
    inside: Annotated[
        float, typer.Option(min=0.01, max=1, help="Boxes further inside another are that animal again; 1: never.")
    ] = _USUAL.most_inside,
    overlap: Annotated[
        float, typer.Option(min=0, max=0.99, help="Least overlap (IoU) of a box with its track.")
    ] = _USUAL.least_iou,
    patience: Annotated[
        int, typer.Option(min=2, help="Frames unseen after which an id ends; a young one's as many as it was seen for.")
    ] = _USUAL.patience,
    coast: Annotated[int, typer.Option(min=0, help="Frames unseen for which a box is still shown.")] = _USUAL.coast,
    confirm: Annotated[int, typer.Option(min=0, help="Frames after which an id counts.")] = _USUAL.confirm,
    out: Annotated[Path | None, _target("Write the drawn clip, MP4, to this file.")] = None,
    mot: Annotated[Path | None, _target("Write the tracks as MOT text to this file.")] = None,
    truth: Annotated[Path | None, typer.Option(help="MOT text with the true tracks.")] = None,
    classes: Annotated[list[int] | None, TRUTH_CLASSES] = None,
    json_file: Annotated[Path | None, _target("Write the figures and events to this file.", "--json")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the result for the page Track.")] = False,
    ship: Annotated[bool, typer.Option("--ship", hidden=True)] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a clip of more than an hour.")] = False,
) -> None:
    """Follow the cows of a clip: ids that stay, how many there are, and how far the ids can be trusted."""
    settings = TrackerSettings(threshold, inside, overlap, patience, coast, confirm, every)
    wish = _Wish(clip, model, settings, truth, tuple(classes or ()), Targets(out, mot, json_file), keep, ship, yes)
    is_job = JOB_VARIABLE in os.environ
    try:
        with at_work(store := Store(store_path())) as work:
            outcome = _follow(wish, store, work)
            work.result = {"whole": outcome.tracked.whole, "frames": outcome.tracked.frames}
    except WorkStopped as stop:
        if is_job:
            raise
        report(stop)
        raise typer.Exit(INTERRUPTED) from None
    say(outcome.tracked)
    if not outcome.tracked.whole:
        say_part(outcome.tracked, outcome.total, outcome.written, is_kept=outcome.is_kept, has_older=outcome.has_older)
        say_instead(outcome.made, outcome.tracked)
    elif not is_job:
        say_written(outcome.written, is_kept=outcome.is_kept)
    report_all(outcome.problems)
    if outcome.was_asked and not outcome.tracked.whole and not is_job:
        raise typer.Exit(INTERRUPTED)


def _follow(wish: _Wish, store: Store, work: Work) -> _Outcome:
    """Track, keep, and write what was asked for."""
    from cowvision.tracking.clip_info import probe

    clip = _clip(store, wish.clip)
    wish.targets.check((clip.path, clip.truth_path, wish.truth))
    probe(clip.path, clip.file_name)  # what is no clip is told before seconds go into loading a network

    from cowvision.detection_box import DetectionBox
    from cowvision.viz.track_drawing import TrackPainter
    from cowvision.workspace.following import follow
    from cowvision.workspace.tracked_clips import find_tracked

    box = DetectionBox(wish.model)
    known, remarks = _truth(clip, wish)
    say_timing(box)
    if not wish.yes:
        _refuse_hours(clip, box, wish.settings)
    clip = _listed(store, clip) if wish.keep else clip
    made: list[TrackedClip] = []
    with Telling(work) as telling, stoppable() as was_asked:

        def make(folder: Path) -> TrackedClip:
            made.append(follow(
                clip, box, wish.settings, folder, painter=TrackPainter, truth=known, remarks=remarks,
                on_progress=telling.tell, should_stop=lambda: work.should_stop() or was_asked(),
            ))  # fmt: skip
            return made[0]

        with _made(make, clip, box, wish) as tracked:
            written, problems = wish.targets.write(tracked)
    is_kept = wish.keep or wish.ship
    shown = find_tracked(clip, box.spec, wish.settings) if is_kept and not tracked.whole else None
    has_older = shown is not None and shown.whole
    return _Outcome(tracked, made[0], telling.total, was_asked(), written, problems, is_kept, has_older)


def _clip(store: Store, given: str) -> Clip:
    """The clip a person means: a file, or the key of a shipped or own one."""
    from cowvision.workspace.clips import Clip, find_clip

    path = Path(given)
    if path.is_dir():
        raise ClipError(given, "this is a folder", "Give a clip's file")
    return Clip(path.name, path.name, "", path) if path.is_file() else find_clip(store, given)


def _listed(store: Store, clip: Clip) -> Clip:
    """A clip as the page Track lists it, for what is kept is shown beside it; one that is too large is not listed.

    Raises:
        WorkspaceError: The workspace cannot be written.
    """
    from cowvision.workspace.clips import MAX_CLIP_BYTES, add_clip, shipped_clips

    if clip.is_own or clip.sha256 in {one.sha256 for one in shipped_clips()}:
        return clip
    if (size := clip.path.stat().st_size) <= MAX_CLIP_BYTES:
        return add_clip(store, clip.path.read_bytes(), clip.path.name)
    sizes = f"{size / 1024**2:.0f} MB, {MAX_CLIP_BYTES // 1024**2} MB at most"
    words = "its result is kept, and the page Track does not show it. Add --out and --json to have it in files"
    typer.echo(f"cowvision: {clip.title} is too large for the page ({sizes}): {words}", err=True)
    return clip


def _truth(clip: Clip, wish: _Wish) -> tuple[list[sv.Detections] | None, list[str]]:
    """The true tracks to judge by, None without any, and what is to be known about them.

    Raises:
        SettingError: There are none, but some of their classes are asked for.
    """
    from cowvision.workspace.clips import read_truth

    path = wish.truth or clip.truth_path
    if path is None and wish.classes:
        raise SettingError("--classes", "the true tracks of this clip are not known", "Give them with --truth")
    if path is None or (wish.truth is None and not wish.classes):
        return clip.truth(), []
    known = read_truth(path, wish.classes)
    if not known or any(map(len, known)):
        return known, []
    wanted = " of these classes" if wish.classes else ""
    counts = f"No box{wanted} in {path.name} counts (a confidence below 0.5 does not)"
    return known, [f"{counts}: all that was tracked counts as false."]


def _refuse_hours(clip: Clip, box: DetectionBox, settings: TrackerSettings) -> None:
    """Say how long a very long clip would take, instead of beginning.

    Raises:
        ClipError: It is longer than an hour.
    """
    from cowvision.viz.track_drawing import TrackPainter
    from cowvision.workspace.following import estimate, is_long

    if is_long(clip):
        told = estimate(clip, box, settings, painter=TrackPainter)
        hours = float(told.frames / told.fps) / 3600
        work = f"and tracking it would take about {told.seconds / 3600:.1f} hours"
        remedy = "Add --yes to begin all the same, or look less often with --every"
        raise ClipError(clip.title, f"it is {hours:.1f} hours long, {work}", remedy)


@contextmanager
def _made(make: Callable[[Path], TrackedClip], clip: Clip, box: DetectionBox, wish: _Wish) -> Iterator[TrackedClip]:
    """The result, where it is to stay: of what ships, in the workspace, or for the moment."""
    from cowvision.workspace.tracked_clips import SHIPPED_FOLDER, folder_name
    from cowvision.workspace.tracked_folders import keep_tracked

    if wish.ship:
        yield keep_tracked(f"{clip.key}.{box.spec.name}", make, SHIPPED_FOLDER)
    elif wish.keep:
        yield keep_tracked(folder_name(clip.sha256, box.spec.id, wish.settings), make)
    else:
        with tempfile.TemporaryDirectory(prefix="cowvision-") as folder:
            yield make(Path(folder))
