"""A hash that still knows a picture when it is mirrored or turned: its largest upright disc, read ring by ring.

The disc is sampled on rings around its middle. A sample says whether the picture grows brighter or darker, by more
than most of it does, along the ring or to the next ring out: -1, 0 or 1. To turn the picture is to shift its rings, to
mirror it is to read them backwards, and light and contrast change next to nothing.

Two hashes are compared as waves of the rings, at all angles up to `MOST_TURNED` degrees and both ways round: the best
correlation is how alike they are. The waves' heights are the same at every angle, so that they tell at once which
pictures need no comparing.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.errors import InputError
from fer_bench.utils.progress import progress

__all__ = ["ALIKE", "DIGITS", "MOST_TURNED", "SIDE", "likeness", "ring_copies", "ring_hash"]

SIDE = 64
"""Side of the reduced picture that is hashed, in pixels."""

ALIKE = 0.88
"""Least correlation of two pictures that are taken for copies of one another.

Chosen so that nobody is accused wrongly: of 11.8 million pairs of rendered portraits of different people, which share
background and light, none is above 0.867, and none above 0.844 where faces are cut out at 48x48
(``benchmarks/bench_ingest.py --hashes --images 4900``). All of their copies were found that were saved at quality 20,
halved, brighter by a fifth, darker by a third, mirrored, or turned by up to ten degrees; at 48x48 95 to 100 % of them,
but 57 % at quality 20, 69 % of the halved and 49 % of those that were turned pixel by pixel. Pictures that were cut
otherwise are not found, and few in which much of a face was made white. Pictures of one person in one sitting may be as
alike: for a person's own pictures "alike" does not mean "copied".
"""

MOST_TURNED = 11.0
"""Degrees up to which a turned picture is known."""

DIGITS = 256
"""Characters of a hash: base64, with - and _, of five samples a byte."""

_RINGS, _ANGLES = 8, 64
_ROWS = 2 * _RINGS - 1
_INNER, _OUTER = 0.2, 0.96
_BLUR = 1.3
_STEP, _LEAST_STEP = 0.8, 0.5
_LEAST_SAMPLES = 48
_POWERS = np.array([1, 3, 9, 27, 81], dtype=np.uint8)

_WAVES = 20
"""Waves a ring up to which rings are compared; finer ones are noise, of JPEG or of small pictures."""

_COARSE_WAVES, _COARSE_WEIGHT = 3, 0.3
"""Every head is round and has a forehead: waves so long tell little of who it is."""

_HEIGHTS = 9
_FAR = 0.12
"""Waves whose heights are compared first, and the squared distance of them beyond which pictures are not alike."""

_MOST_NEAR = 64
"""Pictures that one is compared with at most: of a thousand frames that are all alike, some are enough."""

_BLOCK, _PAIRS = 256, 4096
_LONG = 10_000
"""Pictures from which the search takes seconds, and shows how far it is."""

_SHIFT = 360 / 256


def ring_hash(reduced: NDArray[np.float32], aspect: float) -> str:
    """Hash a reduced picture.

    Parameters
    ----------
    reduced : array (SIDE, SIDE) float32
        The whole picture in grey levels, whatever its shape was.
    aspect : float
        Width over height of the picture.

    Returns
    -------
    str
        `DIGITS` characters; empty where the disc shows next to nothing.
    """
    import cv2

    across, down = _places(round(aspect, 3))
    rings = cv2.remap(cv2.GaussianBlur(reduced, (7, 7), _BLUR), across, down, cv2.INTER_LINEAR)
    change = np.empty((_ROWS, _ANGLES), dtype=np.float32)
    np.subtract(rings[:, 1:], rings[:, :-1], out=change[:_RINGS])
    np.subtract(rings[1:, :-1], rings[:-1, :-1], out=change[_RINGS:])
    for part in (change[:_RINGS], change[_RINGS:]):
        part /= max(_STEP * math.sqrt(np.vdot(part, part) / part.size), _LEAST_STEP)
    samples = (change > 1).view(np.uint8) + (change >= -1).view(np.uint8)
    if np.count_nonzero(samples != 1) < _LEAST_SAMPLES:
        return ""
    return base64.urlsafe_b64encode((samples.reshape(-1, len(_POWERS)) @ _POWERS).tobytes()).decode("ascii")


def ring_copies(hashes_a: Sequence[str], hashes_b: Sequence[str] | None = None, least: float = ALIKE) -> pd.DataFrame:
    """Find the pairs of pictures that are alike, turned and mirrored as need be.

    Parameters
    ----------
    hashes_a : sequence of str
        Hashes; an empty text (no hash) is like nothing.
    hashes_b : sequence of str, optional
        Those to compare them with; by default each with those after it.
    least : float
        Least correlation.

    Returns
    -------
    DataFrame
        Columns a and b (rows, int64), alike (correlation, float32), mirrored (bool) and turned (degrees, float64).

    Raises
    ------
    InputError
        A text that is no such hash.
    """
    rows_a, waves_a = _waves(hashes_a)
    rows_b, waves_b = (rows_a, waves_a) if hashes_b is None else _waves(hashes_b)
    parts = [_compare(waves_a, waves_b, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))]
    with progress("Comparing pictures", len(rows_a)) if len(rows_a) > _LONG else nullcontext(_tell_nobody) as done:
        for end, a, b in _candidates(waves_a, waves_b, once=hashes_b is None):
            for start in range(0, len(a), _PAIRS):
                found = _compare(waves_a, waves_b, a[start : start + _PAIRS], b[start : start + _PAIRS])
                parts.append(found[found["alike"] >= least])
            done(end)
    found = pd.concat(parts, ignore_index=True)
    return found.assign(a=rows_a[found["a"]], b=rows_b[found["b"]])


def likeness(hashes_a: Sequence[str], hashes_b: Sequence[str]) -> pd.DataFrame:
    """Compare hashes one by one, none of them empty; the columns are those of `ring_copies`."""
    (rows, waves_a), (_, waves_b) = _waves(hashes_a), _waves(hashes_b)
    return _compare(waves_a, waves_b, rows, rows)


def _tell_nobody(done: int) -> None:
    """Show no progress."""


@lru_cache(maxsize=64)
def _places(aspect: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where in the reduced picture the rings' samples are, the first of each ring once more at its end."""
    angle = np.arange(_ANGLES + 1) * 2 * np.pi / _ANGLES
    radius = np.linspace(_INNER, _OUTER, _RINGS)[:, None] * SIDE / 2
    across = (SIDE - 1) / 2 + min(1.0, 1 / aspect) * radius * np.sin(angle)
    down = (SIDE - 1) / 2 - min(1.0, aspect) * radius * np.cos(angle)
    return across.astype(np.float32), down.astype(np.float32)


