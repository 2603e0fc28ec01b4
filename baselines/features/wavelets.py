"""Bands of the discrete wavelet transform, batched over images.

Mallat, TPAMI 11(7), 1989, doi 10.1109/34.192463; Daubechies 1988, doi 10.1002/cpa.3160410705. For faces: Shih, Chuang
and Wang 2008, doi 10.1142/S0218001408006284. Values are those of PyWavelets on grey levels in [0, 1], borders mirrored
(its mode ``symmetric``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pywt
from numpy.typing import NDArray

from fer_bench.errors import InputError

from .grids import check_size, in_chunks

__all__ = ["BANDS", "dwt_bands"]

BANDS = ("ll", "lh", "hl", "hh")
"""First letter: low or high pass downwards; second: across. PyWavelets calls them cA, cV, cH and cD."""


def dwt_bands(
    images: NDArray[np.uint8], wavelet: str = "db2", level: int = 1, bands: Sequence[str] = ("ll",)
) -> NDArray[np.float32]:
    """Return wavelet bands of grey images, one band after the other.

    Parameters
    ----------
    images : (n, h, w) uint8
        At least as many pixels along each side as the wavelet's filter is long at each level.
    wavelet : str
        A discrete wavelet of PyWavelets; ``"haar"`` is worked out by sums of four pixels, without filters.
    level : int
        How often the low-low band is split again, from 1.
    bands : sequence of str
        Names in `BANDS`; details are those of the last level.

    Returns
    -------
    (n, d) float32
        ``len(bands)`` times the size of a band, which is ((side + length of the filter - 1) // 2) along each side and
        level: at 64 pixels 32 * 32 for haar and 33 * 33 for db2, at level 2 18 * 18 for db2.

    Raises
    ------
    InputError
        Unknown wavelet or band, level below 1, images too small for the level.
    """
    if wavelet not in pywt.wavelist(kind="discrete"):
        raise InputError(f"wavelet: expected a discrete one of PyWavelets such as haar or db2, found {wavelet!r}")
    if not bands or not set(bands) <= set(BANDS):
        raise InputError(f"bands: expected names out of {', '.join(BANDS)}, found {', '.join(bands) or 'none'}")
    if level < 1:
        raise InputError(f"level: expected 1 or more, found {level}")
    taps = pywt.Wavelet(wavelet).dec_len
    least = taps << (level - 1)
    check_size(images, least, least, f"{wavelet} at level {level}")
    sides = images.shape[1:]
    for _ in range(level):
        sides = tuple((side + taps - 1) // 2 for side in sides)

    def step(part: NDArray[np.uint8]) -> NDArray[np.float32]:
        low = part.astype(np.float32) / np.float32(255)
        for _ in range(level - 1):
            low = pywt.dwt2(low, wavelet, mode="symmetric", axes=(-2, -1))[0]
        low, (horizontal, vertical, diagonal) = pywt.dwt2(low, wavelet, mode="symmetric", axes=(-2, -1))
        named = dict(zip(BANDS, (low, vertical, horizontal, diagonal), strict=True))
        return np.stack([named[band] for band in bands], axis=1)

    def haar_step(part: NDArray[np.uint8]) -> NDArray[np.float32]:
        return _haar(part, level, bands)

    return in_chunks(images, haar_step if wavelet == "haar" else step, len(bands) * sides[0] * sides[1])


def _haar(images: NDArray[np.uint8], level: int, bands: Sequence[str]) -> NDArray[np.float32]:
    """Bands of a few images by sums and differences of whole numbers: exact until the last product."""
    low: NDArray[Any] = images.astype(np.int16 if level <= 3 else np.int32)
    for left in range(level, 0, -1):
        if low.shape[1] % 2 or low.shape[2] % 2:  # mirrored, as the wavelet's border asks
            low = np.pad(low, ((0, 0), (0, low.shape[1] % 2), (0, low.shape[2] % 2)), mode="edge")
        top, bottom = low[:, ::2], low[:, 1::2]
        both = top + bottom
        if left > 1:
            low = both[:, :, ::2] + both[:, :, 1::2]
    found = np.empty((len(low), len(bands), both.shape[1], both.shape[2] // 2), dtype=np.float32)
    difference = top - bottom
    for index, band in enumerate(bands):
        rows = both if band[0] == "l" else difference
        left, right = rows[:, :, ::2], rows[:, :, 1::2]
        whole = left + right if band[1] == "l" else left - right
        np.multiply(whole, np.float32(1 / (255 * 2**level)), out=found[:, index])
    return found
