"""Training: nothing to train on, a loss that falls, a killed run that goes on, weights that must not move."""

import copy
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from cowvision.data.annotations import AnnotatedPicture, truth_boxes
from cowvision.errors import ModelFileError, TrainingDataError
from cowvision.training.batches import batches
from cowvision.training.finetune import StepReport, finetune
from cowvision.training.settings import BatchSettings, FinetuneConfig
from tests.detectors import untrained_box, untrained_network

CONFIG = FinetuneConfig(iterations=6, learning_rate=1e-3, warm_up=1, bfloat16=False, frozen_stages=0,
                        batch=BatchSettings(batch_size=2, augment=False), average_decay=0.5)  # fmt: skip


def picture(number: int) -> AnnotatedPicture:
    """A bright square on grey, somewhere else on each picture."""
    rng = np.random.default_rng(number)
    rgb = np.full((64, 96, 3), 90, np.uint8)
    x, y = int(rng.integers(0, 60)), int(rng.integers(0, 30))
    rgb[y : y + 30, x : x + 32] = 230
    return AnnotatedPicture(f"{number}.png", truth_boxes([[x, y, x + 32, y + 30]], ["cow"]), rgb)


PICTURES = [picture(number) for number in range(5)]


def weights_of(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_no_pictures_are_refused() -> None:
    with pytest.raises(TrainingDataError, match="no pictures"):
        finetune(untrained_network(), [], CONFIG, class_names=("cow",))


def test_the_loss_falls() -> None:
    losses: list[float] = []
    config = replace(CONFIG, iterations=30, train_norms=True)
    finetune(untrained_network(), PICTURES, config, class_names=("cow",), on_step=lambda r: losses.append(r.loss))
    assert np.mean(losses[-6:]) < 0.7 * np.mean(losses[:6])


def test_a_run_that_was_killed_ends_like_the_unbroken_one(tmp_path: Path) -> None:
    unbroken = finetune(untrained_network(), PICTURES, CONFIG, class_names=("cow",))
    kept = replace(CONFIG, checkpoint=tmp_path / "run.pt", checkpoint_every=2)

    def killed(report: StepReport) -> None:
        if report.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(untrained_network(), PICTURES, kept, class_names=("cow",), on_step=killed)
    steps: list[int] = []
    resumed = finetune(untrained_network(), PICTURES, kept, class_names=("cow",),
                       on_step=lambda r: steps.append(r.step))  # fmt: skip
    assert steps == [5, 6]
    for name, value in unbroken.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, atol=1e-6, rtol=1e-5)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(ModelFileError, match=r"run\.pt.*Delete it"):
        finetune(untrained_network(), PICTURES, replace(CONFIG, checkpoint=tmp_path / "run.pt"), class_names=("cow",))


@pytest.mark.parametrize(
    ("network", "pictures", "change"),
    [
        (9, PICTURES, {}),
        (0, PICTURES[:4], {}),
        (0, PICTURES, {"learning_rate": 2e-3}),
        (0, PICTURES, {"iterations": 8}),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path, network, pictures, change) -> None:
    kept = replace(CONFIG, checkpoint=tmp_path / "run.pt", checkpoint_every=2)
    finetune(untrained_network(), PICTURES, kept, class_names=("cow",))
    with pytest.raises(ModelFileError, match=r"others.*Delete it"):
        finetune(untrained_network(seed=network), pictures, replace(kept, **change), class_names=("cow",))


def test_a_class_that_is_new_begins_the_same_way_for_the_same_seed() -> None:
    goats = [AnnotatedPicture("g", truth_boxes([[5, 5, 40, 40]], ["goat"]), PICTURES[0].source)]
    one, other = (
        untrained_box().train(goats, replace(CONFIG, iterations=1), class_names=("goat",)).spec.weights_sha256
        for _ in range(2)
    )
    assert one == other


def test_pictures_are_learnt_at_the_size_they_are_looked_at() -> None:
    box, sizes = untrained_box(), []
    hook = box.network.transform.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0][0].shape))
    large = [AnnotatedPicture("large", truth_boxes([[50, 50, 300, 300]], ["cow"]), np.zeros((480, 720, 3), np.uint8))]
    box.train(large, replace(CONFIG, iterations=1))
    hook.remove()
    assert sizes == [(3, 96, 144)]


