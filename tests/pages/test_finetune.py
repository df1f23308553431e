"""The Fine-tune page as a visitor uses it, without a browser and without a process that trains."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cowvision.errors import WorkspaceError
from cowvision.models.catalog import all_models
from cowvision.models.choices import Execution, keep_choice
from cowvision.training.checkpoints import Run, RunState, all_runs, held, read_run
from cowvision.training.plans import Plan
from cowvision.ui import finetuning_begin
from cowvision.ui.finetuning_actions import _harmless
from cowvision.workspace import herds
from cowvision.workspace.coco_cows import ARCHIVE, coco_cows_folder
from cowvision.workspace.files import store_path
from cowvision.workspace.herds import LabelState
from cowvision.workspace.job_log import append_event
from cowvision.workspace.job_process import Known
from cowvision.workspace.job_work import at_work
from cowvision.workspace.jobs import Job, JobState, all_jobs
from cowvision.workspace.labels import save
from cowvision.workspace.store import Store
from tests.pages.driving import run, words
from tests.samples import encoded, noise, truth

FINETUNE = Path(__file__).resolve().parents[2] / "pages" / "finetune.py"
COWS = [[0, 10, 8, 30], [10, 10, 18, 30]]
SETTINGS = {
    "iterations": 240, "judge_every": 60, "bfloat16": False, "optimizer": "adamw", "learning_rate": 5e-4,
    "schedule": "cosine", "frozen_stages": 2, "batch": {"batch_size": 4, "short_sides": [480]},
}  # fmt: skip


@pytest.fixture
def finetune(page, begun, monkeypatch) -> AppTest:
    """The page, with the invented models of Detect's tests."""
    monkeypatch.setattr(finetuning_begin, "DOUBLE_CLICK_SECONDS", 0.0)
    test = AppTest.from_file(str(FINETUNE), default_timeout=30)
    test.session_state["_framed"] = True
    return test


def store() -> Store:
    return Store(store_path())


def herd(labelled: int, *, empty: int = 0, waiting: int = 0, name: str = "Mine", file: str = "own {}.png") -> int:
    """A herd of pictures with two cows, without any, and without an answer."""
    herd_id = herds.create_herd(store(), name).herd_id
    states = [LabelState.LABELLED] * labelled + [LabelState.NO_COWS] * empty + [LabelState.UNLABELLED] * waiting
    for number, state in enumerate(states):
        data = encoded(Image.fromarray(noise(160, 96, 300 + number)), "PNG")
        digest = herds.add_picture(store(), herd_id, data, file.format(number), (160, 96))
        if state is not LabelState.UNLABELLED:
            drawn = truth(COWS if state is LabelState.LABELLED else [])
            save(store(), herd_id, digest, drawn, based_on=0, state=state)
    return herd_id


def opened(page: AppTest, **address: str) -> AppTest:
    for name, value in address.items():
        page.query_params[name] = value
    return run(page)


def press(page: AppTest, key: str) -> None:
    page.button(key=key).click()
    run(page)


def is_there(page: AppTest, key: str) -> bool:
    return any(button.key == key for button in page.button)


def trainings() -> list[Job]:
    return all_jobs(store(), "finetune")


def written(name: str = "mine", state: RunState = RunState.DONE, *, has_model: bool = True, **facts) -> Run:
    """A run's folder; its weights are none, for nothing here looks into them."""
    made = Run(
        name, facts.pop("title", name.capitalize()), Plan(scenes=1.0), state, steps=120, settings=SETTINGS, seconds=90,
        held_out=("scene 0",) * 40, begun_at=facts.pop("begun_at", 1.0), **facts,
    )  # fmt: skip
    if has_model:
        made = replace(made, looks=((0, 0.2, 0.4), (60, 0.31, 0.5), (120, 0.29, 0.5)), best_step=60)
    made.save()
    if has_model:
        made.model_file.write_bytes(b"weights")
        settings = {"name": name, "title": made.title, "architecture": "compact-fpn-w32", "class_names": ["cow"]}
        made.model_file.with_suffix(".json").write_text(json.dumps(settings))
        made.model_file.with_suffix(".md").write_text(f"# {made.title}\n\nIts card.\n")
    return made


