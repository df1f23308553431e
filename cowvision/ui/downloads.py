"""Taking results away: one picture's, or the whole tray's, in the formats other software reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO

import streamlit as st
from PIL import Image

from cowvision.data import exports
from cowvision.data.exports import ExportPicture
from cowvision.models.catalog import ModelSpec
from cowvision.ui import cache, widgets
from cowvision.ui.gallery import GalleryPicture
from cowvision.ui.results import View, known_names
from cowvision.viz.drawing import draw_detections
from cowvision.viz.encoding import as_jpeg

Format = tuple[str, str, str, Callable[[], bytes | str]]


def downloads(choice: GalleryPicture, own: Sequence[GalleryPicture], specs: Sequence[ModelSpec], view: View) -> None:
    """A button that opens the choice of formats; what is written is what is shown."""
    with st.popover("Download", help="Boxes as they are shown: this threshold, these classes."):
        spec = specs[0]
        if len(specs) > 1:
            names = {one.name: one for one in specs}
            picked = st.radio("Boxes of", list(names), format_func=lambda name: names[name].title, key="download_model",
                              index=len(names) - 1, horizontal=True)  # fmt: skip
            spec = names[picked]
        st.caption(f"This picture: {widgets.plain(choice.name)}")
        with st.container(horizontal=True, gap="small"):
            for label, file_name, mime, make in _formats(choice, spec, view):
                st.download_button(
                    label, make, file_name, mime, key=f"download_{label}", on_click="ignore", width="content"
                )
        st.caption("No EXIF and no place of taking leaves with them: pictures are written anew.")
        if len(own) > 1:
            _tray_downloads(own, spec, view)


def _formats(choice: GalleryPicture, spec: ModelSpec, view: View) -> list[Format]:
    [stem] = exports.safe_stems([choice.name])

    def one() -> ExportPicture:
        picture = choice.picture()
        return ExportPicture(choice.name, picture.resolution_wh, view.of(choice.detections(spec)))

    return [
        ("JPEG", f"{stem}-boxes.jpg", "image/jpeg", lambda: _annotated(choice, spec, view)),
        ("PNG", f"{stem}-boxes.png", "image/png", lambda: _annotated(choice, spec, view, kind="PNG")),
        ("CSV", f"{stem}.csv", "text/csv", lambda: exports.as_csv([one()])),
        ("COCO", f"{stem}.coco.json", "application/json", lambda: exports.as_coco([one()])),
        ("YOLO", f"{stem}.txt", "text/plain", lambda: exports.as_yolo(one(), known_names([spec]))),
        ("VOC", f"{stem}.xml", "application/xml", lambda: exports.as_voc(one(), f"{stem}.jpg")),
    ]


def _tray_downloads(own: Sequence[GalleryPicture], spec: ModelSpec, view: View) -> None:
    """The zip takes a while, so it is made on a press, with progress, and then offered."""
    known = cache.known_for_all([one.id for one in own], spec)
    ready = [one for one in own if one.id in known]
    st.caption(f"Your {widgets.counted(len(ready), 'counted picture')}, all formats")
    drawn = st.checkbox("with the pictures, boxes drawn", key="zip_pictures")
    if st.button("Make the zip", key="make_zip", disabled=not ready):
        bar = st.progress(0.0, "Writing …")

        def advance(done: int) -> None:
            bar.progress(done / len(ready), f"Writing {done} of {len(ready)} …")

        pictures = [ExportPicture(one.name, _size(one), view.of(known[one.id])) for one in ready]
        data = exports.as_zip(
            pictures,
            (lambda number: _annotated(ready[number], spec, view, load_only=True)) if drawn else None,
            on_picture=advance,
        )
        bar.empty()
        size = f"{max(0.1, len(data) / 1e6):.1f} MB"
        st.download_button(f"Save the zip ({size})", data, "cowvision.zip", "application/zip", on_click="ignore")


def _annotated(
    choice: GalleryPicture, spec: ModelSpec, view: View, *, kind: str = "JPEG", load_only: bool = False
) -> bytes:
    """The whole picture with its boxes, in its own size; ``load_only`` leaves the cache of pictures alone."""
    rgb = (choice.load() if load_only else choice.picture()).rgb
    drawn = draw_detections(rgb, view.of(choice.detections(spec)), threshold=view.threshold)
    if kind == "JPEG":
        return as_jpeg(drawn, quality=92)
    stream = BytesIO()
    Image.fromarray(drawn).save(stream, format=kind, compress_level=3)
    return stream.getvalue()


def _size(choice: GalleryPicture) -> tuple[int, int]:
    return choice.resolution_wh or choice.load().resolution_wh
