"""Every figure of both models in one table, to read and to take away."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import streamlit as st

from cowvision.evaluation.metrics import MapReport
from cowvision.evaluation.operating import OperatingPoint
from cowvision.models.catalog import ModelSpec
from cowvision.ui import widgets
from cowvision.ui.comparing import Judged
from cowvision.ui.figures import NO_VALUE, Row, rows_html

DIFFERENCE = "difference"


@dataclass(frozen=True)
class Figure:
    """A row: what it says in plain words, the field's term, and where its value comes from."""

    words: str
    term: str
    of: Callable[[MapReport, OperatingPoint], float | None]


FIGURES = (
    Figure("How well boxes match", "mAP@[.50:.95]", lambda report, _: report.map),
    Figure("… if half an overlap is enough", "AP50", lambda report, _: report.map_50),
    Figure("… if three quarters are asked for", "AP75", lambda report, _: report.map_75),
    Figure("… of small cows (below 32² px)", "AP small", lambda report, _: report.map_small),
    Figure("… of middling cows (up to 96² px)", "AP medium", lambda report, _: report.map_medium),
    Figure("… of large cows", "AP large", lambda report, _: report.map_large),
    Figure("Found with one box a picture", "AR1", lambda report, _: report.mar_1),
    Figure("Found with ten", "AR10", lambda report, _: report.mar_10),
    Figure("Found with a hundred", "AR100", lambda report, _: report.mar_100),
)
"""They look at every box, whatever its score."""

AT_THRESHOLD = (
    Figure("Boxes that are right", "precision", lambda _, point: point.precision),
    Figure("Cows that are found", "recall", lambda _, point: point.recall),
    Figure("Both in one", "F1", lambda _, point: point.f1),
    Figure("Count is off by, a picture", "count error", lambda _, point: point.count_error),
    Figure("Counts too many (+) or too few (−)", "count bias", lambda _, point: point.count_bias),
)
"""They depend on the threshold."""


def table(judged: Judged, threshold: float) -> None:
    """The table, and the buttons to take it away."""
    st.space("small")
    widgets.section("All figures", "Plain words first, the field's term beside them. n/a: no truth to judge it by.")
    rows = figures(judged, threshold)
    columns = [name for name in rows.columns if name not in {"what", "term"}]
    shown = [
        Row(str(row["what"]), str(row["term"]), [_shown(row[name], signed=name == DIFFERENCE) for name in columns])
        for row in rows.to_dict("records")
    ]
    st.html(rows_html("Figures of both models", columns, shown))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = f"cowvision-{judged.pictures.key}"
        st.download_button("CSV", lambda: rows.to_csv(index=False, na_rep=NO_VALUE), f"{name}.csv", "text/csv",
                           key="figures_csv", on_click="ignore")  # fmt: skip
        st.download_button("JSON", lambda: as_json(judged, threshold), f"{name}.json", "application/json",
                           key="figures_json", on_click="ignore")  # fmt: skip
        st.caption(f"The last {len(AT_THRESHOLD)} rows are at the threshold {threshold:.2f}; the others need none.")


def figures(judged: Judged, threshold: float) -> pd.DataFrame:
    """A row a figure: words, term, a column a model, and the difference; empty where there is no truth for it."""
    rows = (*FIGURES, *AT_THRESHOLD)
    columns: dict[str, list[Any]] = {"what": [row.words for row in rows], "term": [row.term for row in rows]}
    for spec in judged.specs:
        measured = judged.report(spec), judged.point(spec, threshold)
        columns[judged.title(spec)] = [row.of(*measured) for row in rows]
    table = pd.DataFrame(columns).astype({judged.title(spec): "float64" for spec in judged.specs})
    if judged.is_pair:
        table[DIFFERENCE] = table[judged.title(judged.candidate)] - table[judged.title(judged.baseline)]
    return table


def as_json(judged: Judged, threshold: float) -> str:
    """Everything that was measured, by model, and the comparison."""
    document: dict[str, Any] = {
        "pictures": judged.pictures.title,
        "set_sha256": judged.pictures.id,
        "models": [_model(judged, spec, threshold) for spec in judged.specs],
    }
    if judged.is_pair:
        document["comparison"] = {
            "candidate": judged.candidate.name, "baseline": judged.baseline.name, **judged.comparison().as_dict()
        }  # fmt: skip
    return json.dumps(document, indent=2) + "\n"


def _model(judged: Judged, spec: ModelSpec, threshold: float) -> dict[str, Any]:
    return {
        "name": spec.name,
        "title": judged.title(spec),
        "model_sha256": spec.id,
        **judged.report(spec).as_dict(),
        "at_threshold": asdict(judged.point(spec, threshold)),
    }


def _shown(value: float, *, signed: bool = False) -> str:
    if pd.isna(value):
        return NO_VALUE
    return f"{value:+.3f}" if signed else f"{value:.3f}"