def done(monkeypatch, job: Job, result: object) -> None:
    """End a job as its process would."""
    monkeypatch.setenv("COWVISION_JOB", str(job.job_id))
    with at_work(store()) as work:
        work.result = result
    monkeypatch.delenv("COWVISION_JOB")


# --- what to learn from


def test_without_labelled_pictures_it_says_what_to_do_and_one_press_takes_scenes(finetune) -> None:
    herd(0, waiting=2)
    opened(finetune)
    assert "No labelled herd yet" in words(finetune)
    assert not is_there(finetune, "start")
    press(finetune, "use_scenes")
    assert finetune.query_params["data"] == "scenes"
    assert finetune.selectbox(key="chosen_data").value == "scenes"
    assert is_there(finetune, "start")


def test_the_address_holds_the_choice_and_the_command_follows_it(finetune, begun) -> None:
    number = herd(20)
    opened(finetune, data=f"herd-{number}", mix="true", profile="tutorial", start="herd-finetuned")
    press(finetune, "start")
    assert begun == [
        ("finetune", "--start", "herd-finetuned", "--profile", "tutorial", "--herd", str(number), "--scenes", "0.5",
         "--name", "mine", "--title", "Mine"),
    ]  # fmt: skip


def test_scenes_alone_need_no_herd(finetune, begun) -> None:
    opened(finetune, data="scenes", profile="quick")
    press(finetune, "start")
    assert begun == [("finetune", "--scenes", "1.0", "--name", "composed-scenes", "--title", "Composed scenes")]


def test_custom_settings_reach_the_command(finetune, begun) -> None:
    opened(finetune, data="scenes", profile="custom", iterations="12", optimizer="sgd")
    finetune.number_input(key="side").set_value(320)
    finetune.number_input(key="rate").set_value(0.002)
    finetune.slider(key="held").set_value(40)
    finetune.selectbox(key="precision").set_value("float32")
    run(finetune)
    press(finetune, "start")
    [told] = begun
    asked = dict(zip(told[1::2], told[2::2], strict=True))
    wanted = {
        "--iterations": "12", "--optimizer": "sgd", "--short-side": "320", "--learning-rate": "0.002",
        "--held-out": "0.4", "--precision": "float32",
    }  # fmt: skip
    assert {key: asked[key] for key in wanted} == wanted


def test_the_herd_with_most_labels_is_suggested(finetune) -> None:
    herd(6, name="Few")
    many = herd(8, name="Many")
    opened(finetune)
    assert finetune.query_params["data"] == f"herd-{many}"
    assert finetune.text_input(key="title_Many").value == "Many"


def test_a_herd_that_is_gone_is_said(finetune) -> None:
    herd(6)
    opened(finetune, data="herd-99")
    assert "not here" in words(finetune)


# --- guards


def test_fewer_than_five_labelled_pictures_are_refused_with_the_remedy(finetune) -> None:
    opened(finetune, data=f"herd-{herd(4)}")
    assert "4 labelled pictures are too few" in finetune.error[0].value.replace("\\", "")
    assert "Label 5 or more" in finetune.error[0].value.replace("\\", "")
    assert finetune.button(key="start").disabled
    assert finetune.button(key="estimate").disabled


def test_pictures_without_a_cow_are_refused(finetune) -> None:
    opened(finetune, data=f"herd-{herd(0, empty=6)}")
    assert "has a box around a cow" in finetune.error[0].value
    assert finetune.button(key="start").disabled


def test_too_few_to_judge_is_said_and_hinders_nobody(finetune) -> None:
    opened(finetune, data=f"herd-{herd(10)}")
    assert "About 3 of 10 pictures" in words(finetune)
    assert not finetune.button(key="start").disabled


def test_a_start_that_has_learnt_from_these_pictures_is_flagged(finetune, monkeypatch) -> None:
    number = herd(60)
    monkeypatch.setattr("cowvision.ui.finetuning_guards.trained_on", lambda _, ids: frozenset(list(ids)[:7]))
    opened(finetune, data=f"herd-{number}")
    assert "has learnt from 7 of these pictures before" in words(finetune)


