"""What tracks came to: a verdict in words, and every figure with what it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape

import streamlit as st

from cowvision.tracking.health import HerdHealth
from cowvision.tracking.identity import IdentityReport
from cowvision.ui import widgets
from cowvision.ui.figures import NO_VALUE, Row, rows_html, score
from cowvision.workspace.tracked_clips import TrackedClip

Titled = Mapping[str, TrackedClip]
"""Results by the titles of their models, the one that is compared with first."""


@dataclass(frozen=True)
class _Figure:
    """A row: plain words, the field's term, and where its value comes from."""

    words: str
    term: str
    of: Callable[[TrackedClip], str]


def _health(value: Callable[[HerdHealth], str]) -> Callable[[TrackedClip], str]:
    return lambda tracked: value(tracked.health)


def _true(value: Callable[[IdentityReport], str]) -> Callable[[TrackedClip], str]:
    return lambda tracked: NO_VALUE if tracked.identity is None else value(tracked.identity)


def seen(health: HerdHealth) -> str:
    """How many cows were seen, with its range."""
    if not health.most:
        return "none"
    return f"{health.unique} ({health.fewest} to {health.most})"


_ALWAYS = (
    _Figure("Cows seen, about", "unique, least to most", _health(seen)),
    _Figure("Most at once", "really seen in one frame", _health(lambda one: str(one.most_at_once))),
    _Figure("Cows a frame", "mean", _health(lambda one: f"{one.mean_at_once:.1f}")),
    _Figure("How long an id lasts", "mean track length",
            _health(lambda one: NO_VALUE if one.mean_track_seconds is None else f"{one.mean_track_seconds:.1f} s")),
    _Figure("Ids that begin later", "births", _health(lambda one: str(one.births))),
    _Figure("Ids that end early", "losses", _health(lambda one: str(one.losses))),
    _Figure("Lost from sight, then seen again", "gaps", _health(lambda one: str(one.gaps))),
)  # fmt: skip
_WITHOUT_TRUTH = (
    _Figure("Cows that probably changed their id", "suspected switches",
            _health(lambda one: str(one.suspected_switches))),
)  # fmt: skip
_WITH_TRUTH = (
    _Figure("Cows that changed their id", "id switches", _true(lambda one: str(one.id_switches))),
    _Figure("Tracks broken off and begun again", "fragmentations", _true(lambda one: str(one.fragmentations))),
    _Figure("How well ids are kept", "IDF1", _true(lambda one: score(one.idf1))),
    _Figure("Finding and keeping, in one", "HOTA", _true(lambda one: score(one.hota))),
    _Figure("Boxes right, less false and switched ones", "MOTA", _true(lambda one: score(one.mota))),
    _Figure("Cows missed", "boxes",
            _true(lambda one: f"{one.misses:,} of {one.true_boxes:,}")),
    _Figure("False boxes", "false positives", _true(lambda one: f"{one.false_positives:,}")),
)  # fmt: skip

RANGE = (
    "The range goes from the most seen at once to all ids. It knows nothing of cows that were never found, nor of "
    "boxes that are no cow."
)

_MEANINGS = """
- **Cows seen**: ids that are no earlier cow again, as far as can be told. At least so many as were seen at once; at
  most as many as there are ids. Animals that were never found are in none of the three.
- **Most at once** counts boxes that the model really found in that frame. Players and plot also count those that are
  only expected there for a moment.
- **Cows a frame** is the mean of all frames, with those expected. The first few are among them, in which no cow can
  have an id yet: it gets one once it was in sight for as many frames as the setting *Sure after* says.
- **Birth**: an id begins after the first moment of the clip. **Loss**: an id is seen for the last time before the clip
  ends. **Gap**: an id is not seen for a quarter of a second or longer, and then again.
- **Suspected switch**: a new id begins inside the place where a track, lost shortly before, was about to be. It is
  probably that cow again. Two cows that exchange their ids while they pass leave no such trace: only true tracks tell.
- **Id switch**, with truth: a cow is called by another id than before. **Fragmentation**: its track breaks off and
  begins again.
- **How long an id lasts** is counted from its first frame to its last, those included in which it is only expected.
- **MOTA**: 1 less the missed, false and switched boxes, per true box; it can be negative. **IDF1**: how much of the
  time a cow has its own id, 0 to 1. **HOTA**: finding and keeping weigh the same, 0 to 1. A high MOTA says little about
  ids: read IDF1 beside it.
"""


