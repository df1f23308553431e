"""What the detect command is given - pictures, folders, clips - as one stream of pictures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cowvision.data.pictures import PICTURE_SUFFIXES, Picture, picture_from_array, read_picture
from cowvision.errors import CowVisionError, PictureError
from cowvision.tracking.video import CLIP_SUFFIXES, frame_count, frames


@dataclass(frozen=True)
class Source:
    """A file to look at and the name it goes by: the file's own, or its path inside the folder given."""

    path: Path
    name: str

    @property
    def is_clip(self) -> bool:
        """Whether the file is taken for a clip, by its suffix."""
        return self.path.suffix.lower() in CLIP_SUFFIXES


@dataclass(frozen=True)
class Shot:
    """A picture with its place in a clip, if it is a frame of one."""

    picture: Picture
    frame: int | None = None
    seconds: float | None = None


Report = Callable[[CowVisionError], None]


def find_sources(inputs: list[Path], report: Report) -> list[Source]:
    """Return the files behind inputs, folders opened, in order; what cannot be used is reported and left out."""
    sources: list[Source] = []
    for given in inputs:
        found = _files_in(given) if given.is_dir() else [Source(given, given.name)]
        if not found:
            report(PictureError(str(given), "no pictures or clips in this folder", "Give another folder"))
        sources += found
    return sources


def count_shots(sources: list[Source], every: int) -> int | None:
    """Return how many pictures the sources hold; None when a clip does not state its length."""
    counts = [frame_count(source.path) if source.is_clip else 1 for source in sources]
    if None in counts:
        return None
    pairs = zip(sources, counts, strict=True)
    return sum(-(-count // every) if source.is_clip else 1 for source, count in pairs if count is not None)


def read_shots(sources: list[Source], every: int, report: Report) -> Iterator[Shot]:
    """Yield the pictures of all sources, every `every`-th frame of clips; unreadable ones are reported."""
    for source in sources:
        try:
            yield from _shots_of(source, every)
        except CowVisionError as error:
            report(error)


def _shots_of(source: Source, every: int) -> Iterator[Shot]:
    if not source.is_clip:
        yield Shot(read_picture(source.path, source.name))
        return
    for frame in frames(source.path, every):
        picture = picture_from_array(frame.rgb, f"{source.name}#{frame.index}")
        yield Shot(picture, frame.index, round(frame.seconds, 6))


def _files_in(folder: Path) -> list[Source]:
    known = PICTURE_SUFFIXES | CLIP_SUFFIXES
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in known and path.is_file())
    sources = [Source(path, path.relative_to(folder).as_posix()) for path in files]
    return [source for source in sources if not any(part.startswith(".") for part in Path(source.name).parts)]
