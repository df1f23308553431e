"""The verdict: which model is better, in words first, then as a picture, then in small print."""

from __future__ import annotations

from html import escape

import streamlit as st

from cowvision.evaluation.comparison import Comparison, Gain
from cowvision.evaluation.trust import FEWEST_PICTURES
from cowvision.ui import widgets
from cowvision.ui.comparing import Judged
from cowvision.ui.figures import NO_VALUE, PLOT_CONFIG, score
from cowvision.viz.curves import gain_intervals

MAP_WORDS, AP50_WORDS = "boxes match well<br>(mAP)", "boxes overlap<br>by half (AP50)"


def verdict(judged: Judged) -> None:
    """The verdict on the candidate; with one model alone, its figure without one."""
    if not judged.is_pair:
        _alone(judged)
        return
    comparison = judged.comparison()
    with st.container(border=True, key="verdict"):
        left, right = st.columns([6, 5], gap="large", vertical_alignment="center")
        with left:
            st.html(_words(judged, comparison))
        with right:
            _intervals(judged, comparison)


def _alone(judged: Judged) -> None:
    spec, report = judged.candidate, judged.report(judged.candidate)
    pictures = widgets.counted(report.pictures, "picture")
    with st.container(border=True, key="verdict"):
        told = "has no true cow to be judged by" if report.map is None else f"reaches mAP {report.map:.3f}"
        st.html(
            '<div class="cv-verdict" data-verdict="alone"><p class="cv-verdict-chip">One model alone</p>'
            f'<p class="cv-verdict-words">On {pictures} {escape(judged.title(spec))} {told}.</p>'
            '<p class="cv-verdict-trust">Choose a second model to see which of the two is better.</p></div>'
        )


def _words(judged: Judged, comparison: Comparison) -> str:
    baseline, candidate = judged.report(judged.baseline), judged.report(judged.candidate)
    chip, kind = _chip(comparison)
    titles = [escape(judged.title(spec)) for spec in judged.specs]
    figures = (
        f'<p class="cv-verdict-figures"><span>{titles[0]} <b>{score(baseline.map)}</b></span>'
        f'<i aria-hidden="true">→</i><span>{titles[1]} <b>{score(candidate.map)}</b></span>'
        "<em>mAP: how well the boxes match, 0 to 1</em></p>"
    )
    return (
        f'<div class="cv-verdict cv-{kind}" data-verdict="{escape(comparison.verdict)}">'
        f'<p class="cv-verdict-chip">{escape(chip)}</p>'
        f'<p class="cv-verdict-words">{escape(_sentence(judged, comparison))}</p>{figures}'
        f'<p class="cv-verdict-trust">{escape(comparison.trust())}</p></div>'
    )


def _sentence(judged: Judged, comparison: Comparison) -> str:
    return comparison.sentence(judged.title(judged.candidate), judged.title(judged.baseline))


def _chip(comparison: Comparison) -> tuple[str, str]:
    """The verdict in two or three words, and how it is coloured."""
    return {
        "better": ("Better", "better"),
        "worse": ("Worse", "worse"),
        "too few pictures": (f"Too few to tell: {comparison.with_truth} of the {FEWEST_PICTURES} needed", "open"),
        "no truth": ("Nothing to judge by", "open"),
    }.get(comparison.verdict, ("No clear difference", "open"))


def _intervals(judged: Judged, comparison: Comparison) -> None:
    """The gains with their intervals, and the small print below."""
    is_enough = comparison.with_truth >= FEWEST_PICTURES
    gains = {MAP_WORDS: comparison.map, AP50_WORDS: comparison.map_50}
    if not is_enough:
        gains = {words: Gain(gain.value, None, None) for words, gain in gains.items()}
    if all(gain.value is None for gain in gains.values()):
        return
    title = f"Gain of {judged.title(judged.candidate)} over {judged.title(judged.baseline)}"
    st.html(f'<p class="cv-plot-title">{escape(title)}</p>')
    alt = f"{title}: mAP {_in_words(gains[MAP_WORDS])}; AP50 {_in_words(gains[AP50_WORDS])}"
    st.plotly_chart(gain_intervals(gains), key="gain_plot", config=PLOT_CONFIG, alt=alt)
    if not is_enough:
        return
    small = (
        f"Bars: 95 % intervals ({comparison.method}: a bootstrap over pictures, the same draw for both models; "
        f"{comparison.resamples:,} resamples, seed {comparison.seed}). In favour: "
        f"{_share(comparison.map)} of them by mAP, {_share(comparison.map_50)} by AP50."
    )
    widgets.note(small)


def _in_words(gain: Gain) -> str:
    if gain.value is None or gain.interval_95 is None:
        return NO_VALUE if gain.value is None else f"{gain.value:+.3f}"
    return f"{gain.value:+.3f}, between {gain.interval_95[0]:+.3f} and {gain.interval_95[1]:+.3f}"


def _share(gain: Gain) -> str:
    """A share in percent; only what is certain is called 0 or 100."""
    if gain.share_in_favour is None:
        return NO_VALUE
    share = 100 * gain.share_in_favour
    return f"{share:.0f} %" if share in {0, 100} else f"{min(max(share, 0.1), 99.9):.1f} %"
