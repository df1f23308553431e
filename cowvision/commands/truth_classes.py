"""The option that names classes of the truth, by name or by number."""

from __future__ import annotations

import typer

from cowvision.data.coco import COCO_IDS
from cowvision.errors import SettingError


def truth_class(given: str) -> int:
    """The number of a class in MOT text, as somebody typed it.

    Args:
        given: A number, or one of COCO's names, whose numbers the truth that ships has.

    Raises:
        SettingError: It is neither.
    """
    if given.isdecimal():
        return int(given)
    if (number := COCO_IDS.get(given.strip().casefold())) is None:
        raise SettingError("--classes", f"“{given}” is no class of COCO's", "Give a name such as cow, or a number")
    return number


TRUTH_CLASSES = typer.Option(
    parser=truth_class,
    metavar="CLASS",
    help="Of the truth, only this class: a name such as cow, or a number; repeatable.",
)
