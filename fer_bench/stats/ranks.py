"""Several methods by their ranks on each person: a picture, not a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from fer_bench.errors import InputError

from .people import Floats, correct_and_tested, ratio
from .reasons import NotApplicable
from .units import PERSON, Unit

__all__ = ["MOST_RANKED", "CriticalDifference", "critical_difference", "person_accuracies"]

MOST_RANKED = 10
"""The critical difference grows with every method, and the diagram is read by eye: more are refused."""


@dataclass(frozen=True)
class CriticalDifference:
    """Mean ranks over people, and how far apart they must lie (Demsar 2006, jmlr.org/papers/v7/demsar06a.html).

    Attributes
    ----------
    names : tuple of str
        Methods, best mean rank first.
    ranks : tuple of float
        Their mean ranks; 1 is best, ties share.
    difference : float
        Nemenyi's critical difference of mean ranks.
    groups : tuple of tuple of str
        Largest sets of neighbours that lie within it: not significantly different. Sets of one are left out.
    p_value, statistic : float
        Friedman's test that all methods are equal, corrected for ties.
    people : int
    method : str
    alpha : float
    """

    names: tuple[str, ...]
    ranks: tuple[float, ...]
    difference: float
    groups: tuple[tuple[str, ...], ...]
    p_value: float
    statistic: float
    people: int
    method: str
    alpha: float = 0.05


def person_accuracies(correct: ArrayLike, people: ArrayLike) -> Floats:
    """Accuracy of each person, (people,), in sorted order of their names."""
    return ratio(correct_and_tested(correct, people))


def critical_difference(
    names: Sequence[str], scores: ArrayLike, *, alpha: float = 0.05, unit: Unit = PERSON
) -> CriticalDifference | NotApplicable:
    """Rank methods on each person, and say which mean ranks are not significantly different.

    Friedman's test (1937, doi 10.1080/01621459.1937.10503522) and Nemenyi's critical difference (1963), as Demsar
    draws them, with people in the place of data sets. Descriptive: ranks forget by how much a method is better.

    Parameters
    ----------
    names : sequence of str
        Methods, all different.
    scores : (people, methods)
        Higher is better, such as `person_accuracies` of each method, over the same people and images.
    alpha : float
    unit : Unit
        What the rows stand for; it words the method.

    Raises
    ------
    InputError
        Shapes that do not fit, a score that is no number, or a name given twice.
    """
    method = f"Friedman test {unit.over} with Nemenyi's critical difference"
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(names):
        raise InputError(f"scores: expected (people, {len(names)}), found {table.shape}")
    if not np.isfinite(table).all() or len(set(names)) != len(names):
        raise InputError("names and scores: expected different names and finite scores")
    people, k = table.shape
    if why := _why_not(table, unit):
        return NotApplicable(method, why)
    # Takes a second to import, and few commands compare three methods.
    from scipy import stats as distributions

    ranks = distributions.rankdata(-table, axis=1).mean(axis=0)
    order = np.argsort(ranks, kind="stable")
    sorted_names, sorted_ranks = tuple(names[i] for i in order), tuple(float(ranks[i]) for i in order)
    difference = _nemenyi_q(k, alpha) * float(np.sqrt(k * (k + 1) / (6 * people)))
    friedman = distributions.friedmanchisquare(*table.T)
    return CriticalDifference(
        names=sorted_names,
        ranks=sorted_ranks,
        difference=difference,
        groups=_groups(sorted_names, sorted_ranks, difference),
        p_value=float(friedman.pvalue),
        statistic=float(friedman.statistic),
        people=people,
        method=method,
        alpha=alpha,
    )


def _why_not(table: Floats, unit: Unit) -> str:
    people, k = table.shape
    if k < 3:
        return f"{k} methods: ranks take at least three; two have the paired difference"
    if k > MOST_RANKED:
        return f"{k} methods: the diagram is for at most {MOST_RANKED}"
    if people < 2:
        return f"it takes two {unit.many}"
    if (table == table[:, :1]).all():
        return f"all methods tie on every {unit.one}"
    return ""


@lru_cache(maxsize=64)
def _nemenyi_q(k: int, alpha: float) -> float:
    """Studentized range of k means with infinite degrees of freedom, over the square root of two."""
    from scipy import stats as distributions

    return float(distributions.studentized_range.ppf(1 - alpha, k, np.inf) / np.sqrt(2))


def _groups(names: Sequence[str], ranks: Sequence[float], difference: float) -> tuple[tuple[str, ...], ...]:
    """Maximal runs of neighbours in rank within the critical difference."""
    found, reached = [], 0
    for first in range(len(names)):
        end = first + 1
        while end < len(names) and ranks[end] - ranks[first] <= difference:
            end += 1
        if end > max(reached, first + 1):
            found.append(tuple(names[first:end]))
        reached = max(reached, end)
    return tuple(found)
