"""A picture file's bytes to pixels, or to a sentence that says why not.

What stands in a file and what is made of it, whatever the format: turned as its EXIF says; the first picture where
there are several; grey repeated to three channels; of 16 bits the upper 8; palettes and CMYK converted; transparent
pixels laid on white, as viewers show them. Pillow decides whether a file is sound. Plain 8-bit JPEG, which is what
nearly all sets of faces are, is decoded by OpenCV, which is faster; both use libjpeg-turbo, and their pixels are equal.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from fer_bench.errors import UserError
from fer_bench.utils.heap import keep_freed_memory

from ..manifest import Manifest
from ..sources.base import Source
from ..sources.kinds import HEAD_BYTES, UNREAD, kind_of, picture_format, unread_format

__all__ = ["FORMATS", "MAX_PIXELS", "FilePictures", "Glance", "decode", "glance", "in_order", "read_pictures"]

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_PIXELS = 50_000_000
"""Pixels of a picture. A header may promise any number, and memory is taken on its word."""

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "PPM")
"""Formats that are read, told by content and not by name; others can run programs or follow links."""

_RARE = {"AVIF": ("AVIF", "AvifImagePlugin"), "JPEG 2000": ("JPEG2000", "Jpeg2KImagePlugin")}
"""Formats that are read where Pillow has their decoders: its names for them, and its modules."""

# Pillow knows a format once its module is loaded, and by itself loads these (or all 40) only when it meets a file.
_PLUGINS = (
    *(BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin),
    *(PpmImagePlugin, TiffImagePlugin, WebPImagePlugin),
)
_GLANCE_SIDE = 128
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")


@dataclass(frozen=True)
class Glance:
    """A picture's width and height in pixels, and a small grey copy of it, (h, w) uint8."""

    width: int
    height: int
    grey: NDArray[np.uint8]


def decode(data: bytes) -> NDArray[np.uint8]:
    """Decode a picture to RGB (h, w, 3) uint8.

    Raises
    ------
    ValueError
        What is wrong with it, for the list of excluded files.
    """
    kind = _jpeg_kind(data)
    if kind and (picture := _decode_jpeg(data)) is not None:
        if kind == "plain":
            return picture
        with _sound(data) as opened:
            return _turn(picture, _orientation(opened))
    with _sound(data) as opened:
        return _to_rgb(opened)


def glance(data: bytes) -> Glance:
    """Decode a whole picture file, but no more of its pixels than it takes to judge it.

    Every byte is decoded, so that damage anywhere is found; of a JPEG the pixels are only computed in the small, which
    takes half the time.

    Raises
    ------
    ValueError
        What is wrong with it, for the list of excluded files.
    """
    with _sound(data) as opened:
        width, height = opened.size
        if opened.format == "JPEG" and opened.mode in ("RGB", "L"):
            turn = _orientation(opened)
            opened.draft("L", (min(_GLANCE_SIDE, width), min(_GLANCE_SIDE, height)))
            grey = _turn(np.asarray(_without_padding(opened.convert("L"), width, height)), turn)
            return Glance(*((height, width) if turn in _LYING else (width, height)), grey)
        grey = np.asarray(Image.fromarray(_to_rgb(opened)).convert("L"))
        return Glance(grey.shape[1], grey.shape[0], grey)


@dataclass(frozen=True)
class FilePictures:
    """The pictures of files; what `fer_bench.data.manifest.Dataset.pictures` is where there are files.

    Attributes
    ----------
    source : Source
        Where they are read from.
    """

    source: Source

    def __call__(self, manifest: Manifest, workers: int) -> Iterator[NDArray[np.uint8]]:
        """Decode in the manifest's order; see `each`."""
        return self.each(lambda _, picture: picture, manifest, workers)

    def each(
        self, job: Callable[[int, NDArray[np.uint8]], Result], manifest: Manifest, workers: int
    ) -> Iterator[Result]:
        """Decode pictures and do a job on each in the same thread, a bounded number ahead.

        Parameters
        ----------
        job : callable
            ``job(i, picture)`` on row ``i`` of the manifest; a picture that leaves its thread costs a third more.
        manifest : Manifest
            What to read.
        workers : int
            Threads.

        Yields
        ------
        object
            What the job made, in the manifest's order.

        Raises
        ------
        UserError
            A file cannot be read, or is not what it was when it was checked; it is named.
        """
        keep_freed_memory()
        rows = zip(manifest.table["file"], manifest.table["sha256"], strict=True)
        with ThreadPoolExecutor(workers) as pool:
            yield from in_order(pool, lambda i, row: job(i, _read(self.source, *row)), rows, 2 * workers + 2)


def read_pictures(source: Source, manifest: Manifest, workers: int) -> Iterator[NDArray[np.uint8]]:
    """Decode the files of a manifest, in its order; see `FilePictures`."""
    return FilePictures(source)(manifest, workers)


