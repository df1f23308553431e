"""Whether true tracks are those of a clip, frame by frame, and what tracks come to against them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import supervision as sv

from cowvision.data.words import counted
from cowvision.errors import SettingError
from cowvision.tracking.clip_info import ClipInfo
from cowvision.tracking.identity import IdentityReport, judge_identity
from cowvision.tracking.pipeline import TrackRun
from cowvision.tracking.track_table import TrackTable

_OTHER_RATE = Fraction(1, 100)  # by so much rates may differ and still be one: containers round


def is_own_rate(info: ClipInfo, fps: Fraction) -> bool:
    """Whether a clip that is tracked at a rate is tracked at its own, so that its frames are those that are tracked."""
    return abs(info.fps - fps) <= fps * _OTHER_RATE


def check_truth(truth: Sequence[sv.Detections] | None, info: ClipInfo, fps: Fraction) -> None:
    """Refuse, before any work, truth that cannot be matched with a clip frame by frame.

    Args:
        truth: True boxes by frame; None where nobody knows.
        info: The clip.
        fps: The rate it will be tracked at.

    Raises:
        SettingError: The clip is not tracked at its own rate, or the truth has more frames than the clip states.
    """
    if truth is None:
        return
    if not is_own_rate(info, fps):
        cause = (
            f"it counts the clip's own frames, but the clip has {counted(float(info.fps), 'frame')} a second and is "
            f"tracked at {float(fps):.4g}"
        )
        remedy = "Export the clip at a constant rate of 1 to 60 frames a second, or leave the truth out"
        raise SettingError("truth", cause, remedy)
    if info.frames is not None and len(truth) > info.frames:
        raise _too_long(truth, info.frames)


def judged(truth: Sequence[sv.Detections] | None, run: TrackRun) -> tuple[IdentityReport | None, tuple[str, ...]]:
    """The tracks against truth as far as the clip was tracked, and what is to be known about it, a sentence each.

    Truth that turns out not to fit gives no figures and a sentence: the tracks themselves are as good without it.
    """
    if truth is None:
        return None, ()
    table = run.table
    if run.retimed:
        if run.spoilt:
            return None, (
                "The truth was not used: pictures of the clip are missing. Copy or export it again to use it.",
            )
        frames = f"at {float(run.fps):.4g} a second some of its frames came twice or not at all"
        remedy = "Export the clip at a constant rate to use it"
        return None, (f"The truth was not used: the clip's rate varies, and {frames}. {remedy}.",)
    try:
        report = judge_identity(fitted(truth, table, is_whole=run.is_whole and not run.spoilt), table.by_frame())
    except SettingError as error:
        return None, (f"The truth was not used: {error.cause}.",)
    return report, tuple(_doubts(report, truth, run.info, table.frames))


def fitted(truth: Sequence[sv.Detections], table: TrackTable, *, is_whole: bool = True) -> list[sv.Detections]:
    """Truth with as many frames as there are tracks: nothing is in those after its last, and a part needs a part only.

    Raises:
        SettingError: It has more frames than a clip that was tracked to its end.
    """
    if is_whole and len(truth) > table.frames:
        raise _too_long(truth, table.frames)
    return [*truth[: table.frames], *[sv.Detections.empty()] * (table.frames - len(truth))]


def _too_long(truth: Sequence[sv.Detections], frames: int) -> SettingError:
    cause = f"it names frame {len(truth)}, but the clip has {frames}"
    return SettingError("truth", cause, "Give the truth of this very clip, at its own rate")


def _doubts(report: IdentityReport, truth: Sequence[sv.Detections], info: ClipInfo, frames: int) -> list[str]:
    """Why the truth may be another clip's, or not all of it, for so many tracked frames."""
    width, height = info.resolution_wh
    named = [number for number, one in enumerate(truth, start=1) if len(one)]
    if not truth:
        return ["There is no box in the truth: all that was tracked counts as false."]
    if named and frames - named[-1] > info.fps:
        return [f"The truth ends with frame {named[-1]} of {frames}: all that was tracked later counts as false."]
    corners = np.concatenate([np.zeros((0, 4)), *(one.xyxy for one in truth)])
    beyond = (corners[:, 0] >= width) | (corners[:, 1] >= height) | (corners[:, 2] <= 0) | (corners[:, 3] <= 0)
    if beyond.any():
        boxes = counted(int(beyond.sum()), "box lies", "boxes lie")
        return [f"The truth may be another clip's: {boxes} beyond the picture's {width} × {height} pixels."]
    if report.true_boxes and report.told_ids and not report.idf1:
        return ["The truth may be another clip's: not one of its boxes is where an animal was tracked."]
    return []
