"""Settings: what is refused, how the learning rate follows the batch, what survives JSON."""

import json
from dataclasses import asdict, replace

import pytest

from cowvision.errors import SettingError
from cowvision.training.plans import CUSTOM, PROFILES, QUICK, Plan, looks_every, plan_from
from cowvision.training.settings import BatchSettings, FinetuneConfig, config_from
from cowvision.training.steps import rate_factor


@pytest.mark.parametrize(
    "wrong",
    [
        {"optimizer": "adam"},
        {"schedule": "linear"},
        {"iterations": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"batch": BatchSettings(batch_size=0)},
    ],
)
def test_what_nothing_can_be_made_of_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match=r"must be more than 0|not known"):
        FinetuneConfig(**wrong)


def test_the_rate_follows_the_batch() -> None:
    sgd, adamw = (FinetuneConfig(optimizer=kind, learning_rate=0.01) for kind in ("sgd", "adamw"))
    assert sgd.peak_rate(4) == adamw.peak_rate(4) == 0.01
    assert sgd.peak_rate(16) == pytest.approx(0.04)
    assert adamw.peak_rate(16) == pytest.approx(0.02)


def test_the_step_schedule_drops_twice() -> None:
    config = FinetuneConfig(iterations=90, schedule="step", warm_up=1)
    factors = [round(rate_factor(step, config), 6) for step in (0, 59, 60, 79, 80, 89)]
    assert factors == [1, 1, 0.1, 0.1, 0.01, 0.01]


def test_settings_survive_json() -> None:
    config = replace(PROFILES[QUICK], batch=BatchSettings(short_sides=(320,), seed=3))
    assert config_from(json.loads(json.dumps(asdict(config)))) == config
    with pytest.raises(ValueError, match="no settings"):
        config_from({"iterations": 3})


def test_a_plan_survives_json() -> None:
    plan = Plan(herd_id=3, scenes=0.5, class_names=("cow", "dog"), learning_rate=1e-3)
    assert plan_from(json.loads(json.dumps(asdict(plan)))) == plan


def test_where_and_how_it_is_kept_is_not_its_course() -> None:
    config = PROFILES[CUSTOM]
    assert replace(config, checkpoint_every=7, batch=replace(config.batch, workers=3)).course() == config.course()
    assert replace(config, seed=1).course() != config.course()


def test_a_plan_changes_what_it_names_and_nothing_else() -> None:
    config = Plan(profile=QUICK, iterations=33, batch_size=2, seed=5).config()
    assert (config.iterations, config.batch.batch_size, config.seed, config.batch.seed) == (33, 2, 5, 5)
    assert config.judge_every == looks_every(33) == 10
    assert config.learning_rate == PROFILES[QUICK].learning_rate
    with pytest.raises(SettingError, match="must be more than 0"):
        Plan(learning_rate=-1.0).config()
