"""Perceptual hashes: pictures that look the same have nearly the same hash, whatever their size or compression.

A hash has two parts. The second knows mirrored and turned pictures, too: `fer_bench.data.images.rings`. The first still
knows a picture whose height was changed and not its width. It is a difference hash: the picture is reduced to grey
17x16, and each bit says whether a pixel is darker than its right neighbour (N. Krawetz, "Kind of like that",
hackerfactor.com, 2013), here by more than two grey levels, since in a plain studio background compression alone decides
which of two equal pixels is darker. In a pale picture two grey levels are much: there it is the same share of the
contrast, and a picture of hardly any contrast has no hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.errors import InputError

from .rings import DIGITS, SIDE, ring_copies, ring_hash

__all__ = ["BITS", "NEAR", "copies", "distance", "near_pairs", "phash", "upright_only"]

BITS = 256
_DIGITS = BITS // 4
_WIDTH, _HEIGHT = 17, 16
_STEP = 2.0
_BLOCK = 1024

_CONTRAST = 32.0
"""Standard deviation of the reduced picture, in grey levels, under which the step shrinks with it.

Most portraits have more, and the step as it stands. With a fixed step pale pictures lose most of their bits, and
different people become alike. Copies of a pale picture are found less often than those of others.
"""

_LEAST_CONTRAST = 2.0
"""Standard deviation under which rounding to whole grey levels says as much as the face does."""

NEAR = 5
"""Largest distance of two pictures that are taken for copies of one another where there is the first part alone.

