"""A card says what was measured, and says "n/a" where there is no truth."""

from cowvision.evaluation.cards import CardFacts, model_card
from cowvision.evaluation.metrics import MapReport

REPORT = MapReport(12, 34, 0.5, 0.8125, 0.4, None, 0.5, 0.6, 0.1, 0.3, 0.55, {})


def card(**more: object) -> str:
    return model_card(
        CardFacts("Herd", "It finds cows.", {"size": "8 MB"}, ["Trained."], {"test herd": REPORT}, **more)
    )


def test_figures_stand_in_the_table_and_absent_ones_are_not_minus_one() -> None:
    row = next(line for line in card().splitlines() if line.startswith("| test herd"))
    assert row == "| test herd | 12 | 34 | 0.500 | 0.812 | 0.400 | n/a | 0.500 | 0.600 | 0.550 |"


def test_what_cows_are_called_is_summed_and_sorted() -> None:
    assert "the test herd's 5 cows\n\ncow 3, dog 2." in card(naming={"dog": 2, "cow": 3})


def test_empty_sections_are_left_out() -> None:
    assert "## Limits" not in card()
    assert "## Limits\n\n- From above." in card(limits=["From above."])


def test_rows_of_models_are_headed_so_and_no_figures_are_no_table() -> None:
    assert "| model | pictures | boxes | mAP |" in card(rows="model")
    assert "## Figures" not in model_card(CardFacts("Herd", "It finds cows.", {}, ["Trained."], {}))
