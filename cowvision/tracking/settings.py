"""What can be chosen about tracking; apart from the tracker, which takes seconds to load."""

from __future__ import annotations

from dataclasses import dataclass

from cowvision.errors import SettingError


@dataclass(frozen=True)
class TrackerSettings:
    """How boxes of one frame become those of the next.

    Attributes:
        least_score: Detections below it are not tracked.
        most_inside: Of two detections of which one lies inside the other by a larger share of its area than this, the
            surer one counts: detectors often find the front half of a cow once more. 1 keeps all.
        least_iou: A detection belongs to a track if it overlaps its predicted box by more than this.
        patience: Frames without a detection after which a track ends; a young one ends sooner, about when it was unseen
            for as long as it was seen before.
        coast: Frames without a detection for which a track is still shown, where it is predicted.
        confirm: Frames after which a track counts, two looks at least; until then it may be a false alarm. 0 trusts
            every box at once.
        every: The detector looks at every n-th frame; between, boxes are where the tracks predict them.

    The defaults did best by mean IDF1 on two shipped clips, the grazing herd and the farmer's; nothing was chosen
    by the third, crossing cows.
    """

    least_score: float = 0.6
    most_inside: float = 0.65
    least_iou: float = 0.3
    patience: int = 48
    coast: int = 4
    confirm: int = 3
    every: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be tracked by.

        Raises:
            SettingError: A number is out of its range.
        """
        if not (0 <= self.least_score <= 1 and 0 <= self.least_iou < 1 and 0 < self.most_inside <= 1):
            raise SettingError("tracker", "scores and overlaps lie between 0 and 1", "Choose other numbers")
        if self.every < 1 or self.coast < 0 or self.confirm < 0:
            cause = "a number of frames is too small"
            raise SettingError("tracker", cause, "Look at every frame or fewer, and wait for 0 or more")
        for needed, what in ((self.confirm, "to be sure of a cow"), (self.every, "from one look to the next")):
            if self.patience <= needed:
                cause = f"its patience of {self.patience} frames is too short: it needs more than {needed} {what}"
                raise SettingError("tracker", cause, f"Choose a patience of {needed + 1} or more")

    @property
    def frames_to_confirm(self) -> int:
        """Frames from a track's first detection until it counts, if each look finds it."""
        return 0 if self.confirm == 0 else self.every * (max(self.confirm, self.every) // self.every)
