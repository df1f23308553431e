"""The threshold studio: one slider moves every figure, the point on the curves and the boxes of a picture together."""

from __future__ import annotations

from html import escape

import streamlit as st

from cowvision.evaluation.operating import HIGHEST, LOWEST, STEP, OperatingPoint, best_f1, least_biased
from cowvision.models.catalog import ModelSpec
from cowvision.ui import cache, compare_fairness, compare_flips, compare_table, widgets
from cowvision.ui.comparing import Judged
from cowvision.ui.figures import NO_VALUE, PLOT_CONFIG, score
from cowvision.viz.curves import BASELINE_COLOUR, CANDIDATE_COLOUR, ModelCurve, precision_recall_curves

CUTOFF = "cutoff"
"""Key of the slider, and its name in the address."""

USUAL_SCORE = 0.5

MARKS = {"best F1": "◆", "fairest count": "●"}
"""The thresholds worth a jump, and their signs under the slider."""


@st.fragment
def studio(judged: Judged) -> None:
    """Everything that follows from the threshold; moving it renews only this part, the quickest first."""
    st.space("small")
    widgets.section(
        "Threshold studio", "A model gives each box a score. From which score up should a box count as a cow?"
    )
    threshold = _slider(judged)
    _figures(judged, threshold)
    listed = st.container()
    compare_flips.seen(judged, threshold)
    compare_table.table(judged, threshold)
    with listed:  # above, and worked out last: it looks at every picture
        compare_flips.flips(judged, threshold)


def _figures(judged: Judged, threshold: float) -> None:
    """Both models at the threshold, and where it stands on their curves."""
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.html(_points_table(judged, threshold))
        runs = cache.network_runs()
        widgets.note(
            f"Same threshold for both. The networks have looked {widgets.counted(runs, 'time')} since the start; the "
            "slider only chooses among what they found.",
            network_runs=runs,
        )
        compare_fairness.advise(
            judged, threshold, CUTOFF
        )  # beside the taller curves: nothing moves as it comes and goes
    with right:
        curves = [
            ModelCurve(judged.title(one), judged.curve(one), judged.point(one, threshold)) for one in judged.specs
        ]
        alt = f"Precision over recall of {' and '.join(one.title for one in curves)}, marked at {threshold:.2f}"
        st.plotly_chart(precision_recall_curves(curves), key="curves", config=PLOT_CONFIG, alt=alt)


def _slider(judged: Judged) -> float:
    """The threshold; below it, marks that it can jump to."""
    first = None if CUTOFF in st.session_state else USUAL_SCORE  # a jump sets it, and Streamlit wants it set once
    threshold = st.slider(
        "Boxes count from this score up (threshold)", LOWEST, HIGHEST, first, STEP,
        key=CUTOFF, bind="query-params", persist_state="session",
    )  # fmt: skip
    marks = [(spec, *mark) for spec in judged.specs for mark in _marks(judged, spec)]
    colours = _colours(judged)
    ticks = "".join(_tick(colours[spec], words, at) for spec, words, at in marks)
    st.html(f'<div class="cv-marks" aria-hidden="true">{ticks}</div>')
    with st.container(horizontal=True, gap="small", key="jumps"):
        for spec, words, at in marks:
            hue = "orange" if colours[spec] == BASELINE_COLOUR else "blue"
            st.button(
                f":{hue}[{MARKS[words]}] {widgets.plain(judged.title(spec))}: {words} at **{at:.2f}**",
                key=f"jump_{spec.name}_{words}",
                on_click=_jump,
                args=(at,),
            )
    return float(threshold)


def _jump(threshold: float) -> None:
    st.session_state[CUTOFF] = threshold


def _marks(judged: Judged, spec: ModelSpec) -> list[tuple[str, float]]:
    """Where a model does best: by F1, and by its counts."""
    points = judged.points(spec)
    best, fairest = best_f1(points), least_biased(points)
    pairs = zip(MARKS, (best, fairest), strict=True)
    return [(words, point.threshold) for words, point in pairs if point is not None]


def _tick(colour: str, words: str, threshold: float) -> str:
    place = 100 * (threshold - LOWEST) / (HIGHEST - LOWEST)
    return f'<i style="left:{place:.2f}%;color:{colour}">{MARKS[words]}</i>'


def _colours(judged: Judged) -> dict[ModelSpec, str]:
    return dict(zip(judged.specs, (BASELINE_COLOUR, CANDIDATE_COLOUR)[-len(judged.specs) :], strict=True))


def _points_table(judged: Judged, threshold: float) -> str:
    """The figures at the threshold, a row a model."""
    colours = _colours(judged)
    rows = "".join(
        _row(judged.title(spec), spec.name, colours[spec], judged.point(spec, threshold)) for spec in judged.specs
    )
    head = "".join(
        f"<th scope='col'>{words}<small>{term}</small></th>"
        for words, term in (
            ("right", "precision"), ("found", "recall"), ("both", "F1"), ("count off by", "per picture"),
            ("too many / few", "bias"),
        )
    )  # fmt: skip
    return f'<table class="cv-points"><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(title: str, name: str, colour: str, point: OperatingPoint) -> str:
    cells = (
        _percent(point.precision), _percent(point.recall), score(point.f1),
        NO_VALUE if point.count_error is None else f"{point.count_error:.2f}",
        NO_VALUE if point.count_bias is None else f"{point.count_bias:+.2f}",
    )  # fmt: skip
    told = f"{point.found} found, {point.missed} missed, {point.false_alarms} false"
    data = f'data-point="{escape(name)}" data-found="{point.found}" data-false="{point.false_alarms}"'
    body = "".join(f"<td>{cell}</td>" for cell in cells)
    return (
        f'<tr {data}><th scope="row"><i style="background:{colour}"></i>{escape(title)}<small>{told}</small></th>'
        f"{body}</tr>"
    )


def _percent(value: float | None) -> str:
    return NO_VALUE if value is None else f"{100 * value:.0f} %"
