"""Perceptual hashes: pictures that look the same have nearly the same 256 bits, whatever their size or compression.

A difference hash: the picture is reduced to grey 17x16, and each bit says whether a pixel is darker than its right
neighbour (N. Krawetz, "Kind of like that", hackerfactor.com, 2013), here by more than two grey levels, since in a plain
studio background compression alone decides which of two equal pixels is darker. In a pale picture two grey levels are
much: there it is the same share of the contrast, and a picture of hardly any contrast has no hash.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import InputError

__all__ = ["BITS", "NEAR", "distance", "near_pairs", "phash"]

BITS = 256
_WIDTH, _HEIGHT = 17, 16
_STEP = 2.0
_BLOCK = 2048

_CONTRAST = 32.0
"""Standard deviation of the reduced picture, in grey levels, under which the step shrinks with it.

Most portraits have more, and the step as it stands. With a fixed step pale pictures lose most of their bits, and
different people become alike. Copies of a pale picture are found less often than those of others.
"""

_LEAST_CONTRAST = 2.0
"""Standard deviation under which rounding to whole grey levels says as much as the face does."""

NEAR = 5
"""Largest distance of two pictures that are taken for copies of one another.

Chosen so that nobody is accused wrongly: of 11.8 million pairs of rendered portraits of different people, which share
background and light, none is nearer than 7 (``benchmarks/bench_ingest.py --hashes --images 4900``). The median copy at
JPEG quality 50, in half the size, or in grey is 4 or less away; not every copy is found, and pictures that were cut
otherwise are not. Expressions of one person in one sitting may be nearer than that: for a person's own pictures "near"
does not mean "copied".
"""


def phash(picture: NDArray[np.uint8]) -> str:
    """Hash a picture.

    Parameters
    ----------
    picture : array (h, w) or (h, w, 3) uint8
        Grey or RGB.

    Returns
    -------
    str
        64 hexadecimal digits; empty where the picture has too little contrast to be told from others.
    """
    import cv2

    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey.astype(np.float32), (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    contrast = float(small.std())
    if contrast < _LEAST_CONTRAST:
        return ""
    step = _STEP * min(1.0, contrast / _CONTRAST)
    return np.packbits(small[:, 1:] - small[:, :-1] > step).tobytes().hex()


def distance(a: str, b: str) -> int:
    """Count the bits in which two hashes differ: 0 to 256."""
    return int(np.bitwise_count(_unpack([a]) ^ _unpack([b])).sum())


def near_pairs(hashes_a: Sequence[str], hashes_b: Sequence[str], threshold: int = NEAR) -> NDArray[np.int64]:
    """Find the pairs of pictures that look the same.

    Parameters
    ----------
    hashes_a, hashes_b : sequences of str
        Hashes of two sets of pictures; an empty text (no hash) is near to nothing.
    threshold : int
        Largest distance of a pair, in bits.

    Returns
    -------
    array (n, 3) int64
        Row in ``a``, row in ``b``, distance; sorted by distance, then by rows.
    """
    at_a, at_b = (np.array([i for i, h in enumerate(hashes) if h], dtype=np.int64) for hashes in (hashes_a, hashes_b))
    a, b = _unpack([h for h in hashes_a if h]), _unpack([h for h in hashes_b if h])
    found = [np.zeros((0, 3), dtype=np.int64)]
    for start in range(0, len(a), _BLOCK):
        for begin in range(0, len(b), _BLOCK):
            part = _distances(a[start : start + _BLOCK], b[begin : begin + _BLOCK])
            i, j = np.nonzero(part <= threshold)
            found.append(np.stack([at_a[i + start], at_b[j + begin], part[i, j]], axis=1))
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0], pairs[:, 2]))]


def _distances(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint16]:
    total = np.zeros((len(a), len(b)), dtype=np.uint16)
    for word in range(a.shape[1]):
        total += np.bitwise_count(a[:, None, word] ^ b[None, :, word])
    return total


def _unpack(hashes: Sequence[str]) -> NDArray[np.uint64]:
    """Turn hashes into (n, 4) words of 64 bits."""
    try:
        data = bytes.fromhex("".join(hashes))
        if len(data) != len(hashes) * BITS // 8 or any(len(h) != BITS // 4 for h in hashes):
            raise ValueError(f"expected {BITS // 4} hexadecimal digits each")
    except ValueError as error:
        raise InputError(f"perceptual hashes: {error}") from error
    return np.frombuffer(data, dtype=np.uint64).reshape(-1, BITS // 64)
