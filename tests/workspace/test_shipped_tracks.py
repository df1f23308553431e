"""What ships tracked: of the shipped clips and models as they are, with figures that are those of its tracks."""

import numpy as np
import pytest

from cowvision.data.annotations import scores_of
from cowvision.data.mot import mot_text, read_mot
from cowvision.detection_box import DetectionBox
from cowvision.models.catalog import embedded_models
from cowvision.tracking.clip_info import probe
from cowvision.tracking.health import EventKind
from cowvision.tracking.identity import judge_identity
from cowvision.tracking.settings import TrackerSettings
from cowvision.tracking.video import frames
from cowvision.workspace.clips import Clip, shipped_clips
from cowvision.workspace.tracked_clips import SHIPPED_FOLDER, TrackedClip, find_tracked, read_tracked
from cowvision.workspace.tracked_truth import fitted
from tests.workspace.shipped_looks import look_at, looks_of, tracked

PAIRS = [(clip, spec.name) for clip in shipped_clips() for spec in embedded_models()]
NAMES = [f"{clip.key}.{model}" for clip, model in PAIRS]

# TrackEval 1.3.0, `eval_sequence` of HOTA, CLEAR and Identity (threshold 0.5) on the MOT text of these very tracks and
# the true cows (class 21), in an environment of its own: HOTA, DetA, AssA, LocA, MOTA, IDF1, switches.
TRACKEVAL = {
    "cows_farmer_dog_horse.herd-base": (
        0.20437408784763547, 0.16276987422505373, 0.2572898395719361, 0.8307664341008595,
        0.15367965367965367, 0.19220779220779222, 1),
    "cows_farmer_dog_horse.herd-finetuned": (
        0.728024715959859, 0.6479529748076768, 0.8180488010684743, 0.9090429027254994,
        0.604978354978355, 0.7994336951392166, 2),
    "crossing.herd-base": (
        0.47025182359506007, 0.45876739107697, 0.48574877426119395, 0.7863525072216425,
        0.5241427571728482, 0.5891213389121339, 6),
    "crossing.herd-finetuned": (
        0.6741581359696521, 0.675226591380868, 0.6731501421383859, 0.8679916784289254,
        0.8047585724282715, 0.8087389804522805, 2),
    "grazing_herd.herd-base": (
        0.4186044856838881, 0.25210369313287206, 0.6996865611578896, 0.8304419111402774,
        0.31666666666666665, 0.4645115952213633, 2),
    "grazing_herd.herd-finetuned": (
        0.7709154770404711, 0.7545150617042744, 0.7900400576262041, 0.8978437153678217,
        0.8490740740740741, 0.8797233884909854, 3),
}  # fmt: skip


def shipped(clip: Clip, model: str) -> TrackedClip:
    return read_tracked(SHIPPED_FOLDER / f"{clip.key}.{model}")


@pytest.mark.parametrize(("clip", "model"), PAIRS, ids=NAMES)
def test_it_is_of_the_clip_and_the_model_as_they_are_now(clip: Clip, model: str) -> None:
    found = shipped(clip, model)
    spec = next(one for one in embedded_models() if one.name == model)
    assert (found.clip_sha256, found.model_id) == (clip.sha256, spec.id), "track it anew with --ship"
    assert found.settings == TrackerSettings()
    assert found.whole
    assert find_tracked(clip, spec, TrackerSettings()) is not None
    info = probe(found.video)
    assert (info.resolution_wh, info.frames, info.codec) == (found.resolution_wh, found.frames, "h264")


@pytest.mark.parametrize(("clip", "model"), PAIRS, ids=NAMES)
def test_its_figures_are_those_of_its_tracks_and_trackevals(clip: Clip, model: str, tmp_path) -> None:
    found = shipped(clip, model)
    truth = fitted(clip.truth(), found.table())
    assert found.identity == judge_identity(truth, found.table().by_frame())
    (tmp_path / "tracks.txt").write_text(mot_text(found.table().by_frame()))
    report = judge_identity(truth, fitted(read_mot(tmp_path / "tracks.txt"), found.table()))
    told = (report.hota, report.det_a, report.ass_a, report.loc_a, report.mota, report.idf1)
    *golden, switches = TRACKEVAL[f"{clip.key}.{model}"]
    assert told == pytest.approx(golden, abs=1e-6)
    assert report.id_switches == switches


@pytest.mark.parametrize(("clip", "model"), PAIRS, ids=NAMES)
def test_the_switches_on_its_timeline_are_the_true_ones_alone(clip: Clip, model: str) -> None:
    found = shipped(clip, model)
    switches = [
        (one.frame, one.other_id, one.track_id) for one in found.events(is_true=True) if one.kind is EventKind.SWITCH
    ]
    assert len(switches) == found.identity.id_switches
    assert sorted(switches) == sorted((one.frame, one.before, one.after) for one in found.identity.switches)


def test_suspected_switches_are_others_than_the_true_ones() -> None:
    [clip] = [one for one in shipped_clips() if one.key == "crossing"]
    found = shipped(clip, "herd-base")
    assert (found.health.suspected_switches, found.identity.id_switches) == (4, 6)


@pytest.mark.parametrize(("clip", "model"), PAIRS, ids=NAMES)
def test_the_tracker_as_it_is_now_makes_these_very_tracks(clip: Clip, model: str) -> None:
    now, ships = tracked(f"{clip.key}.{model}"), shipped(clip, model).table()
    assert now.frames == ships.frames
    for column in ("frame", "track_id", "seen"):
        assert np.array_equal(getattr(now, column), getattr(ships, column)), "track it anew with --ship"
    assert np.allclose(now.xyxy, ships.xyxy, atol=0.01)


def test_the_models_as_they_are_now_find_what_was_tracked(monkeypatch) -> None:
    monkeypatch.setenv("COWVISION_PRECISION", "float32")
    [clip] = [one for one in shipped_clips() if one.key == "crossing"]
    for model in ("herd-base", "herd-finetuned"):
        box, kept = DetectionBox(model), looks_of(f"crossing.{model}")
        for frame in frames(clip.path, every=80):
            [found] = look_at(box, [frame.rgb])
            assert np.allclose(found.xyxy, kept[frame.index].xyxy, atol=0.05)
            assert np.allclose(scores_of(found), scores_of(kept[frame.index]), atol=1e-3)


@pytest.mark.parametrize("clip", shipped_clips(), ids=lambda clip: clip.key)
def test_the_fine_tuned_model_keeps_identities_better(clip: Clip) -> None:
    base, tuned = (shipped(clip, model).identity for model in ("herd-base", "herd-finetuned"))
    assert tuned.idf1 > base.idf1 + 0.2
    assert tuned.hota > base.hota + 0.2
    assert tuned.mota > base.mota


def test_on_the_crossing_clip_it_switches_fewer_ids() -> None:
    [clip] = [one for one in shipped_clips() if one.key == "crossing"]
    base, tuned = (shipped(clip, model).identity for model in ("herd-base", "herd-finetuned"))
    assert len(tuned.switches) == tuned.id_switches < base.id_switches == len(base.switches)
    assert tuned.misses < base.misses, "it finds more cows, and so has more to mistake"