def test_a_full_disk_is_told_before(finetune, monkeypatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=100 * 1024**2))
    opened(finetune, data="scenes")
    assert "100 MB are free" in finetune.error[0].value
    assert finetune.button(key="start").disabled


def test_a_workspace_that_cannot_be_used_is_said(finetune, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "file"))
    opened(finetune)
    assert finetune.error


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [("iterations", 99_999_999, "Steps"), ("batch", 65, "Pictures a step"), ("rate", 0.9, "Learning rate"),
     ("frozen", 5, "Frozen stages"), ("side", 64, "Short side"), ("seed", -1, "Seed"), ("patience", -1, "Patience")],
)  # fmt: skip
def test_a_setting_out_of_range_hinders_the_start_and_is_named(finetune, key: str, value: float, told: str) -> None:
    opened(finetune, data="scenes", profile="custom")
    assert not finetune.button(key="start").disabled
    finetune.number_input(key=key).set_value(value)
    run(finetune)
    assert finetune.number_input(key=key).value == value
    assert finetune.error[0].value.startswith(f"**{told}**")
    assert finetune.button(key="start").disabled
    assert finetune.button(key="estimate").disabled


def test_a_learning_rate_that_explodes_is_warned_of(finetune) -> None:
    opened(finetune, data="scenes", profile="custom")
    finetune.number_input(key="rate").set_value(0.04)
    finetune.selectbox(key="optimizer").set_value("sgd")
    run(finetune)
    assert "very high" not in words(finetune)
    finetune.selectbox(key="optimizer").set_value("adamw")
    run(finetune)
    assert "very high" in words(finetune)
    finetune.number_input(key="rate").set_value(0.2)
    run(finetune)
    assert "A learning rate of 0\\.2 is very high" in words(finetune)
    assert not finetune.button(key="start").disabled


def test_frames_of_one_clip_are_told_before_the_start(finetune) -> None:
    opened(finetune, data=f"herd-{herd(6, file='frame_{}.png')}")
    assert "are frames of one clip" in words(finetune)
    assert "figures will flatter" in words(finetune)


def test_what_is_promised_goes_by_clips_as_far_as_names_tell(finetune) -> None:
    number = herd(20, file="frame_{}.png")
    data = encoded(Image.fromarray(noise(160, 96, 999)), "PNG")
    digest = herds.add_picture(store(), number, data, "meadow.png", (160, 96))
    save(store(), number, digest, truth(COWS), based_on=0)
    opened(finetune, data=f"herd-{number}")
    assert "About 1 of 21 pictures" in words(finetune)


def test_fifty_are_needed_and_no_more(finetune) -> None:
    opened(finetune, data=f"herd-{herd(6)}")
    assert "so 50 pictures with cows in all" in words(finetune)


def test_a_herd_that_is_not_ready_yet_is_mentioned(finetune) -> None:
    herd(6, name="Old")
    herd(3, waiting=2, name="New")
    opened(finetune)
    assert "New is not ready yet: 3 of its 5 pictures are labelled, and 5 are needed." in words(finetune)


def test_quick_promises_no_time_that_nobody_measured(finetune) -> None:
    opened(finetune, data="scenes")
    [titles] = [one.options for one in finetune.selectbox if one.key == "chosen_profile"]
    assert "Quick: 240 steps (a minute or so on two free cores)" in titles


# --- jobs


def test_a_second_press_that_comes_too_soon_starts_nothing(finetune, monkeypatch) -> None:
    monkeypatch.setattr(finetuning_begin, "DOUBLE_CLICK_SECONDS", 60.0)
    opened(finetune, data="scenes")
    press(finetune, "start")
    press(finetune, "start")
    assert len(trainings()) == 1
    assert "was asked for just now" in finetune.toast[0].value, "no press is without an answer"


def test_a_clock_that_was_set_back_swallows_no_press(finetune, monkeypatch) -> None:
    monkeypatch.setattr(finetuning_begin, "DOUBLE_CLICK_SECONDS", 1.5)
    opened(finetune, data="scenes")
    press(finetune, "start")
    with store().transaction() as connection:
        connection.execute("UPDATE jobs SET asked_at = asked_at + 3600")
    press(finetune, "start")
    assert len(trainings()) == 2


