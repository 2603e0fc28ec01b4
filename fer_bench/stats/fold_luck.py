"""What a fold's training adds to chance: whether folds differ by more than their people, and intervals that hold it.

Intervals over people take the fitted models as given. Train again, and each fold's model has other luck: with two folds
and a luck of 0.3 on the logit scale they cover the difference of two methods in 36 of 100 runs in place of 95. Where
each person is tested in one fold alone, folds are independent draws of people and of trainings at once, so a t interval
with folds as its units holds both kinds of chance, whatever their sizes. It is wide with few folds, as it must be: of
two trainings hardly anything can be known. Training sets of two folds overlap, which no test over folds holds exactly
(Bengio & Grandvalet 2004, jmlr.org/papers/v5/grandvalet04a.html); `corrected_t_test` is the careful alternative.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtrc, stdtr, stdtrit

from .corrected_t import FoldTest
from .intervals import NO_WIDTH, Interval, t_interval
from .people import correct_and_tested, jackknife_error, paired_counts, ratio
from .reasons import NotApplicable

__all__ = ["ENOUGH_FOLDS", "FoldSpread", "fold_difference", "fold_spread", "people_nested"]

ENOUGH_FOLDS = 5
"""From this many folds on trainings vary enough in a run to be judged by a test: with fewer its power is under a half
where luck doubles the variance of a fold."""

_METHOD = "t over folds, new trainings and new people"


@dataclass(frozen=True)
class FoldSpread:
    """How a method's folds differ.

    Attributes
    ----------
    folds : int
    lowest, highest : float
        Accuracies of the worst and the best fold, 0 to 1.
    p_value : float
        That people alone make folds differ as much; NaN where it cannot be tested.
    interval : Interval
        Of the accuracy over all images, with folds as the units.
    """

    folds: int
    lowest: float
    highest: float
    p_value: float
    interval: Interval


def people_nested(people: ArrayLike, folds: ArrayLike) -> bool:
    """Tell whether each person is tested in one fold alone: only then do folds differ by people, too."""
    who, where = np.asarray(people), np.asarray(folds)
    pairs = np.unique(np.stack([np.unique(part, return_inverse=True)[1] for part in (who, where)]), axis=1)
    return bool(len(np.unique(who)) == pairs.shape[1])


def fold_spread(
    correct: ArrayLike, people: ArrayLike, folds: ArrayLike, *, level: float = 0.95
) -> FoldSpread | NotApplicable:
    """How folds differ, whether people explain it, and the interval that holds new trainings, too.

    Heterogeneity is tested by the analysis of variance with people as the units: the mean square between folds over
    that between people within folds, both weighted by images (Fisher 1925; Cochran 1954, doi 10.2307/3001666, of whose
    chi-square it is the form for variances that are estimated), against F with folds - 1 and people - folds degrees.

    Parameters
    ----------
    correct : (n,) bool
    people, folds : (n,)
        With several seeds, the fold that tested the person; a fold's trainings are taken together.
    level : float

    Returns
    -------
    FoldSpread or NotApplicable
        Not where there is one fold, or a person is tested in several.
    """
    where = np.asarray(folds)
    names = np.unique(where)
    if len(names) < 2:
        return NotApplicable(_METHOD, "one fold: it takes two" if len(names) else "no images")
    if not people_nested(people, where):
        return NotApplicable(_METHOD, "a person is tested in several folds")
    means = ratio(correct_and_tested(correct, where))
    interval = replace(t_interval(correct, where, level=level), method=_METHOD)
    p_value = _heterogeneity(np.asarray(correct), np.asarray(people), where)
    return FoldSpread(len(names), float(means.min()), float(means.max()), p_value, interval)


def _heterogeneity(correct: np.ndarray, people: np.ndarray, folds: np.ndarray) -> float:
    """P value of the analysis of variance of people in folds; NaN where no fold has two people, or nobody varies."""
    persons = np.unique(people, return_index=True)[1]
    by_person = correct_and_tested(correct, people)
    fold = np.unique(folds[persons], return_inverse=True)[1]
    n, share = by_person[:, 1], ratio(by_person)
    sizes = np.bincount(fold, weights=n)
    means = np.bincount(fold, weights=n * share) / sizes
    between, within = len(sizes) - 1, len(n) - len(sizes)
    inside = float((n * (share - means[fold]) ** 2).sum())
    if within < 1 or not inside > NO_WIDTH:
        return float("nan")
    middle = float((n * share).sum() / n.sum())
    f = float((sizes * (means - middle) ** 2).sum()) / between / (inside / within)
    return float(fdtrc(between, within, f))


def fold_difference(
    correct_a: ArrayLike, correct_b: ArrayLike, people: ArrayLike, folds: ArrayLike, *, level: float = 0.95
) -> FoldTest | NotApplicable:
    """Accuracy of A minus that of B with folds as the units: what new trainings on new people would show.

    The t test on the folds' differences; where folds differ in size, with the leave-one-fold-out jackknife's error.

    Parameters
    ----------
    correct_a, correct_b : (n,) bool
        The same images in the same order.
    people, folds : (n,)
    level : float

    Returns
    -------
    FoldTest or NotApplicable
        Not where there is one fold, a person is tested in several, or all folds differ alike.
    """
    counts = paired_counts(correct_a, correct_b, folds)
    if len(counts) < 2:
        return NotApplicable(_METHOD, "one fold: it takes two" if len(counts) else "no images")
    if not people_nested(people, folds):
        return NotApplicable(_METHOD, "a person is tested in several folds")
    error, freedom = jackknife_error(counts, ratio)
    value = float(ratio(counts.sum(axis=0, keepdims=True))[0])
    if not error > NO_WIDTH:
        return NotApplicable(_METHOD, "the difference is the same in all folds")
    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    p_value = 2 * float(stdtr(freedom, -abs(value) / error))
    low, high = max(-1.0, value - half), min(1.0, value + half)
    return FoldTest(value, low, high, p_value, value / error, int(counts[:, 1].sum()), len(counts), _METHOD, level)
