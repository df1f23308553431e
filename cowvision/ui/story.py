"""The story of the tutorial as Home tells it: one picture before and after, and seven steps."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from cowvision.data.detections import count_named
from cowvision.models.catalog import ModelSpec
from cowvision.ui import frame, widgets
from cowvision.ui.before_after import Side, before_after
from cowvision.ui.gallery import GalleryPicture
from cowvision.ui.results import SHOWN_SIDE, cows_in_truth
from cowvision.viz.drawing import draw_detections
from cowvision.viz.encoding import as_jpeg

THRESHOLD = 0.5


@dataclass(frozen=True)
class Step:
    """One step: a verb, a sentence, its page's file, and the example that the page opens with."""

    title: str
    text: str
    page: str
    example: tuple[tuple[str, str], ...] = ()


STEPS = (
    Step("Detect", "Two detectors look at a picture. The base model takes cows for horses and dogs.", "detect.py",
         (("picture", "farmer_and_cows"),)),
    Step("Label", "Draw the true boxes by hand: what should have been found?", "label.py"),
    Step("Score", "Turn “it looks better” into a number: how well do boxes match (mAP)?", "compare.py",
         (("set", "tutorial"),)),
    Step("Fine-tune", "Teach the detector your herd, and keep what it knew.", "finetune.py",
         (("data", "scenes"), ("profile", "quick"))),
    Step("Compare", "Is the gain real, or luck? See it with its uncertainty.", "compare.py", (("set", "test-herd"),)),
    Step("Track", "Follow every cow through a video, and see where ids are lost.", "track.py",
         (("clip", "crossing"),)),
    Step("Understand", "Look at what was missed, and why.", "compare.py", (("set", "stills"),)),
)  # fmt: skip


def side(picture: GalleryPicture, spec: ModelSpec) -> Side:
    """One model's answer as a half of the comparison; errors as those of ``GalleryPicture.detections``."""
    detections = picture.detections(spec)
    cows = count_named(detections, THRESHOLD)
    drawn = draw_detections(picture.picture().rgb, detections, threshold=THRESHOLD, longest_side=SHOWN_SIDE)
    words = widgets.counted(cows, "cow")
    alt = f"{picture.title}: {spec.title} finds {words}"
    return Side(as_jpeg(drawn, quality=85), spec.title, cows, words.split()[-1], alt)


def compare(picture: GalleryPicture, base: Side, tuned: Side) -> None:
    """The two halves with a line to move, and below it what is truly there."""
    before_after(base, tuned, key="before_after")
    truth = "" if picture.truth is None else f"{cows_in_truth(picture.truth)} cows can be seen in truth. "
    widgets.note(f"{truth}Boxes with scores from {THRESHOLD}; drag the line, or use the arrow keys.")


def steps() -> None:
    """A card a step; each that has its page opens it on a prepared example."""
    with st.container(key="steps", horizontal=True, gap="small"):
        for number, step in enumerate(STEPS, 1):
            is_here = frame.is_there(step.page)
            with st.container(border=True, key=f"step_{number}"):
                st.html(
                    f'<p class="cv-step"><b>{number}</b>{step.title}</p><p class="cv-step-text">{step.text}</p>'
                    + ("" if is_here else '<p class="cv-later">not in this version yet</p>')
                )
                if is_here:
                    example = dict(step.example) or None
                    st.page_link(
                        f"pages/{step.page}", label="Open", icon=":material/arrow_forward:", query_params=example
                    )
