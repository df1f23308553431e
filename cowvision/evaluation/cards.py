"""The model card: what a model was trained on, how, what it reaches, and what it cannot do, as measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cowvision.evaluation.metrics import MapReport

NO_VALUE = "n/a"


@dataclass(frozen=True)
class CardFacts:
    """All that a card says.

    Attributes:
        title: The model's name for people.
        summary: One paragraph in plain words.
        facts: Short facts (architecture, size, classes ...) by name.
        recipe: Sentences on data and training, in order.
        reports: Measured figures by the name of what ``rows`` says: a picture set, or a model.
        naming: What the model calls the test herd's cows: counts by class name, "missed" among them.
        comparisons: Sentences on gains, each with its interval.
        limits: What it cannot do, in plain words.
        how_measured: The commands that print these figures.
        rows: What a row of the figures is about; heads the first column.
    """

    title: str
    summary: str
    facts: Mapping[str, str]
    recipe: Sequence[str]
    reports: Mapping[str, MapReport]
    naming: Mapping[str, int] = field(default_factory=dict)
    comparisons: Sequence[str] = ()
    limits: Sequence[str] = ()
    how_measured: Sequence[str] = ()
    rows: str = "pictures"


def model_card(facts: CardFacts) -> str:
    """Render a card as Markdown."""
    parts = [
        f"# {facts.title}\n\n{facts.summary}",
        "\n".join(f"- **{name}**: {value}" for name, value in facts.facts.items()),
        _section("Data and recipe", facts.recipe),
        _table(facts.rows, facts.reports),
        _naming(facts.naming),
        _section("Compared", facts.comparisons),
        _section("Limits", facts.limits),
        _commands(facts.how_measured),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, sentences: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {sentence}" for sentence in sentences) if sentences else ""


def _table(rows: str, reports: Mapping[str, MapReport]) -> str:
    if not reports:
        return ""
    count = "n" if rows == "pictures" else "pictures"
    columns = (rows, count, "boxes", "mAP", "AP50", "AP75", "small", "medium", "large", "AR100")
    head = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    lines = [*head, *(_row(name, report) for name, report in reports.items())]
    return "## Figures (cow; mAP is COCO's mAP@[.50:.95])\n\n" + "\n".join(lines)


def _row(name: str, report: MapReport) -> str:
    scores = (
        report.map, report.map_50, report.map_75, report.map_small, report.map_medium, report.map_large, report.mar_100,
    )  # fmt: skip
    cells = [name, str(report.pictures), str(report.truths), *(_score(score) for score in scores)]
    return "| " + " | ".join(cells) + " |"


def _score(score: float | None) -> str:
    return NO_VALUE if score is None else f"{score:.3f}"


def _naming(naming: Mapping[str, int]) -> str:
    if not naming:
        return ""
    named = ", ".join(f"{name} {count}" for name, count in sorted(naming.items(), key=lambda item: -item[1]))
    return (
        f"## What it calls the test herd's {sum(naming.values())} cows\n\n{named}. "
        "(The name of the detection that overlaps a true cow best, from score 0.3 and IoU 0.5 up.)"
    )


def _commands(commands: Sequence[str]) -> str:
    return "## How measured\n\n```\n" + "\n".join(commands) + "\n```" if commands else ""