def test_what_is_said_moves_no_part_of_the_page_and_is_said_again_if_the_page_was_cut_off(finetune) -> None:
    opened(finetune, data="scenes")
    places = list(finetune.main.children)
    finetune.session_state["_finetune_news_shown"] = ["of the page before"]  # which never came to its end
    finetune.session_state["_finetune_news"] = ["new", WorkspaceError("job", "it is gone", "Choose another")]
    run(finetune)
    assert [one.value for one in finetune.success] == ["of the page before", "new"]
    assert "it is gone" in finetune.error[0].value
    assert list(finetune.main.children) == places
    run(finetune)
    assert not finetune.success
    assert not finetune.error


def test_a_second_training_waits_under_another_name_and_can_be_taken_back(finetune, begun) -> None:
    opened(finetune, data="scenes")
    press(finetune, "start")
    press(finetune, "start")
    first, second = trainings()
    assert (first.state, second.state) == (JobState.RUNNING, JobState.WAITING)
    assert len(begun) == 1
    assert "composed-scenes-2" in second.arguments
    assert "waits for 1 job before it" in words(finetune)
    press(finetune, f"stop_{second.job_id}")
    assert trainings()[1].state is JobState.STOPPED


def test_a_name_that_is_taken_is_numbered(finetune, begun) -> None:
    written("mine", title="My cows")
    opened(finetune, data="scenes")
    finetune.text_input(key="title_Composed scenes").set_value("  my   COWS ")
    run(finetune)
    press(finetune, "start")
    assert begun[0][-4:] == ("--name", "my-cows-2", "--title", "my COWS 2")


def test_a_training_tells_how_far_it_is(finetune) -> None:
    opened(finetune, data="scenes")
    press(finetune, "start")
    [job] = trainings()
    written("composed-scenes", RunState.BEGUN, has_model=False, title="Composed scenes")
    append_event(job.job_id, {"kind": "run", "run": "composed-scenes"})
    append_event(job.job_id, {"kind": "says", "text": "Herd base looks at 40 held-out pictures"})
    append_event(job.job_id, {"kind": "look", "step": 0, "map": 0.21, "map_50": 0.4, "is_best": False})
    for step in (1, 2, 3, 4):
        append_event(job.job_id, step_event(step))
    run(finetune)
    assert finetune.get("progress")[0].proto.text == "Step 4 of 240", "so early nobody knows how long it takes"
    append_event(job.job_id, step_event(24))
    run(finetune)
    assert "Composed scenes is learning" in words(finetune)
    assert 'data-step="24"' in words(finetune)
    assert "<b>96</b> examples seen" in words(finetune)
    assert "<b>0.210</b> mAP of the start" in words(finetune)
    progress = finetune.get("progress")[0].proto.text
    assert progress.startswith("Step 24 of 240, about 2 minutes left")  # 216 steps of half a second, and looks
    press(finetune, f"stop_{job.job_id}")
    assert "best so far is kept" in finetune.get("progress")[0].proto.text


def test_why_a_training_could_not_begin_is_said_and_it_can_be_tried_again(finetune, begun, monkeypatch) -> None:
    opened(finetune, data="scenes")
    press(finetune, "start")
    [job] = trainings()
    monkeypatch.setattr(Known, "is_alive", property(lambda _: False))
    run(finetune)
    assert "it could not begin" in finetune.error[0].value
    press(finetune, f"again_{job.job_id}")
    assert len(begun) == 2


def test_tried_again_it_takes_another_name_if_its_own_is_taken_by_now(finetune, begun, monkeypatch) -> None:
    opened(finetune, data="scenes")
    press(finetune, "start")
    [job] = trainings()
    monkeypatch.setattr(Known, "is_alive", property(lambda _: False))
    written("composed-scenes", title="Somebody else's")
    run(finetune)
    assert "it could not begin" in finetune.error[0].value
    press(finetune, f"again_{job.job_id}")
    assert begun[-1][-4:] == ("--name", "composed-scenes-2", "--title", "Composed scenes")