def is_true(results: Titled) -> bool:
    """Whether true tracks are known of all: what is shown side by side is judged by one measure."""
    return all(one.identity is not None for one in results.values())


def verdict(results: Titled) -> None:
    """What came of it in a few sentences; of one model, its figures."""
    parts = [_verdict_on_ids(results), _verdict_on_numbers(results)]
    words = " ".join(part for part in parts if part)
    said = f'<p class="cv-verdict-words cv-track-words">{escape(words)}</p><p class="cv-note">{escape(RANGE)}</p>'
    st.html(f'<div class="cv-verdict">{said}</div>')


def _verdict_on_ids(results: Titled) -> str:
    known = {title: one.identity for title, one in results.items() if one.identity is not None}
    if len(known) < 2 or len(known) < len(results):
        return ""
    if uneven := _uneven(results):
        return f"Which keeps the cows apart better cannot be told: {uneven}."
    (first, base), (second, tuned) = known.items()
    if base.idf1 is None or tuned.idf1 is None or base.hota is None or tuned.hota is None:
        return ""
    if (tuned.idf1 - base.idf1) * (tuned.hota - base.hota) <= 0:
        told = f"{_scores(tuned, base)}, {_switches(tuned, base)}"
        return f"Neither keeps the cows apart better by both figures: {second} has {told}."
    there = _part(results[first], "of this clip") or " on this clip"
    if tuned.idf1 > base.idf1:
        return f"{second} keeps the cows apart better{there}: {_better(tuned, base, first)}."
    return f"{first} keeps the cows apart better{there}: {_better(base, tuned, second)}."


def _uneven(results: Titled) -> str:
    """Which results are of a part of the clip, where they do not all cover the same frames; empty where they do."""
    if len({one.frames for one in results.values()}) == 1 or all(one.whole for one in results.values()):
        return ""
    parts = [f"{title} was tracked{_part(one, 'alone')}" for title, one in results.items() if not one.whole]
    return " and ".join(parts)


def _better(one: IdentityReport, other: IdentityReport, other_title: str) -> str:
    """What speaks for the better one; switches that speak against it are said to do so."""
    if one.id_switches <= other.id_switches:
        return f"{_scores(one, other)}, {_switches(one, other)}"
    more = f"{_scores(one, other)}, although it switches ids {_times(one.id_switches)} against {other.id_switches}"
    is_blind = 2 * other.misses > other.true_boxes
    return f"{more} ({other_title} loses most cows, and a lost cow cannot switch)" if is_blind else more


def _scores(one: IdentityReport, other: IdentityReport) -> str:
    return f"IDF1 {score(one.idf1)} against {score(other.idf1)}, HOTA {score(one.hota)} against {score(other.hota)}"


def _switches(one: IdentityReport, other: IdentityReport) -> str:
    return f"id switches {one.id_switches} against {other.id_switches}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _verdict_on_numbers(results: Titled) -> str:
    told = ", ".join(f"{title} sees {_about(one.health)}{_part(one, 'alone')}" for title, one in results.items())
    truth = next((one.identity.true_ids for one in results.values() if one.identity is not None and one.whole), None)
    return f"Cows: {told}." if truth is None else f"Of {widgets.counted(truth, 'cow')}, {told}."


def _about(health: HerdHealth) -> str:
    return f"about {seen(health)}" if health.most else "none"


def _part(tracked: TrackedClip, then: str) -> str:
    return "" if tracked.whole else f" in the first {_seconds(tracked)} {then}"


def _seconds(tracked: TrackedClip) -> str:
    return f"{float(tracked.frames / Fraction(tracked.fps)):.1f} s"


def table(results: Titled) -> None:
    """Every figure, a column a model, and what the words mean."""
    uneven = _uneven(results)
    caveat = f" Not to be compared: {uneven}." if uneven else ""
    widgets.section("All figures", f"Plain words first, the field's term beside them.{caveat}")
    columns = [title if one.whole else f"{title}, first {_seconds(one)}" for title, one in results.items()]
    st.html(rows_html("Figures of the tracks", columns, rows(results)))
    with st.expander("What these words mean", icon=":material/help:"):
        st.markdown(_MEANINGS)


def rows(results: Titled) -> Sequence[Row]:
    """The rows of the table; those that need truth only where it is known of all."""
    figures = (*_ALWAYS, *(_WITH_TRUTH if is_true(results) else _WITHOUT_TRUTH))
    return [Row(one.words, one.term, [one.of(tracked) for tracked in results.values()]) for one in figures]
