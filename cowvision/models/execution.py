"""How a network is run on this machine: device, precision, memory format, threads - measured once, then kept.

Nothing is guessed: on a CPU without fast bfloat16, bfloat16 is slower, and on one with it several times faster.
`COWVISION_DEVICE` (cpu, cuda, mps) and `COWVISION_PRECISION` (float32, bfloat16) overrule the choice.
"""

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cowvision.data.pictures import list_pictures, read_picture
from cowvision.errors import SettingError
from cowvision.models.choices import Execution, keep_choice, kept_choices
from cowvision.models.half_precision import is_bfloat16_hopeless

DEVICES = ("cuda", "mps", "cpu")
PRECISIONS = ("float32", "bfloat16")
_GALLERY = Path(__file__).resolve().parents[2] / "assets" / "pictures"
_TIMED_RUNS = 3
_HOPELESS = 4
_MATCH_IOU = 0.5  # a far cow is ten pixels wide, and one pixel is a third of its overlap
_SURE_SCORE = 0.5
_WAYS = "ways of November 2026"  # to be changed with how networks look: what was measured of older ways is timed anew

RawDetections = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]


Run = Callable[[Execution], Sequence[RawDetections]]


def choose_execution(run: Run, key: str) -> Execution:
    """Return the fastest way to run a network here that keeps its detections; timed at most once per `key`.

    Args:
        run: Runs the network on a sample picture the given way.
        key: What the timing depends on besides the machine: architecture and size of the sample.

    Raises:
        SettingError: COWVISION_DEVICE or COWVISION_PRECISION holds something else than is allowed.
    """
    kept = known_execution(key)
    if kept is not None:
        return kept
    device, precision = _wanted()
    choice = _fastest(run, device, precision)
    keep_choice(_kept_as(key), choice)
    return choice


def known_execution(key: str) -> Execution | None:
    """What ``choose_execution`` found out before, here and with these settings; None if it has to be timed.

    Raises:
        SettingError: As for ``choose_execution``.
    """
    return kept_choices().get(_kept_as(key))


@contextmanager
def applied(execution: Execution) -> Iterator[None]:
    """Run what is inside with an execution's threads and precision, without gradients."""
    before = torch.get_num_threads()
    others = execution.device == "cpu" and before != execution.threads
    if others:
        torch.set_num_threads(execution.threads)
    autocast = torch.autocast(execution.device, dtype=torch.bfloat16, enabled=execution.dtype == "bfloat16")
    try:
        with torch.inference_mode(), autocast:
            yield
    finally:
        if others:  # a training that looks now and then would go on with them
            torch.set_num_threads(before)


def preferred_device() -> str:
    """Return the device to use: COWVISION_DEVICE, else CUDA, MPS or CPU, the first there is.

    Raises:
        SettingError: COWVISION_DEVICE names no device, or one that this machine lacks.
    """
    present = [device for device in DEVICES if _is_present(device)]
    return _from_environment("COWVISION_DEVICE", tuple(present)) or present[0]


def device_name() -> str:
    """Return the device to use and what it is, e.g. "CPU (Some Processor x 2)"."""
    return f"{preferred_device().upper()} ({_machine()})"


def sample_rgb() -> NDArray[np.uint8]:
    """Return the picture that timings are made on: one of the gallery's, or noise before there is a gallery."""
    gallery = list_pictures(_GALLERY) if _GALLERY.is_dir() else []
    if gallery:
        return read_picture(gallery[0]).rgb
    return np.random.default_rng(0).integers(0, 256, (360, 640, 3), dtype=np.uint8)


def same_detections(answers: Sequence[RawDetections], reference: Sequence[RawDetections]) -> bool:
    """Whether every sure detection (score 0.5 up) of each side has its like, within 0.1, on the other side."""
    pairs = zip(answers, reference, strict=True)
    return all(_covers(one, other) and _covers(other, one) for one, other in pairs)


def _wanted() -> tuple[str, str | None]:
    return preferred_device(), _from_environment("COWVISION_PRECISION", PRECISIONS)


