"""Two groups of different people under many methods at once: adjusted p values and simultaneous intervals.

The unpaired counterpart of `max_t`. Who is in which group is drawn anew for all methods together, so that what the
luck of the draw does to all of them at once is counted (Westfall and Young 1993, Resampling-Based Multiple Testing,
section 2.3). The statistic is Welch's, since groups may differ in their spread: permutations of it hold their level
then, too, where those of a plain difference do not (Janssen 1997, doi 10.1016/S0167-7152(97)00043-6).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fer_bench.errors import InputError

from .intervals import NO_WIDTH
from .max_t import critical_value, shares
from .people import Floats

__all__ = ["GroupFamily", "max_welch"]

MOST_EXACT = 8_192
"""Up to as many ways to draw the first group all are gone through, as many as `max_t` goes through flips."""

DRAWS = 9_999
"""Drawn where there are more ways; with what was observed they make 10,000."""

_METHOD = "Welch's t, {} permutations of who is in which group, all methods together"

_BLOCK = 1 << 20
"""Numbers held at a time, 8 MB."""


@dataclass(frozen=True)
class GroupFamily:
    """Differences between two groups of people that were looked at together.

    Attributes
    ----------
    value : (k,) float64
        Mean over the people of the first group minus that of the second; NaN where a group is empty.
    low, high : (k,) float64
        Bounds that hold all true differences at once in 95 of 100 families; NaN where there are none.
    p_value : (k,) float64
        Adjusted for the whole family; below 5 % exactly where the interval leaves zero out; NaN where nothing was
        tested.
    first, second : (k,) int64
        People of each group behind each difference.
    tested : int
        How many of them were tested: the size of the family.
    critical : float
        What the absolute value of Welch's t must exceed at 5 %; infinite where so few people cannot reach it.
    method : str
        The test in words for a reader.
    reasons : tuple of str
        Why each has no bounds, a clause without a full stop; empty where it has.
    """

    value: Floats
    low: Floats
    high: Floats
    p_value: Floats
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    tested: int
    critical: float
    method: str
    reasons: tuple[str, ...]


def max_welch(values: ArrayLike, first: ArrayLike, *, seed: int, level: float = 0.95) -> GroupFamily:
    """Compare two groups of people, method by method, by the largest Welch statistic over joint permutations.

    As in `max_t` the permutations are made twice: of the values as they are, which is exact where the groups are
    alike, and of what is left after each group's mean is taken out, since large differences would move together in the
    first. The larger p, and the larger critical value, counts.

    Parameters
    ----------
    values : (people, k) float
        Such as each person's accuracy, in shares, under each method; NaN where a person was not tested.
    first : (people,) bool
        Who is in the first group; all others are in the second.
    seed : int
        Of the permutations, where there are more than `MOST_EXACT`.
    level : float

    Raises
    ------
    InputError
        Arrays that do not fit.
    """
    table, group = np.asarray(values, dtype=np.float64), np.asarray(first, dtype=bool)
    if table.ndim != 2 or group.shape != table.shape[:1]:
        raise InputError(f"values and first: expected (people, k) and (people,), found {table.shape} and {group.shape}")
    known = ~np.isnan(table)
    counts = [(known & chosen[:, None]).sum(axis=0) for chosen in (group, ~group)]
    value, error = (part[0] for part in _welch(table, group[None].astype(np.float64)))
    enough, varied = np.minimum(*counts) >= 2, error > NO_WIDTH
    chosen = np.flatnonzero(enough & varied)
    statistic = np.abs(value[chosen]) / error[chosen]
    draws, every = _draws(len(group), int(group.sum()), seed)
    centred = table - np.where(group[:, None], *(_means(table, side) for side in (group, ~group)))
    found = [_largest(part[:, chosen], draws) for part in ((table, centred) if len(chosen) else ())]
    # where draws are random, what was observed is one of them
    found = [np.sort(one if every else np.append(one, statistic.max())) for one in found]
    critical = max((critical_value(one, 1 - level) for one in found), default=math.inf)
    p_value, half = np.full(table.shape[1], np.nan), np.full(table.shape[1], np.nan)
    if len(chosen):
        p_value[chosen] = np.max([shares(one, statistic) for one in found], axis=0)
    if math.isfinite(critical) and not _too_few(draws, group, every=every, alpha=1 - level):
        half[chosen] = critical * error[chosen]
    else:
        critical = math.inf
    return GroupFamily(
        value=value,
        low=np.clip(value - half, -1.0, 1.0),
        high=np.clip(value + half, -1.0, 1.0),
        p_value=p_value,
        first=counts[0],
        second=counts[1],
        tested=len(chosen),
        critical=critical,
        method=_METHOD.format("all" if every else f"{len(draws):,}"),
        reasons=tuple(
            _reason(int(one), int(two), len(chosen), critical, varied=bool(varies))
            for one, two, varies in zip(counts[0], counts[1], varied, strict=True)
        ),
    )


def _reason(first: int, second: int, tested: int, critical: float, *, varied: bool) -> str:
    if min(first, second) < 2:
        return "it takes two people of either group"
    if not varied:
        return "no two people of a group differ"
    if math.isinf(critical):
        return f"{first} and {second} people are too few to tell two groups apart" + (
            f" under {tested:,} methods" if tested > 1 else ""
        )
    return ""


def _means(table: Floats, side: NDArray[np.bool_]) -> Floats:
    """Mean over the people of one side, (k,); NaN where nobody is known."""
    known = ~np.isnan(table[side])
    n = known.sum(axis=0)
    total = np.where(known, table[side], 0.0).sum(axis=0)
    result: Floats = np.divide(total, n, out=np.full(table.shape[1], np.nan), where=n > 0)
    return result


def _too_few(draws: Floats, group: NDArray[np.bool_], *, every: bool, alpha: float) -> bool:
    """Whether even the most lopsided outcome would not be below alpha; two halves may change places."""
    alike = 2 if 2 * group.sum() == len(group) else 1
    return every and alike / len(draws) >= alpha


def _welch(table: Floats, draws: Floats) -> tuple[Floats, Floats]:
    """Difference of means and its standard error by Welch for each draw of a first group, (draws, k) each."""
    known = (~np.isnan(table)).astype(np.float64)
    filled = np.nan_to_num(table)
    # about the middle of each column: squares of large common values would leave no digits
    n_all = known.sum(axis=0)
    filled = (filled - np.divide(filled.sum(axis=0), n_all, out=np.zeros_like(n_all), where=n_all > 0)) * known
    whole = np.concatenate([known, filled, filled**2], axis=1)
    one = draws @ whole
    sides = (one, whole.sum(axis=0) - one)
    means, variances = zip(*(_moments(side, table.shape[1]) for side in sides), strict=True)
    return means[0] - means[1], np.sqrt(variances[0] + variances[1])


def _moments(sums: Floats, k: int) -> tuple[Floats, Floats]:
    """Mean and squared standard error of the mean from counts, totals and totals of squares, (draws, k) each."""
    n, total, squares = sums[:, :k], sums[:, k : 2 * k], sums[:, 2 * k :]
    mean = np.divide(total, n, out=np.full_like(total, np.nan), where=n > 0.5)
    spread = np.maximum(squares - n * mean**2, 0.0)
    spread[spread <= 1e-12 * squares] = 0.0
    return mean, np.divide(spread, n * (n - 1), out=np.full_like(total, np.nan), where=n > 1.5)


def _largest(table: Floats, draws: Floats) -> Floats:
    """Largest absolute Welch statistic of all columns in each draw; infinite where groups differ without any spread.

    A draw that leaves a column with too few people of a group says nothing of that column.
    """
    largest = [np.empty(0)]
    for block in _blocks(draws, table.shape[1]):
        value, error = _welch(table, block)
        flat = error <= NO_WIDTH
        found = np.divide(np.abs(value), error, out=np.zeros_like(value), where=~flat & (error > 0))
        found[flat & (np.abs(value) > NO_WIDTH)] = np.inf
        largest.append(found.max(axis=1))
    return np.concatenate(largest)


def _blocks(draws: Floats, k: int) -> Iterator[Floats]:
    size = max(1, _BLOCK // (3 * k))
    for start in range(0, len(draws), size):
        yield draws[start : start + size]


@lru_cache(maxsize=4)
def _draws(people: int, first: int, seed: int) -> tuple[Floats, bool]:
    """Who is in the first group, (draws, people) of 0 and 1, and whether these are all ways to draw it."""
    if math.comb(people, first) <= MOST_EXACT:
        places = np.array(list(combinations(range(people), first)), dtype=np.int64).reshape(-1, first)
        every = True
    else:
        rng = np.random.default_rng(seed)
        places = np.argsort(rng.random((DRAWS, people)), axis=1)[:, :first]
        every = False
    drawn = np.zeros((len(places), people))
    np.put_along_axis(drawn, places, 1.0, axis=1)
    drawn.flags.writeable = False
    return drawn, every
