"""What figures from a finite set of people can say: intervals and paired tests with people as the unit.

A person's pictures rise and fall together, so images are not independent draws. Intervals resample or leave out whole
people; the test of record flips whole people. What does assume independent images says so in its name for readers.
All intervals hold the fitted models fixed: they say how the figure varies with the people tested, not with those
trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats as distributions

from fer_bench.errors import InputError

__all__ = [
    "BOOTSTRAP_PEOPLE",
    "Difference",
    "Interval",
    "TestResult",
    "accuracy_interval",
    "bootstrap_interval",
    "holm",
    "mcnemar_test",
    "minimum_detectable_difference",
    "paired_difference",
    "people_interval",
    "sign_flip_test",
    "sum_by_person",
    "t_interval",
    "wilson_interval",
]

BOOTSTRAP_PEOPLE = 20
"""From this many people on intervals come from the bootstrap; below, from the t distribution."""

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Takes sums (m, k) of per-person counts and gives (m,) values; NaN where a sum leaves nothing to compute."""


@dataclass(frozen=True)
class Interval:
    """A figure with its interval.

    Attributes
    ----------
    value, low, high : float
        The figure and its bounds; bounds are NaN where one person leaves none to compute.
    n : int
        Images (or image-seed pairs) behind it.
    people : int
        People behind it; 0 where the method does not look at people.
    method : str
        How the bounds were made, in words for a reader.
    level : float
        Confidence level, such as 0.95.
    """

    value: float
    low: float
    high: float
    n: int
    people: int
    method: str
    level: float = 0.95


@dataclass(frozen=True)
class TestResult:
    """A test of two methods on the same images.

    Attributes
    ----------
    p_value : float
        Two-sided; 1.0 where the methods do not differ on any person or image.
    statistic : float
        What was tested; see the function that made it.
    n, people : int
        Images and people behind it.
    method : str
        The test and what it assumes, in words for a reader.
    """

    __test__ = False  # not a pytest class

    p_value: float
    statistic: float
    n: int
    people: int
    method: str


@dataclass(frozen=True)
class Difference:
    """Method A minus method B on the same images.

    Attributes
    ----------
    interval : Interval
        Difference of accuracies in [-1, 1].
    test : TestResult
        The sign-flip test over people, the test of record.
    mcnemar : TestResult
        For comparison; it assumes independent images.
    detectable : float
        Smallest true difference that such data would show with 80 % power at 5 %; NaN for one person.
    """

    interval: Interval
    test: TestResult
    mcnemar: TestResult
    detectable: float


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
    table = table.reshape(len(who), -1)
    columns = [np.bincount(index, weights=column, minlength=len(names)) for column in table.T]
    return np.stack(columns, axis=1) if columns else np.empty((len(names), 0))


def people_interval(
    counts: ArrayLike,
    statistic: Statistic,
    *,
    n: int,
    seed: int,
    level: float = 0.95,
    repeats: int = 2000,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """Interval of any figure that is a function of counts added up over people.

    From `BOOTSTRAP_PEOPLE` people on by `bootstrap_interval`'s method, below by `t_interval`'s.

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
    """
    table = np.asarray(counts, dtype=np.float64)
    people = len(table)
    value = float(statistic(table.sum(axis=0, keepdims=True))[0]) if people else float("nan")
    if people < 2:
        return Interval(value, float("nan"), float("nan"), n, people, "none: it takes two people", level)
    if people < BOOTSTRAP_PEOPLE:
        (low, high), method = _jackknife_t(table, statistic, value, level), "t interval over people"
    else:
        (low, high), method = _bootstrap(table, statistic, seed, level, repeats), "bootstrap over people"
    low, high = (float(np.clip(bound, *bounds)) for bound in (low, high))
    return Interval(value, low, high, n, people, method, level)


def accuracy_interval(
    correct: ArrayLike, people: ArrayLike, *, seed: int, level: float = 0.95, repeats: int = 2000
) -> Interval:
    """Accuracy with its interval over people: the project's rule for every accuracy and recall that it prints.

    Bootstrap from `BOOTSTRAP_PEOPLE` people on, t interval below. Where all people have the very same accuracy (such
    as all images right) neither has a width; then Wilson's interval is given with people as the trials, and named.

    Parameters
    ----------
    correct : (n,) bool
    people : (n,)
    seed : int
    level : float
    repeats : int
    """
    counts = _correct_and_tested(correct, people)
    n = int(counts[:, 1].sum())
    found = people_interval(counts, _share, n=n, seed=seed, level=level, repeats=repeats, bounds=(0.0, 1.0))
    if found.people < 2 or np.ptp(counts[:, 0] / counts[:, 1]) > 0:
        return found
    wilson = wilson_interval(found.value * found.people, found.people, level=level)
    label = "Wilson over people (no two people differ)"
    return Interval(found.value, wilson.low, wilson.high, n, found.people, label, level)


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
    counts = _correct_and_tested(correct, people)
    if len(counts) < 2:
        raise InputError(f"people: a bootstrap over people takes at least two, found {len(counts)}")
    low, high = _bootstrap(counts, _share, seed, level, repeats)
    value, n = float(_share(counts.sum(axis=0, keepdims=True))[0]), int(counts[:, 1].sum())
    return _clip(Interval(value, low, high, n, len(counts), "bootstrap over people", level))


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
    counts = _correct_and_tested(correct, people)
    if len(counts) < 2:
        raise InputError(f"people: a t interval over people takes at least two, found {len(counts)}")
    value, n = float(_share(counts.sum(axis=0, keepdims=True))[0]), int(counts[:, 1].sum())
    low, high = _jackknife_t(counts, _share, value, level)
    return _clip(Interval(value, low, high, n, len(counts), "t interval over people", level))


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
    method = "Wilson, assumes independent images"
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0, 0, method, level)
    z2, share = float(distributions.norm.ppf(0.5 + level / 2)) ** 2, successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = float(np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n)))) / (1 + z2 / n)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Interval(share, 0.0 if successes == 0 else low, 1.0 if successes == n else high, n, 0, method, level)


