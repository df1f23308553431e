"""What changed from one model to the other, picture by picture: the flip list, and the picture that is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import streamlit as st

from cowvision.evaluation.flips import Flip
from cowvision.ui import frame, widgets
from cowvision.ui.compare_outcomes import model_picture
from cowvision.ui.comparing import Judged
from cowvision.ui.gallery import GalleryPicture

CARDS = 8
"""Pictures on one page of the list."""

CARD_WIDTH = 148  # pixels, where the grid does not say otherwise
ADDRESS = "picture"
_PAGE, _FILTER = "flip_page", "changed"
_LABEL = Path(__file__).resolve().parents[2] / "pages" / "label.py"

CHANGES: dict[str, tuple[Callable[[Flip], int], str]] = {
    "found": (lambda flip: flip.found, "found"),
    "lost": (lambda flip: flip.lost, "lost"),
    "new false alarms": (lambda flip: flip.new_false, "new false"),
    "gone false alarms": (lambda flip: flip.gone_false, "false gone"),
}
"""Kinds of change: how many on a picture, and the words on its card."""

EVERYTHING = "all changes"


def flips(judged: Judged, threshold: float) -> None:
    """The list of pictures; a press on one opens it below."""
    st.space("small")
    every = judged.flips(threshold)
    if judged.is_pair:
        widgets.section("What changed, picture by picture", _summary(judged, every))
    else:
        widgets.section("Picture by picture", "Those with the most errors first.")
        every = sorted(every, key=lambda flip: -_errors(flip))
    shown = _filtered(every) if judged.is_pair else every
    _cards(judged, shown)


def seen(judged: Judged, threshold: float) -> None:
    """The chosen picture as both models see it, at first the one that changed most; a threshold does not change it."""
    place = _named(judged)
    if place is None:
        place = judged.flips(threshold)[0].place
        st.query_params[ADDRESS] = judged.pictures.pictures[place].key
    picture = judged.pictures.pictures[place]
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.html(f'<div class="cv-title"><h3>{escape(picture.title)}</h3></div>', width="content")
        if judged.pictures.herd_id is not None:
            label_link("Correct the truth", herd=str(judged.pictures.herd_id), picture=picture.key)
    outcomes = judged.outcomes(place, threshold)
    for column, spec, outcome in zip(st.columns(len(outcomes), gap="medium"), judged.specs, outcomes, strict=True):
        with column, widgets.errors_shown():
            model_picture(picture, spec, outcome)


def label_link(words: str, **where: str) -> None:
    """The way to Label, to a herd and a picture of it if they are named; nothing where that page is not here."""
    if frame.is_there(_LABEL.name):
        page = st.Page(_LABEL, title="Label")  # as an object it is found without the router too
        st.page_link(page, label=words, icon=":material/edit:", query_params=where or None)


def _summary(judged: Judged, every: Sequence[Flip]) -> str:
    sums = {name: sum(count(flip) for flip in every) for name, (count, _) in CHANGES.items()}
    told = f"{widgets.counted(sums['found'], 'cow')} more found, {sums['lost']} lost, "
    alarms = f"{sums['new false alarms']} new false alarms, {sums['gone false alarms']} gone"
    return f"From {judged.title(judged.baseline)} to {judged.title(judged.candidate)}: {told}{alarms}."


def _filtered(every: Sequence[Flip]) -> list[Flip]:
    """The pictures on which something of the chosen kind changed, the largest change first."""
    kind = st.segmented_control(
        "Show", [EVERYTHING, *CHANGES], default=EVERYTHING, key=_FILTER, bind="query-params", on_change=_first_page,
        label_visibility="collapsed",
    )  # fmt: skip
    if kind in CHANGES:
        count, _ = CHANGES[kind]
        return sorted((flip for flip in every if count(flip)), key=lambda flip: -count(flip))
    return [flip for flip in every if flip.changes]


def _cards(judged: Judged, shown: Sequence[Flip]) -> None:
    if not shown:
        st.info("No picture changed in this way at this threshold.", icon=":material/check:")
        return
    pages = -(-len(shown) // CARDS)
    page, named = min(st.session_state.get(_PAGE, 0), pages - 1), _named(judged)
    with st.container(key="flips", horizontal=True, gap="small"):
        for flip in shown[page * CARDS : (page + 1) * CARDS]:
            _card(judged, flip, is_current=flip.place == named)
    if pages > 1:
        first, last = page * CARDS + 1, min(len(shown), (page + 1) * CARDS)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="flip_pages"):
            st.button("Back", key="flips_back", disabled=page == 0, on_click=_turn, args=(page - 1,))
            st.markdown(f"{first} to {last} of {widgets.counted(len(shown), 'picture')}", width="content")
            st.button("Next", key="flips_next", disabled=page == pages - 1, on_click=_turn, args=(page + 1,))


def _card(judged: Judged, flip: Flip, *, is_current: bool) -> None:
    picture = _of(judged, flip)
    with st.container(key=f"card_flip_{picture.key}", width=CARD_WIDTH), widgets.errors_shown():
        st.image(picture.thumbnail(), width="stretch", alt="")
        st.button(
            widgets.plain(picture.title),
            key=f"flip_{picture.key}",
            type="primary" if is_current else "secondary",
            on_click=_look_at,
            args=(picture.key,),
        )
        st.html(_chips(flip) if judged.is_pair else _error_chips(flip))


def _chips(flip: Flip) -> str:
    """What changed on a picture; better and worse differ in their sign, not in colour alone."""
    kinds = zip(CHANGES.values(), ("cv-good", "cv-bad", "cv-bad", "cv-good"), ("▲", "▼", "▼", "▲"), strict=True)
    items = [
        f'<li class="{style}">{arrow} {count(flip)} {words}</li>'
        for (count, words), style, arrow in kinds
        if count(flip)
    ]
    return f'<ul class="cv-chips">{"".join(items)}</ul>'


def _error_chips(flip: Flip) -> str:
    words = f"{_errors(flip)} wrong or missed" if _errors(flip) else "all right"
    return f'<ul class="cv-chips"><li>{words}</li></ul>'


def _errors(flip: Flip) -> int:
    """Boxes that are wrong, and cows that are missed."""
    return len(flip.outcome.outcomes) - int(flip.outcome.found.sum()) + flip.outcome.missed


def _of(judged: Judged, flip: Flip) -> GalleryPicture:
    return judged.pictures.pictures[flip.place]


def _named(judged: Judged) -> int | None:
    """Place of the picture that the address names; None if it is none of these."""
    wanted = st.query_params.get(ADDRESS)
    return next((place for place, one in enumerate(judged.pictures.pictures) if one.key == wanted), None)


def _look_at(key: str) -> None:
    st.query_params[ADDRESS] = key


def _turn(page: int) -> None:
    st.session_state[_PAGE] = page


def _first_page() -> None:
    st.session_state[_PAGE] = 0
