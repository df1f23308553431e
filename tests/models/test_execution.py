"""The one-time choice of how a network runs here: measured, kept, overruled, never at the detections' cost."""

import os
import platform
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import torch

from cowvision.errors import SettingError
from cowvision.models import execution, half_precision
from cowvision.models.choices import Execution
from cowvision.models.execution import applied, choose_execution, preferred_device, same_detections

SURE = (np.array([[0.0, 0, 10, 10]]), np.array([0.9]), np.array([1]))


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("COWVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COWVISION_DEVICE", "cpu")
    monkeypatch.delenv("COWVISION_PRECISION", raising=False)
    monkeypatch.setattr(execution, "is_bfloat16_hopeless", lambda _: False)
    return tmp_path / "home"


class Runner:
    """Pretends to run a network: a time and an answer per precision."""

    def __init__(self, seconds: dict[str, float], answers: dict[str, tuple] | None = None) -> None:
        self.seconds, self.answers, self.calls = seconds, answers or {}, 0

    def __call__(self, execution: Execution) -> list[tuple]:
        self.calls += 1
        time.sleep(self.seconds[execution.dtype] * (1 if execution.channels_last else 2))
        return [self.answers.get(execution.dtype, SURE)]


def test_the_fastest_wins_and_is_timed_once() -> None:
    run = Runner({"float32": 0.01, "bfloat16": 0.004})
    choice = choose_execution(run, "network")
    assert (choice.device, choice.dtype, choice.channels_last) == ("cpu", "bfloat16", True)
    calls = run.calls
    assert choose_execution(run, "network") == choice
    assert run.calls == calls
    choose_execution(run, "another network")
    assert run.calls > calls


def test_other_work_for_a_while_decides_nothing() -> None:
    """It slows one run after the other; each way has its turn when it is over."""

    class Disturbed(Runner):
        def __call__(self, execution: Execution) -> list[tuple]:
            time.sleep(0.02 if 9 <= self.calls <= 12 else 0)
            return super().__call__(execution)

    assert choose_execution(Disturbed({"float32": 0.004, "bfloat16": 0.003}), "network").dtype == "bfloat16"


def test_a_precision_that_loses_a_cow_is_not_taken() -> None:
    nothing = (np.zeros((0, 4)), np.zeros(0), np.zeros(0))
    run = Runner({"float32": 0.01, "bfloat16": 0.002}, {"bfloat16": nothing})
    assert choose_execution(run, "network").dtype == "float32"


def test_bfloat16_is_not_even_tried_where_one_layer_says_that_it_is_hopeless(monkeypatch) -> None:
    monkeypatch.setattr(execution, "is_bfloat16_hopeless", lambda device: device == "cpu")
    run = Runner({"float32": 0.001})
    assert choose_execution(run, "network").dtype == "float32"
    monkeypatch.setenv("COWVISION_PRECISION", "bfloat16")
    assert choose_execution(Runner({"float32": 0.01, "bfloat16": 0.1}), "network").dtype == "bfloat16", "as asked"


@pytest.mark.parametrize(("half_seconds", "is_hopeless"), [(0.005, False), (0.025, False), (0.035, True)])
def test_hopeless_is_many_times_slower(monkeypatch, half_seconds, is_hopeless) -> None:
    monkeypatch.setattr(half_precision, "_seconds", lambda dtype, _: 0.01 if dtype == torch.float32 else half_seconds)
    half_precision.is_bfloat16_hopeless.cache_clear()
    assert half_precision.is_bfloat16_hopeless("cpu") is is_hopeless
    half_precision.is_bfloat16_hopeless.cache_clear()


def test_what_cannot_be_computed_is_hopeless(monkeypatch) -> None:
    def seconds(dtype: torch.dtype, *_: object) -> float:
        if dtype == torch.bfloat16:
            raise RuntimeError("needs another processor")
        return 0.01

    monkeypatch.setattr(half_precision, "_seconds", seconds)
    half_precision.is_bfloat16_hopeless.cache_clear()
    assert half_precision.is_bfloat16_hopeless("cpu")
    half_precision.is_bfloat16_hopeless.cache_clear()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="pretends to be an older x86-64 processor")
