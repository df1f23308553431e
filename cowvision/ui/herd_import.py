"""Ground truth of other software into a herd: read, shown with all that is wrong with it, imported on a word."""

from __future__ import annotations

import lzma
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace as with_other
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import streamlit as st
import supervision as sv

from cowvision.data.annotations import AnnotatedPicture, names_of
from cowvision.data.imports import Imported, ImportProblem, read_ground_truth
from cowvision.data.pictures import PICTURE_SUFFIXES, list_pictures
from cowvision.errors import AnnotationError, CowVisionError, WorkspaceError
from cowvision.ui import cache, widgets
from cowvision.ui import labelling_actions as actions
from cowvision.ui import labelling_session as memory
from cowvision.ui.canvas import label_of
from cowvision.ui.intake import display_name
from cowvision.workspace import labels
from cowvision.workspace.files import blob_path
from cowvision.workspace.herds import Herd, LabelState, add_picture, pictures_of

MOST_MEGABYTES = 500
MOST_UNPACKED = 4 * 1024**3
MOST_FILES = 50_000
SHOWN_PROBLEMS = 200


def panel(herd: Herd) -> None:
    """Files, what is in them, and the button that imports it; errors as those of the store."""
    labelling = memory.ensure()
    files = st.file_uploader(
        f"COCO JSON, or a zip of COCO, YOLO or Pascal VOC, up to {MOST_MEGABYTES} MB",
        accept_multiple_files=True,
        max_upload_size=MOST_MEGABYTES,
        key=f"import_files_{labelling.intake}",
        type=["json", "zip", "xml", "txt", "yaml", "yml", *sorted(one.removeprefix(".") for one in PICTURE_SUFFIXES)],
        help="Pictures may come along, in the zip or beside it. Boxes of pictures that this herd has already need no "
        "pictures: they are found by their file names.",
    )
    if files and st.button("Read the files", key="import_read"):
        with widgets.errors_shown(), st.spinner("Reading …"):
            labelling.reading = _read(files, herd)
    if labelling.reading is not None:
        _show(herd, labelling.reading)


def import_all(herd: Herd, imported: Imported, *, replace: bool) -> tuple[int, int]:
    """Put what was read into a herd.

    A picture whose boxes were partly left out becomes a draft, one that lost all of them stays without an answer: that
    nothing is on it, nobody said. Boxes that are there already are replaced only if asked, and stay in the history.

    Returns:
        How many pictures got boxes or an answer, and how many were left as they are because they have boxes.
    """
    incomplete = {problem.picture for problem in imported.problems if problem.left_out}
    bar, done, kept = st.progress(0.0, "Importing …"), 0, 0
    for number, picture in enumerate(imported.pictures):
        bar.progress(number / len(imported.pictures), f"Importing {number + 1} of {len(imported.pictures)} …")
        try:
            saved = _import_one(
                herd, picture, imported.format, is_whole=picture.name not in incomplete, replace=replace
            )
        except CowVisionError as error:
            memory.ensure().problems.append(error)
            continue
        done, kept = done + saved, kept + (not saved)
    bar.empty()
    return done, kept


def _import_one(herd: Herd, picture: AnnotatedPicture, kind: str, *, is_whole: bool, replace: bool) -> bool:
    size_wh = picture.picture().resolution_wh
    data = Path(str(picture.source)).read_bytes()
    picture_id = add_picture(cache.store(), herd.herd_id, data, display_name(picture.name), size_wh)
    now = labels.current(cache.store(), herd.herd_id, picture_id)
    if now.revision and not replace:
        return False
    if not len(picture.truth) and not is_whole:
        return True
    state = LabelState.DRAFT if not is_whole else LabelState.LABELLED if len(picture.truth) else LabelState.NO_COWS
    labels.save(
        cache.store(), herd.herd_id, picture_id, with_known_names(picture.truth),
        based_on=now.revision, state=state, note=f"from {kind}",
    )  # fmt: skip
    actions.follow(herd.herd_id, picture_id)
    return True


def with_known_names(truth: sv.Detections) -> sv.Detections:
    """The same boxes, with the class names this page uses: "Cow" would be no cow to anybody who judges a model."""
    names = np.asarray([label_of(name) for name in names_of(truth).tolist()], dtype=np.str_)
    return with_other(truth, data={**truth.data, "class_name": names})


