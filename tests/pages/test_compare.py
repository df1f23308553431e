"""The Compare page as a visitor uses it, without a browser."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from cowvision.data.formats import write_coco
from cowvision.data.pictures import save_jpeg
from cowvision.errors import ModelFileError
from cowvision.models.catalog import ModelSpec
from cowvision.ui import cache, compare_fairness, compare_table, comparing, evaluation_sets
from cowvision.workspace import herds
from cowvision.workspace.files import store_path
from cowvision.workspace.herds import LabelState
from cowvision.workspace.labels import save
from cowvision.workspace.store import Store
from tests.pages.conftest import SPECS
from tests.pages.driving import run, words
from tests.samples import encoded, noise, truth

COMPARE = Path(__file__).resolve().parents[2] / "pages" / "compare.py"
COWS = [[0, 10, 8, 30], [10, 10, 18, 30], [20, 10, 28, 30]]


@pytest.fixture
def test_herd(tmp_path, monkeypatch) -> Path:
    """Seventeen pictures, one without cows: the fine-tuned model finds all three of the others, the base model two."""
    folder = tmp_path / "test_herd"
    rows = []
    for number in range(17):
        save_jpeg(noise(160, 96, 50 + number), folder / f"p{number}.jpg")
        rows.append((f"p{number}.jpg", (160, 96), truth(COWS if number else [])))
    write_coco(folder / "truth.json", rows)
    monkeypatch.setattr("cowvision.ui.evaluation_sets.TEST_HERD_FOLDER", folder)
    return folder


@pytest.fixture
def page(stills, test_herd, fake_boxes, tmp_path, monkeypatch):
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    st.cache_data.clear()
    st.cache_resource.clear()
    test = AppTest.from_file(str(COMPARE), default_timeout=60)
    test.session_state["_framed"] = True
    yield test
    st.cache_data.clear()
    st.cache_resource.clear()


def opened(page: AppTest, **address: str) -> AppTest:
    """The page at an address, once every model has looked at every picture."""
    for name, value in address.items():
        page.query_params[name] = value
    run(page)
    if "_compare_looks" in page.session_state and page.session_state["_compare_looks"].counting is not None:
        page.session_state["_compare_looks"].counting.finish(30)
    return run(page)


def verdict(page: AppTest) -> str:
    [found] = re.findall(r'data-verdict="([^"]+)"', words(page))
    return found


def at_threshold(page: AppTest) -> dict[str, tuple[int, int]]:
    """Cows found and false alarms by model, as the studio tells them."""
    found = re.findall(r'data-point="([\w-]+)" data-found="(\d+)" data-false="(\d+)"', words(page))
    return {model: (int(cows), int(false)) for model, cows, false in found}


def cards(page: AppTest) -> list[str]:
    return [button.label for button in page.button if button.key.startswith("flip_")]


def workspace_herd(states: list[LabelState], name: str = "Mine") -> int:
    """A herd with a picture a state; labelled ones have three cows."""
    store = Store(store_path())
    herd = herds.create_herd(store, name).herd_id
    for number, state in enumerate(states):
        data = encoded_picture(number)
        digest = herds.add_picture(store, herd, data, f"own {number}.png", (160, 96))
        drawn = truth(COWS) if state in {LabelState.LABELLED, LabelState.DRAFT} else truth([])
        if state is not LabelState.UNLABELLED:
            save(store, herd, digest, drawn, based_on=0, state=state)
    return herd


def encoded_picture(number: int) -> bytes:
    return encoded(Image.fromarray(noise(160, 96, 200 + number)), "PNG")


def test_the_verdict_comes_first_and_in_words(page) -> None:
    opened(page)
    assert verdict(page) == "better"
    assert "On 17 pictures Herd fine-tuned is better than Herd base" in words(page)
    assert "1,000 resamples, seed 0" in words(page)
    assert page.query_params["set"] == "test-herd"
    assert (page.query_params["baseline"], page.query_params["candidate"]) == ("herd-base", "herd-finetuned")


def test_the_other_way_round_it_is_worse(page) -> None:
    opened(page, baseline="herd-finetuned", candidate="herd-base")
    assert verdict(page) == "worse"


def test_a_handful_of_pictures_is_too_few_to_tell(page) -> None:
    opened(page, set="stills")
    assert verdict(page) == "too few pictures"
    assert "Too few to tell: 2 of the 15 needed" in words(page)
    assert "No interval is quoted: below 15 pictures with something to find" in words(page)
    assert "take it as a hint" not in words(page)
    assert "resamples" not in words(page)


def test_the_second_opening_runs_no_network(page, fake_boxes) -> None:
    opened(page)
    assert [len(box.seen) for box in fake_boxes.values()] == [17, 17]
    st.cache_data.clear()
    st.cache_resource.clear()
    again = AppTest.from_file(str(COMPARE), default_timeout=60)
    again.session_state["_framed"] = True
    run(again)
    assert verdict(again) == "better"
    assert [len(box.seen) for box in fake_boxes.values()] == [17, 17]


def test_the_slider_moves_the_figures_and_never_the_network(page, fake_boxes) -> None:
    opened(page)
    assert at_threshold(page) == {"herd-base": (16, 1), "herd-finetuned": (48, 3)}
    page.slider(key="cutoff").set_value(0.7)
    run(page)
    assert at_threshold(page) == {"herd-base": (16, 1), "herd-finetuned": (32, 2)}
    page.slider(key="cutoff").set_value(0.2)
    run(page)
    assert at_threshold(page)["herd-base"] == (32, 2)
    assert [len(box.seen) for box in fake_boxes.values()] == [17, 17]
    assert 'data-network-runs="34"' in words(page)


def test_the_best_thresholds_are_a_press_away(page) -> None:
    opened(page)
    label = page.button(key="jump_herd-finetuned_best F1").label
    page.button(key="jump_herd-finetuned_best F1").click()
    run(page)
    assert page.slider(key="cutoff").value == pytest.approx(float(re.search(r"\*\*(0\.\d+)\*\*", label)[1]))
    assert at_threshold(page)["herd-finetuned"] == (48, 3)


def test_a_threshold_that_counts_unfairly_is_told_with_the_way_out(page) -> None:
    opened(page)
    page.slider(key="cutoff").set_value(0.95)
    run(page)
    assert "At 0.95 **Herd fine\\-tuned** counts 2.8 cows a picture too few here; fairest is" in words(page)
    page.button(key="fairest_herd-finetuned").click()
    run(page)
    assert "fairest_herd-finetuned" not in [one.key for one in page.button]
    assert page.slider(key="cutoff").value < 0.95


def test_the_fairest_threshold_is_known_elsewhere_once_every_picture_was_looked_at(page) -> None:
    assert compare_fairness.fairest_on_test_herd(SPECS[1]) is None
    opened(page)
    point = compare_fairness.fairest_on_test_herd(SPECS[1])
    [jump] = [one for one in page.button if one.key == "jump_herd-finetuned_fairest count"]
    assert f"at **{point.threshold:.2f}**" in jump.label


def test_an_address_that_names_a_model_twice_is_told_what_is_shown(page) -> None:
    opened(page, baseline="herd-finetuned", candidate="herd-finetuned")
    assert "names Herd fine\\-tuned twice" in words(page)
    assert page.query_params["candidate"] == "herd-base"
    assert "not here (any more)" not in words(page)


def test_the_candidate_chosen_as_the_baseline_exchanges_the_two(page) -> None:
    opened(page)
    page.selectbox(key="chosen_baseline").set_value("herd-finetuned")
    run(page)
    assert (page.query_params["baseline"], page.query_params["candidate"]) == ("herd-finetuned", "herd-base")
    assert "twice" not in words(page) and "not here (any more)" not in words(page)


def test_another_set_forgets_the_picture_of_the_one_before(page) -> None:
    opened(page)
    before = page.query_params["picture"]
    page.selectbox(key="chosen_set").set_value("stills")
    opened(page)
    assert page.query_params["picture"] != before
    store = Store(store_path())
    herds.create_herd(store, "The tutorial's two pictures")
    run(page)
    titles = page.selectbox(key="chosen_set").options
    assert "Your herd: The tutorial's two pictures (0 of 0 labelled)" in titles
    assert len(set(titles)) == len(titles)


def test_the_flip_list_filters_pages_and_opens_a_picture(page) -> None:
    opened(page)
    assert "32 cows more found, 0 lost, 2 new false alarms, 0 gone" in words(page)
    assert len(cards(page)) == 8
    assert "1 to 8 of 17 pictures" in words(page)
    page.button(key="flips_next").click()
    run(page)
    assert "9 to 16 of 17 pictures" in words(page)
    page.segmented_control(key="changed").set_value("new false alarms")
    run(page)
    assert len(cards(page)) == 1
    page.button(key="flip_p0").click()
    run(page)
    assert page.query_params["picture"] == "p0"
    assert "there is nothing here (background)" in words(page)
    page.segmented_control(key="changed").set_value("lost")
    run(page)
    assert "No picture changed in this way" in words(page)
    assert page.query_params["picture"] == "p0"


def test_the_picture_says_what_each_model_missed(page) -> None:
    opened(page, picture="p3")
    assert "missed: no box of a cow fits it" in words(page)
    page.slider(key="cutoff").set_value(0.25)
    run(page)
    assert words(page).count("1 missed") == 1
    assert page.query_params["picture"] == "p3"


def test_three_tools_verify_the_figures_on_a_press(page) -> None:
    opened(page)
    assert not page.success
    page.button(key="verify").click()
    run(page)
    assert len(page.success) == 2
    assert all("All three agree" in one.value for one in page.success)
    assert "pycocotools" in words(page)


def test_error_types_have_a_price_each(page) -> None:
    opened(page)
    shown = words(page)
    assert all(kind in shown for kind in ("class", "location", "both", "duplicate", "background", "missed"))
    assert "A cow without any box." in shown


def test_without_truth_there_is_no_value_and_never_minus_one(page) -> None:
    herd = workspace_herd([LabelState.NO_COWS, LabelState.NO_COWS])
    opened(page, set=f"herd-{herd}")
    assert verdict(page) == "no truth"
    assert "n/a" in words(page)
    assert "-1" not in re.sub(r"data-\S+|[\d.]*-1\d", "", " ".join(re.findall(r"<td>(.*?)</td>", words(page))))
    assert "no error has a price" in words(page)


def test_of_a_herd_only_confirmed_pictures_count(page) -> None:
    herd = workspace_herd([LabelState.LABELLED, LabelState.DRAFT, LabelState.UNLABELLED, LabelState.NO_COWS])
    opened(page, set=f"herd-{herd}")
    assert 'data-pictures="2"' in words(page)
    assert "2 pictures without an answer yet left out" in words(page)
    assert "Too few to tell: 1 of the 15 needed" in words(page), (
        "a picture without cows tells nothing about finding them"
    )
    [link] = page.get("page_link")
    assert link.proto.label == "Correct the truth"
    assert re.search(rf"herd={herd}&picture=[0-9a-f]{{16}}$", link.proto.query_string)


def test_a_correction_of_the_truth_counts_at_once(page) -> None:
    herd = workspace_herd([LabelState.LABELLED])
    opened(page, set=f"herd-{herd}")
    assert at_threshold(page)["herd-finetuned"] == (3, 0)
    store = Store(store_path())
    [picture] = herds.pictures_of(store, herd)
    revision = store.rows("SELECT max(revision) FROM revisions")[0][0]
    save(store, herd, picture.picture_id, truth([*COWS, [30, 10, 38, 30]]), based_on=revision)
    run(page)
    assert "1 missed" in words(page)
    assert at_threshold(page)["herd-finetuned"] == (3, 0)


def test_a_herd_without_labels_leads_to_label(page) -> None:
    herd = workspace_herd([LabelState.UNLABELLED], name="<b>New</b>")
    opened(page, set=f"herd-{herd}")
    assert "Nothing of this herd is labelled yet" in words(page)
    [link] = page.get("page_link")
    assert link.proto.label == "Go to Label"
    assert f"herd={herd}" in link.proto.query_string
    assert "data-verdict" not in words(page)


def test_a_set_of_another_address_falls_back_to_the_first(page) -> None:
    opened(page, set="herd-99", baseline="gone", candidate="gone")
    assert verdict(page) == "better"
    assert words(page).count("is not here (any more)") == 3, "nobody is shown another comparison without a word"


def test_choosing_changes_the_address_and_the_verdict(page) -> None:
    opened(page)
    page.selectbox(key="chosen_set").set_value("stills")
    opened(page)
    assert page.query_params["set"] == "stills"
    assert verdict(page) == "too few pictures"


def test_one_model_alone_is_reported_without_a_comparison(page) -> None:
    opened(page, candidate="")
    page.selectbox(key="chosen_candidate").set_value("")
    opened(page)
    assert verdict(page) == "alone"
    assert list(at_threshold(page)) == ["herd-base"]
    assert "Picture by picture" in words(page)


def test_a_model_that_cannot_be_loaded_is_named_and_the_other_goes_on(page, fake_boxes, monkeypatch) -> None:
    make = cache.DetectionBox

    def broken(spec: ModelSpec):
        if spec.name == "herd-finetuned":
            raise ModelFileError("herd-finetuned.safetensors", "it is damaged", "Fetch it again")
        return make(spec)

    monkeypatch.setattr("cowvision.ui.cache.DetectionBox", broken)
    opened(page)
    assert any("it is damaged" in error.value for error in page.error)
    assert verdict(page) == "alone"
    assert "Only one of the models can be used" in words(page)


def test_a_picture_that_cannot_be_read_is_named_and_left_out(page, test_herd, fake_boxes) -> None:
    (test_herd / "p7.jpg").write_bytes(b"no picture")
    opened(page)
    assert any("p7" in error.value for error in page.error)
    assert "Judged on 16 of 17 pictures" in words(page)
    assert verdict(page) == "better"
    assert page.button(key="go_on_looking")


def test_what_was_stopped_can_go_on(page) -> None:
    run(page)
    looks = page.session_state["_compare_looks"]
    looks.counting.finish(30)
    looks.stopped = True
    with Store(store_path()).transaction() as connection:
        connection.execute("DELETE FROM predictions")
    run(page)
    assert "No picture was looked at by every model yet" in words(page)
    page.button(key="go_on_looking").click()
    opened(page)
    assert verdict(page) == "better"


def test_training_pictures_are_flagged_and_can_be_left_out(page, test_herd, tmp_path, monkeypatch) -> None:
    ids = [hashlib.sha256((test_herd / f"p{number}.jpg").read_bytes()).hexdigest() for number in range(4)]
    weights = tmp_path / "own.safetensors"
    weights.write_bytes(b"")
    weights.with_suffix(".json").write_text(json.dumps({"trained_on": ids}))
    own = replace(SPECS[1], weights=weights)
    monkeypatch.setattr("cowvision.models.catalog.all_models", lambda **_: [SPECS[0], own])
    opened(page)
    [warning] = page.warning
    assert "Trained on these pictures" in warning.value
    assert "4 of 17" in warning.value
    page.toggle(key="unseen_only").set_value(True)
    opened(page)
    assert verdict(page) == "too few pictures"
    assert "13 of the 15 needed" in words(page)


def test_no_models_and_no_sets_are_said(page, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("cowvision.models.catalog.all_models", lambda **_: [])
    run(page)
    assert "no trained models" in words(page)


def test_without_a_workspace_the_shipped_sets_are_there(page, tmp_path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    run(page)
    assert page.error
    assert page.selectbox(key="chosen_set").options == ["Test herd", "Shipped stills", "The tutorial's two pictures"]


def test_the_table_leaves_as_csv_and_json(page) -> None:
    opened(page)
    chosen = evaluation_sets.read_set("test-herd")
    answers = {spec: cache.known_for_all([one.id for one in chosen.pictures], spec) for spec in SPECS}
    judged = comparing.judged(chosen, answers)
    table = compare_table.figures(judged, 0.5)
    assert table.set_index("term").loc["recall", "difference"] == pytest.approx(2 / 3)
    assert table.set_index("term").loc["AP large", "Herd base"] != -1
    document = json.loads(compare_table.as_json(judged, 0.5))
    assert document["comparison"]["verdict"] == "better"
    assert [one["name"] for one in document["models"]] == ["herd-base", "herd-finetuned"]
