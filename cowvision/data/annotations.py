"""Ground truth of a picture: visible boxes with class names, as supervision.Detections."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, overload

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from cowvision.data.pictures import Picture, picture_from_array, read_picture
from cowvision.errors import AnnotationError, TrainingDataError


@dataclass(frozen=True, eq=False)
class AnnotatedPicture:
    """A picture and what is truly on it.

    Attributes:
        name: File name.
        truth: Boxes from `truth_boxes`; empty means that there is nothing on the picture.
        source: The file, or (height, width, 3) uint8 RGB pixels in memory.
        title: A few words for people.
        caption: A sentence for people.
    """

    name: str
    truth: sv.Detections
    source: Path | NDArray[np.uint8] = field(repr=False)
    title: str = ""
    caption: str = ""

    def picture(self) -> Picture:
        """Read the picture.

        Raises:
            PictureError: The file cannot be read.
        """
        if isinstance(self.source, Path):
            return read_picture(self.source)
        return picture_from_array(self.source, self.name)


class MadeWhenAsked(Sequence[AnnotatedPicture]):
    """A row of ``length`` pictures, each made when it is looked at; a subclass says how."""

    length: int

    @abstractmethod
    def made(self, index: int) -> AnnotatedPicture:
        """Make the picture of a place, 0 to ``length - 1``."""

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> AnnotatedPicture: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[AnnotatedPicture]: ...
    def __getitem__(self, index: int | slice) -> AnnotatedPicture | Sequence[AnnotatedPicture]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self.length))]
        if not -self.length <= index < self.length:
            raise IndexError(f"picture {index} of {self.length}")
        return self.made(int(index) % self.length)


def truth_boxes(
    xyxy: NDArray[np.floating[Any]] | Sequence[Sequence[float]],
    class_names: Sequence[str],
    *,
    class_ids: Sequence[int] | None = None,
    area: Sequence[float] | None = None,
    crowd: Sequence[bool] | None = None,
    visible_fraction: Sequence[float] | None = None,
    subject: str = "truth",
) -> sv.Detections:
    """Bring ground truth of one picture into the one form used everywhere.

    Args:
        xyxy: (n, 4) boxes in pixels, exclusive-end: x_max is one past the last visible column. Kept as float64, for a
            box rounded to float32 can fall to the other side of an IoU threshold.
        class_names: A name per box.
        class_ids: Any ids of the classes; only names carry meaning. 0 throughout by default.
        area: Visible pixels per box; the box's own area by default.
        crowd: True for COCO's crowd regions, which count neither as found nor as missed.
        visible_fraction: Visible share of what of the object lies inside the frame, 0..1; 1 by default.
        subject: What an error calls this truth, e.g. the picture's file name.

    Raises:
        AnnotationError: A box is not four finite numbers, or has no width or no height.
    """
    boxes = _checked(np.asarray(xyxy, dtype=np.float64).reshape(-1, 4), subject)
    count = len(boxes)
    if len(class_names) != count:
        raise AnnotationError(subject, f"{count} boxes but {len(class_names)} class names", "Give every box one name")
    sides = boxes[:, 2:] - boxes[:, :2]
    return sv.Detections(
        xyxy=boxes,
        class_id=np.asarray(np.zeros(count) if class_ids is None else class_ids, dtype=np.int64),
        data={
            "class_name": np.asarray(class_names, dtype=np.str_),
            "area": np.asarray(sides.prod(axis=1) if area is None else area, dtype=np.float64),
            "crowd": np.asarray(np.zeros(count) if crowd is None else crowd, dtype=bool),
            "visible_fraction": np.asarray(
                np.ones(count) if visible_fraction is None else visible_fraction, dtype=np.float32
            ),
        },
    )


def names_of(boxes: sv.Detections) -> NDArray[np.str_]:
    """Return the class name of each box, (n,) str; also for boxes that carry no data at all."""
    return np.asarray(boxes.data.get("class_name", ()), dtype=np.str_)


def scores_of(detections: sv.Detections) -> NDArray[np.floating[Any]]:
    """Return the score of each detection, (n,) in 0..1; 0 where there are none."""
    return np.zeros(len(detections)) if detections.confidence is None else detections.confidence


def chosen(boxes: sv.Detections, which: NDArray[np.bool_] | NDArray[np.intp]) -> sv.Detections:
    """Return the boxes a mask or a list of places chooses."""
    return cast("sv.Detections", boxes[which])


def of_classes(boxes: sv.Detections, class_names: Sequence[str]) -> sv.Detections:
    """Return the boxes of these classes; all of them where no class is named."""
    return chosen(boxes, np.isin(names_of(boxes), list(class_names))) if class_names and len(boxes) else boxes


def crowds_of(truth: sv.Detections) -> NDArray[np.bool_]:
    """Return which boxes are crowd regions, (n,) bool; none where truth does not say."""
    return np.asarray(truth.data.get("crowd", np.zeros(len(truth))), dtype=bool)


def areas_of(truth: sv.Detections) -> NDArray[np.float64]:
    """Return the visible pixels of each box, (n,) float64; the box's own area where truth does not say."""
    return np.asarray(truth.data.get("area", truth.box_area), dtype=np.float64)


def check_trainable(pictures: Sequence[AnnotatedPicture], class_names: Sequence[str]) -> None:
    """Refuse pictures that nothing can be learnt from.

    Raises:
        TrainingDataError: No pictures, or no box of `class_names` on any of them.
    """
    wanted = " or ".join(class_names)
    if len(pictures) == 0:
        raise TrainingDataError("training", "there are no pictures", "Add a few pictures with boxes")
    if not any(np.isin(names_of(picture.truth), list(class_names)).any() for picture in pictures):
        cause = f"none of the {len(pictures)} pictures has a box named {wanted}"
        raise TrainingDataError("training", cause, f"Draw a box around at least one {wanted}")


def _checked(boxes: NDArray[np.float64], subject: str) -> NDArray[np.float64]:
    bad = ~np.isfinite(boxes).all(axis=1) | (boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 3] <= boxes[:, 1])
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        cause = f"box {first + 1} of {len(boxes)} has no width or no height: {boxes[first].tolist()}"
        raise AnnotationError(subject, cause, "Remove the box or draw it again")
    return boxes