def _read(files: Sequence[Any], herd: Herd) -> memory.Reading:
    folder = tempfile.TemporaryDirectory(prefix="cowvision-import-", ignore_cleanup_errors=True)
    root = Path(folder.name) / (display_name(files[0].name) if len(files) == 1 else f"The {len(files)} files")
    try:
        root.mkdir()
        for file in files:
            if file.name.lower().endswith(".zip"):
                _unpack(file, root)
            else:
                (root / display_name(file.name)).write_bytes(file.getvalue())
        return memory.Reading(read_ground_truth(root, _pictures(root, herd)), folder)
    except OSError as error:
        folder.cleanup()
        cause = error.strerror or "the files cannot be laid out to be read"
        raise WorkspaceError("import", cause, "Free some space and try again") from None
    except BaseException:
        folder.cleanup()
        raise


def _pictures(root: Path, herd: Herd) -> dict[str, Path]:
    """The pictures that came along, and those of the herd whose name no other has."""
    there = pictures_of(cache.store(), herd.herd_id)
    times = Counter(one.name for one in there)
    known = {one.name: blob_path(one.picture_id) for one in there if times[one.name] == 1}
    brought = {path.relative_to(root).as_posix(): path for path in list_pictures(root)}
    names = {PurePosixPath(name).name for name in brought}
    return {name: path for name, path in known.items() if name not in names} | brought


def _unpack(file: Any, root: Path) -> None:
    """Unpack an archive; Python's own unpacking keeps every member inside the folder.

    Raises:
        AnnotationError: It is no archive, is damaged, or holds too much.
    """
    name = display_name(file.name)
    try:
        with zipfile.ZipFile(file) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            if len(members) > MOST_FILES or sum(one.file_size for one in members) > MOST_UNPACKED:
                cause = f"it holds more than {MOST_FILES} files or {MOST_UNPACKED // 1024**3} GB"
                raise AnnotationError(name, cause, "Split it into several")
            archive.extractall(root / Path(name).stem, members)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, RuntimeError, EOFError) as error:
        raise AnnotationError(name, f"the archive cannot be unpacked ({error})", "Make it again as a zip") from None


def _show(herd: Herd, reading: memory.Reading) -> None:
    imported = reading.imported
    boxes = sum(len(one.truth) for one in imported.pictures)
    boxes_told = widgets.counted(boxes, "box")
    problems = [one for one in imported.problems if not one.absent]
    left_out = [one for one in problems if one.left_out]
    st.markdown(
        f"**{imported.format}**: {widgets.counted(len(imported.pictures), 'picture')} with {boxes_told} can be read; "
        f"{widgets.counted(len(left_out), 'thing')} left out, {len(problems) - len(left_out)} read with a note."
    )
    if absent := len(imported.problems) - len(problems):
        are = "is" if absent == 1 else "are"
        st.caption(f"{widgets.counted(absent, 'picture')} named in the file {are} not in this herd.")
    if imported.unlabelled:
        is_one = len(imported.unlabelled) == 1
        told = "1 picture is not mentioned" if is_one else f"{len(imported.unlabelled)} pictures are not mentioned"
        st.caption(f"{told} in the truth and {'stays as it is' if is_one else 'stay as they are'}.")
    if problems:
        _problems(problems)
    sure = not left_out or st.checkbox("Import the good rest all the same", key="import_rest")
    replace = st.checkbox(
        "Replace boxes that pictures have here already", key="import_replace", help="The old ones stay in the history."
    )
    with st.container(horizontal=True, gap="small"):
        if st.button("Import", key="import_go", type="primary", disabled=not sure or not imported.pictures):
            done, kept = import_all(herd, imported, replace=replace)
            memory.say(f"{widgets.counted(done, 'picture')} imported.")
            if kept:
                memory.say(f"{widgets.counted(kept, 'picture')} had boxes here already and kept them.")
            _forget(reading)
        if st.button("Forget these files", key="import_forget"):
            _forget(reading)


def _problems(problems: Sequence[ImportProblem]) -> None:
    rows = [
        {"file": one.file, "place": one.place, "what": one.cause, "to do": one.remedy, "left out": one.left_out}
        for one in problems[:SHOWN_PROBLEMS]
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height=min(38 + 35 * len(rows), 300))
    if len(problems) > SHOWN_PROBLEMS:
        st.caption(f"The first {SHOWN_PROBLEMS} of {len(problems)}.")
    text = "".join(f"{one}\n" for one in problems)
    st.download_button("Save the list", text, "import-problems.txt", "text/plain", on_click="ignore")


def _forget(reading: memory.Reading) -> None:
    reading.folder.cleanup()
    labelling = memory.ensure()
    labelling.reading, labelling.intake = None, labelling.intake + 1
    st.rerun()