def _kept_as(key: str) -> str:
    device, precision = _wanted()
    return " | ".join([key, device, precision or "any precision", _machine(), f"torch {torch.__version__}", _WAYS])


def _fastest(run: Run, device: str, precision: str | None) -> Execution:
    plain = Execution(device, threads=torch.get_num_threads())
    reference = run(plain)

    def suits(answers: Sequence[RawDetections]) -> bool:
        return precision is not None or same_detections(answers, reference)

    best = _quickest(run, _candidates(plain, precision), suits, may_fail=precision is None)
    best = best or replace(plain, dtype=precision or plain.dtype)
    others = [replace(best, threads=threads) for threads in _thread_counts(best)]
    if not others:
        return best
    return _quickest(run, [best, *others], lambda _: True, may_fail=False) or best


def _quickest(
    run: Run, candidates: Sequence[Execution], suits: Callable[[Sequence[RawDetections]], bool], *, may_fail: bool
) -> Execution | None:
    """The candidate with the shortest run; they take turns, so that other work on the machine slows all of them.

    Args:
        run: As for ``choose_execution``.
        candidates: Each is run once first; those that are hopelessly slower than another then are not run again.
        suits: Whether a candidate may be taken that answers so.
        may_fail: Leave out what this machine does not know, instead of raising its RuntimeError.
    """
    first: dict[Execution, float] = {}
    for candidate in candidates:
        try:
            seconds, answers = _timed(run, candidate)
        except RuntimeError:
            if not may_fail:
                raise
            continue
        if suits(answers):
            first[candidate] = seconds
    racing = [candidate for candidate, seconds in first.items() if seconds <= _HOPELESS * min(first.values())]
    if len(racing) < 2:
        return racing[0] if racing else None
    rounds = [[_timed(run, candidate)[0] for candidate in racing] for _ in range(_TIMED_RUNS)]
    shortest = [min(seconds) for seconds in zip(*rounds, strict=True)]
    return racing[shortest.index(min(shortest))]


def _candidates(plain: Execution, precision: str | None) -> list[Execution]:
    if plain.device == "mps":
        return [plain]
    if precision:
        precisions: tuple[str, ...] = (precision,)
    else:
        precisions = ("float32",) if is_bfloat16_hopeless(plain.device) else PRECISIONS
    return [replace(plain, dtype=dtype, channels_last=last) for dtype in precisions for last in (True, False)]


def _thread_counts(best: Execution) -> list[int]:
    """Other numbers of threads worth a try: every logical core, and half of what is usual on large machines."""
    if best.device != "cpu":
        return []
    logical = os.cpu_count() or best.threads
    halves = {best.threads // 2} if best.threads >= 4 else set()
    return sorted(({logical} | halves) - {best.threads})


def _timed(run: Run, candidate: Execution) -> tuple[float, Sequence[RawDetections]]:
    started = time.perf_counter()
    answers = run(candidate)
    return time.perf_counter() - started, answers


def _covers(one: RawDetections, other: RawDetections) -> bool:
    sure = one[1] >= _SURE_SCORE
    for box, score, label in zip(one[0][sure], one[1][sure], one[2][sure], strict=True):
        alike = (other[2] == label) & (np.abs(other[1] - score) <= 0.1)
        if not (_iou(box, other[0][alike]) >= _MATCH_IOU).any():
            return False
    return True


def _iou(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = sides.clip(min=0).prod(axis=1)
    overlap: NDArray[np.float32] = shared / (
        (box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) - shared
    )
    return overlap


def _is_present(device: str) -> bool:
    if device == "cuda":
        return torch.cuda.is_available()
    return device == "cpu" or torch.backends.mps.is_available()


def _from_environment(name: str, allowed: tuple[str, ...]) -> str | None:
    value = os.environ.get(name, "").strip().lower()
    if value and value not in allowed:
        raise SettingError(name, f"'{value}' cannot be used here", f"Set it to one of: {', '.join(allowed)}")
    return value or None


def _machine() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    models = [line for line in _cpu_lines() if line.startswith("model name")]
    name = models[0].split(":")[1].strip() if models else platform.processor() or platform.machine()
    return f"{name} x {os.cpu_count()}"


def _cpu_lines() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return []
