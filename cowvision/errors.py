"""The few errors a person can meet; each says what is wrong with which thing, and what to do about it."""


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


class PictureError(CowVisionError):
    """A picture cannot be read: not a picture, damaged, or beyond the limits."""


class ClipError(CowVisionError):
    """A clip cannot be read: not a video, damaged, or without a picture track."""


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
    """Published weights cannot be fetched: no connection, a server's refusal, other bytes, or no place to keep them."""


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
