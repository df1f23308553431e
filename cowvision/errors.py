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


class SettingError(CowVisionError):
    """A setting (an option or an environment variable) holds a value that is not allowed."""
