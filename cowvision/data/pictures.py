"""Bytes of any common picture format -> Picture: upright 8-bit RGB, known by the sha256 of its bytes."""

import hashlib
import struct
import warnings
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cowvision.errors import PictureError

MAX_PIXELS = 60_000_000
MAX_BYTES = 25 * 1024 * 1024
PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".tif", ".tiff", ".bmp", ".gif"}
)
_FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF", "BMP", "DIB", "GIF")
_FORMAT_NAMES = "JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP or GIF"
# What Pillow's decoders raise on damaged files, besides the bomb error handled by name.
_DECODER_ERRORS = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, struct.error, KeyError, IndexError)

pillow_heif.register_heif_opener()


@dataclass(frozen=True)
class Picture:
    """One upright picture.

    Attributes:
        id: sha256 of the picture's bytes, as 64 hexadecimal digits; the key of every cache.
        name: File name for people; two pictures may share it.
        rgb: (height, width, 3) uint8, read-only.
    """

    id: str
    name: str
    rgb: NDArray[np.uint8] = field(repr=False, compare=False)

    @property
    def resolution_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]


PictureLike = Picture | NDArray[np.uint8] | str | Path


def read_picture(path: str | Path, name: str | None = None) -> Picture:
    """Read a picture file; `name` replaces the file's own name.

    Raises:
        PictureError: The file is missing, unreadable, too large, or not a whole picture.
    """
    path = Path(path)
    label = name or path.name
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_many_bytes(label, path.stat().st_size)
        data = path.read_bytes()
    except FileNotFoundError:
        raise PictureError(str(path), "no such file", "Check the path") from None
    except OSError as error:
        cause = error.strerror or "cannot be opened"
        raise PictureError(str(path), cause, "Give a picture file that may be read") from None
    return decode_picture(data, label)


def decode_picture(data: bytes, name: str) -> Picture:
    """Decode the bytes of a picture file: turned upright by its EXIF, first frame only, as 8-bit RGB.

    Transparent pixels are laid on white. 16-bit grey keeps its upper eight bits.

    Raises:
        PictureError: Empty, over 25 MB or 60 megapixels, of an unknown format, or damaged.
    """
    if not data:
        raise PictureError(name, "the file is empty", "Copy it again from where it came")
    if len(data) > MAX_BYTES:
        raise _too_many_bytes(name, len(data))
    rgb = np.array(_upright_rgb(data, name))
    rgb.flags.writeable = False
    return Picture(hashlib.sha256(data).hexdigest(), name, rgb)


def holds_several(data: bytes) -> bool:
    """Whether the bytes are an animation or have several pages, of which only the first is ever used."""
    try:
        with warnings.catch_warnings(), Image.open(BytesIO(data), formats=_FORMATS) as image:
            warnings.simplefilter("ignore")
            return int(getattr(image, "n_frames", 1)) > 1
    except (Image.DecompressionBombError, UnidentifiedImageError, *_DECODER_ERRORS):
        return False


def picture_from_array(rgb: NDArray[np.uint8], name: str = "picture") -> Picture:
    """Wrap pixels that are already decoded: (h, w, 3) RGB or (h, w) grey, uint8.

    Raises:
        PictureError: Another shape or dtype, or no pixels.
    """
    if rgb.ndim == 2:
        rgb = np.repeat(rgb[:, :, None], 3, axis=2)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
        cause = f"expected a (height, width, 3) uint8 array, got {rgb.shape} {rgb.dtype}"
        raise PictureError(name, cause, "Convert it to 8-bit RGB first")
    rgb = np.array(rgb, order="C")
    rgb.flags.writeable = False
    digest = hashlib.sha256(str(rgb.shape).encode() + rgb.tobytes()).hexdigest()
    return Picture(digest, name, rgb)


def as_picture(source: PictureLike) -> Picture:
    """Take a Picture as it is, wrap an array, read a path; errors as those of the two."""
    if isinstance(source, Picture):
        return source
    return picture_from_array(source) if isinstance(source, np.ndarray) else read_picture(source)


def list_pictures(folder: str | Path) -> list[Path]:
    """Return the picture files under a folder, sorted; hidden files and folders are left out."""
    root = Path(folder)
    files = (path for path in root.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
    return sorted(path for path in files if not any(part.startswith(".") for part in path.relative_to(root).parts))


def save_jpeg(rgb: NDArray[np.uint8], path: str | Path, quality: int = 92) -> None:
    """Write (h, w, 3) uint8 RGB as JPEG without any metadata, making its folder when needed.

    Raises:
        PictureError: It cannot be written there.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rgb).save(path, format="JPEG", quality=quality)
    except OSError as error:
        cause = error.strerror or "cannot be written"
        raise PictureError(str(path), cause, "Choose a folder you may write to") from None


def _upright_rgb(data: bytes, name: str) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd EXIF and Pillow's own, laxer bomb limit; ours is checked below
        try:
            with Image.open(BytesIO(data), formats=_FORMATS) as image:
                _check_pixels(image.size, name)
                image.load()
                return _as_rgb(ImageOps.exif_transpose(image))
        except Image.DecompressionBombError:
            raise PictureError(name, "far more than 60 megapixels", "Scale it down first") from None
        except UnidentifiedImageError:
            cause = f"not a picture in a known format ({_FORMAT_NAMES})"
            raise PictureError(name, cause, "Export it as JPEG or PNG") from None
        except _DECODER_ERRORS as error:
            cause = f"the picture is damaged or incomplete ({error})"
            raise PictureError(name, cause, "Copy or download it again") from None


def _check_pixels(size_wh: tuple[int, int], name: str) -> None:
    width, height = size_wh
    if width * height > MAX_PIXELS:
        cause = f"{width} x {height} pixels, {MAX_PIXELS // 1_000_000} megapixels at most"
        raise PictureError(name, cause, "Scale it down first")


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_grey_to_rgb(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def _deep_grey_to_rgb(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits: integers are taken as 16-bit, floats as 0..1 (or 0..255 if larger)."""
    grey = np.nan_to_num(np.asarray(image, dtype=np.float64))
    if image.mode == "F":
        grey = grey * 255 if grey.max() <= 1 else grey
    else:
        grey = grey / 257 if image.mode != "I" or grey.max() > 255 else grey
    return Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8)).convert("RGB")


def _too_many_bytes(name: str, size: int) -> PictureError:
    cause = f"{size / 1024**2:.1f} MB, {MAX_BYTES // 1024**2} MB at most"
    return PictureError(name, cause, "Save it as JPEG or scale it down")