def test_stopping_keeps_what_was_learnt() -> None:
    steps: list[int] = []
    network = finetune(untrained_network(), PICTURES, CONFIG, class_names=("cow",),
                       on_step=lambda r: steps.append(r.step), should_stop=lambda: len(steps) >= 2)  # fmt: skip
    assert steps == [1, 2]
    assert not network.training


@pytest.mark.parametrize("was_asked", [True, False])
def test_a_stop_whose_signal_ended_the_workers_too_is_a_stop(monkeypatch, tmp_path: Path, *, was_asked: bool) -> None:
    def broken(*arguments: object):
        source = batches(*arguments)
        for _ in range(2):
            yield next(source)
        stop.append(was_asked)
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Terminated.")

    stop, steps = [], []
    monkeypatch.setattr("cowvision.training.finetune.batches", broken)
    learn = partial(finetune, untrained_network(), PICTURES, replace(CONFIG, checkpoint=tmp_path / "run.pt"))
    learn = partial(learn, class_names=("cow",), on_step=steps.append, should_stop=lambda: any(stop))
    if was_asked:
        learn()
        assert (tmp_path / "run.pt").is_file()
    else:
        with pytest.raises(RuntimeError, match="killed by signal"):
            learn()
    assert [one.step for one in steps] == [1, 2]


def test_frozen_stages_and_norms_stay_as_they_are() -> None:
    network = untrained_network()
    before = weights_of(network)
    after = finetune(network, PICTURES, replace(CONFIG, frozen_stages=1), class_names=("cow",)).state_dict()
    stem = "backbone.trunk.stem.0.weight"
    torch.testing.assert_close(after[stem], before[stem])
    for value in ("running_mean", "running_var", "weight", "bias"):
        norm = f"backbone.trunk.stages.3.0.bn1.{value}"
        torch.testing.assert_close(after[norm], before[norm])
    last = "backbone.trunk.stages.3.0.conv1.weight"
    assert not torch.equal(after[last], before[last])


def test_training_a_box_returns_a_new_one_and_leaves_its_own_weights() -> None:
    box = untrained_box(("person", "cow"))
    before = weights_of(box.network)
    trained = box.train(PICTURES, replace(CONFIG, iterations=2), name="mine")
    assert trained.spec.class_names == ("cow",)
    assert trained.spec.id != box.spec.id
    for name, value in box.network.state_dict().items():
        torch.testing.assert_close(value, before[name])


def test_a_loss_that_is_no_number_stops_with_a_remedy() -> None:
    network = untrained_network()
    broken = copy.deepcopy(network)
    with torch.no_grad():
        broken.roi_heads.box_predictor.cls_score.bias.fill_(float("nan"))
    with pytest.raises(TrainingDataError, match=r"no longer a number.*Lower the learning rate"):
        finetune(broken, PICTURES, CONFIG, class_names=("cow",))


def test_step_n_holds_the_same_pixels_however_often_training_was_resumed() -> None:
    settings = BatchSettings(batch_size=2, augment=True, seed=4)
    whole = batches(PICTURES, ("cow",), settings)
    third = [next(whole) for _ in range(3)][2]
    resumed = next(batches(PICTURES, ("cow",), settings, first_step=2))
    assert all(torch.equal(a, b) for a, b in zip(third[0], resumed[0], strict=True))


def test_a_mirrored_picture_takes_its_boxes_along() -> None:
    source = batches([picture(1)], ("cow",), BatchSettings(batch_size=16, augment=True))
    pictures, targets = next(source)
    for rgb, target in zip(pictures, targets, strict=True):
        for x0, y0, x1, y1 in target["boxes"].int().tolist():
            inside, whole = rgb[:, y0:y1, x0:x1].float(), rgb.float()
            outside = (whole.sum() - inside.sum()) / max(1, whole.numel() - inside.numel())
            assert inside.mean() > outside + 40


