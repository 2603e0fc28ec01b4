"""Two methods on the same images: tests, the difference with its interval, and what would go unseen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, stdtrit

from fer_bench.errors import InputError

from .intervals import NO_WIDTH, Interval, people_interval
from .people import Floats, jackknife_error, paired_counts, ratio
from .power import POWER, detectable_shift
from .units import PERSON, Unit

__all__ = [
    "ALPHA",
    "Difference",
    "TestResult",
    "flip_p_value",
    "holm",
    "mcnemar_test",
    "minimum_detectable_difference",
    "paired_difference",
    "sign_flip_test",
]

ALPHA = 0.05
"""Level of the tests, after correction for how many there are."""


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
        Images and people (or what stands in for them) behind it.
    method : str
        The test and what it assumes, in words for a reader.
    reason : str
        Why the test cannot reject, whatever the methods are worth; empty where it can. ``p_value`` is then 1, or the
        smallest that so few people allow.
    """

    __test__ = False  # not a pytest class

    p_value: float
    statistic: float
    n: int
    people: int
    method: str
    reason: str = ""


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
        Smallest true difference that such data would show with 80 % power at 5 %; NaN where people do not vary.
    """

    interval: Interval
    test: TestResult
    mcnemar: TestResult
    detectable: float


def sign_flip_test(correct_a: ArrayLike, correct_b: ArrayLike, people: ArrayLike, *, unit: Unit = PERSON) -> TestResult:
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
    unit : Unit
        What ``people`` holds; it words the method.

    Returns
    -------
    TestResult
        statistic: images that A gets right more than B.

    Raises
    ------
    InputError
        Arrays that do not fit.
    """
    by_person = paired_counts(correct_a, correct_b, people)[:, 0].round().astype(np.int64)
    method = f"sign-flip test {unit.over}, exact"
    found = flip_p_value(by_person)
    reason = _cannot_reject(by_person, unit)
    return TestResult(found, float(by_person.sum()), np.asarray(people).size, len(by_person), method, reason)


def flip_p_value(differences: ArrayLike) -> float:
    """Two-sided p value of the sign-flip test from each person's difference; see `sign_flip_test`.

    Parameters
    ----------
    differences : (people,) whole numbers
        Images that A gets right more than B.

    Returns
    -------
    float
        Share of all sign flips whose total is at least as far from zero as theirs; 1.0 where nobody differs.
    """
    steps = np.asarray(differences, dtype=np.int64)
    steps = steps[steps != 0]
    if len(np.unique(np.abs(steps))) <= 1:
        # One size of step, as with images for units: heads and tails, and far quicker for tens of thousands.
        return _even_odds(int((steps > 0).sum()), len(steps))
    observed, reach = abs(int(steps.sum())), int(np.abs(steps).sum())
    flips = np.zeros(2 * reach + 1)
    flips[reach] = 1.0
    for step in np.abs(steps):
        flips = 0.5 * (_shift(flips, int(step)) + _shift(flips, -int(step)))
    totals = np.abs(np.arange(-reach, reach + 1))
    return min(1.0, float(flips[totals >= observed].sum()))


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
    reason = "" if only_a + only_b else "both are right and wrong on the same images"
    method = "exact McNemar, assumes independent images"
    return TestResult(_even_odds(only_a, only_a + only_b), float(only_a - only_b), a.size, 0, method, reason)


def paired_difference(
    correct_a: ArrayLike,
    correct_b: ArrayLike,
    people: ArrayLike,
    *,
    seed: int,
    level: float = 0.95,
    unit: Unit = PERSON,
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
    unit : Unit
        What ``people`` holds.
    """
    counts = paired_counts(correct_a, correct_b, people)
    n = int(counts[:, 1].sum())
    return Difference(
        interval=people_interval(counts, ratio, n=n, seed=seed, level=level, bounds=(-1.0, 1.0), unit=unit),
        test=sign_flip_test(correct_a, correct_b, people, unit=unit),
        mcnemar=mcnemar_test(correct_a, correct_b),
        detectable=minimum_detectable_difference(correct_a, correct_b, people),
    )


def minimum_detectable_difference(
    correct_a: ArrayLike,
    correct_b: ArrayLike,
    people: ArrayLike,
    *,
    power: float = POWER,
    alpha: float = ALPHA,
    family: int = 1,
) -> float:
    """Smallest true difference of accuracy that these people would reveal, given how much they vary.

    The standard error over people of the paired difference times `detectable_shift` for a t test at ``alpha`` over
    ``family`` (Bloom 1995, doi 10.1177/0193841X9501900504, with the noncentral t in place of a shifted one: few people
    need more). Of methods that are all compared with each other `all_pairs` gives a smaller one.

    Parameters
    ----------
    correct_a, correct_b : (n,) bool
        The same images in the same order.
    people : (n,)
    power, alpha : float
    family : int
        How many tests p is corrected for.

    Returns
    -------
    float
        A share of images; NaN for fewer than two people, where no two of them differ, where so few cannot reject
        whatever is true, and where it would be more than all images.
    """
    counts = paired_counts(correct_a, correct_b, people)
    who = len(counts)
    if who < 2 or 2.0 ** (1 - who) * family >= alpha:
        return float("nan")
    t = float(stdtrit(who - 1, 1 - alpha / family / 2))
    error = jackknife_error(counts, ratio)[0]
    # no spread among few people says that it could not be seen, not that every difference would be
    found = detectable_shift(t * (who / (who - 1 + t**2)) ** 0.5, who, power) * error if error > NO_WIDTH else math.nan
    return found if found <= 1 else math.nan


def holm(p_values: Sequence[float], *, family: int | None = None) -> list[float]:
    """Adjust p values of a family of tests as Holm does (1979, Scandinavian Journal of Statistics 6:65-70).

    Parameters
    ----------
    p_values : sequence of float
    family : int, optional
        How many tests there could have been, where what was tested was picked by looking at the data: the best of k
        methods against the others is picked from all k (k - 1) / 2 pairs. Default: as many as p values.

    Returns
    -------
    list of float
        In the order given; below alpha exactly where Holm's procedure rejects at alpha.

    Raises
    ------
    InputError
        A family smaller than the number of p values.
    """
    given = np.asarray(p_values, dtype=np.float64)
    size = len(given) if family is None else family
    if size < len(given):
        raise InputError(f"family: expected at least {len(given)}, the number of p values, found {size}")
    order = np.argsort(given, kind="stable")
    raised = np.minimum(1.0, np.maximum.accumulate(given[order] * (size - np.arange(len(given)))))
    adjusted = np.empty(len(given))
    adjusted[order] = raised
    return [float(p) for p in adjusted]


def _cannot_reject(by_person: NDArray[np.int64], unit: Unit) -> str:
    """Why even the most lopsided outcome would not be below 5 %; empty where it would."""
    differing = int((by_person != 0).sum())
    if not differing:
        return f"no {unit.one} differs"
    if 2.0 ** (1 - differing) >= ALPHA:
        who = f"{unit.one} differs" if differing == 1 else f"{unit.many} differ"
        return f"only {differing} {who}: p cannot fall below 5 %"
    return ""


def _even_odds(heads: int, tosses: int) -> float:
    """Two-sided exact p of a fair coin: both tails are alike, so it is twice the smaller one."""
    return min(1.0, 2 * float(bdtr(min(heads, tosses - heads), tosses, 0.5)))


def _shift(array: Floats, step: int) -> Floats:
    moved = np.zeros_like(array)
    if step >= 0:
        moved[step:] = array[: len(array) - step]
    else:
        moved[:step] = array[-step:]
    return moved
