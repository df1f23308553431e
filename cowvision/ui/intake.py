"""Taking pictures in: decoded, checked and kept one by one, so that a bad file never costs a good one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Protocol

import streamlit as st

from cowvision.data.pictures import (
    MAX_BYTES,
    MAX_PIXELS,
    PICTURE_SUFFIXES,
    Picture,
    decode_picture,
    holds_several,
)
from cowvision.errors import CowVisionError, PictureError
from cowvision.ui import cache, session, widgets
from cowvision.workspace.trays import KEPT_DAYS, TrayPicture, pictures_in, put_in, take_out

MOST_PICTURES = 200
LONGEST_NAME = 80
LEAST_SIDE = 16  # pixels
KINDS = "JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP or GIF"
MOST_MEGABYTES = 100
"""What the browser may send: more than is taken, for a file that it keeps back is gone without a word."""

LIMITS = f"up to {MOST_PICTURES} pictures, each up to {MAX_BYTES // 1024**2} MB and {MAX_PIXELS // 10**6} megapixels"


class Upload(Protocol):
    """What is needed of an uploaded file."""

    name: str

    def getvalue(self) -> bytes:
        """Return all bytes of the file."""


def intake_panel() -> None:
    """Where pictures come in: files, or the camera; starts the page again once there are new ones."""
    visit = session.ensure()
    files = picture_files(
        f"Your own pictures: {LIMITS}",
        f"uploads_{visit.intake}",
        f"They stay on this machine and are forgotten after {KEPT_DAYS} days. The address of your page finds them "
        "again: whoever you give it to on this machine sees them, nobody else does.",
    )
    st.caption(KINDS)
    shots = []
    if st.toggle("Use the camera", key="camera_on", help="The browser asks for permission first."):
        shot = st.camera_input("Take a picture", key=f"camera_{visit.intake}", label_visibility="collapsed")
        shots = [shot] if shot is not None else []
    if files or shots:
        take_in([*files, *shots])
        st.rerun()


def picture_files(label: str, key: str, words: str) -> list[Any]:
    """The files that somebody gives as pictures; what is wrong with them is found when they are read."""
    with st.container(key="picture_uploads"):
        return st.file_uploader(
            label,
            type=sorted(suffix.removeprefix(".") for suffix in PICTURE_SUFFIXES),
            accept_multiple_files=True,
            max_upload_size=MOST_MEGABYTES,
            key=key,
            help=words,
        )


def take_in(files: Sequence[Upload]) -> None:
    """Keep the files that are pictures in the visitor's tray, and remember what was wrong with the others."""
    visit = session.ensure()
    problems: list[CowVisionError] = []
    notes: list[str] = []
    first, taken, same = "", {one.picture_id[:16] for one in pictures_in(cache.store(), visit.token)}, 0
    bar = st.progress(0.0, f"Reading 1 of {len(files)} …")
    for number, file in enumerate(files):
        bar.progress(number / len(files), f"Reading {number + 1} of {len(files)} …")
        try:
            key = _take(file, visit.token)[:16]
        except CowVisionError as error:
            problems.append(error)
        else:
            first = first or key
            same += key in taken
            taken.add(key)
            if holds_several(file.getvalue()):
                notes.append(f"{widgets.plain(display_name(file.name))} holds several pictures; the first one is used.")
    bar.empty()
    if same:
        notes.append(f"{widgets.counted(same, 'file')} held a picture that is here already; it is shown once.")
    visit.problems, visit.notes, visit.intake = problems, notes, visit.intake + 1
    session.try_again()
    if first:
        session.look_at(first)


def forget(picture_id: str | None = None) -> None:
    """Remove one picture of the visitor's, or all, and everything that was made of it; says why if it cannot."""
    visit = session.ensure()
    if visit.counting is not None:
        visit.counting.stop(wait=5)
    session.try_again()
    visit.problems, visit.notes, visit.renew = [], [], True
    try:
        gone = [picture_id] if picture_id else [one.picture_id for one in pictures_in(cache.store(), visit.token)]
        take_out(cache.store(), visit.token, picture_id)
    except CowVisionError as error:
        visit.problems = [error]
        return
    for one in gone:
        cache.drop(one)
    visit.picture = ""
    st.query_params.pop("picture", None)


def display_name(name: str) -> str:
    """A file's own name, without folders and control characters, and not too long to be shown."""
    plain = "".join(sign for sign in PurePosixPath(PureWindowsPath(name).name).name if sign.isprintable())
    suffix = PurePosixPath(plain).suffix[:6]
    if len(plain) > LONGEST_NAME:
        plain = f"{plain[: LONGEST_NAME - len(suffix) - 1]}…{suffix}"
    return plain.strip() or "picture"


def decoded(data: bytes, name: str) -> Picture:
    """A picture that something can be seen on.

    Raises:
        PictureError: It is not a picture, beyond the limits, or too small.
    """
    picture = decode_picture(data, name)
    if min(picture.resolution_wh) < LEAST_SIDE:
        width, height = picture.resolution_wh
        raise PictureError(name, f"{width} x {height} pixels are too few to see a cow on", "Take a larger one")
    return picture


def _take(file: Upload, token: str) -> str:
    """Keep one file; returns its sha256."""
    name = display_name(file.name)
    there = pictures_in(cache.store(), token)
    data = file.getvalue()
    picture = decoded(data, name)
    if len(there) >= MOST_PICTURES and all(picture.id != one.picture_id for one in there):
        cause = f"the tray holds {MOST_PICTURES} pictures, and no more fit"
        raise PictureError(name, cause, "Remove some of the others first")
    cache.thumbnail(picture.id, lambda: picture)
    put_in(cache.store(), token, TrayPicture(picture.id, name, picture.resolution_wh), data)
    return picture.id
