"""`python -m cowvision track`: follow the cows of a clip; the page Track starts this very command."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer

from cowvision.commands.reporting import make_bar, stoppable, write_json
from cowvision.commands.track_words import say
from cowvision.data.mot import mot_text, read_mot
from cowvision.errors import ClipError, SettingError
from cowvision.models.catalog import DEFAULT_MODEL
from cowvision.models.places import write_atomically
from cowvision.tracking.tracker import TrackerSettings
from cowvision.workspace.files import store_path
from cowvision.workspace.job_log import job_folder
from cowvision.workspace.job_work import Work, at_work
from cowvision.workspace.store import Store

if TYPE_CHECKING:  # `--help` needs no network and no video
    from cowvision.detection_box import DetectionBox
    from cowvision.tracking.pipeline import TrackProgress
    from cowvision.workspace.clips import Clip
    from cowvision.workspace.tracked_clips import TrackedClip

PREVIEW = "preview.jpg"
"""In a job's folder: the frame that was drawn last, once a second."""

_TOLD_EVERY, _SHOWN_EVERY = 0.5, 1.0  # seconds
_PREVIEW_SIDE = 640
_USUAL = TrackerSettings()


def track(
    clip: Annotated[str, typer.Argument(metavar="CLIP", help="A clip's file, or the name of one that ships.")],
    *,
    model: Annotated[str, typer.Option(help="Name of a model, or path of its weights.")] = DEFAULT_MODEL,
    every: Annotated[int, typer.Option(min=1, max=60, help="Look at every N-th frame.")] = _USUAL.every,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Lowest score that is tracked.")] = _USUAL.least_score,
    inside: Annotated[
        float, typer.Option(min=0.01, max=1, help="Boxes further inside another are that animal again; 1: never.")
    ] = _USUAL.most_inside,
    overlap: Annotated[
        float, typer.Option(min=0, max=0.99, help="Least overlap (IoU) of a box with its track.")
    ] = _USUAL.least_iou,
    patience: Annotated[int, typer.Option(min=2, help="Frames unseen after which an id ends.")] = _USUAL.patience,
    coast: Annotated[int, typer.Option(min=0, help="Frames unseen for which a box is still shown.")] = _USUAL.coast,
    confirm: Annotated[int, typer.Option(min=0, help="Frames after which an id counts.")] = _USUAL.confirm,
    out: Annotated[Path | None, typer.Option(help="Write the drawn clip, MP4, to this file.")] = None,
    mot: Annotated[Path | None, typer.Option(help="Write the tracks as MOT text to this file.")] = None,
    truth: Annotated[Path | None, typer.Option(help="MOT text with the true tracks.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write what it came to, to this file.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the result for the page Track.")] = False,
    ship: Annotated[bool, typer.Option("--ship", hidden=True)] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a clip of more than an hour.")] = False,
) -> None:
    """Follow the cows of a clip: ids that stay, how many there are, and how far the ids can be trusted."""
    settings = TrackerSettings(threshold, inside, overlap, patience, coast, confirm, every)
    _check_targets((Path(clip), truth), (out, mot, json_file))
    store = Store(store_path())
    with at_work(store) as work:
        from cowvision.detection_box import DetectionBox
        from cowvision.viz.track_drawing import TrackPainter
        from cowvision.workspace.following import follow

        chosen, box = _clip(store, clip), DetectionBox(model)
        known = chosen.truth() if truth is None else read_mot(truth, least_confidence=0.5)
        if not yes:
            _refuse_hours(chosen, box, settings)
        with _Telling(work) as telling, _place(chosen, box, settings, keep=keep, ship=ship) as folder:
            with stoppable() as was_asked:
                tracked = follow(
                    chosen, box, settings, folder, painter=TrackPainter, truth=known, on_progress=telling.tell,
                    should_stop=lambda: work.should_stop() or was_asked(),
                )  # fmt: skip
            _write(tracked, out, mot, json_file)
        work.result = {"whole": tracked.whole, "frames": tracked.frames}
    say(tracked)


