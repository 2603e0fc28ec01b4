"""Joint sign flips of people: every comparison of a person changes its sign at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .people import Floats

__all__ = ["EXACT_PEOPLE", "FLIPS", "largest_statistics", "reached_by_the_rest", "signs", "squared_norms"]

Places = NDArray[np.int64]

EXACT_PEOPLE = 14
"""Up to this many people all flips are gone through: 8,192, as a flip and its opposite give the same statistic."""

FLIPS = 9_999
"""Drawn where there are more people; with what was observed they make 10,000."""

MOST_SIGNED = 1_000
"""Above this many people (groups or images of a large dataset) totals are drawn from the normal law with the same
covariance, which they follow: as many signs would take gigabytes."""

_BLOCK = 1 << 18
"""Numbers held at a time, 2 MB: what a processor's cache holds."""


@lru_cache(maxsize=4)
def signs(people: int, seed: int) -> Floats:
    """Signs of +1 and -1, (flips, people): all of them for few people, else `FLIPS` draws.

    Parameters
    ----------
    people : int
    seed : int
        Of the draws.
    """
    if people <= EXACT_PEOPLE:
        places = np.arange(2 ** max(0, people - 1))[:, None]
        heads = places >> np.arange(people) & 1
    else:
        heads = np.random.default_rng(seed).integers(0, 2, (FLIPS, people))
    drawn: Floats = 1.0 - 2.0 * heads.astype(np.float64)
    drawn.flags.writeable = False
    return drawn


def largest_statistics(columns: Floats, first: Places, second: Places, seed: int) -> Floats:
    """Largest studentised statistic of all comparisons under each flip.

    A comparison is the difference of two columns, d; its statistic is the absolute flipped total of d over the root of
    its sum of squares, which no flip changes.

    Parameters
    ----------
    columns : (people, m)
    first, second : (k,) int
        Columns of each comparison.
    seed : int

    Returns
    -------
    (flips,) float64
        A comparison without variation counts as 0.
    """
    largest = [
        np.maximum(found.max(axis=0, initial=0.0), -found.min(axis=0, initial=0.0))
        for found in _statistics(columns, first, second, seed)
    ]
    return np.concatenate(largest)


def reached_by_the_rest(columns: Floats, first: Places, second: Places, statistic: Floats, seed: int) -> Floats:
    """Share of flips in which a comparison, or any before it, reaches its statistic; comparisons in rising order.

    Returns
    -------
    (k,) float64
    """
    reached, flips = np.zeros(len(first)), 0
    for found in _statistics(columns, first, second, seed):
        highest = np.maximum.accumulate(np.abs(found), axis=0)
        reached += (highest >= statistic[:, None]).sum(axis=1)
        flips += highest.shape[1]
    drawn = len(columns) > EXACT_PEOPLE  # what was observed is one of them
    result: Floats = (reached + drawn) / (flips + drawn)
    return result


def squared_norms(columns: Floats, first: Places, second: Places) -> Floats:
    """Sum of squares over people of each comparison; exactly 0 where it is 0 but for rounding."""
    products = columns.T @ columns
    own = np.diag(products)
    found: Floats = own[first] + own[second] - 2 * products[first, second]
    found[found <= 1e-9 * own.max(initial=0.0)] = 0.0
    return found


def _statistics(columns: Floats, first: Places, second: Places, seed: int) -> Iterator[Floats]:
    """Signed statistics, (k, flips), a block of flips at a time."""
    norms = np.sqrt(squared_norms(columns, first, second))
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    for totals in _totals(columns, seed, max(1, _BLOCK // max(1, len(first)))):
        compared = np.take(totals, first, axis=0)
        compared -= np.take(totals, second, axis=0)
        compared *= scale[:, None]
        yield compared


def _totals(columns: Floats, seed: int, size: int) -> Iterator[Floats]:
    """Flipped totals of the columns, (m, flips), a block of at most ``size`` flips at a time."""
    people, m = columns.shape
    if people <= MOST_SIGNED:
        drawn = signs(people, seed)
        for start in range(0, len(drawn), size):
            yield columns.T @ drawn[start : start + size].T
        return
    values, vectors = np.linalg.eigh(columns.T @ columns)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    rng = np.random.default_rng(seed)
    for start in range(0, FLIPS, size):
        yield root @ rng.standard_normal((m, min(size, FLIPS - start)))
