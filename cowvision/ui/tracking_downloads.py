"""Taking tracks away: the drawn clip, and the tracks in the formats other software reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import PurePath

import numpy as np
import pandas as pd
import streamlit as st

from cowvision.data.exports import safe_stems
from cowvision.data.mot import mot_text
from cowvision.tracking.track_table import TrackTable
from cowvision.tracking.video import TRACKED_SUFFIXES
from cowvision.ui import widgets
from cowvision.workspace.tracked_clips import TrackedClip


def downloads(results: Mapping[str, TrackedClip]) -> None:
    """A row of buttons a model; each file is made when somebody asks for it."""
    boxes = "CSV and MOT text hold every box (frames count from 1)"
    widgets.section("Take it away", f"The MP4 plays everywhere. {boxes}, JSON the figures and events (from 0).")
    for number, (title, tracked) in enumerate(results.items()):
        st.markdown(f"**{widgets.plain(title)}**")
        with st.container(horizontal=True, gap="small", key=f"take_{number}"):
            for label, suffix, mime, make in (
                ("MP4", "mp4", "video/mp4", tracked.video.read_bytes),
                ("CSV", "csv", "text/csv", lambda tracked=tracked: as_csv(tracked.table(), Fraction(tracked.fps))),
                ("MOT text", "txt", "text/plain", lambda tracked=tracked: mot_text(tracked.table().by_frame())),
                ("JSON", "json", "application/json", lambda tracked=tracked: as_json(tracked)),
            ):
                st.download_button(
                    label, make, f"{stem_of(tracked)}.{suffix}", mime, key=f"take_{number}_{suffix}", on_click="ignore",
                    icon=":material/download:",
                )  # fmt: skip


def stem_of(tracked: TrackedClip) -> str:
    """What files of a result are called; those of a part of a clip say so."""
    title = PurePath(tracked.clip_title)
    name = title.stem if title.suffix.lower() in TRACKED_SUFFIXES else tracked.clip_title
    [stem] = safe_stems([f"{name} tracked by {tracked.model}.mp4"])
    return stem if tracked.whole else f"{stem}-partial"


def as_csv(table: TrackTable, fps: Fraction) -> str:
    """A row a box: frame from 1, seconds, id, corners in pixels, score, and whether it was seen in that very frame."""
    corners = {name: np.round(table.xyxy[:, side], 2) for side, name in enumerate(("x_min", "y_min", "x_max", "y_max"))}
    rows = pd.DataFrame({
        "frame": table.frame + 1, "seconds": np.round(table.frame / float(fps), 4), "id": table.track_id, **corners,
        "score": np.round(table.score, 4), "seen": table.seen,
    })  # fmt: skip
    return str(rows.to_csv(index=False))


def as_json(tracked: TrackedClip) -> str:
    """What the tracks came to."""
    return json.dumps(tracked.as_dict(), indent=2) + "\n"
