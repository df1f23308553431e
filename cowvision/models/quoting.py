"""A stranger's words, such as the names in a file, as part of one short sentence."""

_MOST_LETTERS = 90


def printable(words: str) -> str:
    """The words without line breaks and what else cannot be shown, and not too many of them."""
    return "".join(letter if letter.isprintable() else "?" for letter in words[:_MOST_LETTERS])


def first_line(error: Exception) -> str:
    """What an error of another library says first, else what kind it is."""
    return printable(next(iter(str(error).splitlines()), "") or type(error).__name__)
