"""What a model found on a picture: the count, the boxes, and what it really returned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
import streamlit as st
import supervision as sv

from cowvision.data.annotations import chosen, names_of, of_classes, scores_of
from cowvision.data.coco import GAP
from cowvision.data.detections import as_tutorial_dict, count_named
from cowvision.evaluation.matching import match_class
from cowvision.evaluation.operating import operating_point
from cowvision.models.catalog import ModelSpec
from cowvision.ui.gallery import GalleryPicture
from cowvision.ui.widgets import counted
from cowvision.viz.charts import zoomable_picture
from cowvision.viz.drawing import at_least, colour_of, draw_detections
from cowvision.viz.encoding import as_jpeg

SHOWN_SIDE = 1280
"""Longest side in pixels of a picture on the page."""

ZOOM_CONFIG = {"scrollZoom": True, "displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}


@dataclass(frozen=True)
class View:
    """How answers are shown: lowest score, classes (none named: all), the truth marked, and zoomable or plain."""

    threshold: float
    classes: tuple[str, ...] = ()
    show_truth: bool = False
    zoom: bool = False

    def of(self, detections: sv.Detections) -> sv.Detections:
        """The detections that are shown."""
        return of_classes(at_least(detections, self.threshold), self.classes)


def result_card(choice: GalleryPicture, spec: ModelSpec, detections: sv.Detections, view: View) -> None:
    """One model's answer: how many cows, the picture with its boxes, and what else it sees."""
    cows = count_named(detections, view.threshold)
    truth = choice.truth if view.show_truth else None
    shown = view.of(detections)
    alt = f"{choice.title}: {counted(cows, 'cow')} found by {spec.title} with scores of at least {view.threshold:.2f}"
    with st.container(border=True, key=f"result_{spec.name}"):
        st.html(_headline(spec, cows, _verdict(detections, choice.truth, view.threshold)))
        rgb = choice.picture().rgb
        if view.zoom:
            figure = zoomable_picture(rgb, shown, threshold=view.threshold, truth=truth).update_layout(
                uirevision=choice.id
            )
            st.plotly_chart(figure, key=f"zoom_{spec.name}", config=ZOOM_CONFIG, theme=None, alt=alt)
        else:
            drawn = draw_detections(rgb, shown, threshold=view.threshold, truth=truth, longest_side=SHOWN_SIDE)
            st.image(as_jpeg(drawn), width="stretch", alt=alt)
        st.html(_class_list(shown, shows_truth=truth is not None, filtered=bool(view.classes)))


def plain_card(choice: GalleryPicture) -> None:
    """The picture alone, for want of a model."""
    rgb = choice.picture().rgb
    drawn = draw_detections(rgb, sv.Detections.empty(), threshold=1.0, longest_side=SHOWN_SIDE)
    st.image(as_jpeg(drawn), width="stretch", alt=choice.title)


def returned(spec: ModelSpec, detections: sv.Detections, *, threshold: float) -> None:
    """What the model really returns: the tutorial's dictionary, and the same as a table with names."""
    st.markdown(f"**{spec.title}** · {counted(len(detections), 'detection')} from score 0.05 up")
    st.code(_as_text(detections), language="python", height=220)
    st.dataframe(_as_table(detections, threshold), hide_index=True, width="stretch", height=280)


def known_names(specs: Sequence[ModelSpec]) -> list[str]:
    """The classes models know, cows first, without the gaps of COCO's list."""
    names = dict.fromkeys(name for spec in specs for name in spec.class_names if name != GAP)
    return sorted(names, key=lambda name: (name != "cow", name))


def cows_in_truth(truth: sv.Detections) -> int:
    """How many cows there truly are."""
    return int(np.count_nonzero(names_of(truth) == "cow"))


def _headline(spec: ModelSpec, cows: int, verdict: str) -> str:
    word = "cow" if cows == 1 else "cows"
    told = f"<small>{escape(verdict)}</small>" if verdict else ""
    return (
        f'<div class="cv-model"><b>{escape(spec.title)}</b><span>{escape(_what_it_knows(spec))}</span></div>'
        f'<p class="cv-count" data-model="{escape(spec.name)}" data-cows="{cows}">'
        f"<strong>{cows}</strong><em>{word}</em>{told}</p>"
    )


def _what_it_knows(spec: ModelSpec) -> str:
    names = known_names([spec])
    if names == ["cow"]:
        return "knows cows only"
    return f"knows {', '.join(names)}" if len(names) <= 6 else f"knows {len(names)} kinds of things"


def _verdict(detections: sv.Detections, truth: sv.Detections | None, threshold: float) -> str:
    """How many of the true cows were found, and how many boxes are on none (IoU 0.5); nothing where nobody knows."""
    if truth is None:
        return ""
    point = operating_point(match_class([detections], [truth], "cow"), threshold)
    if point.recall is None:
        return f"no cow in truth, {point.false_alarms} false" if point.false_alarms else "no cow in truth"
    seen = f"{point.found} found, {point.missed} missed, {point.false_alarms} false"
    return f"{point.found + point.missed} in truth: {seen}"


def _class_list(shown: sv.Detections, *, shows_truth: bool, filtered: bool) -> str:
    counts = Counter(str(name) for name in names_of(shown))
    items = [
        f'<li><i style="background:{colour_of(name)}"></i>{escape(name)} {number}</li>'
        for name, number in counts.most_common()
    ]
    items = items or [f"<li>nothing {'of these classes ' * filtered}at this threshold</li>"]
    if shows_truth:
        items.append('<li><i class="cv-corners"></i>white corners: the truth</li>')
    return f'<ul class="cv-classes" aria-label="What is drawn">{"".join(items)}</ul>'


def _as_text(detections: sv.Detections) -> str:
    with np.printoptions(precision=2, suppress=True, threshold=10_000, linewidth=88):
        rows = [f'    "{key}": {value!r},' for key, value in as_tutorial_dict(detections).items()]
    return "\n".join(["{", *rows, "}"])


def _as_table(detections: sv.Detections, threshold: float) -> pd.DataFrame:
    """One row a detection, best first."""
    returned_dict = as_tutorial_dict(chosen(detections, np.argsort(-scores_of(detections), kind="stable")))
    columns = dict(zip(("x_min", "y_min", "x_max", "y_max"), returned_dict["pred_boxes"].T.round(1), strict=True))
    scores = returned_dict["scores"]
    names = names_of(detections) if len(detections) else np.array([], dtype=np.str_)
    return pd.DataFrame(
        {
            "shown": scores >= threshold,
            "class": names,
            "pred_class": returned_dict["pred_classes"],
            "score": scores.round(3),
            **columns,
        }
    )
