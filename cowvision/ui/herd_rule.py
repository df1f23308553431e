"""The question every herd is asked once: what does a box go around where a part of the animal is hidden?"""

from __future__ import annotations

import streamlit as st

from cowvision.errors import CowVisionError
from cowvision.ui import cache
from cowvision.ui import labelling_session as memory
from cowvision.workspace.herds import Herd, LabellingRule, set_rule

_CHOICES = {
    LabellingRule.HEAD: "Head only",
    LabellingRule.WHOLE: "Whole animal, also what is hidden",
}


def ask_once(herd: Herd) -> None:
    """The question, until it is answered; the canvas does not wait for it."""
    if herd.rule is not None:
        return
    with st.container(border=True, key="label_rule"):
        st.markdown(
            "**One question before you draw: where a cow stands behind a person, what gets the box?**  \n"
            "The tutorial (Tryolabs' *hands-on guide to object detection and tracking*) met it on its first picture: a "
            "cow looks out from behind the farmer. Both answers are right, mixing them is not: a model taught with "
            "heads here and whole cows there is judged wrong half of the time, whatever it does."
        )
        with st.container(horizontal=True, gap="small"):
            for rule, words in _CHOICES.items():
                st.button(words, key=f"rule_{rule.value}", on_click=_set, args=(herd.herd_id, rule))


def reminder(herd: Herd) -> None:
    """The rule in a line, once there is one."""
    if herd.rule is not None:
        st.caption(f"This herd's rule where a part of a cow is hidden: **{herd.rule.words}**.")


def change(herd: Herd) -> None:
    """Another rule for the pictures to come."""
    rules = list(_CHOICES)
    rule = st.radio(
        "Labelling rule",
        rules,
        index=rules.index(herd.rule) if herd.rule is not None else None,
        format_func=_CHOICES.__getitem__,
        key=f"rule_of_{herd.herd_id}",
    )
    if rule is not None and rule is not herd.rule:
        if herd.labelled:
            st.warning(
                f"The {herd.labelled} pictures answered so far follow the old rule and stay as they are. "
                "Go through them again, or begin a herd of its own for the new rule.",
                icon=":material/info:",
            )
        st.button("Keep this rule", key="keep_rule", on_click=_set, args=(herd.herd_id, rule))


def _set(herd_id: int, rule: LabellingRule) -> None:
    try:
        set_rule(cache.store(), herd_id, rule)
    except CowVisionError as error:
        memory.ensure().problems.append(error)
