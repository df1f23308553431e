"""How figures are shown to people: as numbers, in tables, in plots. It needs no network, so that pages come at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

NO_VALUE = "n/a"
PLOT_CONFIG = {"displayModeBar": False}
"""Of Plotly's charts."""


@dataclass(frozen=True)
class Row:
    """A row to show: words, small print below them, and a cell a column."""

    words: str
    small: str
    cells: Sequence[str]


def score(value: float | None) -> str:
    """A figure of 0..1 for people."""
    return NO_VALUE if value is None else f"{value:.3f}"


def rows_html(label: str, columns: Sequence[str], rows: Sequence[Row]) -> str:
    """A table that fits a phone: each row's words with its small print below, then a column a name."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(row.words)}<small>{escape(row.small)}</small></th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row.cells)
        + "</tr>"
        for row in rows
    )
    return (
        f'<table class="cv-figures" aria-label="{escape(label)}"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
