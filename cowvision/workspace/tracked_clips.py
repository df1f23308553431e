"""Clips that were tracked: a folder each with the drawn clip, its tracks and what they came to."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from cowvision.errors import ClipError, CowVisionError
from cowvision.models.catalog import ModelSpec
from cowvision.models.places import home_folder, write_atomically
from cowvision.tracking.health import Event, EventKind, HerdHealth
from cowvision.tracking.identity import IdentityReport, Switch
from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.track_table import TrackTable
from cowvision.workspace.clips import CLIPS_FOLDER, Clip

SHIPPED_FOLDER = CLIPS_FOLDER / "tracked"
VIDEO, TRACKS, SUMMARY = "clip.mp4", "tracks.npz", "summary.json"


@dataclass(frozen=True)
class TrackedClip:
    """A clip as one model saw it.

    Attributes:
        clip_key: The clip.
        clip_title: Its name for people.
        clip_sha256: Of its bytes.
        model: Name of the model.
        model_title: Its name for people.
        model_id: The model exactly as it was.
        settings: Of the tracker.
        fps: Constant rate of the drawn clip and of the tracks, a fraction like "30000/1001".
        frames: How many were tracked.
        resolution_wh: Width and height in pixels.
        whole: Whether that is the whole clip.
        notes: What is to be known about it, a sentence each: why it is not whole, at which rate it was taken.
        seconds: How long it took.
        stage_seconds: Of it in each stage; they overlap.
        health: What the tracks say of themselves.
        identity: The tracks against the truth; None where nobody knows the truth.
        folder: Where it lies.
    """

    clip_key: str
    clip_title: str
    clip_sha256: str
    model: str
    model_title: str
    model_id: str
    settings: TrackerSettings
    fps: str
    frames: int
    resolution_wh: tuple[int, int]
    whole: bool
    notes: tuple[str, ...]
    seconds: float
    stage_seconds: dict[str, float]
    health: HerdHealth
    identity: IdentityReport | None = None
    folder: Path = field(default=Path(), compare=False)

    @property
    def video(self) -> Path:
        """The drawn clip, MP4."""
        return self.folder / VIDEO

    def events(self, *, is_true: bool) -> tuple[Event, ...]:
        """What happened to ids.

        Args:
            is_true: Whether switches are those that `identity` counts, where it is known, instead of suspected ones.
        """
        if self.identity is None or not is_true:
            return self.health.events
        others = [one for one in self.health.events if one.kind is not EventKind.SWITCH]
        true = [Event(EventKind.SWITCH, one.frame, one.after, one.before) for one in self.identity.switches]
        return tuple(sorted([*others, *true], key=lambda one: (one.frame, one.track_id)))

    def table(self) -> TrackTable:
        """Its tracks.

        Raises:
            ClipError: They cannot be read.
        """
        return TrackTable.load(self.folder / TRACKS)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the place on this machine."""
        return {name: value for name, value in asdict(self).items() if name != "folder"}


def tracked_folder() -> Path:
    """Where what was tracked on this machine is kept."""
    return home_folder() / "tracked"


def folder_name(clip_sha256: str, model_id: str, settings: TrackerSettings) -> str:
    """The same clip, model and settings have the same folder: tracked anew, it takes the place of the old one."""
    digest = hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode()).hexdigest()
    return f"{clip_sha256[:16]}-{model_id[:16]}-{digest[:12]}"


def write_summary(tracked: TrackedClip, folder: Path) -> None:
    """Write what the tracks came to; errors are the system's own."""
    write_atomically(folder / SUMMARY, (json.dumps(tracked.as_dict(), indent=1) + "\n").encode())


def read_tracked(folder: Path) -> TrackedClip:
    """Read a result.

    Raises:
        ClipError: It is missing, damaged or of another version.
    """
    try:
        facts = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        known = None if facts["identity"] is None else _identity(facts["identity"])
        return TrackedClip(**{
            **facts,
            "settings": TrackerSettings(**facts["settings"]),
            "resolution_wh": tuple(facts["resolution_wh"]),
            "notes": tuple(facts["notes"]),
            "health": _health(facts["health"]),
            "identity": known,
            "fps": str(Fraction(facts["fps"])),
            "folder": folder,
        })  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, CowVisionError) as error:
        cause = f"its result cannot be read ({getattr(error, 'strerror', None) or error})"
        raise ClipError(folder.name, cause, "Track the clip again") from None


def tracked_clips(on_problem: Callable[[ClipError], object] = lambda _: None) -> list[TrackedClip]:
    """Everything that was tracked: what ships, then this machine's, the newest last; damaged ones are told and left."""
    found = []
    for parent in (SHIPPED_FOLDER, tracked_folder()):
        folders = [path for path in parent.glob("*") if not path.name.startswith(".") and (path / SUMMARY).is_file()]
        for folder in sorted(folders, key=_written_at):
            try:
                found.append(read_tracked(folder))
            except ClipError as error:
                on_problem(error)
    return found


def _written_at(folder: Path) -> tuple[float, str]:
    """For the order; a folder that another process is just replacing comes first."""
    try:
        return folder.stat().st_mtime, folder.name
    except OSError:
        return 0.0, folder.name


def find_tracked(clip: Clip, spec: ModelSpec, settings: TrackerSettings | None = None) -> TrackedClip | None:
    """The best result for a clip and a model exactly as it is now, with these settings or any; None without one."""
    mine = (one for one in tracked_clips() if one.clip_sha256 == clip.sha256 and one.model_id == spec.id)
    return best([one for one in mine if settings in {None, one.settings}])


def best(found: Sequence[TrackedClip]) -> TrackedClip | None:
    """Of results in the order of their age the newest that is whole, else the newest; None of none."""
    return max(enumerate(found), key=lambda one: (one[1].whole, one[0]), default=(0, None))[1]


def remove_tracked(tracked: TrackedClip) -> None:
    """Delete a result of this machine; what ships stays."""
    if tracked.folder.parent == tracked_folder():
        shutil.rmtree(tracked.folder, ignore_errors=True)


def _health(facts: dict[str, Any]) -> HerdHealth:
    events = tuple(Event(**{**one, "kind": EventKind(one["kind"])}) for one in facts["events"])
    return HerdHealth(**{**facts, "events": events})


def _identity(facts: dict[str, Any]) -> IdentityReport:
    return IdentityReport(**{**facts, "switches": tuple(Switch(**one) for one in facts["switches"])})
