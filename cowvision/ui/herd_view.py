"""A picture of a herd as pages use it: decoded only when it is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import supervision as sv

from cowvision.data.pictures import Picture, decode_picture
from cowvision.models.catalog import ModelSpec
from cowvision.ui import cache
from cowvision.workspace.files import read_blob
from cowvision.workspace.herds import HerdPicture


@dataclass(frozen=True)
class ShownPicture:
    """A picture of a herd: sha256 of its bytes, name for people, upright width and height in pixels."""

    id: str
    name: str
    resolution_wh: tuple[int, int]

    @classmethod
    def of(cls, picture: HerdPicture) -> ShownPicture:
        """The same picture, to be shown."""
        return cls(picture.picture_id, picture.name, picture.resolution_wh)

    def load(self) -> Picture:
        """Read and decode it, past every cache.

        Raises:
            PictureError: It cannot be decoded.
            WorkspaceError: Its bytes are gone.
        """
        return decode_picture(read_blob(self.id), self.name)

    def detections(self, spec: ModelSpec) -> sv.Detections:
        """What a model sees on it, from score 0.05 up; errors as `cache.raw_detections`."""
        return cache.raw_detections(self.id, spec, self.load, is_own=True)
