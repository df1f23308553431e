"""What is on this machine: models, the device they run on, space; read from files, so that no network library loads."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cowvision.models.catalog import ModelSpec, own_models
from cowvision.models.choices import kept_choices
from cowvision.models.detectron2_zoo import (
    BY_ENGINE,
    INSTALL,
    OWN,
    SWITCH,
    ZOO,
    can_run,
    check_choice,
    configs_folder,
    is_installed,
)
from cowvision.models.places import home_folder
from cowvision.ui import widgets
from cowvision.ui.results import known_names
from cowvision.workspace.files import free_bytes


def models_table(specs: Sequence[ModelSpec]) -> None:
    """The models that can be used at once, each with where it comes from and how good it was measured to be."""
    rows = [
        {
            "Model": spec.title,
            "Kind": _kind(spec),
            "Knows": _knows(spec),
            "Size": _megabytes(spec),
            "mAP": _quality(spec),
        }
        for spec in specs
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    st.caption("mAP: how well boxes match the truth, 0 to 1, over overlaps of 50 to 95 %.")


def facts(specs: Sequence[ModelSpec]) -> None:
    """Where models run, where things are kept, and how much space is left."""
    free = free_bytes()
    lines = [
        ("Runs on", runs_on(specs)),
        ("Kept in", f"`{home_folder()}`"),
        ("Free there", "n/a" if free is None else f"{free / 1e9:.0f} GB"),
        ("Network", "never asked, except by the buttons below"),
    ]
    st.markdown("\n".join(f"- **{name}:** {value}" for name, value in lines))
    with widgets.errors_shown():
        check_choice()
    _detectron2()


def runs_on(specs: Sequence[ModelSpec]) -> str:
    """How the first of the models that was timed here is run, in words."""
    for spec in specs:
        for key, choice in kept_choices().items():
            if key.startswith(f"{spec.architecture},"):
                return choice.describe()
    return "what is quickest here, timed at the first picture"


def _detectron2() -> None:
    """How to have detectron2 itself run models; nothing here needs it."""
    own = OWN.format(folder=f"`{configs_folder()}`")
    with st.expander("detectron2 is installed" if is_installed() else "More models with detectron2"):
        if is_installed():
            st.markdown(
                f"Its zoo's Faster R-CNNs can be fetched below, and are run by detectron2 itself; two run without it, "
                f"unless `{SWITCH}={BY_ENGINE}` is set.\n\n{own}."
            )
            return
        st.markdown(
            f"Two models of its zoo run without it and can be fetched below. With detectron2 itself there are "
            f"{len(ZOO)} more, and your own `config.yaml`.\n\n{INSTALL}.\n\n{own}."
        )
        waiting = [spec for spec in own_models(on_problem=lambda _: None) if not can_run(spec)]
        if waiting:
            st.markdown(f"**Of yours these wait for it:** {widgets.plain(', '.join(spec.name for spec in waiting))}.")


def _kind(spec: ModelSpec) -> str:
    if spec.own_map is not None:
        return "embedded"
    return "downloaded" if spec.published_map is not None else "your own"


def _knows(spec: ModelSpec) -> str:
    names = known_names([spec])
    return ", ".join(names) if len(names) <= 6 else f"{len(names)} kinds of things"


def _megabytes(spec: ModelSpec) -> str:
    return "n/a" if spec.weights is None else f"{spec.weights.stat().st_size / 1e6:.0f} MB"


def _quality(spec: ModelSpec) -> str:
    if spec.own_map is not None:
        return f"{spec.own_map:.2f} on the test herd"
    return "see Compare" if spec.published_map is None else f"{spec.published_map:.2f} on COCO, as published"
