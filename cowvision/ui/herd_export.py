"""A herd's boxes as COCO, YOLO or Pascal VOC: what is written, what the format cannot say, the zip."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cowvision.data.exports import ExportPicture
from cowvision.data.imports import FORMATS
from cowvision.data.truth_exports import truth_as_zip, what_is_lost
from cowvision.ui import cache, labelling_list, widgets
from cowvision.ui.herd_view import ShownPicture
from cowvision.viz.encoding import as_jpeg
from cowvision.workspace import labels
from cowvision.workspace.herds import Herd, HerdPicture, LabelState

ANSWERED, FILTERED = "all with an answer", "the filtered list, drafts too"


def panel(herd: Herd, pictures: Sequence[HerdPicture]) -> None:
    """What to write, and the zip once it was asked for; errors as those of the store and of the pictures."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        kind = st.radio("Format", FORMATS, key="export_kind", horizontal=True)
        which = st.radio("Pictures", [ANSWERED, FILTERED], key="export_which", horizontal=True)
        with_jpeg = st.checkbox("with the pictures, as JPEG", key="export_jpeg")
    chosen = chosen_pictures(herd, pictures, which)
    st.caption(
        f"{widgets.counted(len(chosen), 'picture')}. Those without an answer are never written: an empty "
        "entry would say that there are no cows. No EXIF and no place of taking leaves with pictures."
    )
    if st.button("Make the zip", key="export_make", disabled=not chosen):
        _make(herd, chosen, kind, with_jpeg=with_jpeg)


def chosen_pictures(herd: Herd, pictures: Sequence[HerdPicture], which: str) -> list[HerdPicture]:
    """The pictures that would be written; never those without an answer or a draft."""
    if which == FILTERED:
        return [
            one for one in labelling_list.filtered(herd.herd_id, pictures) if one.state is not LabelState.UNLABELLED
        ]
    return [one for one in pictures if one.state in {LabelState.LABELLED, LabelState.NO_COWS}]


def _make(herd: Herd, chosen: Sequence[HerdPicture], kind: str, *, with_jpeg: bool) -> None:
    bar = st.progress(0.0, "Collecting …")
    truths = [
        ExportPicture(one.name, one.resolution_wh, labels.current(cache.store(), herd.herd_id, one.picture_id).boxes)
        for one in chosen
    ]

    def picture_jpeg(number: int) -> bytes:
        return as_jpeg(ShownPicture.of(chosen[number]).load().rgb, quality=92)

    def advance(done: int) -> None:
        bar.progress(done / len(chosen), f"Writing {done} of {len(chosen)} …")

    data = truth_as_zip(truths, kind, picture_jpeg if with_jpeg else None, on_picture=advance)
    bar.empty()
    lost = what_is_lost(truths, kind, with_jpeg=with_jpeg)
    if lost:
        st.info("\n".join([f"**{kind} cannot say everything:**", *(f"- {widgets.plain(one)}" for one in lost)]))
    else:
        st.caption(f"Nothing is lost: {kind} can say all there is to say about these boxes.")
    size = f"{max(0.1, len(data) / 1e6):.1f} MB"
    name = f"herd-{kind.lower().replace(' ', '-')}.zip"
    st.download_button(f"Save the zip ({size})", data, name, "application/zip", on_click="ignore", key="export_save")
