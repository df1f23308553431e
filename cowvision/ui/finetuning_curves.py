"""The curves of a training, at work or at its end, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cowvision.ui import widgets
from cowvision.ui.figures import PLOT_CONFIG, score
from cowvision.viz.training_curves import held_out_curve, loss_curve


def curves(
    losses: Sequence[tuple[int, float]],
    looks: Sequence[tuple[int, float | None]],
    steps: int,
    best_step: int | None,
    *,
    key: str,
    is_judged: bool,
) -> None:
    """Loss and held-out mAP; arguments as in `viz.training_curves`, and whether anything is held out to judge by."""
    left, right = st.columns(2, gap="large")
    with left:
        st.html('<p class="cv-plot-title">How wrong it still is (loss)</p>')
        last = f"{losses[-1][1]:.2f} after step {losses[-1][0]}" if losses else "nothing yet"
        st.plotly_chart(loss_curve(losses, steps), key=f"{key}_loss", config=PLOT_CONFIG, alt=f"Loss: {last}")
    with right:
        st.html('<p class="cv-plot-title">How well boxes match on held-out pictures (mAP)</p>')
        if not is_judged:
            widgets.note("No pictures are kept back to judge by, so there is nothing to draw here.")
            return
        told = "; ".join(f"step {step}: {score(value)}" for step, value in looks) or "nothing yet"
        figure = held_out_curve(looks, steps, best_step)
        st.plotly_chart(figure, key=f"{key}_looks", config=PLOT_CONFIG, alt=f"Held-out mAP: {told}")
