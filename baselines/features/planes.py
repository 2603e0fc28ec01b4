"""Images laid out so that all neighbours of all pixels are found by one pass over contiguous memory.

No compiler is used: numba would make LBP many times faster still, but on a set of 4,900 images, described once and
stored, its start alone takes longer than it saves (benchmarks/features_numba.py), and it would be the heaviest
dependency of this package.
"""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["AROUND", "Plane"]

AROUND = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))
"""Eight neighbours as steps down and to the right: counter-clockwise, from the right one."""


class Plane:
    """A few images with a margin (``constant``: black, ``edge``: their outermost pixels), as one long row.

    ``at(row, down, right)`` is the part of a row of that length that holds, for each position from the first image's
    first pixel to the last image's last, the value so far down and to the right. Positions in the margins are worked
    out with the others and thrown away.
    """

    def __init__(self, images: NDArray[np.uint8], margin: int, mode: Literal["constant", "edge"] = "constant") -> None:
        n, h, w = images.shape
        self.shape = (n, h + 2 * margin, w + 2 * margin)
        self.inside = (slice(None), slice(margin, margin + h), slice(margin, margin + w))
        self.first = margin * self.shape[2] + margin
        self.length = n * self.shape[1] * self.shape[2] - 2 * self.first
        padded = np.zeros(self.shape, dtype=np.uint8)
        padded[self.inside] = images
        if mode == "edge":
            padded[:, :margin], padded[:, -margin:] = padded[:, margin, None], padded[:, -margin - 1, None]
            padded[:, :, :margin], padded[:, :, -margin:] = padded[:, :, margin, None], padded[:, :, -margin - 1, None]
        self.grey = padded.ravel()
        self.patterns = np.zeros(self.grey.size, dtype=np.uint8)

    def at(self, row: NDArray[Any], down: int = 0, right: int = 0) -> NDArray[Any]:
        """Return the part of the row that stands so far down and to the right."""
        start = self.first + down * self.shape[2] + right
        return row[start : start + self.length]

    def set_bit(self, bit: int, on: NDArray[np.bool_]) -> None:
        """Set a bit of the patterns where told; ``on`` is used up."""
        value = on.view(np.uint8)
        np.multiply(value, np.uint8(1 << bit), out=value)  # NumPy shifts bytes slowly
        pattern = self.at(self.patterns)
        np.bitwise_or(pattern, value, out=pattern)

    def looked_up(self, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the patterns' values in a table of 256, (n, h, w), margins cut off."""
        return cv2.LUT(self.patterns.reshape(self.shape[0], -1), table).reshape(self.shape)[self.inside]