def test_a_processor_without_avx512_is_told_at_once() -> None:
    program = "from cowvision.models.half_precision import is_bfloat16_hopeless; print(is_bfloat16_hopeless('cpu'))"
    older = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}  # oneDNN's own way to pretend
    done = subprocess.run([sys.executable, "-c", program], env=older, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True"], done.stderr[-500:]


def test_a_way_that_fails_here_is_not_taken_unless_somebody_asks_for_it(monkeypatch) -> None:
    def run(execution: Execution) -> list:
        if execution.dtype == "bfloat16":
            raise RuntimeError("needs another processor")
        return [SURE]

    assert choose_execution(run, "k").dtype == "float32"
    monkeypatch.setenv("COWVISION_PRECISION", "bfloat16")
    with pytest.raises(RuntimeError, match="another processor"):
        choose_execution(run, "k")


def test_precision_can_be_told(monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_PRECISION", "float32")
    assert choose_execution(Runner({"float32": 0.01, "bfloat16": 0.002}), "network").dtype == "float32"
    monkeypatch.setenv("COWVISION_PRECISION", "int4")
    with pytest.raises(SettingError, match=r"COWVISION_PRECISION: 'int4' cannot .* one of: float32, bfloat16"):
        choose_execution(Runner({}), "network")


def test_a_device_that_is_not_there(monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_DEVICE", "abacus")
    with pytest.raises(SettingError, match="COWVISION_DEVICE: 'abacus'"):
        preferred_device()


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"a": {"device": "cpu", "speed": 3}}'])
def test_a_spoilt_file_of_choices_costs_only_another_timing(own_home, text: str) -> None:
    own_home.mkdir()
    (own_home / "execution.json").write_text(text)
    assert choose_execution(Runner({"float32": 0.001, "bfloat16": 0.01}), "network").dtype == "float32"


def test_a_home_that_cannot_be_written_is_no_hindrance(own_home) -> None:
    own_home.write_text("a file where the folder should be")
    choose_execution(Runner({"float32": 0.001, "bfloat16": 0.01}), "network")


def test_alike_means_same_class_place_and_score() -> None:
    boxes, scores, labels = SURE
    assert same_detections([SURE], [SURE])
    assert same_detections([(boxes + 1, scores - 0.05, labels)], [SURE])
    assert not same_detections([(boxes + 5, scores, labels)], [SURE])
    assert not same_detections([(boxes, scores - 0.3, labels)], [SURE])
    assert not same_detections([(boxes, scores, labels + 1)], [SURE])
    faint = (np.vstack([boxes, boxes + 50]), np.array([0.9, 0.2]), np.array([1, 1]))
    assert same_detections([faint], [SURE])


def test_words_for_people() -> None:
    choice = Execution("cpu", "bfloat16", channels_last=True, threads=2)
    assert choice.describe() == "CPU, 2 threads, bfloat16, channels last"
    assert replace(choice, device="cuda", dtype="float32").describe() == "CUDA, float32, channels last"


def test_applied_sets_threads_and_precision_and_no_gradients() -> None:
    with applied(Execution("cpu", "bfloat16", channels_last=False, threads=1)):
        assert torch.get_num_threads() == 1
        assert torch.is_inference_mode_enabled()
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


@pytest.mark.parametrize("fails", [False, True])
def test_applied_leaves_threads_and_gradients_as_they_were(fails) -> None:
    before = torch.get_num_threads()
    with suppress(RuntimeError), applied(Execution("cpu", "bfloat16", channels_last=False, threads=before + 1)):
        assert torch.get_num_threads() == before + 1
        if fails:
            raise RuntimeError("a network that fails")
    assert torch.get_num_threads() == before, "a training that looks now and then would go on with other threads"
    assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
