"""What tracks came to, in words for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from cowvision.tracking.identity import IdentityReport
    from cowvision.workspace.tracked_clips import TrackedClip


def say(tracked: TrackedClip) -> None:
    """Say how many cows there are, how far the ids can be trusted, and where the time went."""
    health = tracked.health
    for note in tracked.notes:
        typer.echo(f"cowvision: {note}", err=True)
    mean = "" if health.mean_track_seconds is None else f", tracked for {health.mean_track_seconds:.1f} s on average"
    typer.echo(
        f"{tracked.model}: about {health.unique} cows (between {health.fewest} and {health.most} if every box "
        f"is one), at most {health.most_at_once} at once, {health.mean_at_once:.1f} a frame{mean}"
    )
    typer.echo(
        f"ids: {health.births} began later, {health.losses} ended early, {health.gaps} gaps, "
        f"{health.suspected_switches} suspected switches"
    )
    if tracked.identity is not None:
        say_identity(tracked.identity)
    shares = ", ".join(f"{name} {seconds / tracked.seconds:.0%}" for name, seconds in tracked.stage_seconds.items())
    rate = tracked.frames / tracked.seconds
    typer.echo(f"{tracked.frames} frames in {tracked.seconds:.1f} s, {rate:.1f} a second: {shares}")


def say_identity(report: IdentityReport) -> None:
    """Say how tracks agree with truth."""
    names = ("MOTA", "MOTP", "IDF1", "HOTA", "DetA", "AssA", "LocA")
    values = (report.mota, report.motp, report.idf1, report.hota, report.det_a, report.ass_a, report.loc_a)
    typer.echo(", ".join(f"{name} {_shown(value)}" for name, value in zip(names, values, strict=True)))
    typer.echo(
        f"{report.true_ids} animals in truth, {report.told_ids} ids; {report.false_positives} false boxes, "
        f"{report.misses} missed, {report.id_switches} id switches, {report.fragmentations} fragmentations"
    )


def _shown(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.6f}"
