"""From the working folder to what ships: archives of sprites and plates, pictures with COCO truth, clips with tracks.

Needs Pillow and PyAV but not Blender.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from studio import jobs
from studio.annotations import coco_document, from_record, mot_lines
from studio.clip_encoding import write_mp4
from studio.clip_scenes import CLIPS, FPS, FRAMES, Clip

SKY_METRES = 655.0
FIXED_DATE = (1980, 1, 1, 0, 0, 0)
PLATE_KEYS = (
    "name", "width", "height", "focal_px", "horizon_row", "camera_height_m", "pitch_deg", "sun_elevation_deg",
    "sun_azimuth_deg", "season", "weather", "terrain", "shadow_strength", "near_m", "far_m",
)  # fmt: skip


def run(run: jobs.Run) -> None:
    """Write every shipped file whose renders are there; what has not been rendered is named and left as it is."""
    for source, pack in (
        ("sprites", pack_sprites), ("plates", pack_plates), ("test_herd", pack_test_herd),
        ("stills", pack_stills), ("clips", pack_clips),
    ):  # fmt: skip
        if (run.out / source).is_dir():
            print(f"pack {source}: {pack(run.out / source, run.assets)}", flush=True)
        else:
            print(f"pack {source}: nothing rendered yet", flush=True)


def pack_sprites(source: Path, assets: Path) -> str:
    """``herd/sprites.zip``: WebP cut-outs with lossless alpha, and their index."""
    index = []
    with _archive(assets / "herd" / "sprites.zip") as archive:
        for record in _records(source):
            name = f"{record.stem}.webp"
            picture = Image.open(record.with_suffix(".png"))
            _add(archive, name, _encoded(picture, "WEBP", quality=92, method=5))
            index.append({"file": name} | json.loads(record.read_text()))
        _add(archive, "index.json", json.dumps(index).encode())
    return f"{len(index)} sprites"


def pack_plates(source: Path, assets: Path) -> str:
    """``herd/plates.zip``: pictures, depth in centimetres (65535: sky), and their index."""
    index = []
    with _archive(assets / "herd" / "plates.zip") as archive:
        for record in _records(source):
            facts = json.loads(record.read_text())
            picture = Image.open(source / f"{facts['name']}.png").convert("RGB")
            depth = Image.fromarray(depth_code(np.load(source / f"{facts['name']}.depth.npy")))
            _add(archive, f"{facts['name']}.jpg", _encoded(picture, "JPEG", quality=92))
            _add(archive, f"{facts['name']}.depth.png", _encoded(depth, "PNG", optimize=True))
            index.append({key: facts[key] for key in PLATE_KEYS})
        _add(archive, "index.json", json.dumps(index).encode())
    return f"{len(index)} plates"


def depth_code(metres: np.ndarray) -> np.ndarray:
    """Depth (h, w) in metres as uint16 centimetres up to 655 m; 65535 stands for the sky (Blender's 1e10)."""
    near = np.rint(np.minimum(metres, SKY_METRES) * 100).astype(np.uint16)
    return np.where(metres > 1e6, np.uint16(65535), near)


def pack_test_herd(source: Path, assets: Path) -> str:
    """``herd/test/NAME.jpg`` with ``truth.json``."""
    return _pack_pictures(source, assets / "herd" / "test", subsampling=2)


def pack_stills(source: Path, assets: Path) -> str:
    """``pictures/NAME.jpg`` with ``truth.json`` and the index maps ``masks/NAME.png``."""
    target = assets / "pictures"
    (target / "masks").mkdir(parents=True, exist_ok=True)
    for mask in sorted(source.glob("*.mask.png")):
        if not mask.name.startswith("."):
            jobs.write_picture(target / "masks" / mask.name.replace(".mask", ""), np.asarray(Image.open(mask)))
    return _pack_pictures(source, target, subsampling=0)


def _pack_pictures(source: Path, target: Path, subsampling: int) -> str:
    target.mkdir(parents=True, exist_ok=True)
    pictures = []
    for record in _records(source):
        facts = json.loads(record.read_text())
        pixels = np.asarray(Image.open(record.with_suffix(".png")).convert("RGB"))
        jobs.write_picture(target / f"{record.stem}.jpg", pixels, quality=92, subsampling=subsampling)
        words = {"title": facts.get("title", record.stem), "caption": facts.get("caption", "")}
        size = {"width": facts["width"], "height": facts["height"]}
        objects = {"objects": [from_record(seen) for seen in facts["objects"]]}
        pictures.append({"file_name": f"{record.stem}.jpg"} | size | words | objects)
    document = coco_document(pictures)
    jobs.write_json(target / "truth.json", document)
    cows = sum(annotation["category_id"] == 21 for annotation in document["annotations"])
    return f"{len(pictures)} pictures, {len(document['annotations'])} boxes, {cows} of cows"


def pack_clips(source: Path, assets: Path) -> str:
    """``clips/NAME.mp4``, ``NAME.gt.txt`` and ``NAME.json`` of every clip whose frames are all rendered."""
    whole = [clip for clip in CLIPS if len(list(_records(source / clip.name))) == FRAMES]
    for clip in whole:
        _pack_clip(clip, source / clip.name, assets / "clips")
    return ", ".join(clip.name for clip in whole) or "no clip is complete"


def _pack_clip(clip: Clip, source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    records = _records(source)
    frames = (np.asarray(Image.open(record.with_suffix(".jpg"))) for record in _records(source))
    with jobs.finished(target / f"{clip.name}.mp4") as part:
        write_mp4(part, frames, FPS)
    seen = ([from_record(one) for one in json.loads(record.read_text())] for record in records)
    with jobs.finished(target / f"{clip.name}.gt.txt") as part:
        part.write_text("\n".join(mot_lines(seen)) + "\n")
    jobs.write_json(target / f"{clip.name}.json", {"title": clip.title, "caption": clip.caption})


def _records(folder: Path) -> Iterator[Path]:
    """The finished items of a folder: one JSON each, in order of their names."""
    return (path for path in sorted(folder.glob("*.json")) if not path.name.startswith("."))


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A new archive that takes its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with jobs.finished(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        yield archive


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Store a member uncompressed and with a fixed date, so that the same renders give the same archive."""
    archive.writestr(zipfile.ZipInfo(name, FIXED_DATE), content, zipfile.ZIP_STORED)


def _encoded(picture: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()
