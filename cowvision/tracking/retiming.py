"""Clips of any rate, constant or not, as frames at a constant one."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from cowvision.errors import ClipError
from cowvision.tracking.decoding import Moment, decoded
from cowvision.tracking.video import Frame

LONGEST_STILL = 10.0
"""Seconds for which one picture is shown at most."""


def steady_frames(path: str | Path, fps: Fraction, name: str | None = None) -> Iterator[Frame]:
    """Yield what is on screen at 0, 1/fps, 2/fps, ... seconds after the clip's first picture.

    A picture that is shown at several of these times comes several times, marked as repeated; one that is shown at none
    is left out, and the next is marked as skipping it. A picture counts as shown from a fifth of a frame (at most 5 ms)
    before its time, since containers round times. Where a clip stands still for more than `LONGEST_STILL` seconds - a
    camera that was paused, a clock that jumped - the rest of the pause is left out and what follows comes earlier.

    Only the picture on screen and the next one are held in memory.

    Args:
        path: The clip.
        fps: Frames a second.
        name: What the clip goes by in errors; else the file's own name.

    Raises:
        ClipError: As `decoding.decoded`; a clip that breaks off in the middle yields what it holds first.
    """
    early = min(0.2 / float(fps), 0.005)
    index, skips = 0, False
    for moment, ends in _shown(decoded(path, name)):
        repeats = False
        while index == 0 or index / fps < ends - early:
            yield Frame(index, float(index / fps), moment.rgb(), repeats, skips)
            index, repeats, skips = index + 1, True, False
        skips = skips or not repeats


def _shown(moments: Iterator[Moment]) -> Iterator[tuple[Moment, float]]:
    """Pictures with when each goes, in seconds without the pauses; the error of a part comes after its end."""
    held: Moment | None = None
    ends = 0.0
    broken: ClipError | None = None
    try:
        for moment in moments:
            if held is not None:
                ends += min(moment.seconds - held.seconds, LONGEST_STILL)
                yield held, ends
            held = moment
    except ClipError as error:
        broken = error
    if held is not None:
        yield held, ends + min(held.lasts, LONGEST_STILL)
    if broken is not None:
        raise broken
