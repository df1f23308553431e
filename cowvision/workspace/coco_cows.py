"""COCO's cows: the pictures of COCO 2017 with cows on them, about 2,055 photographs, fetched when a person asks for it.

They lie below `coco_cows_folder()`: `train2017/*.jpg`, `val2017/*.jpg`, and `truth-train.json` and `truth-val.json`,
COCO ground truth of these pictures with the boxes of all ten animals of COCO. The annotations are the COCO Consortium's
(CC BY 4.0); the pictures are Flickr's, each under a licence of its own that its entry names.

`COWVISION_COCO_URL` replaces http://images.cocodataset.org, e.g. by the address of a mirror.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cowvision.data.annotations import AnnotatedPicture
from cowvision.errors import AnnotationError, DownloadError, DownloadStopped
from cowvision.models.fetching import check_space, fetch_file, not_written
from cowvision.models.partial_file import PartialFile
from cowvision.models.places import home_folder, write_atomically
from cowvision.models.published import file_sha256
from cowvision.models.remote_file import RemoteFile, web_address
from cowvision.workspace.coco_archive import SPLITS, cows_of
from cowvision.workspace.coco_pictures import fetch_pictures
from cowvision.workspace.coco_truth import CocoPicture, read_truth, truth_path

NAME = "coco-cows"
COCO_URL = "COWVISION_COCO_URL"
ARCHIVE = "annotations_trainval2017.zip"
ARCHIVE_BYTES = 252_907_541
ARCHIVE_SHA256 = "113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268"
"""Nobody at COCO publishes one; this is what many others measured of the file."""

_SERVER = "http://images.cocodataset.org"
_PICTURE_BYTES = 163_000  # on average: all of train2017 is 19.3 GB of 118,287 pictures
_ALL_PICTURES_BYTES = 2_055 * _PICTURE_BYTES
TOTAL_BYTES = ARCHIVE_BYTES + _ALL_PICTURES_BYTES
"""What all of it costs, about."""

_ENTRIES_A_TURN = 1_000


@dataclass(frozen=True)
class Fetched:
    """What a fetch came to.

    Attributes:
        pictures: Pictures that are there.
        missing: Those that could not be fetched, and why, one sentence each.
    """

    pictures: int
    missing: tuple[str, ...]


def coco_cows_folder() -> Path:
    """Where COCO's cows are kept."""
    return home_folder() / NAME


def coco_cows_are_there() -> bool:
    """Whether a fetch came to its end; what one that was stopped has left does not count yet."""
    folder = coco_cows_folder()
    return _end_mark(folder).is_file() and all(truth_path(folder, split).is_file() for split in SPLITS)


def coco_cows_were_begun() -> bool:
    """Whether anything of them came yet, be it a part of the first file."""
    folder = coco_cows_folder()
    there = (folder / ARCHIVE).is_file() or PartialFile(folder / ARCHIVE).size > 0
    return there or any(truth_path(folder, split).is_file() for split in SPLITS)


def coco_cows() -> tuple[list[AnnotatedPicture], list[AnnotatedPicture]]:
    """The training and the test pictures that are there, in the order of COCO's ids; none before the first fetch.

    Raises:
        AnnotationError: A truth file is damaged.
    """
    train, val = (_there(coco_cows_folder(), split) for split in SPLITS)
    return train, val


def fetch_coco_cows(
    *,
    on_progress: Callable[[int, int | None], None] = lambda *_: None,
    should_stop: Callable[[], bool] = lambda: False,
    base_url: str | None = None,
) -> Fetched:
    """Fetch the annotations and the pictures with cows, or go on with what was not finished.

    Args:
        on_progress: Called with (bytes done, bytes in all); of the pictures both are reckoned by their number.
        should_stop: Asked several times a second; only a silent server delays the answer, by 15 seconds at most.
        base_url: Stands in for http://images.cocodataset.org; by default COWVISION_COCO_URL, if that is set.

    Raises:
        DownloadStopped: `should_stop` said so; what came is kept.
        DownloadError: Offline, refused, cut too often, other annotations than published, being fetched by somebody
            else, no picture at all, no space, or a folder that cannot be written. What came is kept unless wrong.
    """
    base = coco_url(base_url)
    course, folder = _Course(on_progress, should_stop), coco_cows_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        wanted = _wanted(folder, base, course)
        absent = [picture for picture in wanted if not (folder / picture.place).is_file()]
        if absent:
            check_space(folder, len(absent) * _PICTURE_BYTES)
        missing = fetch_pictures(
            absent,
            folder,
            name=NAME,
            base_url=base,
            mirror_variable=COCO_URL,
            on_turn=lambda done: course.pictures(len(wanted) - len(absent) + done, len(wanted)),
        )
        fetched = Fetched(len(wanted) - len(missing), missing)
        if not fetched.pictures:
            raise DownloadError(NAME, f"no picture came ({missing[0]})", f"Try again later, or check {COCO_URL}")
        write_atomically(_end_mark(folder), json.dumps(vars(fetched), indent=1).encode())
    except OSError as error:
        raise not_written(folder, error) from None
    return fetched


