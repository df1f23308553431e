"""At which threshold a model counts fairly: told where a threshold is chosen, as far as it is known already."""

from __future__ import annotations

import streamlit as st

from cowvision.evaluation.operating import OperatingPoint, least_biased
from cowvision.models.catalog import ModelSpec
from cowvision.ui import cache, comparing, evaluation_sets, widgets
from cowvision.ui.comparing import Judged

NOTICED = 0.5
"""Cows a picture too many or too few from which a threshold is spoken of."""


def fairest_on_test_herd(spec: ModelSpec) -> OperatingPoint | None:
    """Where the model's counts are least biased; None unless it has looked at every picture of the test herd.

    Raises:
        AnnotationError: The truth of the test herd cannot be read.
    """
    if evaluation_sets.TEST_HERD not in evaluation_sets.shipped_titles():
        return None
    chosen = evaluation_sets.read_set(evaluation_sets.TEST_HERD)
    known = cache.known_for_all([one.id for one in chosen.pictures], spec)
    if not chosen.pictures or len(known) < len({one.id for one in chosen.pictures}):
        return None
    judged = comparing.judged(chosen, {spec: known})
    return None if judged is None else least_biased(judged.points(spec))


def advise(judged: Judged, threshold: float, key: str) -> None:
    """For each model that counts unfairly at the threshold: by how much, and a button to where it counts best."""
    for spec in judged.specs:
        words, fairest = advice(judged, spec, threshold)
        if fairest is None:
            continue
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"fair_{spec.name}"):
            st.caption(words, width="content")
            st.button(
                f"Use {fairest:.2f}", key=f"fairest_{spec.name}", type="tertiary", on_click=_set, args=(key, fairest)
            )


def advice(judged: Judged, spec: ModelSpec, threshold: float) -> tuple[str, float | None]:
    """The sentence on a model at a threshold and the fairest one; None where it counts fairly, or no fairer there."""
    here, best = judged.point(spec, threshold), least_biased(judged.points(spec))
    if here.count_bias is None or best is None or best.count_bias is None:
        return "", None
    if abs(here.count_bias) < NOTICED or abs(here.count_bias) - abs(best.count_bias) < NOTICED:
        return "", None
    way = "many" if here.count_bias > 0 else "few"
    words = (
        f"At {threshold:.2f} **{widgets.plain(judged.title(spec))}** counts {abs(here.count_bias):.1f} cows a picture "
        f"too {way} here; fairest is **{best.threshold:.2f}**."
    )
    return words, float(best.threshold)


def _set(key: str, threshold: float) -> None:
    st.session_state[key] = threshold
