"""Intervals of figures, with people as the unit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from fer_bench.errors import InputError

from .people import Statistic, bootstrap, correct_and_tested, jackknife_t, ratio, sum_by_person
from .score import score_bounds, wilson_bounds
from .units import IMAGE, PERSON, Unit

__all__ = [
    "BOOTSTRAP_MOST",
    "BOOTSTRAP_PEOPLE",
    "Interval",
    "accuracy_interval",
    "bootstrap_interval",
    "mean_interval",
    "people_interval",
    "t_interval",
    "wilson_interval",
]

BOOTSTRAP_PEOPLE = 20
"""From this many people on intervals of differences come from the bootstrap; below, from the t distribution."""

FEWEST = 3
"""People that an interval takes: two give one difference, and t with one degree of freedom knows next to nothing."""

NO_WIDTH = 1e-9
"""Bounds that are no further apart differ by rounding alone."""

BOOTSTRAP_MOST = 1000
"""Above this many units (groups or images of a large dataset) the t interval again: nearly the same, far cheaper."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A figure with its interval.

    Attributes
    ----------
    value, low, high : float
        The figure and its bounds; bounds are NaN where there are none, and ``reason`` says why.
    n : int
        Images (or image-seed pairs) behind it.
    people : int
        People behind it, or groups or images where the data name no people (see `Unit`); 0 where the method does
        not look at them.
    method : str
        How the bounds were made, in words for a reader.
    level : float
        Confidence level, such as 0.95.
    reason : str
        Why there are no bounds, a clause without a full stop; empty where there are.
    """

    value: float
    low: float
    high: float
    n: int
    people: int
    method: str
    level: float = 0.95
    reason: str = ""

    @classmethod
    def without_bounds(cls, value: float, *, n: int, people: int, reason: str, level: float = 0.95) -> Interval:
        """Return a figure whose interval there is none of, and say why."""
        return cls(
            value=value,
            low=float("nan"),
            high=float("nan"),
            n=n,
            people=people,
            method=f"none: {reason}",
            level=level,
            reason=reason,
        )


def people_interval(
    counts: ArrayLike,
    statistic: Statistic,
    *,
    n: int,
    seed: int,
    level: float = 0.95,
    repeats: int = 2000,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    unit: Unit = PERSON,
) -> Interval:
    """Interval of any figure that is a function of counts added up over people.

    A figure between 0 and 1 has the score interval of `score_bounds`, at every number of people; any other
    `bootstrap_interval`'s from `BOOTSTRAP_PEOPLE` to `BOOTSTRAP_MOST` people, else `t_interval`'s, cut where the figure
    can be no more. A difference that is the same for all people has none: it would have no width, as if it were known
    for certain. Nor is there one for fewer than `FEWEST` people.

    Parameters
    ----------
    counts : (people, k)
        One row a person, such as (correct, tested).
    statistic : callable
        (m, k) sums -> (m,) values, such as ``lambda s: s[:, 0] / s[:, 1]``.
    n : int
        Images behind the figure, for the record.
    seed : int
        Of the bootstrap.
    level : float
    repeats : int
        Bootstrap draws.
    bounds : (float, float)
        Values that the figure can take; the interval is cut there.
    unit : Unit
        What the rows stand for; it words the method.
    """
    table = np.asarray(counts, dtype=np.float64)
    table = table[(table != 0).any(axis=1)] if len(table) else table  # who has no such image tells nothing
    people = len(table)
    value = float(statistic(table.sum(axis=0, keepdims=True))[0]) if people else float("nan")
    if people < FEWEST:
        return Interval.without_bounds(value, n=n, people=people, reason=f"it takes three {unit.many}", level=level)
    if bounds == (0.0, 1.0):
        (low, high), method = score_bounds(table, statistic, value, n, level), f"score interval {unit.over}"
    elif BOOTSTRAP_PEOPLE <= people <= BOOTSTRAP_MOST:
        (low, high), method = bootstrap(table, statistic, seed, level, repeats), f"bootstrap {unit.over}"
    else:
        (low, high), method = jackknife_t(table, statistic, value, level), f"t interval {unit.over}"
    low, high = (float(np.clip(bound, *bounds)) for bound in (low, high))
    if high - low > NO_WIDTH:
        return Interval(value=value, low=low, high=high, n=n, people=people, method=method, level=level)
    why = f"too few {unit.many} have such images" if np.isnan(low) else f"no two {unit.many} differ"
    return Interval.without_bounds(value, n=n, people=people, reason=why, level=level)


def accuracy_interval(
    correct: ArrayLike,
    people: ArrayLike,
    *,
    seed: int,
    level: float = 0.95,
    repeats: int = 2000,
    unit: Unit = PERSON,
) -> Interval:
    """Accuracy with its interval over people: the project's rule for every accuracy and recall that it prints.

    As `people_interval`. Where every unit is one image, Wilson's interval is the one for it.

    Parameters
    ----------
    correct : (n,) bool
    people : (n,)
    seed : int
    level : float
    repeats : int
    unit : Unit
        What ``people`` holds.
    """
    counts = correct_and_tested(correct, people)
    n = int(counts[:, 1].sum())
    if unit == IMAGE and n == len(counts) > 1:
        wilson = wilson_interval(float(counts[:, 0].sum()), n, level=level)
        return replace(wilson, people=n, method=f"Wilson {unit.over}")
    return people_interval(counts, ratio, n=n, seed=seed, level=level, repeats=repeats, bounds=(0.0, 1.0), unit=unit)


def mean_interval(
    values: ArrayLike,
    people: ArrayLike,
    *,
    seed: int,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
    unit: Unit = PERSON,
) -> Interval:
    """Mean of a figure that each image has, such as its log loss, with its interval over people.

    As `people_interval`; where a value is no number there is neither mean nor interval, and the method says so.

    Parameters
    ----------
    values : (n,) float
    people : (n,)
    seed : int
    bounds : (float, float)
        Values that the mean can take.
    level : float
    unit : Unit
        What ``people`` holds.
    """
    given = np.asarray(values, dtype=np.float64)
    unknown = int((~np.isfinite(given)).sum())
    if unknown:
        who = len(np.unique(np.asarray(people)))
        why = f"{unknown} of {given.size} images have no such figure"
        return Interval.without_bounds(float("nan"), n=given.size, people=who, reason=why, level=level)
    counts = sum_by_person(np.stack([given, np.ones_like(given)], axis=-1), people)
    return people_interval(counts, ratio, n=given.size, seed=seed, level=level, bounds=bounds, unit=unit)


def bootstrap_interval(
    correct: ArrayLike, people: ArrayLike, *, seed: int, level: float = 0.95, repeats: int = 2000
) -> Interval:
    """Accuracy with a percentile bootstrap interval that draws whole people.

    The percentiles are widened for few people as Hesterberg shows (2015, doi 10.1080/00031305.2015.1089789,
    section 3.2): plain percentiles are too narrow by the factor sqrt((n - 1) / n) and by z in the place of t.

    Parameters
    ----------
    correct : (n,) bool
    people : (n,)
    seed : int
    level : float
    repeats : int

    Raises
    ------
    InputError
        Fewer than two people.
    """
    counts = correct_and_tested(correct, people)
    if len(counts) < 2:
        raise InputError(f"people: a bootstrap over people takes at least two, found {len(counts)}")
    low, high = bootstrap(counts, ratio, seed, level, repeats)
    value, n = float(ratio(counts.sum(axis=0, keepdims=True))[0]), int(counts[:, 1].sum())
    method, people = "bootstrap over people", len(counts)
    return _clip(Interval(value=value, low=low, high=high, n=n, people=people, method=method, level=level))


def t_interval(correct: ArrayLike, people: ArrayLike, *, level: float = 0.95) -> Interval:
    """Accuracy with a t interval over people.

    The standard error is the leave-one-person-out jackknife's. Where everybody has equally many images this is
    exactly the t interval on person means; otherwise it stays centred on the accuracy over images.

    Parameters
    ----------
    correct : (n,) bool
    people : (n,)
    level : float

    Raises
    ------
    InputError
        Fewer than two people.
    """
    counts = correct_and_tested(correct, people)
    if len(counts) < 2:
        raise InputError(f"people: a t interval over people takes at least two, found {len(counts)}")
    value, n = float(ratio(counts.sum(axis=0, keepdims=True))[0]), int(counts[:, 1].sum())
    low, high = jackknife_t(counts, ratio, value, level)
    method, people = "t interval over people", len(counts)
    return _clip(Interval(value=value, low=low, high=high, n=n, people=people, method=method, level=level))


def wilson_interval(successes: float, n: int, *, level: float = 0.95) -> Interval:
    """Wilson's score interval (1927, doi 10.1080/01621459.1927.10502953); assumes independent images.

    Parameters
    ----------
    successes : float
        Between 0 and n.
    n : int
    level : float

    Returns
    -------
    Interval
        NaN throughout for n = 0.
    """
    if n == 0:
        return Interval.without_bounds(float("nan"), n=0, people=0, reason="no image was tested", level=level)
    method = "Wilson, assumes independent images"
    share = successes / n
    low, high = wilson_bounds(share, n, float(ndtri(0.5 + level / 2)) ** 2)
    return Interval(value=share, low=low, high=high, n=n, people=0, method=method, level=level)


def _clip(found: Interval) -> Interval:
    """Keep the bounds of a share between 0 and 1."""
    low, high = (float(np.clip(bound, 0, 1)) for bound in (found.low, found.high))
    return replace(found, low=low, high=high)
