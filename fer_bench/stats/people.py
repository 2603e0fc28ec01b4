"""Counts of each person, and how a figure made from them varies with who was tested."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit

from fer_bench.errors import InputError

__all__ = [
    "Floats",
    "Statistic",
    "bootstrap",
    "correct_and_tested",
    "jackknife_error",
    "jackknife_t",
    "paired_counts",
    "ratio",
    "sum_by_person",
]

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Takes sums (m, k) of per-person counts and gives (m,) values; NaN where a sum leaves nothing to compute."""


def sum_by_person(values: ArrayLike, people: ArrayLike) -> Floats:
    """Add up the rows of each person.

    Parameters
    ----------
    values : (n,) or (n, k)
    people : (n,)
        Anything that `numpy.unique` sorts.

    Returns
    -------
    (people, k) float64
        One row a person, in sorted order.
    """
    table = np.asarray(values, dtype=np.float64)
    who = np.asarray(people)
    if who.ndim != 1 or table.shape[:1] != who.shape or table.ndim > 2:
        raise InputError(f"values and people: expected (n,) or (n, k) and (n,), found {table.shape} and {who.shape}")
    names, index = np.unique(who, return_inverse=True)
    table = table[:, None] if table.ndim == 1 else table
    columns = [np.bincount(index, weights=column, minlength=len(names)) for column in table.T]
    return np.stack(columns, axis=1) if columns else np.empty((len(names), 0))


def ratio(sums: Floats) -> Floats:
    """First column divided by the second; NaN where nobody was tested."""
    result: Floats = np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0)
    return result


def correct_and_tested(correct: ArrayLike, people: ArrayLike) -> Floats:
    """Count right answers and images of each person, (people, 2)."""
    right = np.asarray(correct, dtype=np.float64)
    return sum_by_person(np.stack([right, np.ones_like(right)], axis=-1), people)


def paired_counts(correct_a: ArrayLike, correct_b: ArrayLike, people: ArrayLike) -> Floats:
    """Count what A gets right more than B, and images, of each person, (people, 2)."""
    a, b = np.asarray(correct_a, dtype=np.float64), np.asarray(correct_b, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise InputError(f"correct_a and correct_b: expected two arrays (n,), found {a.shape} and {b.shape}")
    return sum_by_person(np.stack([a - b, np.ones_like(a)], axis=1), people)


def jackknife_error(counts: Floats, statistic: Statistic) -> tuple[float, int]:
    """Leave-one-person-out standard error and its degrees of freedom; people who leave nothing are passed over."""
    left_out = statistic(counts.sum(axis=0) - counts)
    left_out = left_out[~np.isnan(left_out)]
    k = len(left_out)
    if k < 2:
        return float("nan"), 0
    return float(np.sqrt((k - 1) / k * ((left_out - left_out.mean()) ** 2).sum())), k - 1


def jackknife_t(counts: Floats, statistic: Statistic, value: float, level: float) -> tuple[float, float]:
    """Bounds of the t interval with the jackknife's standard error; NaN where one person leaves none."""
    error, freedom = jackknife_error(counts, statistic)
    if freedom < 1:
        return float("nan"), float("nan")
    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    return value - half, value + half


def bootstrap(counts: Floats, statistic: Statistic, seed: int, level: float, repeats: int) -> tuple[float, float]:
    """Bounds of the percentile bootstrap that draws whole people; NaN where most draws leave nothing to compute."""
    people = len(counts)
    values = statistic(_draws(people, seed, repeats) @ counts)
    values = values[~np.isnan(values)]
    if len(values) < repeats // 2:
        return float("nan"), float("nan")
    tail = _widened_tail(people, level)
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


@lru_cache(maxsize=64)
def _widened_tail(people: int, level: float) -> float:
    """Share below the lower percentile, after Hesterberg's correction for few people."""
    widened = float(np.sqrt(people / (people - 1)) * stdtrit(people - 1, 0.5 + level / 2))
    return float(ndtr(-widened))


@lru_cache(maxsize=8)
def _draws(people: int, seed: int, repeats: int) -> Floats:
    """How often each person is drawn in each repeat, (repeats, people); kept for the thousands of uses in a report."""
    draws = np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), size=repeats)
    drawn = draws.astype(np.float64)
    drawn.flags.writeable = False
    return drawn