def in_order(
    pool: ThreadPoolExecutor, job: Callable[[int, Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Do ``job(i, item)`` in a pool, at most ``ahead`` of them before they are asked for; yield results in order."""
    waiting: deque[Future[Result]] = deque()
    try:
        for i, item in enumerate(items):
            waiting.append(pool.submit(job, i, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _read(source: Source, file: str, sha256: str) -> NDArray[np.uint8]:
    try:
        data = source.read(file)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError("it has changed since it was checked a moment ago")
        return decode(data)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{file}: {error}; it was sound when it was checked: leave the data alone while fer-bench reads it, "
            "and run the same command again"
        ) from error


@contextmanager
def _sound(data: bytes) -> Iterator[Image.Image]:
    """Open a picture of a known format and credible size; whatever a decoder raises becomes a sentence."""
    try:
        with Image.open(io.BytesIO(data), formats=_formats(data)) as picture:
            _check_size(picture.width, picture.height)
            yield picture
    except _UnusableError:
        raise
    except Image.DecompressionBombError as error:
        raise ValueError(f"too many pixels: {_line(error)}") from error
    except Image.UnidentifiedImageError as error:
        raise ValueError(_why_unknown(data)) from error
    except Exception as error:  # decoders meet damage with nearly every kind of exception
        raise ValueError(f"damaged: {_line(error)}") from error


def _formats(data: bytes) -> tuple[str, ...]:
    """Formats of Pillow's that a file may be in; those that hardly any is in are loaded where one is."""
    if data.startswith(b"\xff\xd8\xff"):  # JPEG, as nearly all are
        return FORMATS
    name, module = _RARE.get(picture_format(data[:HEAD_BYTES]), ("", ""))
    if not name:
        return FORMATS
    try:
        importlib.import_module(f"PIL.{module}")
    except ImportError:  # Pillow of a version before it
        return FORMATS
    return (*FORMATS, name)


def _why_unknown(data: bytes) -> str:
    head = data[:HEAD_BYTES]
    if found := unread_format(head):
        return f"{found}, {UNREAD}"
    kind = kind_of(PurePosixPath(), head)
    return "not a picture" if kind == "not a picture" or picture_format(head) else f"not a picture: {kind}"


class _UnusableError(ValueError):
    """A sound picture that is not taken, with the reason."""


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _UnusableError(f"{width}x{height} pixels, more than {MAX_PIXELS // 10**6} million")


def _without_padding(small: Image.Image, width: int, height: int) -> Image.Image:
    """Cut off what a reduced JPEG (562 pixels by 8 are 71, which stand for 568) has beyond the picture's edges."""
    scale = round(width / small.width)
    if scale == 1:
        return small
    edges = (0, 0, width / scale, height / scale)
    return small.resize((_GLANCE_SIDE, _GLANCE_SIDE), Image.Resampling.BOX, box=edges)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _to_rgb(picture: Image.Image) -> NDArray[np.uint8]:
    """Convert any mode of Pillow's to upright RGB (h, w, 3) uint8."""
    picture.load()
    turn = _orientation(picture)  # after loading, by which Pillow has set a TIFF upright, and says so
    if picture.mode in _SIXTEEN_BITS:
        picture = Image.fromarray(_upper_bits(np.asarray(picture)))
    elif picture.mode == "F":
        raise _UnusableError("floating-point pixels, whose range nobody tells; save it with 8 or 16 bits")
    elif picture.has_transparency_data or picture.mode in ("La", "RGBa"):
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture)
    elif picture.mode == "LAB":
        raise _UnusableError("colours in LAB; save it as RGB")
    return _turn(np.asarray(picture.convert("RGB")), turn)


def _upper_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    if values.min() < 0 or values.max() > 65535:
        raise _UnusableError("more than 16 bits a pixel; save it with 8 or 16 bits")
    return (values.astype(np.uint16) >> 8).astype(np.uint8)


_ORIENTATION = 0x0112
_LYING = (5, 6, 7, 8)


def _orientation(picture: Image.Image) -> int:
    """EXIF's orientation, 1 (upright) where there is none or where it cannot be read."""
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - a broken remark beside the pixels is no damage to them
        return 1


def _turn(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Set a picture upright, by EXIF 2.3's table of orientations."""
    if orientation in _LYING:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _decode_jpeg(data: bytes) -> NDArray[np.uint8] | None:
    """Decode by OpenCV, as the file stands; None where it will not."""
    import cv2

    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        picture: NDArray[np.uint8] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        return picture
    except cv2.error:
        return None


def _jpeg_kind(data: bytes) -> str:
    """Tell ``"plain"`` from ``"turned"`` JPEG (which has remarks that may ask for turning); empty: leave it to Pillow.

    Pillow takes what is no JPEG, has 12 bits, four colours or a doubtful size, and what does not end as a JPEG does:
    OpenCV made half-grey pictures of truncated files in some versions.
    """
    if not data.startswith(b"\xff\xd8") or data[-2:] != b"\xff\xd9":
        return ""
    kind, at = "plain", 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if marker == 0xE1:
            kind = "turned"
        elif marker in (0xC0, 0xC1, 0xC2):
            bits, height, width, colours = struct.unpack(">BHHB", data[at + 4 : at + 10])
            usual = bits == 8 and colours in (1, 3) and 0 < width * height <= MAX_PIXELS
            return kind if usual else ""
        at += 2 + length
    return ""
