"""Numbers of a file of expected results as text, and back: never more of them, nor others, than the file says."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_ANSWERS", "MOST_IMAGES", "pack", "unpack"]

MOST_IMAGES = 10_000_000
"""Of one test; more are a mistake or a trap."""
MOST_ANSWERS = 500_000_000
"""Of one file, all rows and seeds together: half a gigabyte, a hundred times the largest that is known."""


def pack(values: NDArray[Any], dtype: Any = np.uint8) -> str:
    """Return numbers as compressed bytes, as text.

    Parameters
    ----------
    values : (n,) int
    dtype : dtype
        To store them as.
    """
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values, dtype=dtype).tobytes(), 9)).decode()


def unpack(text: str, n: int, most: int, dtype: Any = np.uint8) -> NDArray[Any]:
    """Return what `pack` was given.

    Parameters
    ----------
    text : str
    n : int
        How many numbers there should be: so much is unfolded and no more, however much the text would give.
    most : int
        Each is 0 to this.
    dtype : dtype
        That they were stored as.

    Returns
    -------
    (n,) dtype

    Raises
    ------
    ValueError
        ``n`` is none, or too many; there are more or fewer numbers, or others; something else stands after them.
    zlib.error
        The text is not what `pack` makes.
    """
    if not 1 <= n <= MOST_IMAGES:
        raise ValueError(f"expected 1 to {MOST_IMAGES:,} images, found {n}")
    decoder = zlib.decompressobj()
    data = decoder.decompress(base64.b64decode(text, validate=True), n * np.dtype(dtype).itemsize + 1)
    values = np.frombuffer(data, dtype=dtype)
    if len(values) != n:
        raise ValueError(f"expected {n} images, found {len(values)}")
    if not decoder.eof or decoder.unused_data:
        raise ValueError(f"expected {n} images and nothing else")
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > most:
        raise ValueError(f"expected numbers from 0 to {most}, found {low if low < 0 else high}")
    return values
