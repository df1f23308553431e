"""Starting a picture from a model's boxes, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st
import supervision as sv

from cowvision.data.annotations import chosen
from cowvision.models.catalog import ModelSpec
from cowvision.ui import compare_fairness, widgets
from cowvision.ui import labelling_actions as actions
from cowvision.ui import labelling_session as memory
from cowvision.ui.canvas import fit, sides_of
from cowvision.ui.herd_intake import cows_of
from cowvision.ui.herd_view import ShownPicture
from cowvision.ui.labelling_session import Desk
from cowvision.viz.drawing import at_least
from cowvision.workspace.herds import LabelState

USE = "use a model's boxes"


def offer(desk: Desk, specs: Sequence[ModelSpec], *, is_open: bool) -> None:
    """Which model, from which score up, and the button; the hint on it is worked out only while it is seen."""
    if not specs:
        st.caption("There are no trained models here yet. `make weights` trains them; until then, draw by hand.")
        return
    names = {spec.name: spec.title for spec in specs}
    preferred = next((place for place, name in enumerate(names) if name == "herd-finetuned"), 0)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox("Model", list(names), preferred, names.__getitem__, key="draft_model", width=220)
        st.slider(
            "Threshold", 0.05, 0.95, 0.5, 0.05, key="draft_threshold", width=220,
            help="Boxes with at least this score. Lower finds more cows, and more that are none.",
        )  # fmt: skip
        st.toggle("All its classes", key="draft_all", help="Otherwise its cows only.")
        st.button("Start from its boxes", key="draft_use", on_click=memory.ask, args=(USE,))
    if is_open:
        _say_what_is_fair(next(one for one in specs if one.name == st.session_state["draft_model"]))
    if len(desk.labels.boxes):
        boxes = "box that is" if len(desk.labels.boxes) == 1 else f"{len(desk.labels.boxes)} boxes that are"
        st.caption(f"They replace the {boxes} here now. Undo brings those back.")


def use(desk: Desk, picture: ShownPicture, specs: Sequence[ModelSpec]) -> None:
    """Make the chosen model's boxes the picture's draft; errors as `cache.raw_detections` and `labels.save`."""
    spec = next(one for one in specs if one.name == st.session_state["draft_model"])
    threshold = float(st.session_state["draft_threshold"])
    with st.spinner(f"{spec.title} is looking …"):
        found = picture.detections(spec)
    boxes = at_least(found, threshold) if st.session_state["draft_all"] else cows_of(found, threshold)
    boxes = _inside(boxes, picture.resolution_wh)
    if not len(boxes):
        memory.say(
            f"{widgets.plain(spec.title)} sees nothing here with a score of {threshold:.2f} or more. Lower the "
            "threshold, draw by hand, or say that there are no cows."
        )
        return
    if actions.keep(desk, boxes, f"boxes of {spec.title}", state=LabelState.DRAFT, model_id=spec.id):
        drawn = widgets.counted(len(boxes), "box")
        memory.flash(f"{drawn} of {widgets.plain(spec.title)} drawn. Look at each, then save.")
    desk.begin_anew()


def tally(desk: Desk, specs: Sequence[ModelSpec]) -> None:
    """What became of the draft, in a line."""
    if not desk.labels.model_id:
        return
    title = next((one.title for one in specs if one.id == desk.labels.model_id), "a model that is not here any more")
    counts = desk.labels.tally
    widgets.note(
        f"Begun with the boxes of {title}: {counts.accepted} as they were, {counts.corrected} corrected, "
        f"{counts.removed} removed; {counts.drawn} drawn by hand.",
        accepted=counts.accepted, corrected=counts.corrected, drawn=counts.drawn, removed=counts.removed,
    )  # fmt: skip


def _say_what_is_fair(spec: ModelSpec) -> None:
    """From which threshold up the model's counts are fairest on the test herd, if it was judged there already."""
    point = compare_fairness.fairest_on_test_herd(spec)
    if point is None:
        st.caption("Which threshold counts fairest is shown in the threshold studio of Compare.")
        return
    st.caption(f"On the test herd {widgets.plain(spec.title)} counts fairest from **{point.threshold:.2f}** up.")


def _inside(boxes: sv.Detections, resolution_wh: tuple[int, int]) -> sv.Detections:
    """The boxes cut at the picture's edges; those with nothing left go."""
    cut = replace(boxes, xyxy=fit(resolution_wh, resolution_wh).clipped(sides_of(boxes)))
    return chosen(cut, (cut.xyxy[:, 2:] > cut.xyxy[:, :2]).all(axis=1))