Of 11.8 million pairs of rendered portraits of different people, which share background and light, none is within 10
bits (``benchmarks/bench_ingest.py --hashes --images 4900``). The median copy at JPEG quality 50, in half the size, or
in grey is 2 or less away.
"""

_SURE = 3
"""The same where both have a second part, which finds copies by itself: pale and small portraits of two people may be 4
bits apart."""


def phash(picture: NDArray[np.uint8], aspect: float | None = None) -> str:
    """Hash a picture.

    Parameters
    ----------
    picture : array (h, w) or (h, w, 3) uint8
        Grey or RGB.
    aspect : float, optional
        Width over height of the whole picture, where ``picture`` is a copy of it in another shape.

    Returns
    -------
    str
        64 hexadecimal digits, and the hash of the rings; empty where the picture has too little contrast to be told
        from others.
    """
    import cv2

    height, width = picture.shape[:2]
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    reduced = _reduced(grey.astype(np.float32))
    small = _shares(_HEIGHT).T @ reduced @ _shares(_WIDTH)
    contrast = float(cv2.meanStdDev(small)[1].item())
    if contrast < _LEAST_CONTRAST:
        return ""
    step = _STEP * min(1.0, contrast / _CONTRAST)
    first: str = np.packbits(small[:, 1:] - small[:, :-1] > step).tobytes().hex()
    return first + ring_hash(reduced, width / height if aspect is None else aspect)


def upright_only(text: str) -> bool:
    """Tell whether a hash knows no mirrored or turned copy: an older one, or one of an empty disc."""
    return len(text) == _DIGITS


def distance(a: str, b: str) -> int:
    """Count the bits in which the first parts of two hashes differ: 0 to 256."""
    return int(np.bitwise_count(_words([a]) ^ _words([b])).sum())


def copies(hashes_a: Sequence[str], hashes_b: Sequence[str] | None = None) -> pd.DataFrame:
    """Find the pairs of pictures that look the same by either part of their hashes.

    Parameters
    ----------
    hashes_a : sequence of str
        Hashes; an empty text (no hash) is near to nothing, one of 64 digits has no second part.
    hashes_b : sequence of str, optional
        Those to compare them with; by default each with those after it.

    Returns
    -------
    DataFrame
        Columns a and b (rows, int64), mirrored (bool) and turned (degrees, float64), sorted by a and b.

    Raises
    ------
    InputError
        A text that is no hash.
    """
    once = hashes_b is None
    rest_a, rest_b = ([text[_DIGITS:] for text in hashes] for hashes in (hashes_a, hashes_b or []))
    found = ring_copies(rest_a, None if once else rest_b).drop(columns="alike")
    near = near_pairs(hashes_a, hashes_b)
    whole_a, whole_b = (np.array([bool(rest) for rest in rests], dtype=bool) for rests in (rest_a, rest_b or rest_a))
    near = near[(near[:, 2] <= _SURE) | ~(whole_a[near[:, 0]] & whole_b[near[:, 1]])]
    upright = pd.DataFrame(near[:, :2], columns=["a", "b"]).assign(mirrored=False, turned=0.0)
    whole = pd.concat([found, upright]) if len(found) else upright
    return whole.drop_duplicates(["a", "b"]).sort_values(["a", "b"], ignore_index=True)


def near_pairs(
    hashes_a: Sequence[str], hashes_b: Sequence[str] | None = None, threshold: int = NEAR
) -> NDArray[np.int64]:
    """Find the pairs of pictures that are near by the first part of their hashes.

    Parameters
    ----------
    hashes_a : sequence of str
        Hashes; an empty text (no hash) is near to nothing.
    hashes_b : sequence of str, optional
        Those to compare them with; by default each with those after it.
    threshold : int
        Largest distance of a pair, in bits.

    Returns
    -------
    array (n, 3) int64
        Row in ``a``, row in ``b``, distance; sorted by distance, then by rows.
    """
    once = hashes_b is None
    there = hashes_a if hashes_b is None else hashes_b
    at_a, at_b = (np.array([i for i, h in enumerate(hashes) if h], dtype=np.int64) for hashes in (hashes_a, there))
    a, b = _telling_first(*(_words([h for h in hashes if h]) for hashes in (hashes_a, there)))
    found = [np.zeros((0, 3), dtype=np.int64)]
    for start in range(0, len(a), _BLOCK):
        for begin in range(start if once else 0, len(b), _BLOCK):
            mine, theirs = a[start : start + _BLOCK], b[begin : begin + _BLOCK]
            i, j = np.nonzero(np.bitwise_count(mine[:, None, 0] ^ theirs[None, :, 0]) <= threshold)
            apart = np.bitwise_count(mine[i] ^ theirs[j]).sum(axis=1, dtype=np.int64)
            near = (apart <= threshold) & (not once or i + start < j + begin)
            found.append(np.stack([at_a[i[near] + start], at_b[j[near] + begin], apart[near]], axis=1))
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0], pairs[:, 2]))]


def _telling_first(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Put the bits that differ most among these pictures into the first word, which then tells most pairs apart."""
    bits = np.unpackbits(np.concatenate([a, b]).view(np.uint8).reshape(len(a) + len(b), BITS // 8), axis=1)
    order = np.argsort(np.abs(bits.mean(axis=0) - 0.5), kind="stable") if len(bits) else np.arange(BITS)
    words = np.ascontiguousarray(np.packbits(bits[:, order], axis=1)).view(np.uint64)
    return words[: len(a)], words[len(a) :]


def _words(hashes: Sequence[str]) -> NDArray[np.uint64]:
    """Turn the first parts of hashes into (n, 4) words of 64 bits."""
    try:
        if any(len(h) not in (_DIGITS, _DIGITS + DIGITS) for h in hashes):
            raise ValueError(f"expected {_DIGITS} hexadecimal digits each, or {_DIGITS + DIGITS} characters")
        data = bytes.fromhex("".join(h[:_DIGITS] for h in hashes))
        if len(data) != len(hashes) * BITS // 8:
            raise ValueError(f"expected {_DIGITS} hexadecimal digits each")
    except ValueError as error:
        raise InputError(f"perceptual hashes: {error}") from error
    return np.frombuffer(data, dtype=np.uint64).reshape(-1, BITS // 64)


def _reduced(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reduce a picture to (SIDE, SIDE), by way of twice that: halving is much faster than any other reducing."""
    import cv2

    double = 2 * SIDE
    if grey.shape != (double, double):
        how = cv2.INTER_AREA if min(grey.shape) >= 2 * double else cv2.INTER_LINEAR
        grey = np.asarray(cv2.resize(grey, (double, double), interpolation=how), dtype=np.float32)
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), dtype=np.float32)


@cache
def _shares(parts: int) -> NDArray[np.float32]:
    """How much of each column of the reduced picture is in each of so many parts, (SIDE, parts)."""
    width = SIDE / parts
    ends = np.arange(parts + 1) * width
    columns = np.arange(SIDE)[:, None]
    overlap = np.minimum(columns + 1, ends[1:]) - np.maximum(columns, ends[:-1])
    result: NDArray[np.float32] = (np.maximum(overlap, 0) / width).astype(np.float32)
    return result