def coco_url(base_url: str | None = None) -> str:
    """Where COCO lies: `base_url`, else COWVISION_COCO_URL, else its authors' server; without a slash at the end.

    Raises:
        DownloadError: That is no http or https address.
    """
    return web_address((base_url or os.environ.get(COCO_URL, "").strip() or _SERVER).rstrip("/"), COCO_URL)


@dataclass
class _Course:
    """How far a fetch is, and whether it is to go on."""

    on_progress: Callable[[int, int | None], None]
    should_stop: Callable[[], bool]
    done: int = 0
    entries: int = 0

    def archive(self, done: int, _total: int | None) -> None:
        """So many bytes of the archive are there."""
        self._tell(done)

    def entry(self) -> None:
        """One more entry of the archive was read."""
        self.entries += 1
        if self.entries % _ENTRIES_A_TURN == 0:
            self._tell(ARCHIVE_BYTES)
            self.stop_if_asked()

    def pictures(self, done: int, count: int) -> None:
        """So many pictures of all are there."""
        self._tell(ARCHIVE_BYTES + _ALL_PICTURES_BYTES * done // count)
        if done < count:
            self.stop_if_asked()

    def stop_if_asked(self) -> None:
        """Raise DownloadStopped if somebody asked for it."""
        if self.should_stop():
            raise DownloadStopped(NAME, self.done, TOTAL_BYTES)

    def _tell(self, done: int) -> None:
        self.done = done
        self.on_progress(done, TOTAL_BYTES)


def _there(folder: Path, split: str) -> list[AnnotatedPicture]:
    if not truth_path(folder, split).exists():
        return []
    placed = [(folder / picture.place, picture.truth) for picture in read_truth(folder, split)]
    return [AnnotatedPicture(path.name, truth, path) for path, truth in placed if path.is_file()]


def _wanted(folder: Path, base: str, course: _Course) -> list[CocoPicture]:
    """The pictures of both splits, from the truth files; these are made from COCO's archive where they are not good."""
    try:
        return [picture for split in SPLITS for picture in read_truth(folder, split)]
    except AnnotationError:  # not there yet, or damaged
        _make_truths(folder, base, course)
    return [picture for split in SPLITS for picture in read_truth(folder, split)]


def _make_truths(folder: Path, base: str, course: _Course) -> None:
    archive = folder / ARCHIVE
    here = archive.stat().st_size if archive.is_file() else PartialFile(archive).size
    check_space(folder, TOTAL_BYTES - here)
    file = RemoteFile(NAME, f"{base}/annotations/{ARCHIVE}", ARCHIVE_BYTES, _fits, _is_archive, COCO_URL)
    try:
        fetch_file(file, archive, on_progress=course.archive, should_stop=course.should_stop)
    except DownloadStopped:
        raise DownloadStopped(NAME, course.done, TOTAL_BYTES) from None
    try:
        truths = {split: cows_of(archive, split, course.entry) for split in SPLITS}
    except DownloadStopped:
        raise
    except DownloadError:
        archive.unlink(missing_ok=True)
        raise
    for split, truth in truths.items():
        write_atomically(truth_path(folder, split), json.dumps(truth).encode())
    archive.unlink(missing_ok=True)


def _fits(size: int) -> bool:
    return size == ARCHIVE_BYTES


def _is_archive(path: Path) -> bool:
    try:
        return _fits(path.stat().st_size) and file_sha256(path) == ARCHIVE_SHA256
    except OSError:
        return False


def _end_mark(folder: Path) -> Path:
    return folder / "fetched.json"
