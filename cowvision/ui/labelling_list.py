"""The list of a herd's pictures: how far each is, a filter, a page of it at a time, and the way to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from html import escape

import streamlit as st

from cowvision.ui import labelling_session as memory
from cowvision.ui import widgets
from cowvision.ui.labelling_actions import when_asked
from cowvision.workspace.herds import HerdPicture, LabelState

PAGE = 12
ICONS = {
    LabelState.UNLABELLED: ":material/radio_button_unchecked:",
    LabelState.DRAFT: ":material/edit_note:",
    LabelState.LABELLED: ":material/check_circle:",
    LabelState.NO_COWS: ":material/do_not_disturb_on:",
}
GO = "go to picture"


def current(herd_id: int, pictures: Sequence[HerdPicture]) -> HerdPicture:
    """The picture the address names, the one looked at last, or the first."""
    wanted = st.query_params.get("picture", "")
    known = {one.picture_id[:16]: one for one in pictures}
    if wanted and wanted[:16] not in known:
        st.info("The picture this address names is not in this herd; here is another one.", icon=":material/search:")
    last = memory.ensure().pictures.get(herd_id, "")
    found = known.get(wanted[:16]) or known.get(last[:16]) or pictures[0]
    memory.go_to_picture(herd_id, found.picture_id)
    return found


def filtered(herd_id: int, pictures: Sequence[HerdPicture]) -> list[HerdPicture]:
    """The pictures that the filter of the list lets through, as it was set last."""
    state = st.session_state.get(f"list_state_{herd_id}") or ""
    text = str(st.session_state.get(f"list_text_{herd_id}") or "").casefold()
    return [one for one in pictures if (not state or one.state == state) and text in one.name.casefold()]


def with_state(pictures: Sequence[HerdPicture], chosen: HerdPicture, state: LabelState) -> list[HerdPicture]:
    """The same pictures, the chosen one as far as it is after what was just saved."""
    return [replace(one, state=state) if one.picture_id == chosen.picture_id else one for one in pictures]


def ways(herd_id: int, pictures: Sequence[HerdPicture], chosen: HerdPicture) -> None:
    """Previous, next, next unlabelled: along the filtered list."""
    there = filtered(herd_id, pictures)
    before, after = _around(pictures, there, chosen)
    waiting = next_waiting(pictures, chosen)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="label_ways"):
        place = f"picture {pictures.index(chosen) + 1} of {len(pictures)}"
        st.html(f'<div class="cv-picture"><b>{escape(chosen.name)}</b><span>{place}</span></div>', width="stretch")
        _way("Previous", "previous", before, "Left", ":material/arrow_back:")
        _way("Next", "next", after, "Right", ":material/arrow_forward:")
        _way("Next unlabelled", "next_unlabelled", waiting, "Shift+Right", ":material/skip_next:")


def go_if_asked(herd_id: int) -> None:
    """Follow a press on one of the ways, once the canvas was read."""
    when_asked({GO: lambda picture_id: memory.go_to_picture(herd_id, picture_id)})


def next_waiting(pictures: Sequence[HerdPicture], chosen: HerdPicture) -> HerdPicture | None:
    """The next picture behind this one, and then from the beginning, that has no answer yet."""
    place = pictures.index(chosen)
    around = [*pictures[place + 1 :], *pictures[:place]]
    return next((one for one in around if one.state in {LabelState.UNLABELLED, LabelState.DRAFT}), None)


def listed(herd_id: int, pictures: Sequence[HerdPicture], chosen: HerdPicture) -> None:
    """The list itself, one page of it."""
    states = Counter(one.state for one in pictures)
    st.selectbox(
        "Show",
        ["", *LabelState],
        format_func=lambda state: f"{state or 'all'} ({states[state] if state else len(pictures)})",
        key=f"list_state_{herd_id}",
        persist_state="session",
    )
    if len(pictures) > PAGE:
        st.text_input("Name holds", key=f"list_text_{herd_id}", persist_state="session", placeholder="part of a name")
    there = filtered(herd_id, pictures)
    if not there:
        st.caption("No picture of this herd is like that.")
        return
    pages = -(-len(there) // PAGE)
    places = [place for place, one in enumerate(there) if one.picture_id == chosen.picture_id]
    at = places[0] // PAGE + 1 if places else 1
    page = _page(herd_id, pages, at) if pages > 1 else 1
    with st.container(key="label_list", gap="small"):
        for one in there[(page - 1) * PAGE : page * PAGE]:
            st.button(
                widgets.plain(one.name),
                key=f"go_{one.picture_id[:16]}",
                icon=ICONS[one.state],
                type="primary" if one.picture_id == chosen.picture_id else "tertiary",
                width="stretch",
                help=one.state.value,
                on_click=memory.ask,
                args=(GO, one.picture_id),
            )


def _page(herd_id: int, pages: int, at: int) -> int:
    """The page to show: the one with the chosen picture, until another is asked for."""
    key, seen = f"list_page_{herd_id}", f"_list_page_at_{herd_id}"
    if st.session_state.get(seen) != (at, pages):
        st.session_state[seen] = (at, pages)
        st.session_state[key] = at
    return int(st.number_input(f"Page, 1 to {pages}", 1, pages, key=key))


def _way(label: str, key: str, to: HerdPicture | None, shortcut: str, icon: str) -> None:
    st.button(
        label, key=key, icon=icon, shortcut=shortcut, disabled=to is None, on_click=memory.ask,
        args=(GO, to.picture_id if to else ""),
    )  # fmt: skip


def _around(
    pictures: Sequence[HerdPicture], there: Sequence[HerdPicture], chosen: HerdPicture
) -> tuple[HerdPicture | None, HerdPicture | None]:
    """The neighbours of a picture in the filtered list, also of one that the filter hides."""
    places = {one.picture_id: place for place, one in enumerate(pictures)}
    here = places[chosen.picture_id]
    before = [one for one in there if places[one.picture_id] < here]
    after = [one for one in there if places[one.picture_id] > here]
    return before[-1] if before else None, after[0] if after else None
