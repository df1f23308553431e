"""What tracks came to, in words for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cowvision.data.words import counted

if TYPE_CHECKING:
    from cowvision.tracking.identity import IdentityReport
    from cowvision.workspace.tracked_clips import TrackedClip


def say(tracked: TrackedClip) -> None:
    """Say how many cows there are, how far the ids can be trusted, and where the time went."""
    health = tracked.health
    for note in tracked.notes:
        typer.echo(f"cowvision: {note}", err=True)
    mean = "" if health.mean_track_seconds is None else f", tracked for {health.mean_track_seconds:.1f} s on average"
    cows = f"about {counted(health.unique, 'cow')}: {health.fewest} seen at once, {counted(health.most, 'id')} in all; "
    frame = f"{health.mean_at_once:.1f} a frame{mean}"
    typer.echo(f"{tracked.model}: {cows + frame if health.most else 'no cow was followed'}")
    suspected = counted(health.suspected_switches, "suspected switch", "suspected switches")
    typer.echo(
        f"ids: {health.births} began later, {health.losses} ended early, {counted(health.gaps, 'gap')}, {suspected}"
    )
    if tracked.identity is not None:
        say_identity(tracked.identity)
    shares = ", ".join(f"{name} {seconds / tracked.seconds:.0%}" for name, seconds in tracked.stage_seconds.items())
    rate = tracked.frames / tracked.seconds
    typer.echo(f"{counted(tracked.frames, 'frame')} in {tracked.seconds:.1f} s, {rate:.1f} a second")
    typer.echo(f"busy for a share of that time, and at the same time as others: {shares}")


def say_part(
    tracked: TrackedClip, total: int | None, written: Sequence[Path], *, is_kept: bool, has_older: bool
) -> None:
    """Say how much of a clip there is, and where.

    Args:
        tracked: A part.
        total: Frames of the whole clip; None where it does not say.
        written: Files that hold the part.
        is_kept: Whether the page Track has it.
        has_older: Whether that shows a whole result from before instead.
    """
    fps = Fraction(tracked.fps)
    whole = "" if total is None else f" of about {float(total / fps):.1f} s"
    part = f"the first {float(tracked.frames / fps):.1f} s{whole}"
    places = [str(path) for path in written] + ["what is kept for the page Track"] * is_kept
    if places:
        typer.echo(f"cowvision: {part} {'is' if len(places) == 1 else 'are'} in {', '.join(places)}", err=True)
    else:
        typer.echo(f"cowvision: {part} were tracked; nothing was written, for no file was asked for", err=True)
    if has_older:
        typer.echo("cowvision: a result of the whole clip was there before, and stays the one that is shown", err=True)


def say_written(written: Sequence[Path], *, is_kept: bool) -> None:
    """Say where a whole result is."""
    if places := [str(path) for path in written] + ["the page Track"] * is_kept:
        typer.echo(f"to be found in {', '.join(places)}")


def say_instead(made: TrackedClip, told: TrackedClip) -> None:
    """Say where what is told and written is not what was tracked just now, but an older part that goes further."""
    if told.frames <= made.frames:
        return
    now, older = (f"{float(one.frames / Fraction(one.fps)):.1f} s" for one in (made, told))
    stays = "and stays: it is what is told and written here"
    typer.echo(f"cowvision: an older part goes further ({older}, and now {now}) {stays}", err=True)
    if made.identity is not None and told.identity is None:
        remedy = "track to the end, or without --keep, to have them"
        typer.echo(f"cowvision: that part was tracked without truth, so there are no figures by it; {remedy}", err=True)


def say_identity(report: IdentityReport) -> None:
    """Say how tracks agree with truth."""
    names = ("MOTA", "MOTP", "IDF1", "HOTA", "DetA", "AssA", "LocA")
    values = (report.mota, report.motp, report.idf1, report.hota, report.det_a, report.ass_a, report.loc_a)
    figures = ", ".join(f"{name} {_shown(value)}" for name, value in zip(names, values, strict=True))
    typer.echo(f"{figures} (of MOTP, less is better)")
    switches = counted(report.id_switches, "id switch", "id switches")
    typer.echo(
        f"{counted(report.true_ids, 'animal')} in truth, {counted(report.told_ids, 'id')}; "
        f"{counted(report.false_positives, 'false box', 'false boxes')}, {report.misses} missed, {switches}, "
        f"{counted(report.fragmentations, 'fragmentation')}"
    )


def _shown(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.6f}"
