"""The few errors a person can meet; each says what is wrong with which thing, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # an error message needs no supervision, which takes OpenCV and a second to import
    import supervision as sv


class CowVisionError(Exception):
    """Something a person gave cannot be used.

    Args:
        subject: The file, argument or model the error is about.
        cause: What is wrong with it, in plain words, without a full stop.
        remedy: What to do about it, as one imperative sentence without a full stop.
    """

    def __init__(self, subject: str, cause: str, remedy: str) -> None:
        super().__init__(subject, cause, remedy)
        self.subject = subject
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        """Return one line: subject, cause, remedy."""
        return " ".join(f"{self.subject}: {self.cause}. {self.remedy}.".split())


def unforeseen(subject: str, error: Exception) -> CowVisionError:
    """An error nobody foresaw, in words: for work in the background, which has no caller to tell."""
    cause = f"it failed in a way that was not foreseen ({type(error).__name__}: {error})"
    return CowVisionError(subject, cause, "Try again; the terminal that runs CowVision says more")


class PictureError(CowVisionError):
    """A picture cannot be read: not a picture, damaged, or beyond the limits."""


class ClipError(CowVisionError):
    """A clip cannot be read (not a video, damaged, or without a picture track), or cannot be written."""


class SpoiltClipError(ClipError):
    """A clip was read to the end that it states, and pictures before that could not be decoded."""


class AnnotationError(CowVisionError):
    """Ground truth cannot be read, or does not fit its pictures."""


class ModelNotFoundError(CowVisionError):
    """No model of that name is known."""


class ModelFileError(CowVisionError):
    """A model's weights or settings cannot be loaded."""


class TrainingDataError(CowVisionError):
    """There is nothing to train on, or what there is cannot be used."""


class AssetError(CowVisionError):
    """A file that ships with the project is missing or damaged."""


class SettingError(CowVisionError):
    """A setting (an option or an environment variable) holds a value that is not allowed."""


class WorkspaceError(CowVisionError):
    """What is kept on this machine cannot be read or written."""


class DownloadError(CowVisionError):
    """A published file cannot be fetched: no connection, a server's refusal, other bytes, or no place to keep them."""


class DownloadStopped(DownloadError):  # noqa: N818 - nothing went wrong: somebody asked for it
    """Fetching was stopped as asked; what came so far is kept and the next fetch goes on from there.

    Args:
        name: The model's short name.
        done: Bytes that are kept.
        total: Bytes there are in all.
    """

    def __init__(self, name: str, done: int, total: int) -> None:
        cause = f"stopped at {done / 1024**2:.0f} of {total / 1024**2:.0f} MB"
        super().__init__(name, cause, f"Fetch it again to go on from there: `python -m cowvision fetch {name}`")
        self.bytes_done = done
        self.bytes_total = total


class WorkStopped(CowVisionError):  # noqa: N818 - nothing went wrong: somebody asked for it
    """Work was stopped as asked before there was anything to keep."""


class StaleEditError(WorkspaceError):
    """Boxes were changed by somebody else, or in another tab, since this edit began; neither version is lost.

    Args:
        subject: The picture's name.
        yours: The boxes that were not saved.
        theirs: The boxes that are saved.
        revision: The revision of theirs, for an edit that starts from it.
    """

    def __init__(self, subject: str, yours: sv.Detections, theirs: sv.Detections, revision: int) -> None:
        cause = f"its boxes were changed in the meantime: {len(theirs)} are saved now, and your {len(yours)} are not"
        super().__init__(subject, cause, "Compare both versions, keep what is right and save again")
        self.yours = yours
        self.theirs = theirs
        self.revision = revision
