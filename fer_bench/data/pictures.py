"""A picture file's bytes to pixels, or to a sentence that says why not."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_bench.data.manifest import Manifest
from fer_bench.data.sources import Source

__all__ = ["decode", "read_pictures"]

_MAX_PIXELS = 50_000_000


def decode(data: bytes) -> NDArray[np.uint8]:
    """Decode a picture to RGB (h, w, 3) uint8.

    Raises
    ------
    ValueError
        What is wrong with it, for the list of excluded files.
    """
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                raise ValueError(f"{picture.width}x{picture.height} pixels, more than {_MAX_PIXELS // 10**6} million")
            return np.asarray(picture.convert("RGB"))
    except Image.DecompressionBombError as error:
        raise ValueError(f"too many pixels: {error}") from error
    except Image.UnidentifiedImageError as error:
        raise ValueError("not a picture") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:  # what Pillow raises on damage
        raise ValueError(f"damaged: {error}") from error


def read_pictures(source: Source, manifest: Manifest, workers: int) -> Iterator[NDArray[np.uint8]]:
    """Decode in the manifest's order, a bounded number of pictures ahead."""
    files = list(manifest.table["file"])
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(files), 64):
            yield from pool.map(lambda file: decode(source.read(file)), files[start : start + 64])