def sign_flip_test(correct_a: ArrayLike, correct_b: ArrayLike, people: ArrayLike) -> TestResult:
    """Are two methods equally good for these people? The test of record.

    Under the null hypothesis a person's difference is as likely to favour A as B, so its sign may be flipped; the p
    value is the share of all 2^people flips whose total difference is at least as large as the one observed (Fisher's
    randomisation test on pairs). Differences are whole numbers of images, so that share is computed exactly for any
    number of people by adding up one person after the other: no draws, no seed.

    Parameters
    ----------
    correct_a, correct_b : (n,) bool
        The same images in the same order.
    people : (n,)

    Returns
    -------
    TestResult
        statistic: images that A gets right more than B.

    Raises
    ------
    InputError
        Arrays that do not fit.
    """
    by_person = _paired_counts(correct_a, correct_b, people)[:, 0].round().astype(np.int64)
    observed, reach = abs(int(by_person.sum())), int(np.abs(by_person).sum())
    flips = np.zeros(2 * reach + 1)
    flips[reach] = 1.0
    for step in np.abs(by_person[by_person != 0]):
        flips = 0.5 * (_shift(flips, int(step)) + _shift(flips, -int(step)))
    totals = np.abs(np.arange(-reach, reach + 1))
    p_value = min(1.0, float(flips[totals >= observed].sum()))
    method = "sign-flip test over people, exact"
    return TestResult(p_value, float(by_person.sum()), np.asarray(people).size, len(by_person), method)


def mcnemar_test(correct_a: ArrayLike, correct_b: ArrayLike) -> TestResult:
    """McNemar's exact test (1947, doi 10.1007/BF02295996); assumes independent images, so p is often too small.

    Parameters
    ----------
    correct_a, correct_b : (n,) bool

    Returns
    -------
    TestResult
        statistic: images that only A gets right, minus images that only B gets right.
    """
    a, b = np.asarray(correct_a, dtype=bool), np.asarray(correct_b, dtype=bool)
    if a.shape != b.shape or a.ndim != 1:
        raise InputError(f"correct_a and correct_b: expected two arrays (n,), found {a.shape} and {b.shape}")
    only_a, only_b = int((a & ~b).sum()), int((~a & b).sum())
    p_value = float(distributions.binomtest(only_a, only_a + only_b, 0.5).pvalue) if only_a + only_b else 1.0
    return TestResult(p_value, float(only_a - only_b), a.size, 0, "exact McNemar, assumes independent images")