def _check_targets(sources: Sequence[Path | None], targets: Sequence[Path | None]) -> None:
    """Refuse, before any work, what cannot be written.

    Raises:
        SettingError: A target is a folder, a file that is read, or the same as another.
    """
    taken = {path.resolve() for path in sources if path is not None}
    for target in filter(None, targets):
        if target.is_dir():
            raise SettingError(str(target), "it is a folder", "Give the name of a file")
        if target.resolve() in taken:
            cause = "it is read here, or written already, and would be overwritten"
            raise SettingError(str(target), cause, "Give another name")
        taken.add(target.resolve())


def _clip(store: Store, given: str) -> Clip:
    """The clip a person means: a file, or the key of a shipped or own one."""
    from cowvision.workspace.clips import Clip, find_clip

    path = Path(given)
    return Clip(path.name, path.name, "", path) if path.is_file() else find_clip(store, given)


def _refuse_hours(clip: Clip, box: DetectionBox, settings: TrackerSettings) -> None:
    """Say how long a very long clip would take, instead of beginning.

    Raises:
        ClipError: It is longer than an hour.
    """
    from cowvision.workspace.following import estimate, is_long

    if is_long(clip):
        told = estimate(clip, box, settings)
        hours = (told.info.seconds or 0) / 3600
        work = "" if told.seconds is None else f", and tracking it would take about {told.seconds / 3600:.1f} hours"
        remedy = "Add --yes to begin all the same, or look less often with --every"
        raise ClipError(clip.title, f"it is {hours:.1f} hours long{work}", remedy)


@contextmanager
def _place(clip: Clip, box: DetectionBox, settings: TrackerSettings, *, keep: bool, ship: bool) -> Iterator[Path]:
    """The folder that the result is written into: of the workspace, of what ships, or one for the moment."""
    from cowvision.workspace.tracked_clips import SHIPPED_FOLDER, folder_name, new_folder

    if ship:
        with new_folder(f"{clip.key}.{box.spec.name}", SHIPPED_FOLDER) as folder:
            yield folder
    elif keep:
        with new_folder(folder_name(clip.sha256, box.spec.id, settings)) as folder:
            yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="cowvision-") as folder:
            yield Path(folder)


def _write(tracked: TrackedClip, out: Path | None, mot: Path | None, json_file: Path | None) -> None:
    """Put what was asked for where it was asked for.

    Raises:
        SettingError: It cannot be written there.
    """
    if out is not None:
        with _explained(out):
            _copy(tracked.video, out)
    if mot is not None:
        with _explained(mot):
            write_atomically(mot, mot_text(tracked.table().by_frame()).encode())
    if json_file is not None:
        write_json(json_file, tracked.as_dict())


def _copy(source: Path, target: Path) -> None:
    """Copy a file of any size; it gets its name when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cause = error.strerror or "cannot be written"
        raise SettingError(str(target), cause, "Choose a file in a folder you may write to") from None


class _Telling:
    """Tells a terminal by a bar, and a job's log and preview for the page."""

    def __init__(self, work: Work) -> None:
        self._bar, self._work = make_bar(), work
        self._task = self._bar.add_task("tracking", total=None)
        self._told = self._shown = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def tell(self, progress: TrackProgress) -> None:
        """Take how far it is; the last frame is always told."""
        now, is_last = time.monotonic(), progress.done == progress.total
        words = f"tracking, {progress.cows} in sight"
        self._bar.update(self._task, description=words, completed=progress.done, total=progress.total)
        if now - self._told > _TOLD_EVERY or is_last:
            self._told = now
            self._work.tell(kind="frame", done=progress.done, total=progress.total, cows=progress.cows)
        if now - self._shown > _SHOWN_EVERY and progress.preview is not None and self._work.job_id is not None:
            from cowvision.viz.encoding import as_jpeg, scaled_down

            self._shown = now
            with suppress(OSError):  # a full disk is told by the clip's own error
                small = as_jpeg(scaled_down(progress.preview, _PREVIEW_SIDE), quality=75)
                write_atomically(job_folder(self._work.job_id) / PREVIEW, small)
