"""A herd small enough to be drawn in a test: flat-coloured animals on a flat plate, packed like the real archives."""

import io
import json
import zipfile
from pathlib import Path

import cv2
import numpy as np

KINDS = {
    "cow": (200, 40, 40),
    "dog": (40, 40, 220),
    "horse": (20, 90, 160),
    "sheep": (230, 230, 230),
    "person": (0, 200, 0),
}
FOCAL, HORIZON, CAMERA_HEIGHT = 220.0, 60.0, 1.7


def draw_herd(folder: Path) -> Path:
    """Write sprites.zip and plates.zip into a folder; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "sprites.zip", *_sprites())
    _write(folder / "plates.zip", *_plates())
    return folder


def _sprites() -> tuple[list[dict], dict[str, bytes]]:
    index, members = [], {}
    for number, (kind, breed) in enumerate([*((kind, "plain") for kind in KINDS), ("cow", "spotted")]):
        rgba = np.zeros((60, 100, 4), np.uint8)
        cv2.ellipse(rgba, (50, 30), (48, 28), 0, 0, 360, (*KINDS[kind], 255), -1)
        name = f"{number:05d}.webp"
        members[name] = cv2.imencode(".webp", rgba, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()
        index.append({
            "file": name, "kind": kind, "breed": breed, "pose": "stand", "width": 100, "height": 60,
            "metres_per_pixel": 0.024, "elevation_deg": 5.0, "sun_elevation_deg": 40.0, "sun_azimuth_deg": 150.0,
            "split": "train",
        })  # fmt: skip
    return index, members


def _plates() -> tuple[list[dict], dict[str, bytes]]:
    rgb = np.full((180, 320, 3), (90, 140, 60), np.uint8)
    rgb[: int(HORIZON)] = (230, 200, 160)
    rows = np.arange(180, dtype=np.float32)[:, None] - HORIZON
    depth = np.where(rows > 0.5, FOCAL * CAMERA_HEIGHT / np.maximum(rows, 0.5), np.inf).repeat(320, axis=1)
    centimetres = np.where(np.isfinite(depth), np.minimum(depth, 655) * 100, 65535).astype(np.uint16)
    members = {"flat.jpg": cv2.imencode(".jpg", rgb)[1].tobytes()}
    members["flat.depth.png"] = cv2.imencode(".png", centimetres)[1].tobytes()
    info = {
        "name": "flat", "width": 320, "height": 180, "focal_px": FOCAL, "horizon_row": HORIZON,
        "camera_height_m": CAMERA_HEIGHT, "pitch_deg": 0.0, "sun_elevation_deg": 40.0, "sun_azimuth_deg": 150.0,
        "season": "summer", "weather": "clear", "terrain": "meadow",
    }  # fmt: skip
    return [info], members


def _write(path: Path, index: list[dict], members: dict[str, bytes]) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {**members, "index.json": json.dumps(index).encode()}.items():
            archive.writestr(name, data)
    path.write_bytes(stream.getvalue())
