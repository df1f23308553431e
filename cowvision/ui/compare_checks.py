"""What errors cost each model, and whether three tools agree on the figures."""

from __future__ import annotations

import streamlit as st

from cowvision.evaluation.verification import TOLERANCE, Verification
from cowvision.models.catalog import ModelSpec
from cowvision.ui import widgets
from cowvision.ui.comparing import Judged
from cowvision.ui.figures import NO_VALUE, PLOT_CONFIG, Row, rows_html, score
from cowvision.viz.curves import cost_bars

KINDS = {
    "class": "A box on something else that is taken for a cow, or a cow that is called something else.",
    "location": "A box on a cow that fits badly: they overlap by less than half.",
    "both": "A box partly on something else that is taken for a cow.",
    "duplicate": "A second box on a cow that is found already.",
    "background": "A box where there is nothing.",
    "missed": "A cow without any box.",
}
"""TIDE's six kinds of error, a line each."""


def costs(judged: Judged) -> None:
    """How much better each model would be without one kind of error."""
    st.space("small")
    widgets.section(
        "What errors cost", "By how much AP50 would rise if one kind of error were gone (TIDE's six kinds of error)."
    )
    by_model = {judged.title(spec): judged.costs(spec) for spec in judged.specs}
    if all(one.ap_50 is None for one in by_model.values()):
        st.info("There is no true cow here, so no error has a price.", icon=":material/info:")
        return
    left, right = st.columns([5, 6], gap="large")
    with left:
        alt = "Cost in AP50 of each kind of error: " + "; ".join(
            f"{title}: {', '.join(f'{kind} {cost:.3f}' for kind, cost in one.costs.items())}"
            for title, one in by_model.items()
        )
        st.plotly_chart(cost_bars(by_model), key="costs", config=PLOT_CONFIG, alt=alt)
    with right:
        rows = [
            Row(kind, words, [score(one.costs.get(kind)) for one in by_model.values()]) for kind, words in KINDS.items()
        ]
        st.html(rows_html("Cost of each kind of error", list(by_model), rows))
        widgets.note("They do not add up to what is missing to 1: mending one kind may make room for another.")


@st.fragment
def verify(judged: Judged) -> None:
    """A button that measures everything anew with three tools."""
    st.space("small")
    widgets.section(
        "Do these figures hold?",
        "Have them measured again: mAP and COCO's other figures by three tools, and once more by our own matching, on "
        "which the gain, the thresholds and the reasons above rest.",
    )
    key = f"verified_{judged.pictures.id[:12]}_{judged.baseline.id[:12]}_{judged.candidate.id[:12]}"
    if st.button("Verify", key="verify", help="Measures all twelve COCO figures of each model with each tool."):
        st.session_state[key] = True
    if not st.session_state.get(key):
        return
    for column, spec in zip(st.columns(len(judged.specs), gap="medium"), judged.specs, strict=True):
        with column:
            _verified(judged.title(spec), judged.verification(spec))
            _own_matching(judged, spec)


def _verified(title: str, verification: Verification) -> None:
    """One model: whether the tools agree, how far they are apart, and their figures side by side."""
    apart = f"{verification.largest_difference:.1e}" if verification.largest_difference else "0"
    st.markdown(f"**{widgets.plain(title)}**")
    if verification.agree:
        st.success(f"All three agree. Largest difference: {apart}.", icon=":material/check_circle:")
    else:
        st.error(
            f"They do not agree. Largest difference: {apart}, {TOLERANCE:.0e} is allowed.", icon=":material/error:"
        )
    rows = [Row(row.name, "", [_exact(value) for value in row[1:]]) for row in verification.rows]
    st.html(rows_html(f"{title} measured by three tools", ["torchmetrics", "pycocotools", "faster-coco-eval"], rows))


def _own_matching(judged: Judged, spec: ModelSpec) -> None:
    """Our own matching beside the tools: its mAP and AP50."""
    report, own = judged.report(spec), judged.own_figures(spec)
    if report.map is None or report.map_50 is None or own is None:
        return
    apart = max(abs(own[0] - report.map), abs(own[1] - report.map_50))
    words = f"Our own matching: mAP {own[0]:.7f}, AP50 {own[1]:.7f}"
    if apart <= TOLERANCE:
        st.caption(f"{words}, the same.")
    else:
        st.error(f"{words}: {apart:.1e} apart, {TOLERANCE:.0e} is allowed.", icon=":material/error:")


def _exact(value: float | None) -> str:
    return NO_VALUE if value is None else f"{value:.7f}"
