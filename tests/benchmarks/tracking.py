"""How fast a clip is tracked: against the loop that everybody writes first, on the same clip, weights and settings."""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import cv2
import norfair
import numpy as np
import supervision as sv
import torch
from torch import nn

from cowvision.detection_box import DetectionBox
from cowvision.models.catalog import ModelSpec, find_model
from cowvision.models.choices import Execution
from cowvision.models.half_precision import is_bfloat16_hopeless
from cowvision.tracking.pipeline import STAGES, TrackRun, track_clip
from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.video import frames
from cowvision.tracking.writer import ClipWriter
from cowvision.viz.track_drawing import TrackPainter
from cowvision.workspace.clips import CLIPS_FOLDER

Row = tuple[str, str, str]
CLIP = CLIPS_FOLDER / "crossing.mp4"
R50_FRAMES, SMALL_FRAMES, LIVE_FRAMES = 16, 96, 240
COWS = 10
TURNS = 2  # of which the quicker counts, on either side


def rows() -> Iterator[Row]:
    """All of it; the first call of each network is not timed.

    The R50-FPN's weights are random: it finds nothing to track or draw, which is the same for both sides.
    """
    with tempfile.TemporaryDirectory() as folder:
        yield from _against_the_plain_loop(Path(folder))
        yield from _live(Path(folder))
        yield from _memory(Path(folder))


def _against_the_plain_loop(folder: Path) -> Iterator[Row]:
    from tests.benchmarks.bench import seeded_network

    first = next(frames(CLIP)).rgb
    network = seeded_network(first)
    spec = ModelSpec("r50", "R50-FPN", "fasterrcnn_resnet50_fpn", ("cow",))
    dtype = "float32" if is_bfloat16_hopeless("cpu") else "bfloat16"
    execution = Execution("cpu", dtype, channels_last=True, threads=torch.get_num_threads())
    r50 = DetectionBox(spec, network=network, execution=execution)
    yield from _both("R50-FPN", r50, _cut(folder, R50_FRAMES), folder, "3x or more")
    herd = DetectionBox(find_model("herd-finetuned"))
    herd.network.transform.min_size = (herd.spec.short_side,)
    yield from _both("herd-finetuned", herd, _cut(folder, SMALL_FRAMES), folder, "1.5x or more")


def _both(name: str, box: DetectionBox, clip: Path, folder: Path, wanted: str) -> Iterator[Row]:
    settings = TrackerSettings()
    rgb = next(frames(clip)).rgb
    _as_it_comes(box.network, rgb)
    box.predict([rgb])
    count = sum(1 for _ in frames(clip))
    turns = [
        (
            _seconds(lambda: plain_loop(clip, box.network, settings, folder / "plain.mp4")),
            _tracked(box, clip, settings, folder),
        )
        for _ in range(TURNS)
    ]
    plain, run = min(one for one, _ in turns), min((one for _, one in turns), key=lambda one: one.seconds)
    how = f"{box.execution.dtype}, {len(run.table.ids)} ids"
    yield (
        f"tracking 1280x720 with {name}, {count} frames: the plain loop (float32) / ours ({how})",
        f"{count / plain:.2f} / {count / run.seconds:.2f} frames/s, {plain / run.seconds:.1f}x",
        wanted,
    )
    shares = ", ".join(f"{stage} {run.stage_seconds[stage] / run.seconds:.0%}" for stage in STAGES)
    yield f"  share of the time, {name} (stages overlap)", shares, "detect is the rest's only wait"


