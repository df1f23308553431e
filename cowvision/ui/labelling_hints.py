"""Hints about the boxes of a picture, in words that say why it matters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cowvision.data.annotations import names_of
from cowvision.data.detections import count_named
from cowvision.models.catalog import ModelSpec
from cowvision.ui import cache, widgets
from cowvision.ui.herd_view import ShownPicture
from cowvision.ui.labelling_session import Desk
from cowvision.workspace.herd_counts import HerdCounts
from cowvision.workspace.herds import LabelState
from cowvision.workspace.label_checks import UNLIKE_RULE, box_hints, neighbour_hints

MOST_SHOWN = 4


def show(desk: Desk, picture: ShownPicture, counts: HerdCounts, specs: Sequence[ModelSpec]) -> None:
    """What to look at again, if anything; nothing is refused because of it."""
    hints = box_hints(desk.labels.boxes, picture.resolution_wh)
    if desk.labels.state in {LabelState.LABELLED, LabelState.NO_COWS}:
        cows = int(np.count_nonzero(names_of(desk.labels.boxes) == "cow"))
        others = [count for picture_id, count in counts.cows.items() if picture_id != picture.id]
        hints += neighbour_hints(cows, others, _by_model(picture, specs))
    if not hints:
        return
    lines = [f"- {widgets.plain(hint.words)}" for hint in hints[:MOST_SHOWN]]
    if len(hints) > MOST_SHOWN:
        lines.append(f"- and {len(hints) - MOST_SHOWN} more of the kind.")
    st.warning("\n".join(["**Look again**", *lines]), icon=":material/visibility:")
    if any(not hint.boxes for hint in hints):
        st.caption(UNLIKE_RULE)


def _by_model(picture: ShownPicture, specs: Sequence[ModelSpec]) -> tuple[str, int] | None:
    """The count of the best model that has looked at the picture already; none is run for a hint."""
    for spec in sorted(specs, key=lambda one: -(one.own_map or 0)):
        found = cache.known_detections(picture.id, spec)
        if found is not None:
            return spec.title, count_named(found)
    return None