def step_event(step: int) -> dict:
    return {
        "kind": "step", "step": step, "steps": 240, "loss": 1.5 - step / 10, "learning_rate": 1e-4, "seconds": 0.5,
        "look_seconds": 0.0, "waited": 0.05,
    }  # fmt: skip


def test_a_training_that_waits_is_said_to_wait(finetune) -> None:
    made = written(state=RunState.STOPPED)
    made.state_file.write_bytes(b"state")
    opened(finetune, data="scenes")
    press(finetune, "start")
    press(finetune, "go_on_mine")
    assert ">waits its turn<" in words(finetune)
    assert "at work, or waiting" not in words(finetune)


def test_a_name_that_is_taken_is_told_why_it_is_numbered_and_the_next_gets_its_own(finetune) -> None:
    opened(finetune, data="scenes")
    finetune.text_input(key="title_Composed scenes").set_value("herd-base")
    run(finetune)
    assert "It will be called herd-base 2" in words(finetune)
    assert "There is a model called herd-base already" in words(finetune)
    press(finetune, "start")
    assert finetune.text_input(key="title_Composed scenes").value == "Composed scenes"


def test_at_the_top_stands_where_it_runs_and_no_precision_that_training_may_not_have(finetune) -> None:
    architecture = next(spec.architecture for spec in all_models())
    keep_choice(f"{architecture}, 480 px", Execution("cpu", "float32", threads=2))
    opened(finetune, data="scenes")
    assert "<li>runs on CPU, 2 threads</li>" in words(finetune)


def test_a_terminals_training_beside_it_is_said(finetune) -> None:
    with held(written(state=RunState.BEGUN)):
        opened(finetune, data="scenes")
    assert "A training begun in a terminal computes on this machine too" in words(finetune)
    assert "one training at a time" not in words(finetune)


# --- how long


def test_the_estimate_is_asked_for_once_and_kept_for_its_choice(finetune, begun, monkeypatch) -> None:
    opened(finetune, data="scenes")
    press(finetune, "estimate")
    assert begun == [("finetune", "--scenes", "1.0", "--estimate")]
    assert "Timing three steps" in words(finetune)
    [job] = all_jobs(store(), "estimate")
    done(monkeypatch, job, {"step_seconds": 0.6, "look_seconds": 4.0, "looks": 4, "seconds": 168.0})
    run(finetune)
    assert "About 3 minutes" in words(finetune)
    assert "0.60 s a step, 4 looks of 4.0 s" in words(finetune)
    finetune.selectbox(key="chosen_profile").set_value("tutorial")
    run(finetune)
    assert is_there(finetune, "estimate")
    finetune.selectbox(key="chosen_profile").set_value("quick")
    run(finetune)
    assert "About 3 minutes" in words(finetune)
    assert len(begun) == 1


def test_an_estimate_tells_that_nothing_is_held_out_and_of_no_looks(finetune, monkeypatch) -> None:
    opened(finetune, data="scenes")
    press(finetune, "estimate")
    [job] = all_jobs(store(), "estimate")
    told = {"step_seconds": 0.6, "look_seconds": 0.0, "looks": 0, "seconds": 144.0, "notes": ["Nothing is held out."]}
    done(monkeypatch, job, told)
    run(finetune)
    assert "0.60 s a step<" in words(finetune)
    assert "look" not in words(finetune).partition("cv-estimate")[2].partition("</p>")[0]
    assert "Nothing is held out." in words(finetune)


def test_an_estimate_that_waits_can_be_left(finetune) -> None:
    opened(finetune, data="scenes")
    press(finetune, "start")
    press(finetune, "estimate")
    assert "waits for 1 job before it" in words(finetune)
    press(finetune, "stop_estimate")
    [job] = all_jobs(store(), "estimate")
    assert job.state is JobState.STOPPED
    assert is_there(finetune, "estimate")


def test_an_estimate_that_fails_says_why(finetune, monkeypatch) -> None:
    opened(finetune, data="scenes")
    press(finetune, "estimate")
    monkeypatch.setattr(Known, "is_alive", property(lambda _: False))
    run(finetune)
    assert "its process ended" in finetune.error[0].value
    assert is_there(finetune, "estimate")


# --- runs


