"""Clip -> frames -> detections -> tracks -> drawn clip, in constant memory; only the detector is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import supervision as sv

from cowvision.errors import ClipError, SpoiltClipError, WorkStopped
from cowvision.models.callbacks import never, silent
from cowvision.tracking.clip_info import ClipInfo, probe, steady_fps
from cowvision.tracking.looking import Detector, Looker, Rgb
from cowvision.tracking.marking import mark, part_words
from cowvision.tracking.opening import GIANT_PIXELS
from cowvision.tracking.retiming import steady_frames
from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.stages import Ahead, Behind, StageClock
from cowvision.tracking.track_table import TrackCollector, TrackTable
from cowvision.tracking.tracker import HerdTracker
from cowvision.tracking.video import Frame
from cowvision.tracking.writer import ClipWriter

STAGES = ("decode", "detect", "track", "draw", "encode")
_MOST_PLACES = 4  # frames that wait between two stages
_MOST_HELD = 8  # frames that wait for one batch
_BATCH_PIXELS = 1_500_000  # larger frames go through the network one by one: a batch gains nothing, and takes memory

Draw = Callable[[Rgb, sv.Detections], Rgb]


@dataclass(frozen=True)
class TrackProgress:
    """How far a clip is.

    Attributes:
        done: Frames tracked.
        total: Frames in all, as far as the clip says it; None otherwise.
        cows: Tracks in the newest frame.
        preview: The frame drawn last, (h, w, 3) uint8; None before the first, and where nothing is drawn.
    """

    done: int
    total: int | None
    cows: int
    preview: Rgb | None


@dataclass(frozen=True)
class TrackRun:
    """What tracking a clip came to.

    Attributes:
        info: The clip.
        fps: Constant rate of the frames that were tracked, and of the drawn clip.
        table: The tracks.
        retimed: Whether pictures came twice or were left out, so that the n-th frame need not be the clip's n-th.
        stopped: Whether somebody ended it before the last frame.
        broke_off: Why the clip ended before its end; empty if it did not.
        spoilt: Why pictures are missing of a clip that did not; empty if none are. The one before stays in their place.
        seconds: How long it took.
        stage_seconds: Of it in each of `STAGES`; they overlap, so that their sum may be larger.
    """

    info: ClipInfo
    fps: Fraction
    table: TrackTable
    retimed: bool
    stopped: bool
    broke_off: str
    spoilt: str
    seconds: float
    stage_seconds: dict[str, float]

    @property
    def is_whole(self) -> bool:
        """Whether the clip was tracked to its end."""
        return not self.stopped and not self.broke_off


@dataclass
class _Course:
    """What changes while a clip is tracked."""

    total: int | None
    collector: TrackCollector = field(default_factory=TrackCollector)
    done: int = 0
    retimed: bool = False
    stopped: bool = False
    broke_off: str = ""
    spoilt: str = ""
    preview: Rgb | None = None


def track_clip(
    path: str | Path,
    detector: Detector,
    settings: TrackerSettings,
    *,
    out: str | Path | None = None,
    draw: Draw | None = None,
    name: str | None = None,
    class_names: Sequence[str] = ("cow",),
    batch_size: int = 1,
    on_progress: Callable[[TrackProgress], None] = silent,
    should_stop: Callable[[], bool] = never,
) -> TrackRun:
    """Track the animals of a clip, and write it with what was found drawn in.

    Args:
        path: The clip.
        detector: Takes (h, w, 3) uint8 RGB frames of one size and gives detections of each.
        settings: Of the tracker; ``settings.every`` frames there is one look.
        out: Where the drawn clip goes; None writes none. A clip that was stopped or broke off is written as far as it
            went, can be played, and says in its title that it is a part.
        draw: Gives the frame that is written, from a frame that it may keep and its tracks; frames come in order.
        name: What errors call the clip; its file name by default.
        class_names: What is tracked.
        batch_size: Frames that the detector gets at once, at most; on a processor one at a time is quickest.
        on_progress: Told after every frame.
        should_stop: Asked before every frame.

    Raises:
        ClipError: The clip holds nothing that can be tracked, or the drawn one cannot be written; nothing is left then.
        WorkStopped: It was stopped before its first frame; nothing is left either.
    """
    started = time.perf_counter()
    info = probe(path, name)
    fps, clock = steady_fps(info), StageClock()
    course = _Course(_total(info, fps))
    with ExitStack() as stack:
        write = _writing(stack, out, draw, fps, info, course, clock)
        frames = stack.enter_context(Ahead(_timed(steady_frames(path, fps, info.name), clock), _places(info)))
        tracker, reads = HerdTracker(settings), _unbroken(frames, course)
        looker = Looker(detector, tracker, class_names, clock)
        most = _batch(batch_size, settings.every, info)
        for batch in _batches(reads, tracker, most):
            looks = looker.look(batch)
            for frame in batch:
                if should_stop():
                    course.stopped = True
                    break
                with clock.of("track"):
                    tracks = tracker.update(looks.get(frame.index))
                    course.collector.add(tracks)
                write(frame.rgb, tracks)
                course.done += 1
                course.retimed = course.retimed or frame.repeats or frame.skips
                on_progress(TrackProgress(course.done, course.total, len(tracks), course.preview))
            if course.stopped:
                break
        if not course.done:
            raise WorkStopped(info.name, "it was stopped before its first frame", "Track it again")
    if out is not None and (course.stopped or course.broke_off):
        mark(out, part_words(course.done, course.total, fps, "stopped" if course.stopped else "the clip breaks off"))
    seconds, table = time.perf_counter() - started, course.collector.table()
    why = course.stopped, course.broke_off, course.spoilt
    return TrackRun(info, fps, table, course.retimed, *why, seconds, clock.seconds)


def _total(info: ClipInfo, fps: Fraction) -> int | None:
    if info.seconds is not None:
        return max(1, round(info.seconds * fps))
    return info.frames


def _places(info: ClipInfo) -> int:
    width, height = info.resolution_wh
    return max(1, min(_MOST_PLACES, GIANT_PIXELS // (width * height)))


def _batch(batch_size: int, every: int, info: ClipInfo) -> int:
    """How many looks go together: no more than keeps few frames waiting."""
    width, height = info.resolution_wh
    return 1 if width * height > _BATCH_PIXELS else max(1, min(batch_size, _MOST_HELD // every))


def _writing(  # noqa: PLR0917 - the arguments of its one caller
    stack: ExitStack,
    out: str | Path | None,
    draw: Draw | None,
    fps: Fraction,
    info: ClipInfo,
    course: _Course,
    clock: StageClock,
) -> Callable[[Rgb, sv.Detections], None]:
    """What is called for each frame and its tracks; draws and encodes beside all else, giant ones at once."""
    if out is None:
        return lambda *_: None
    is_giant = info.resolution_wh[0] * info.resolution_wh[1] > GIANT_PIXELS
    writer = stack.enter_context(ClipWriter(out, fps=fps, resolution_wh=info.resolution_wh))

    def work(shot: tuple[Rgb, sv.Detections]) -> None:
        rgb, tracks = shot
        if is_giant:
            course.preview = None  # one less in memory
        with clock.of("draw"):
            drawn = rgb if draw is None else draw(rgb, tracks)
        with clock.of("encode"):
            writer.write(drawn)
        course.preview = drawn

    if is_giant:
        return lambda rgb, tracks: work((rgb, tracks))
    behind = stack.enter_context(Behind(work, _places(info)))
    return lambda rgb, tracks: behind.put((rgb, tracks))


def _timed(frames: Iterator[Frame], clock: StageClock) -> Iterator[Frame]:
    while True:
        with clock.of("decode"):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


def _unbroken(frames: Ahead[Frame], course: _Course) -> Iterator[Frame]:
    """The frames as far as they can be read; what breaks off later than at the first of them is noted, not raised."""
    read = 0
    try:
        for read, frame in enumerate(frames, start=1):  # noqa: B007 - how many there were
            yield frame
    except SpoiltClipError as error:
        course.spoilt = error.cause
    except ClipError as error:
        if not read:
            raise
        course.broke_off = error.cause


def _batches(frames: Iterator[Frame], tracker: HerdTracker, most: int) -> Iterator[list[Frame]]:
    """Frames in groups with so many looks at most; frames without a look wait for nothing but the looks before them."""
    group: list[Frame] = []
    looks = 0
    for frame in frames:
        looked_at = tracker.looks_at(frame.index)
        group.append(frame)
        looks += looked_at
        if looks == most or (looks == 0 and not looked_at):
            yield group
            group, looks = [], 0
    if group:
        yield group