def _waves(hashes: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.complex64]]:
    """Rows that have a hash, and the waves of their rings (n, _ROWS, _WAVES + 1), of length 1 in all."""
    rows = np.array([i for i, text in enumerate(hashes) if text], dtype=np.int64)
    weights = np.full(_WAVES + 1, np.sqrt(2), dtype=np.float32)
    weights[0] = 1
    weights[:_COARSE_WAVES] *= _COARSE_WEIGHT
    waves = np.empty((len(rows), _ROWS, _WAVES + 1), dtype=np.complex64)
    for start in range(0, len(rows), _PAIRS):
        some = _samples([hashes[row] for row in rows[start : start + _PAIRS]])
        part = np.fft.rfft(some, axis=2)[:, :, : _WAVES + 1] * weights
        length = np.sqrt((np.abs(part) ** 2).sum(axis=(1, 2), keepdims=True))
        waves[start : start + _PAIRS] = part / np.maximum(length, 1e-6)
    return rows, waves


def _samples(hashes: Sequence[str]) -> NDArray[np.float32]:
    """Unpack hashes to (n, _ROWS, _ANGLES) of -1, 0 and 1."""
    try:
        if any(len(text) != DIGITS for text in hashes):
            raise ValueError(f"expected {DIGITS} characters each")
        data = np.frombuffer(base64.b64decode("".join(hashes), altchars=b"-_", validate=True), dtype=np.uint8)
    except ValueError as error:
        raise InputError(f"hashes of rings: {error}") from error
    digits = data[:, None] // _POWERS % 3
    return digits.reshape(len(hashes), _ROWS, _ANGLES).astype(np.float32) - 1


def _candidates(
    waves_a: NDArray[np.complex64], waves_b: NDArray[np.complex64], *, once: bool
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
    """Yield how far it is, and rows of pictures whose waves are of about the same heights; with ``once``, b after a."""
    heights_a, heights_b = (np.abs(w[:, :, :_HEIGHTS]).reshape(len(w), _ROWS * _HEIGHTS) for w in (waves_a, waves_b))
    squares_a, squares_b = ((h**2).sum(axis=1, keepdims=True) for h in (heights_a, heights_b))
    # One product gives half the squared distances, below zero.
    left = np.hstack([heights_a, -squares_a / 2, np.ones_like(squares_a)])
    right = np.hstack([heights_b, np.ones_like(squares_b), -squares_b / 2]).T
    for start in range(0, len(left), _BLOCK):
        first = start + 1 if once else 0
        close = left[start : start + _BLOCK] @ right[:, first:]
        if once:
            close[np.tril_indices(len(close), -1, close.shape[1])] = -np.inf
        a, b = np.divmod(np.flatnonzero(close >= -_FAR / 2), close.shape[1])
        for row in np.flatnonzero(np.bincount(a, minlength=len(close)) > _MOST_NEAR):
            best = np.argpartition(-close[row], _MOST_NEAR)[:_MOST_NEAR]
            others = a != row
            a, b = np.append(a[others], np.full(_MOST_NEAR, row)), np.append(b[others], best)
        yield min(start + _BLOCK, len(left)), a + start, b + first


def _compare(
    waves_a: NDArray[np.complex64], waves_b: NDArray[np.complex64], a: NDArray[np.int64], b: NDArray[np.int64]
) -> pd.DataFrame:
    """Compare pictures row by row at every angle, as they are and mirrored."""
    mine, theirs = waves_a[a], waves_b[b]
    wave = np.arange(_WAVES + 1)
    upright = np.einsum("prw,prw->pw", mine, theirs.conj())
    # Mirrored, rings run backwards, and along them what grew brighter grows darker.
    backwards = np.exp(-2j * np.pi * wave / _ANGLES).astype(np.complex64)
    along, outwards = (np.einsum("prw,prw->pw", mine[:, r], theirs[:, r]) for r in (slice(_RINGS), slice(_RINGS, None)))
    most = int(MOST_TURNED / _SHIFT)
    angles = np.arange(-most, most + 1) * _SHIFT
    turns = np.exp(2j * np.pi * np.outer(wave, angles) / 360).astype(np.complex64)
    both = np.stack([(part @ turns).real for part in (upright, outwards - along * backwards)])
    best = both.max(axis=2)
    mirrored = best[1] > best[0]
    turned = angles[both.argmax(axis=2)[mirrored.astype(int), np.arange(len(a))]]
    return pd.DataFrame({"a": a, "b": b, "alike": best.max(axis=0), "mirrored": mirrored, "turned": turned})
