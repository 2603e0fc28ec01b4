"""Student's t for the mean of one sample and for the means of two, with a reason in words where there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from fer_bench.errors import InputError

from .intervals import NO_WIDTH
from .people import Floats
from .reasons import NotApplicable

__all__ = ["MeanTest", "mean_t_test", "welch_test", "zero_mean_p_value"]


@dataclass(frozen=True, kw_only=True)
class MeanTest:
    """A mean, or a difference of two means, with its t interval and the test that it is zero.

    Attributes
    ----------
    value, low, high : float
        In the unit of the values.
    p_value : float
        Two-sided.
    freedom : float
        Degrees of freedom; no whole number for Welch's test.
    level : float
        Confidence level of the bounds.
    """

    value: float
    low: float
    high: float
    p_value: float
    freedom: float
    level: float = 0.95


def mean_t_test(values: ArrayLike, *, level: float = 0.95) -> MeanTest | NotApplicable:
    """Mean of independent values with Student's t interval, and the one-sample t test that it is zero.

    Parameters
    ----------
    values : (n,) float
        Such as a figure of each fold.
    level : float

    Raises
    ------
    InputError
        Values that are no finite numbers in a row.
    """
    method, sample = "t test of a mean", _sample(values)
    if len(sample) < 2:
        return NotApplicable(method, "it takes two values")
    if sample.std() == 0:
        return NotApplicable(method, "no two values differ")
    value, error, freedom = float(sample.mean()), _error(sample), len(sample) - 1
    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    p_value = 2 * float(stdtr(freedom, -abs(value) / error))
    return MeanTest(value=value, low=value - half, high=value + half, p_value=p_value, freedom=freedom, level=level)


def zero_mean_p_value(values: ArrayLike) -> float:
    """Two-sided p of the one-sample t test that the mean is zero; 1.0 where every value is zero.

    For thousands of units, where counting all sign flips takes long and a t test says the same.

    Parameters
    ----------
    values : (n,) float
        n of at least 2.
    """
    sample = _sample(values)
    if not sample.any():
        return 1.0
    error = _error(sample)
    return 2 * float(stdtr(len(sample) - 1, -abs(sample.mean()) / error)) if error else 0.0


def welch_test(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> MeanTest | NotApplicable:
    """Mean of A minus mean of B, two groups of different people that may differ in their spread.

    Welch 1947, doi 10.1093/biomet/34.1-2.28, with Satterthwaite's degrees of freedom.

    Parameters
    ----------
    a, b : (n,) and (m,) float
        Such as the accuracy of each woman and of each man.
    level : float

    Raises
    ------
    InputError
        Values that are no finite numbers in a row.
    """
    method, first, second = "Welch's t test", _sample(a), _sample(b)
    if min(len(first), len(second)) < 2:
        return NotApplicable(method, "it takes two of either group")
    value = float(first.mean() - second.mean())
    parts = [float(group.var(ddof=1)) / len(group) for group in (first, second)]
    error = float(np.sqrt(sum(parts)))
    if error < NO_WIDTH:
        return NotApplicable(method, "no two people differ")
    # not scipy.stats.ttest_ind, which warns of a group without variation between its people
    freedom = error**4 / sum(part**2 / (len(group) - 1) for part, group in zip(parts, (first, second), strict=True))
    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    p_value = 2 * float(stdtr(freedom, -abs(value) / error))
    return MeanTest(value=value, low=value - half, high=value + half, p_value=p_value, freedom=freedom, level=level)


def _error(sample: Floats) -> float:
    """Standard error of the mean."""
    return float(sample.std(ddof=1) / np.sqrt(len(sample)))


def _sample(values: ArrayLike) -> Floats:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not np.isfinite(sample).all():
        raise InputError(f"values: expected finite numbers (n,), found shape {sample.shape}; leave out what is none")
    return sample
