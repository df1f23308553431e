"""What a plan learns from and what it is judged on: gathered, checked, split and frozen before the first step."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cowvision.data.annotations import AnnotatedPicture, check_trainable, names_of
from cowvision.data.bursts import Trace, trace_of
from cowvision.data.formats import read_coco
from cowvision.data.pictures import decode_picture
from cowvision.errors import AnnotationError, PictureError, TrainingDataError
from cowvision.models.callbacks import never, silent, stop_if
from cowvision.training.plans import FEWEST_PICTURES, SCENES_HELD_OUT, Plan
from cowvision.training.recipes import scenes_to_judge_by
from cowvision.workspace.coco_cows import coco_cows, coco_cows_are_there, coco_cows_were_begun
from cowvision.workspace.files import blob_path
from cowvision.workspace.herds import pictures_of, read_herd
from cowvision.workspace.store import Store
from cowvision.workspace.training_sides import HELD_OUT, TRAIN, Labelled, sides_of
from cowvision.workspace.truths import truths_of

OnPicture = Callable[[int, int], object]


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Labelled pictures on their two sides.

    Attributes:
        train: To learn from; empty where only composed scenes are.
        held_out: To judge by, and to choose the best by.
        train_ids: sha256 of the files of ``train``.
        held_out_ids: sha256 of those of ``held_out``, or numbers of scenes.
        sha256: Digest of all ids and boxes, in order.
        notes: What a person should know about it, sentences.
    """

    train: tuple[AnnotatedPicture, ...]
    held_out: tuple[AnnotatedPicture, ...]
    train_ids: tuple[str, ...]
    held_out_ids: tuple[str, ...]
    sha256: str
    notes: tuple[str, ...] = ()


def gather(
    plan: Plan, store: Store, *, on_picture: OnPicture = silent, should_stop: Callable[[], bool] = never
) -> TrainingSet:
    """Collect, check and split what a plan names; the same plan of the same pictures gives the same.

    Every picture is read once here: what cannot be read is left out and named in the notes.

    Args:
        plan: What was asked for.
        store: The workspace, for its herds.
        on_picture: Called with (pictures read, pictures in all).
        should_stop: Asked before every picture.

    Raises:
        WorkStopped: It was asked to stop.
        TrainingDataError: Too few pictures, nothing to learn on them, or nothing asked for.
        AnnotationError: The truth file cannot be read, or a box in it has no extent.
        WorkspaceError: The herd is gone, or the workspace cannot be read.
    """
    if not plan.has_pictures:
        return _scenes_alone(plan)
    found = []
    for one in _sources(plan, store):
        stop_if(should_stop)
        found.append(one)
    labelled = list({one.id: one for one in reversed(found)}.values())[::-1]  # one's own come first
    traces, problems = {}, []
    for number, one in enumerate(labelled, start=1):
        stop_if(should_stop)
        try:
            traces[one.id] = _trace(one)
        except PictureError as error:
            problems.append(str(error))
        on_picture(number, len(labelled))
    labelled = [one for one in labelled if one.id in traces]
    _check(labelled, plan)
    sides = sides_of(labelled, [traces[one.id] for one in labelled], plan)
    notes = [f"{len(problems)} of the pictures cannot be read, e.g. {problems[0]}"] if problems else []
    return _as_set(sides.train, sides.held_out, [*notes, *sides.notes])


def _sources(plan: Plan, store: Store) -> Iterator[Labelled]:
    if plan.images:
        yield from (Labelled(_sha256(one), one) for one in read_coco(plan.truth, plan.images))
    if plan.herd_id is not None:
        yield from _of_herd(store, plan.herd_id)
    if plan.coco_cows:
        if not coco_cows_are_there():
            is_begun = coco_cows_were_begun()
            cause = f"they were not fetched {'to the end' if is_begun else 'yet'}"
            goes_on = ", which goes on where it was" if is_begun else ""
            remedy = f"Fetch them with `python -m cowvision fetch coco-cows`{goes_on}"
            raise TrainingDataError("COCO's cows", cause, remedy)
        for side, pictures in zip((TRAIN, HELD_OUT), coco_cows(), strict=True):
            yield from (Labelled(_sha256(one), one, side) for one in pictures)


def _of_herd(store: Store, herd_id: int) -> Iterator[Labelled]:
    truths = truths_of(store, read_herd(store, herd_id).herd_id)
    for picture in pictures_of(store, herd_id):
        if picture.picture_id in truths:
            file = blob_path(picture.picture_id)
            yield Labelled(picture.picture_id, AnnotatedPicture(picture.name, truths[picture.picture_id], file))


def _sha256(picture: AnnotatedPicture) -> str:
    source = picture.source
    data = source.read_bytes() if isinstance(source, Path) else source.tobytes()
    return hashlib.sha256(data).hexdigest()


def _trace(one: Labelled) -> Trace:
    if one.side or not isinstance(one.picture.source, Path):
        return Trace(0)  # its origin has split it already
    try:
        data = one.picture.source.read_bytes()
    except OSError as error:
        cause = error.strerror or "cannot be read"
        raise PictureError(one.picture.name, cause, "Add it to its herd again") from None
    return trace_of(decode_picture(data, one.picture.name), data)


def _check(labelled: Sequence[Labelled], plan: Plan) -> None:
    pictures = [one.picture for one in labelled]
    remedy = f"Label {FEWEST_PICTURES} or more, or learn from composed scenes alone"
    if len(pictures) < FEWEST_PICTURES:
        cause = f"{len(pictures)} labelled pictures are too few to learn from"
        raise TrainingDataError("training", cause, remedy)
    check_trainable(pictures, plan.class_names)
    for picture in pictures:
        _check_boxes(picture)


def _check_boxes(picture: AnnotatedPicture) -> None:
    sides = picture.truth.xyxy[:, 2:] - picture.truth.xyxy[:, :2]
    if len(sides) and not (np.isfinite(sides).all() and (sides > 0).all()):
        raise AnnotationError(picture.name, "a box on it has no width or no height", "Remove it or draw it again")


def _as_set(train: Sequence[Labelled], held_out: Sequence[Labelled], notes: Sequence[str]) -> TrainingSet:
    digest = hashlib.sha256()
    for one in (*train, *held_out):
        digest.update(one.id.encode() + one.picture.truth.xyxy.tobytes())
        digest.update("\n".join(names_of(one.picture.truth)).encode())
    return TrainingSet(
        tuple(one.picture for one in train),
        tuple(one.picture for one in held_out),
        tuple(one.id for one in train),
        tuple(one.id for one in held_out),
        digest.hexdigest(),
        tuple(notes),
    )


def _scenes_alone(plan: Plan) -> TrainingSet:
    """No pictures: scenes that are not among those learnt from judge, and say little about other landscapes."""
    if plan.scenes <= 0:
        remedy = "Choose a herd, give --images with --truth, or learn from composed --scenes"
        raise TrainingDataError("training", "nothing to learn from was chosen", remedy)
    scenes = scenes_to_judge_by(SCENES_HELD_OUT, plan.seed)
    ids = tuple(f"scene {plan.seed}/{number}" for number in range(len(scenes)))
    note = (
        "Judged on composed scenes of the same animals and landscapes as those learnt from. Compare on the test herd, "
        "or better on your own pictures, says more."
    )
    digest = hashlib.sha256(repr(scenes).encode()).hexdigest()
    return TrainingSet((), tuple(scenes), (), ids, digest, (note,))