def test_a_run_tells_what_it_came_to(finetune) -> None:
    written(verdict="On 40 pictures Mine is better than Herd base: mAP +0.110.", gain={"verdict": "better"})
    opened(finetune, data="scenes")
    told = words(finetune)
    assert 'data-run="mine" data-state="done"' in told
    assert ">better on composed scenes<" in told
    assert "the step was chosen by these very pictures: a little too good" in told
    assert "on the command line: mine" in told
    assert "<b>0.200</b>" in told
    assert "<b>0.310</b>" in told
    assert "On 40 pictures Mine is better" in told
    assert "120 of 240 steps, for it got no better" in told
    assert not is_there(finetune, "go_on_mine")


def test_a_run_that_failed_says_why_and_goes_on(finetune, begun) -> None:
    made = written(state=RunState.FAILED, problem="training: the loss has exploded. Lower the learning rate.")
    made.state_file.write_bytes(b"state")
    opened(finetune, data="scenes")
    assert "the loss has exploded" in finetune.error[0].value
    assert finetune.button(key="go_on_mine").label == "Go on"
    press(finetune, "go_on_mine")
    assert begun == [("finetune", "--resume", "mine")]
    assert not is_there(finetune, "go_on_mine")
    assert not is_there(finetune, "do_delete_mine")


def test_an_exploded_run_begins_again_with_other_settings(finetune, begun) -> None:
    problem = "training: the loss has exploded. Lower the learning rate, or look for boxes without extent."
    settings = SETTINGS | {"learning_rate": 0.2, "iterations": 77, "patience": 3}
    written(state=RunState.FAILED, has_model=False, problem=problem)
    replace(read_run("mine"), settings=settings).save()
    opened(finetune, data="scenes")
    assert not is_there(finetune, "go_on_mine"), "it would fail again"
    assert "Press Begin again with other settings" in finetune.error[0].value
    press(finetune, "otherwise_mine")
    assert begun == [], "nothing begins by itself"
    assert finetune.query_params["profile"] == "custom"
    assert finetune.number_input(key="rate").value == pytest.approx(0.02)
    assert finetune.number_input(key="iterations").value == 77
    press(finetune, "start")
    [told] = begun
    assert told[told.index("--iterations") + 1] == "77"


def test_nothing_held_out_is_said_instead_of_drawn(finetune) -> None:
    made = written(state=RunState.STOPPED, verdict="0 pictures without one true box tell nothing")
    replace(made, held_out=(), looks=()).save()
    opened(finetune, data="scenes")
    told = words(finetune)
    assert "No pictures were kept back, so nobody can say whether it got better." in told
    assert "tell nothing" not in told
    assert "n/a" not in told
    assert ">no verdict, stopped early<" in told


def test_at_work_nothing_is_drawn_where_nothing_is_held_out(finetune) -> None:
    opened(finetune, data="scenes")
    press(finetune, "start")
    replace(written("composed-scenes", RunState.BEGUN, has_model=False, title="Composed scenes"), held_out=()).save()
    run(finetune)
    assert "No pictures are kept back to judge by, so there is nothing to draw here." in words(finetune)
    assert "judged by 0" not in words(finetune)


def test_a_run_that_was_stopped_before_a_look_says_so(finetune) -> None:
    replace(written(state=RunState.STOPPED), looks=()).save()
    opened(finetune, data="scenes")
    assert "It ended before the held-out pictures were looked at" in words(finetune)


def test_a_run_that_was_killed_is_told_as_such(finetune) -> None:
    written(state=RunState.BEGUN, has_model=False)
    opened(finetune, data="scenes")
    assert "ended without a word" in finetune.error[0].value
    assert finetune.button(key="go_on_mine").label == "Begin again"


def test_a_run_of_a_terminals_command_is_left_alone(finetune) -> None:
    with held(written(state=RunState.BEGUN)):
        opened(finetune, data="scenes")
    assert not finetune.error
    assert "at work" in words(finetune)
    assert not is_there(finetune, "do_delete_mine")


