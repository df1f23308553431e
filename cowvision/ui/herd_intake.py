"""Pictures into a herd: files, the visitor's tray, and what Detect sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st
import supervision as sv

from cowvision.data.annotations import chosen, names_of
from cowvision.data.pictures import MAX_BYTES, MAX_PIXELS, holds_several
from cowvision.errors import CowVisionError, PictureError
from cowvision.models import catalog
from cowvision.models.catalog import ModelSpec
from cowvision.ui import cache, gallery, widgets
from cowvision.ui import labelling_actions as actions
from cowvision.ui import labelling_session as memory
from cowvision.ui.gallery import GalleryPicture
from cowvision.ui.herd_picker import herd_to_fill
from cowvision.ui.intake import KINDS, Upload, decoded, display_name, picture_files
from cowvision.viz.drawing import at_least
from cowvision.workspace import labels
from cowvision.workspace.files import read_blob
from cowvision.workspace.herds import Herd, LabelState, add_picture, pictures_of

LIMITS = f"up to {MAX_BYTES // 1024**2} MB and {MAX_PIXELS // 10**6} megapixels"
SENT_SCORE = 0.5
"""The lowest score of boxes that become a draft on the way from Detect."""


def panel(herd: Herd) -> None:
    """Where pictures come in; starts the page anew once there are new ones."""
    labelling = memory.ensure()
    files = picture_files(
        f"Pictures for this herd ({KINDS}), each {LIMITS}",
        f"herd_uploads_{labelling.intake}",
        "They stay on this machine until you remove them or delete the herd.",
    )
    if files:
        _take_all(herd, [_upload(file) for file in files])
        labelling.intake += 1  # only now: a press that interrupts the reading leaves the files where they are
        st.rerun()
    tray = gallery.own_pictures()
    if tray:
        words = f"Add {widgets.counted(len(tray), 'picture')} from your tray on Detect"
        if st.button(words, key="from_tray"):
            _take_all(herd, [_of_tray(one) for one in tray])
            st.rerun()


def take_sent() -> None:
    """Put the picture that Detect sent into a herd, with the model's boxes as its first draft; done once.

    A draft is only made where nothing was ever saved, so sending again, or reloading, changes no boxes.

    Raises:
        CowVisionError: The picture is not here, or cannot be kept.
    """
    model = st.query_params.get("model")
    if model is None:
        return
    try:
        picture = _sent(st.query_params.get("picture", ""))
        data = picture.file.read_bytes() if picture.file is not None else read_blob(picture.id)
        herd = herd_to_fill()
        add_picture(cache.store(), herd.herd_id, data, picture.name, picture.picture().resolution_wh)
        memory.go_to_herd(herd.herd_id, picture.id)
        where = f"{widgets.plain(picture.name)} is in the herd **{widgets.plain(herd.name)}**"
        memory.say(f"{where}, {_first_draft(herd, picture, model)}.")
    finally:
        del st.query_params["model"]


def make_draft(herd_id: int, picture_id: str, spec: ModelSpec, boxes: sv.Detections, *, based_on: int) -> labels.Labels:
    """Save a model's boxes as the picture's draft; errors as `labels.save`."""
    return labels.save(
        cache.store(), herd_id, picture_id, boxes,
        based_on=based_on, state=LabelState.DRAFT, model_id=spec.id, note=f"boxes of {spec.title}",
    )  # fmt: skip


def cows_of(detections: sv.Detections, threshold: float) -> sv.Detections:
    """The cows of a model's answer, from a score up."""
    shown = at_least(detections, threshold)
    return chosen(shown, names_of(shown) == "cow") if len(shown) else shown


def _first_draft(herd: Herd, picture: GalleryPicture, model: str) -> str:
    """Make the draft where there is none; returns what came of it, in words."""
    now = labels.current(cache.store(), herd.herd_id, picture.id)
    if now.revision:
        return "and was there already: its boxes stay as they are"
    spec = next((one for one in catalog.all_models() if one.name == model), None)
    if spec is None:
        return "without boxes: the model that was named is not here"
    found = cows_of(picture.detections(spec), SENT_SCORE)
    if not len(found):
        return f"without boxes: {spec.title} sees no cow on it with a score of {SENT_SCORE} or more"
    make_draft(herd.herd_id, picture.id, spec, found, based_on=0)
    actions.follow(herd.herd_id, picture.id)
    boxes = widgets.counted(len(found), "box")
    return f"with {boxes} of {spec.title} as a draft: look at each, correct it, then save"


def _sent(key: str) -> GalleryPicture:
    for one in [*gallery.own_pictures(), *gallery.shipped_stills()]:
        if one.key == key:
            return one
    raise PictureError(
        "picture", "the picture that was sent is not here", "Send it again from Detect, or upload it here"
    )


def _take_all(herd: Herd, loads: Sequence[tuple[str, Callable[[], bytes]]]) -> None:
    """Keep what is a picture, one by one, and remember what was wrong with the others."""
    labelling = memory.ensure()
    there = {one.picture_id for one in pictures_of(cache.store(), herd.herd_id)}
    first, added, same, wrong = "", 0, 0, list[CowVisionError]()
    bar = st.progress(0.0, f"Reading 1 of {len(loads)} …")
    for number, (name, load) in enumerate(loads):
        bar.progress(number / len(loads), f"Reading {number + 1} of {len(loads)} …")
        try:
            picture_id = _take(herd, name, load())
        except CowVisionError as error:
            wrong.append(error)
            continue
        first, same, added = first or picture_id, same + (picture_id in there), added + (picture_id not in there)
        there.add(picture_id)
    bar.empty()
    labelling.problems.extend(wrong)
    if added:
        memory.say(f"{widgets.counted(added, 'picture')} added.")
    if same:
        memory.say(f"{widgets.counted(same, 'file')} held a picture that is in this herd already.")
    if first:
        memory.go_to_picture(herd.herd_id, first)


def _take(herd: Herd, name: str, data: bytes) -> str:
    picture = decoded(data, name)
    if holds_several(data):
        memory.say(f"{widgets.plain(name)} holds several pictures; the first one is used.")
    return add_picture(cache.store(), herd.herd_id, data, name, picture.resolution_wh)


def _upload(file: Upload) -> tuple[str, Callable[[], bytes]]:
    return display_name(file.name), file.getvalue


def _of_tray(picture: GalleryPicture) -> tuple[str, Callable[[], bytes]]:
    return picture.name, lambda: read_blob(picture.id)
