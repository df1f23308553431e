"""One entry in the browser's history for each thing looked at: Streamlit adds one for each word of the address.

A page writes what it shows into its address, also what nobody chose. Each such word would be a place where the
browser's Back seems to do nothing, because the page says the same again. And when another page is opened, Streamlit
first writes that page's words behind the address of the one before, and only then its own path.
"""

from __future__ import annotations

from functools import cache as once
from typing import Any

import streamlit as st

PASSING = ("frame",)
"""Words of the address that change with every step: going back is not going back through them."""

_SCRIPT = """
const OPENING = 5000;  // milliseconds in which a page that is opened has written its words

export default function ({ data, parentElement }) {
  const page = parentElement.ownerDocument.defaultView;
  const { history, location, URL } = page;
  if (history.addsOnlyWhatDiffers) return;
  history.addsOnlyWhatDiffers = true;
  const add = history.pushState.bind(history);
  const lasting = (address) => [...address.searchParams].filter(([name]) => !data.passing.includes(name));
  const isPartOf = (one, other) => lasting(one).every(([name, value]) => other.searchParams.get(name) === value);
  let written = null;  // where words were written last: what stood there before, and whether an entry was added for it

  history.pushState = (state, title, address) => {
    const [here, there] = [new URL(location.href), new URL(address ?? location.href, location.href)];
    const isRecent = written !== null && Date.now() - written.at < OPENING;
    if (here.pathname === there.pathname) {
      const isAdded = !isPartOf(here, there) && !isPartOf(there, here);
      if (isAdded || !isRecent) written = { before: here.href, isAdded, at: Date.now() };
      return isAdded ? add(state, title, address) : history.replaceState(state, title, address);
    }
    const isMisplaced = isRecent && isPartOf(here, there);
    const { before, isAdded } = written ?? {};
    written = null;
    if (isMisplaced && isAdded) return history.replaceState(state, title, address);
    if (isMisplaced) history.replaceState(state, title, before);
    return add(state, title, address);
  };
  page.addEventListener("popstate", () => { written = null; });
}
"""


def one_entry_each() -> None:
    """Let an address that only says more, or less, of the same take its place in the history."""
    with st.container(key="addresses"):
        _component()(key="one_entry_each", data={"passing": list(PASSING)})


@once
def _component() -> Any:
    return st.components.v2.component("cowvision.addresses", js=_SCRIPT)