def test_a_run_is_renamed_and_deleted_after_a_second_word(finetune) -> None:
    written()
    opened(finetune, data="scenes")
    finetune.text_input(key="rename_mine_Mine").set_value("Hill herd")
    run(finetune)
    press(finetune, "do_rename_mine")
    assert read_run("mine").title == "Hill herd"
    assert "is called Hill herd now; on the command line it stays `mine`" in words(finetune)
    assert finetune.button(key="do_delete_mine").disabled
    finetune.checkbox(key="sure_mine").check()
    run(finetune)
    press(finetune, "do_delete_mine")
    assert all_runs() == []
    assert finetune.toast[-1].value == "Hill herd is deleted."


def test_names_and_problems_are_shown_as_they_are(finetune) -> None:
    written(title="<img src=x> ![a](b)", state=RunState.FAILED, problem="training: <b>no</b>. Try again.")
    opened(finetune, data="scenes")
    in_pages = " ".join(element.proto.body for element in finetune.get("html"))
    assert "&lt;img src=x&gt;" in in_pages
    assert "<img" not in in_pages
    assert r"\<img src=x\> \!\[a\]\(b\)" in finetune.error[0].value


def test_the_card_is_shown_and_asks_for_nothing(finetune) -> None:
    written()
    opened(finetune, data="scenes")
    press(finetune, "show_card_mine")
    assert "Its card" in words(finetune)
    assert _harmless("# A\n![x](http://y/z.png)<b>") == "#### A\n!\\[x](http:&#8203;//y/z.png)&lt;b>"


def test_old_runs_open_on_a_press(finetune) -> None:
    for number in range(8):
        written(f"run-{number}", begun_at=float(number))
    opened(finetune, data="scenes")
    assert words(finetune).count("data-run=") == 6
    assert 'data-run="run-7"' in words(finetune)
    assert 'data-run="run-1"' not in words(finetune)


# --- COCO's cows


def test_cocos_cows_are_offered_with_size_and_licence_and_fetched_as_a_job(finetune, begun) -> None:
    opened(finetune, data="scenes")
    assert "0.6 GB" in words(finetune)
    assert "CC BY 4.0" in words(finetune)
    press(finetune, "get_cows")
    assert begun == [("fetch", "coco-cows")]
    [job] = all_jobs(store(), "fetch")
    append_event(job.job_id, {"done": 50 * 1024**2, "total": 500 * 1024**2})
    run(finetune)
    assert finetune.get("progress")[0].proto.text == "50 of 500 MB"
    press(finetune, "stop_cows")
    assert all_jobs(store(), "fetch")[0].stop_asked_at is not None


def test_cocos_cows_can_be_learnt_from_once_they_are_there(finetune, begun, monkeypatch) -> None:
    for place in ("finetuning_choice", "finetuning_begin", "finetuning_cows"):
        monkeypatch.setattr(f"cowvision.ui.{place}.coco_cows_are_there", lambda: True)
    opened(finetune, data="coco-cows")
    assert not is_there(finetune, "get_cows")
    press(finetune, "start")
    assert begun == [("finetune", "--coco-cows", "--name", "coco-s-cows", "--title", "COCO's cows")]


def test_a_fetch_that_failed_stays_open_and_says_why_once(finetune) -> None:
    opened(finetune, data="scenes")
    press(finetune, "get_cows")
    [job] = all_jobs(store(), "fetch")
    with store().transaction() as connection:
        problem = "coco-cows: images.cocodataset.org cannot be reached. Check the network and try again."
        connection.execute("UPDATE jobs SET state = 'failed', problem = ? WHERE job_id = ?", (problem, job.job_id))
    run(finetune)
    [box] = [one for one in finetune.get("expander") if "COCO" in one.label]
    assert box.proto.expanded
    told = finetune.error[0].value.replace("\\", "")
    assert told.startswith("**COCO's cows**: images.cocodataset.org cannot be reached.")
    assert "What came is kept" not in told
    assert finetune.button(key="get_cows").label == "Try again"
    coco_cows_folder().mkdir(parents=True)
    (coco_cows_folder() / f"{ARCHIVE}.part").write_bytes(b"PK")
    run(finetune)
    assert "What came is kept: press Go on" in finetune.error[0].value.replace("\\", "")
    assert finetune.button(key="get_cows").label == "Go on"
