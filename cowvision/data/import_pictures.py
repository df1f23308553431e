"""The pictures that ground truth is read for: found by the names that truth gives them, and their sizes."""

from __future__ import annotations

import struct
import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import ExifTags, Image

from cowvision.data.import_checks import shortened
from cowvision.data.import_findings import PictureAbsentError
from cowvision.data.pictures import MAX_BYTES, MAX_PIXELS, list_pictures
from cowvision.errors import AnnotationError

_ROLES = frozenset({"images", "labels", "jpegimages", "annotations"})
"""Folders that say what a file is, not which picture it belongs to: images/a.jpg and labels/a.txt are a pair."""

_SIDEWAYS = frozenset({5, 6, 7, 8})
"""Values of EXIF's orientation that swap width and height."""


class PictureFiles:
    """Pictures by name.

    Args:
        images: A folder (its pictures are named by their place in it, with /), or file name -> picture file for
            pictures that lie elsewhere or are a selection.

    Raises:
        AnnotationError: The folder does not exist.
    """

    def __init__(self, images: str | Path | Mapping[str, Path]) -> None:
        if not isinstance(images, Mapping):
            folder = Path(images)
            if not folder.is_dir():
                raise AnnotationError(str(folder), "no such folder of pictures", "Give the folder the pictures are in")
            images = {path.relative_to(folder).as_posix(): path for path in list_pictures(folder)}
        self._paths = dict(images)
        self._by_name = _Keys((_normal(name), name) for name in self._paths)
        self._by_stem = _Keys((_stem(PurePosixPath(_normal(name))), name) for name in self._paths)

    def path_of(self, name: str) -> Path:
        """Return the file of one of the pictures' own names."""
        return self._paths[name]

    def named(self, wanted: Any) -> str:
        """Return the picture that truth calls ``wanted``; folders count only where both sides have them.

        Raises:
            PictureAbsentError: There is no such picture.
            AnnotationError: Not a name, a name that leads out of the folder, or several pictures of that name.
        """
        if not isinstance(wanted, str) or not wanted.strip():
            raise AnnotationError("picture", f"the picture's name is {shortened(wanted)}", "Name the picture's file")
        name = _normal(wanted.replace("\\", "/"))
        if name.startswith("/") or ":" in name.split("/")[0] or ".." in name.split("/"):
            cause = f"the picture {shortened(wanted)} lies outside the folder of pictures"
            raise AnnotationError("picture", cause, "Name it by its place inside the folder")
        return _the_one(self._by_name.matching(str(PurePosixPath(name))), wanted)

    def with_stem(self, label: PurePosixPath) -> str:
        """Return the picture that a label file belongs to: the same name but for its suffix.

        Raises:
            PictureAbsentError: There is no such picture.
            AnnotationError: There are several.
        """
        return _the_one(self._by_stem.matching(_stem(PurePosixPath(_normal(str(label))))), str(label.with_suffix("")))

    def not_among(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the pictures that are not in ``names``."""
        known = set(names)
        return tuple(name for name in self._paths if name not in known)

    def resolution_wh(self, name: str, declared_wh: tuple[float, float] = (0, 0)) -> tuple[int, int]:
        """Return width and height of the upright picture, from its header: its pixels are not decoded.

        Args:
            name: One of the pictures' own names.
            declared_wh: What truth says they are; 0 stands for a size that it does not know.

        Raises:
            AnnotationError: Not a picture, beyond the limits of `read_picture`, or not of the declared size, so that
                the boxes were drawn on another version of it.
        """
        width, height, turned = self._header(name)
        if width * height > MAX_PIXELS or self._paths[name].stat().st_size > MAX_BYTES:
            cause = f"the picture {name} is beyond {MAX_PIXELS // 10**6} megapixels or {MAX_BYTES // 1024**2} MB"
            raise AnnotationError(name, cause, "Scale it down together with its boxes")
        if 0 not in declared_wh and declared_wh != (width, height):
            declared = f"{declared_wh[0]:g} x {declared_wh[1]:g}"
            why = " once turned upright by its EXIF" if turned else ""
            cause = f"the picture {name} is declared as {declared} pixels, but is {width} x {height}{why}"
            raise AnnotationError(name, cause, "Give the very picture the boxes were drawn on")
        return width, height

    def _header(self, name: str) -> tuple[int, int, bool]:
        """Width and height as seen upright, and whether EXIF turns the picture sideways for that."""
        try:
            with warnings.catch_warnings(), Image.open(self._paths[name]) as image:
                warnings.simplefilter("ignore")
                turned = _is_sideways(image)
                width, height = image.size
        except (OSError, SyntaxError, ValueError, RuntimeError, struct.error, Image.DecompressionBombError) as error:
            cause = f"the picture {name} cannot be read ({type(error).__name__})"
            raise AnnotationError(name, cause, "Copy it again from where it came") from None
        return (height, width, True) if turned else (width, height, False)


class _Keys:
    """Names by key; a key without folders also finds a name in a folder, and the other way round, if it is one."""

    def __init__(self, keyed: Iterable[tuple[str, str]]) -> None:
        self.whole: dict[str, list[str]] = defaultdict(list)
        self.last: dict[str, list[str]] = defaultdict(list)
        for key, name in keyed:
            self.whole[key].append(name)
            self.last[key.rpartition("/")[2]].append(name)
        self.flat = not any("/" in key for key in self.whole)

    def matching(self, key: str) -> list[str]:
        if key in self.whole:
            return self.whole[key]
        return self.last.get(key.rpartition("/")[2], []) if self.flat or "/" not in key else []


def _the_one(found: list[str], wanted: str) -> str:
    if not found:
        cause = f"its picture {shortened(wanted)} is not among the pictures"
        raise PictureAbsentError("picture", cause, "Add the picture")
    if len(found) > 1:
        cause = f"its picture {shortened(wanted)} may be any of {', '.join(sorted(found)[:3])}"
        raise AnnotationError("picture", cause, "Give every picture a name of its own")
    return found[0]


def _normal(name: str) -> str:
    """One form for é: macOS writes it as two characters, others as one."""
    return unicodedata.normalize("NFC", name)


def _stem(path: PurePosixPath) -> str:
    return "/".join([*(part for part in path.parts[:-1] if part.lower() not in _ROLES), path.stem])


def _is_sideways(image: Image.Image) -> bool:
    """Whether the header's size is that of the unturned picture; Pillow measures TIFF and HEIC upright by itself."""
    if image.format not in {"JPEG", "MPO", "WEBP", "PNG", "AVIF"} or "exif" not in image.info:
        return False  # asking a PNG without EXIF would decode it
    return image.getexif().get(ExifTags.Base.Orientation, 1) in _SIDEWAYS