def test_a_gradient_that_is_no_number_moves_nothing(tmp_path: Path, monkeypatch) -> None:
    from cowvision.training import finetune as loop

    losses_of = loop.losses_of

    def poisoned(*arguments: object) -> dict[str, torch.Tensor]:
        losses = losses_of(*arguments)
        return {name: value + torch.sqrt(value * 0) for name, value in losses.items()}  # finite; its slope is not

    monkeypatch.setattr(loop, "losses_of", poisoned)
    network = untrained_network()
    before = weights_of(network)
    with pytest.raises(TrainingDataError, match="the gradient is no longer a number after 0 steps"):
        finetune(network, PICTURES, replace(CONFIG, checkpoint=tmp_path / "run.pt"), class_names=("cow",))
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, before[name])
    assert not (tmp_path / "run.pt").exists()


def test_the_learning_rate_is_obeyed() -> None:
    still = finetune(untrained_network(), PICTURES, replace(CONFIG, learning_rate=1e-12), class_names=("cow",))
    moved = finetune(untrained_network(), PICTURES, CONFIG, class_names=("cow",))
    name = "roi_heads.box_predictor.cls_score.weight"
    begun = untrained_network().state_dict()[name]
    torch.testing.assert_close(still.state_dict()[name], begun, atol=1e-7, rtol=0)
    assert not torch.allclose(moved.state_dict()[name], begun, atol=1e-5)


def test_the_gradient_is_clipped() -> None:
    config = replace(CONFIG, iterations=1, optimizer="sgd", learning_rate=1.0, clip=1e-3, weight_decay=0.0,
                     batch=replace(CONFIG.batch, batch_size=4), average_decay=0.0)  # fmt: skip
    before, after = untrained_network().state_dict(), untrained_network()
    finetune(after, PICTURES, config, class_names=("cow",))
    moved = torch.cat([(after.state_dict()[name] - value).flatten() for name, value in before.items()])
    assert 5e-4 < float(moved.norm()) <= 1.001e-3


def test_the_best_is_returned_and_not_the_last() -> None:
    seen: list[dict[str, torch.Tensor]] = []

    def judge(network: torch.nn.Module) -> float:
        seen.append(weights_of(network))
        return [0.2, 0.5, 0.1][len(seen) - 1]

    looks = []
    best = finetune(untrained_network(), PICTURES, replace(CONFIG, judge_every=2), class_names=("cow",), judge=judge,
                    on_look=lambda look, _: looks.append((look.step, look.score, look.is_best)))  # fmt: skip
    assert looks == [(2, 0.2, True), (4, 0.5, True), (6, 0.1, False)]
    for name, value in best.state_dict().items():
        torch.testing.assert_close(value, seen[1][name])
    assert any(not torch.equal(seen[2][name], value) for name, value in best.state_dict().items())


def test_what_is_judged_is_the_average() -> None:
    raw, judged = untrained_network(), []
    config = replace(CONFIG, judge_every=6, average_decay=0.9)
    finetune(raw, PICTURES, config, class_names=("cow",), judge=lambda one: judged.append(weights_of(one)) or 0.1)
    name = "roi_heads.box_predictor.cls_score.weight"
    begun, last = untrained_network().state_dict()[name], raw.state_dict()[name]
    average = judged[0][name]
    assert not torch.allclose(average, last, atol=1e-6)
    assert (average - last).norm() < (begun - last).norm(), "and it follows"


def test_it_ends_when_it_gets_no_better() -> None:
    steps = []
    config = replace(CONFIG, iterations=40, judge_every=2, patience=2)
    finetune(untrained_network(), PICTURES, config, class_names=("cow",), judge=lambda _: 0.3,
             on_step=lambda report: steps.append(report.step))  # fmt: skip
    assert steps[-1] == 6, "the first look is the best, two more are no better"


def test_a_mixture_has_its_share_of_scenes_and_no_scene_twice() -> None:
    from cowvision.training.mixing import Mixed

    labelled = PICTURES[:4]
    scenes = [AnnotatedPicture(f"scene {n}", truth_boxes([], []), PICTURES[0].source) for n in range(400)]
    names = [one.name for one in Mixed(labelled, scenes, 0.3, 400, 1)]
    drawn = [name for name in names if name.startswith("scene")]
    assert 0.2 < len(drawn) / 400 < 0.4
    assert len(set(drawn)) == len(drawn)
    counts = [names.count(one.name) for one in labelled]
    assert min(counts) > 0.6 * max(counts)