def paired_difference(
    correct_a: ArrayLike, correct_b: ArrayLike, people: ArrayLike, *, seed: int, level: float = 0.95
) -> Difference:
    """Accuracy of A minus accuracy of B on the same images, with all that says how sure it is.

    Parameters
    ----------
    correct_a, correct_b : (n,) bool
        The same images in the same order.
    people : (n,)
    seed : int
        Of the bootstrap.
    level : float
    """
    counts = _paired_counts(correct_a, correct_b, people)
    n = int(counts[:, 1].sum())
    return Difference(
        interval=people_interval(counts, _share, n=n, seed=seed, level=level),
        test=sign_flip_test(correct_a, correct_b, people),
        mcnemar=mcnemar_test(correct_a, correct_b),
        detectable=minimum_detectable_difference(correct_a, correct_b, people),
    )


def minimum_detectable_difference(
    correct_a: ArrayLike, correct_b: ArrayLike, people: ArrayLike, *, power: float = 0.8, alpha: float = 0.05
) -> float:
    """Smallest true difference of accuracy that these people would reveal, given how much they vary.

    (t[1 - alpha/2] + t[power]) times the standard error over people of the paired difference, people - 1 degrees of
    freedom (Bloom 1995, doi 10.1177/0193841X9501900504).

    Returns
    -------
    float
        A share of images; NaN for fewer than two people.
    """
    counts = _paired_counts(correct_a, correct_b, people)
    if len(counts) < 2:
        return float("nan")
    freedom = len(counts) - 1
    factor = distributions.t.ppf(1 - alpha / 2, freedom) + distributions.t.ppf(power, freedom)
    return float(factor * _jackknife_error(counts, _share)[0])


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values of a family of tests as Holm does (1979, Scandinavian Journal of Statistics 6:65-70).

    Parameters
    ----------
    p_values : sequence of float

    Returns
    -------
    list of float
        In the order given; below alpha exactly where Holm's procedure rejects at alpha.
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    raised = np.minimum(1.0, np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1)))
    adjusted = np.empty(len(given))
    adjusted[order] = raised
    return [float(p) for p in adjusted]


def _share(sums: Floats) -> Floats:
    """First column divided by the second; NaN where nobody was tested."""
    return np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0)


def _correct_and_tested(correct: ArrayLike, people: ArrayLike) -> Floats:
    right = np.asarray(correct, dtype=np.float64)
    return sum_by_person(np.stack([right, np.ones_like(right)], axis=-1), people)


def _paired_counts(correct_a: ArrayLike, correct_b: ArrayLike, people: ArrayLike) -> Floats:
    a, b = np.asarray(correct_a, dtype=np.float64), np.asarray(correct_b, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise InputError(f"correct_a and correct_b: expected two arrays (n,), found {a.shape} and {b.shape}")
    return sum_by_person(np.stack([a - b, np.ones_like(a)], axis=1), people)


def _jackknife_error(counts: Floats, statistic: Statistic) -> tuple[float, int]:
    """Leave-one-person-out standard error and its degrees of freedom; people who leave nothing are passed over."""
    left_out = statistic(counts.sum(axis=0) - counts)
    left_out = left_out[~np.isnan(left_out)]
    k = len(left_out)
    if k < 2:
        return float("nan"), 0
    return float(np.sqrt((k - 1) / k * ((left_out - left_out.mean()) ** 2).sum())), k - 1


def _jackknife_t(counts: Floats, statistic: Statistic, value: float, level: float) -> tuple[float, float]:
    error, freedom = _jackknife_error(counts, statistic)
    if freedom < 1:
        return float("nan"), float("nan")
    half = float(distributions.t.ppf(0.5 + level / 2, freedom)) * error
    return value - half, value + half


def _bootstrap(counts: Floats, statistic: Statistic, seed: int, level: float, repeats: int) -> tuple[float, float]:
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
    widened = float(np.sqrt(people / (people - 1)) * distributions.t.ppf(0.5 + level / 2, people - 1))
    return float(distributions.norm.cdf(-widened))


@lru_cache(maxsize=8)
def _draws(people: int, seed: int, repeats: int) -> Floats:
    """How often each person is drawn in each repeat, (repeats, people); kept for the thousands of uses in a report."""
    draws = np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), size=repeats)
    drawn = draws.astype(np.float64)
    drawn.flags.writeable = False
    return drawn


def _shift(array: Floats, step: int) -> Floats:
    moved = np.zeros_like(array)
    if step >= 0:
        moved[step:] = array[: len(array) - step]
    else:
        moved[:step] = array[-step:]
    return moved


def _clip(found: Interval) -> Interval:
    """Keep the bounds of a share between 0 and 1."""
    low, high = (float(np.clip(bound, 0, 1)) for bound in (found.low, found.high))
    return Interval(found.value, low, high, found.n, found.people, found.method, found.level)
