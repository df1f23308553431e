"""One picture as both models see it: what each box is, and why it is wrong, in words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from cowvision.evaluation.errors import Outcome, PictureOutcome
from cowvision.models.catalog import ModelSpec
from cowvision.ui import widgets
from cowvision.ui.gallery import GalleryPicture
from cowvision.viz.encoding import as_jpeg
from cowvision.viz.outcomes import SIGN_COLOURS, Sign, SignedBox, draw_outcome, signed_boxes

SHOWN_SIDE = 1120
"""Longest side in pixels of a picture beside another."""

WHY = {
    Outcome.DUPLICATE: "a second box on a cow that is found already (duplicate)",
    Outcome.LOCATION: "on a cow, but it fits badly: they overlap by less than half (location)",
    Outcome.CLASS: "on something else that is taken for a cow (class)",
    Outcome.BOTH: "partly on something else that is taken for a cow (class and location)",
    Outcome.BACKGROUND: "there is nothing here (background)",
}
SIGN_WORDS = {Sign.MET: "found", Sign.WRONG: "false alarm", Sign.MISSED: "missed"}


def model_picture(picture: GalleryPicture, spec: ModelSpec, outcome: PictureOutcome) -> None:
    """A model's boxes on the picture, told apart, and the reasons below."""
    boxes = signed_boxes(outcome)
    counts = {sign: sum(box.sign is sign for box in boxes) for sign in Sign}
    summary = ", ".join(_counted(number, sign) for sign, number in counts.items())
    drawn = draw_outcome(picture.picture().rgb, outcome, longest_side=SHOWN_SIDE)
    st.html(f'<p class="cv-seen" data-seen-by="{escape(spec.name)}"><b>{escape(spec.title)}</b> {_legend(counts)}</p>')
    st.image(as_jpeg(drawn, quality=85), width="stretch", alt=f"{picture.title} by {spec.title}: {summary}")
    reasons = _reasons(boxes)
    if reasons:
        items = "".join(f"<li><b>{numbers}</b> {escape(words)}</li>" for words, numbers in reasons.items())
        st.html(f'<ul class="cv-reasons" aria-label="Why">{items}</ul>')
    else:
        widgets.note("Every cow is found, and nothing else is taken for one." if counts[Sign.MET] else "Nothing here.")


def _legend(counts: dict[Sign, int]) -> str:
    return "".join(
        f'<span class="cv-sign cv-sign-{sign}"><i style="border-color:{SIGN_COLOURS[sign]}"></i>'
        f"{_counted(number, sign)}</span>"
        for sign, number in counts.items()
    )


def _counted(number: int, sign: Sign) -> str:
    words = SIGN_WORDS[sign]
    return widgets.counted(number, words) if sign is Sign.WRONG else f"{number} {words}"


def _reasons(boxes: Sequence[SignedBox]) -> dict[str, str]:
    """The numbers of the boxes that are wrong or missed, by the reason; those of a reason stand together."""
    numbers: dict[str, list[str]] = {}
    for box in boxes:
        if box.number is not None:
            numbers.setdefault(_reason(box), []).append(str(box.number))
    return {words: ", ".join(some) for words, some in numbers.items()}


def _reason(box: SignedBox) -> str:
    if isinstance(box.why, Outcome):
        return WHY[box.why]
    return f"missed: it is called a {box.why}" if box.why else "missed: no box of a cow fits it"