def plain_loop(clip: Path, network: nn.Module, settings: TrackerSettings, out: Path) -> None:
    """Decode a frame, call torchvision's model as it comes, track, draw, write: the form of Norfair's own demo."""
    video = cv2.VideoCapture(str(clip))
    size = (int(video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(video.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    writer = cv2.VideoWriter(str(out), cv2.VideoWriter_fourcc(*"mp4v"), video.get(cv2.CAP_PROP_FPS), size)
    tracker = norfair.Tracker(
        distance_function="iou", distance_threshold=1 - settings.least_iou,
        hit_counter_max=settings.patience, initialization_delay=settings.confirm,
    )  # fmt: skip
    while True:
        is_there, bgr = video.read()
        if not is_there:
            break
        boxes, scores = _as_it_comes(network, bgr[:, :, ::-1].copy())
        detections = [
            norfair.Detection(box.reshape(2, 2), np.full(2, score))
            for box, score in zip(boxes, scores, strict=True)
            if score >= settings.least_score
        ]
        tracks = tracker.update(detections)
        norfair.draw_boxes(bgr, tracks, draw_ids=True)
        writer.write(bgr)
    writer.release()
    video.release()


def _as_it_comes(network: nn.Module, rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with torch.no_grad():
        [found] = network([torch.from_numpy(rgb).permute(2, 0, 1).float() / 255])
    return found["boxes"].numpy(), found["scores"].numpy()


def _live(folder: Path) -> Iterator[Row]:
    """640x360 at 30 frames a second, a look at every second frame."""
    box = DetectionBox(find_model("herd-finetuned"))
    clip = _cut(folder, LIVE_FRAMES, size_wh=(640, 360), fps=Fraction(30))
    box.predict([next(frames(clip)).rgb])
    run = _tracked(box, clip, TrackerSettings(every=2), folder)
    speed = run.table.frames / run.seconds
    yield "tracking 640x360, 30 fps, every 2nd frame", f"{speed:.1f} frames/s", "30 or more (real time)"


def _memory(folder: Path) -> Iterator[Row]:
    """Peak memory of a process that tracks ten seconds, and of one that tracks ten minutes; ten cows in sight."""
    peaks = []
    for seconds in (10, 600):
        clip = folder / f"{seconds}.mp4"
        scene = cv2.resize(next(frames(CLIP)).rgb, (320, 180), interpolation=cv2.INTER_AREA)
        with ClipWriter(clip, fps=Fraction(30), resolution_wh=(320, 180)) as writer:
            for number in range(seconds * 30):
                writer.write(np.roll(scene, number, axis=1))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peaks.append(pool.apply(_peak, (clip, folder / "out.mp4")))
    yield "memory: a clip of 10 s / of 10 minutes", f"{peaks[0]:.0f} / {peaks[1]:.0f} MB", "200 MB apart at most"


def _peak(clip: Path, out: Path) -> float:
    """Peak resident memory in MB of tracking a clip with cows that walk."""
    shots = iter(range(10**9))
    with suppress(OSError):  # Linux has a new process begin with the peak of the one that began it
        Path("/proc/self/clear_refs").write_text("5")

    def walking(batch: Sequence[np.ndarray]) -> list[sv.Detections]:
        return [_walking(next(shots)) for _ in batch]

    track_clip(clip, walking, TrackerSettings(), out=out, draw=TrackPainter((320, 180), 30.0))
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # macOS counts bytes


def _walking(number: int) -> sv.Detections:
    left = (np.arange(COWS) * 30.0 + number * 0.5) % 300
    top = np.arange(COWS) * 15.0
    return sv.Detections(
        xyxy=np.stack([left, top, left + 28, top + 14], axis=1).astype(np.float32),
        confidence=np.full(COWS, 0.9, np.float32),
        class_id=np.ones(COWS, np.int64),
        data={"class_name": np.full(COWS, "cow")},
    )


def _tracked(box: DetectionBox, clip: Path, settings: TrackerSettings, folder: Path) -> TrackRun:
    height, width, _ = next(frames(clip)).rgb.shape

    def detector(batch: Sequence[np.ndarray]) -> list[sv.Detections]:
        return box.predict(list(batch), batch_size=len(batch))

    return track_clip(clip, detector, settings, out=folder / "ours.mp4", draw=TrackPainter((width, height), 30.0))


def _cut(folder: Path, count: int, *, size_wh: tuple[int, int] = (1280, 720), fps: Fraction = Fraction(24)) -> Path:
    """The first frames of the crossing clip."""
    path = folder / f"{count}-{size_wh[0]}.mp4"
    with ClipWriter(path, fps=fps, resolution_wh=size_wh) as writer:
        for frame, _ in zip(frames(CLIP), range(count), strict=False):
            writer.write(np.ascontiguousarray(cv2.resize(frame.rgb, size_wh, interpolation=cv2.INTER_AREA)))
    return path


def _seconds(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
