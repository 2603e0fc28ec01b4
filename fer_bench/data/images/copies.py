"""Which pictures of a dataset look the same: found once, however many folds are to be checked."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.errors import UserError
from fer_bench.utils.files import atomic_write, cache_dir
from fer_bench.utils.json_files import read_text

from .phash import copies

__all__ = ["near_hashes"]

_VERSION = 1
_QUICK = 2000
"""Hashes that are compared sooner than a file is read and written."""

_TURNED = 2.0
"""Degrees from which a copy is called turned; less may be the grain of the comparison."""

_found: list[tuple[frozenset[str], pd.DataFrame]] = []


def near_hashes(hashes: Sequence[str]) -> pd.DataFrame:
    """Find the hashes that are near to one another; the same hashes, or some of them, are not compared again.

    Parameters
    ----------
    hashes : sequence of str
        As of `fer_bench.data.images.phash.phash`; empty texts are near to nothing.

    Returns
    -------
    DataFrame
        Columns a and b (two different hashes, str; each pair in both orders), mirrored and turned (bool).

    Raises
    ------
    InputError
        A text that is no hash.
    """
    texts = frozenset(hashes) - {""}
    for known, pairs in _found:
        if texts == known:
            return pairs
        if texts < known:
            return pairs[pairs["a"].isin(texts) & pairs["b"].isin(texts)]
    pairs = _kept(sorted(texts))
    _found[:] = [(texts, pairs), *_found[:1]]
    return pairs


def _kept(texts: list[str]) -> pd.DataFrame:
    """Compare hashes, or read from the cache what was found when they were."""
    if len(texts) <= _QUICK:
        return _both_orders(texts, copies(texts))
    key = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    path = cache_dir() / "copies" / f"v{_VERSION}-{key[:32]}.csv"
    rows = _read(path)
    if rows is None:
        rows = copies(texts)
        body = rows.to_csv(index=False, lineterminator="\n")
        # What cannot be kept is found again next time.
        with suppress(OSError), atomic_write(path, "w") as handle:
            handle.write(f"{hashlib.sha256(body.encode()).hexdigest()}\n{body}")
    return _both_orders(texts, rows)


def _read(path: Path) -> pd.DataFrame | None:
    """Read pairs of rows; None where they are not there or damaged."""
    try:
        digest, body = read_text(path, path.name).split("\n", 1)
    except (UserError, ValueError):
        return None
    if hashlib.sha256(body.encode()).hexdigest() != digest:
        return None
    return pd.read_csv(io.StringIO(body))


def _both_orders(texts: list[str], rows: pd.DataFrame) -> pd.DataFrame:
    """Turn pairs of rows into pairs of hashes."""
    array = np.array(texts, dtype=object)
    one = pd.DataFrame(
        {
            "a": array[rows["a"].to_numpy(dtype=np.int64)],
            "b": array[rows["b"].to_numpy(dtype=np.int64)],
            "mirrored": rows["mirrored"].to_numpy(dtype=bool),
            "turned": rows["turned"].abs().to_numpy() >= _TURNED,
        }
    )
    return pd.concat([one, one.rename(columns={"a": "b", "b": "a"})], ignore_index=True)
