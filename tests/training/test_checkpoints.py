"""Run folders: what is listed, what is not, and that no name leads out of the folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cowvision.errors import ModelFileError, SettingError
from cowvision.models.catalog import all_models, find_model, own_models
from cowvision.models.places import runs_folder
from cowvision.training.checkpoints import Run, RunState, all_runs, held, is_held, make_folder, read_run
from cowvision.training.plans import Plan
from cowvision.training.run_names import check_name, check_title, delete_run, name_for, rename_run
from tests.detectors import untrained_box


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path))
    return tmp_path


def kept(name: str, begun_at: float = 1.0, *, with_model: bool = True) -> Run:
    run = Run(name, name.capitalize(), Plan(), begun_at=begun_at, looks=((0, 0.1, 0.2), (5, None, None)),
              losses=((1, 2.5),), train=("a",), settings={"iterations": 9})  # fmt: skip
    run.save()
    if with_model:
        box = untrained_box()
        box.spec = type(box.spec)(**{**vars(box.spec), "name": "model", "title": run.title})
        box.save(run.folder)
    return run


def test_a_run_is_read_as_it_was_written() -> None:
    run = kept("mine")
    assert read_run("mine") == run
    assert run.has_model


def test_runs_come_newest_first_and_what_is_none_is_left_out(home) -> None:
    for number, name in enumerate(("one", "two", "three")):
        kept(name, number, with_model=False)
    (home / "runs" / "broken").mkdir()
    (home / "runs" / "broken" / "run.json").write_text('{"title": "half')
    (home / "runs" / "empty").mkdir()
    assert [run.name for run in all_runs()] == ["three", "two", "one"]
    with pytest.raises(ModelFileError, match="not the record of a run"):
        read_run("broken")


@pytest.mark.parametrize("name", ["../one", "", "ONE", "a/b", ".", "one/../one"])
def test_a_name_never_is_a_path(name: str) -> None:
    kept("one", with_model=False)
    with pytest.raises(ModelFileError, match="no run of that name"):
        read_run(name)
    with pytest.raises(SettingError, match="other signs"):
        check_name(name)


def test_its_model_is_in_the_catalogue_under_the_runs_name() -> None:
    kept("mine")
    kept("later", 2, with_model=False)
    assert [spec.name for spec in own_models()] == ["mine"]
    assert all_models()[-1].name == "mine"
    assert find_model("mine").title == "Mine"


def test_half_a_model_is_never_listed() -> None:
    run = kept("mine")
    run.model_file.with_suffix(".json").unlink()
    assert own_models() == []
    assert not run.has_model


def test_a_damaged_model_hides_no_other() -> None:
    kept("good")
    (kept("bad").model_file.with_suffix(".json")).write_text("{")
    problems = []
    assert [spec.name for spec in own_models(problems.append)] == ["good"]
    assert len(problems) == 1


def test_names_are_free_and_of_plain_signs() -> None:
    assert name_for("Our Herd, spring '26") == "our-herd-spring-26"
    kept("our-herd", with_model=False)
    assert name_for("Our herd") == "our-herd-2"
    assert name_for("Kühe & Kälber") == "kuhe-kalber"
    assert name_for("Žofka č. 1") == "zofka-c-1"
    assert name_for("牛") == "my-model"
    assert name_for("Herd base") == "herd-base-2", "what ships keeps its name"
    with pytest.raises(SettingError, match=r"already.*--resume our-herd"):
        check_name("our-herd")


def test_another_title_keeps_the_short_name_that_scripts_use() -> None:
    run = kept("mine")
    kept("other")
    run.model_file.with_suffix(".md").write_text("# Mine\n\n- **name**: `mine`\n- **seed**: 0\n")
    model = find_model("mine")
    renamed = rename_run("mine", "  My  best herd ")
    assert (renamed.name, renamed.title, renamed.folder) == ("mine", "My best herd", run.folder)
    assert read_run("mine") == renamed
    assert find_model("mine").title == "My best herd"
    assert find_model("mine").id == model.id, "what it found before still counts"
    with pytest.raises(SettingError, match="empty"):
        rename_run("mine", "  ")
    for taken in ("Other", "herd BASE"):
        with pytest.raises(SettingError, match="there is a model called"):
            rename_run("mine", taken)
    assert run.model_file.with_suffix(".md").read_text() == "# My best herd\n\n- **name**: `mine`\n- **seed**: 0\n"


def test_its_own_name_is_not_taken_by_another() -> None:
    kept("mine")
    assert rename_run("mine", "MINE").name == "mine"
    assert read_run("mine").title == "MINE"


def test_deleting_leaves_nothing() -> None:
    run = kept("mine")
    delete_run("mine")
    assert not run.folder.exists()
    assert all_runs() == own_models() == []
    with pytest.raises(ModelFileError, match="no run of that name"):
        delete_run("mine")


def test_a_run_at_work_is_left_alone() -> None:
    run = kept("mine")
    with held(run):
        for change in (lambda: delete_run("mine"), lambda: rename_run("mine", "other")):
            with pytest.raises(ModelFileError, match="another process works on it"):
                change()
    delete_run("mine")


def test_who_dies_lets_go() -> None:
    run = kept("mine", with_model=False)
    code = ("import os; from cowvision.training.checkpoints import held, read_run\n"
            "with held(read_run('mine')): os._exit(9)")  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 9
    with held(run):
        pass


def test_states_are_told_in_the_file() -> None:
    Run("mine", "Mine", Plan(), state=RunState.STOPPED).save()
    assert json.loads((runs_folder() / "mine" / "run.json").read_text())["state"] == "stopped"


def test_a_worker_that_outlives_its_parent_does_not_keep_the_run() -> None:
    run = kept("mine", with_model=False)
    code = (
        "import os, time; from cowvision.training.checkpoints import held, read_run\n"
        "with held(read_run('mine')):\n"
        "    if os.fork() == 0: time.sleep(5); os._exit(0)\n"
        "    time.sleep(1)\n"  # until the child has let go
        "    os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 9
    with held(run):
        pass


def test_a_beginning_that_fails_takes_no_name(home, monkeypatch) -> None:
    from cowvision.training import checkpoints

    run = Run("mine", "Mine", Plan())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(ModelFileError, match="No space left"):
        patch.setattr(checkpoints, "write_atomically", full)
        make_folder(run)
    assert check_name("mine") == "mine"
    make_folder(run)
    with pytest.raises(ModelFileError, match="already"):
        make_folder(run)


def test_what_a_killed_process_left_half_written_is_cleared_away() -> None:
    run = kept("mine")
    (run.folder / ".state.pt.4711.140213").write_bytes(b"half")
    (run.folder / "state.pt").write_bytes(b"whole")
    with held(run):
        assert sorted(path.name for path in run.folder.iterdir()) == [
            ".lock", "model.json", "model.safetensors", "run.json", "state.pt",
        ]  # fmt: skip


def test_a_title_is_no_other_models_short_name() -> None:
    kept("chute")
    for taken in ("herd-base", "Chute"):
        with pytest.raises(SettingError, match="there is a model called"):
            check_title(taken)
    assert check_title("chute", but="chute") == "chute"


def test_who_works_on_a_run_is_known() -> None:
    run = kept("mine")
    assert not is_held(run)
    with held(run):
        assert is_held(run)
    delete_run("mine")
    assert not is_held(run)
