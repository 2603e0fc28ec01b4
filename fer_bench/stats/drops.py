"""A drop of accuracy against earlier seeds of a method: its test, what luck may cost, and what would be caught."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr, stdtrit

from fer_bench.errors import InputError

from .paired import flip_p_value
from .people import Floats, sum_by_person

__all__ = ["detectable_drop", "drop_p_value", "new_seed_drop"]

_MANY = 2000
"""Units above which the flips' total is taken for normal: exact sums would take minutes."""


def drop_p_value(before: NDArray[np.bool_], now: NDArray[np.bool_], people: ArrayLike) -> float:
    """One-sided p value of a drop of accuracy: sign flips over people of a run against the mean of earlier seeds.

    Parameters
    ----------
    before : (k, n) bool
        What k seeds got right.
    now : (n,) bool
        What the run got right of the same images.
    people : (n,)

    Returns
    -------
    float
        1.0 where nothing dropped.
    """
    # k times the difference: whole numbers, which the exact test adds up
    by_person = sum_by_person(len(before) * now.astype(np.int64) - before.sum(axis=0), people)[:, 0].round()
    total = float(by_person.sum())
    if total >= 0:
        return 1.0
    if len(before) > 1 and len(by_person) > _MANY:
        return float(ndtr(total / np.sqrt((by_person**2).sum())))
    return flip_p_value(by_person.astype(np.int64)) / 2


def new_seed_drop(correct: NDArray[np.bool_], *, alpha: float) -> float:
    """How far below the mean accuracy of k seeds an honest new one falls with probability ``alpha``.

    Prediction bound of the normal on the logit scale: accuracies above one half fall farther than they rise.

    Parameters
    ----------
    correct : (k, n) bool
        What k seeds got right of the same n images, k of at least 2.
    alpha : float
        One-sided.

    Raises
    ------
    InputError
        Fewer than two seeds.
    """
    k, n = correct.shape
    if k < 2:
        raise InputError(f"correct: a new seed is foreseen from at least two, found {k}")
    accuracy = correct.mean(axis=1)
    odds = logit(np.clip(accuracy, 0.5 / n, 1 - 0.5 / n))
    below = float(stdtrit(k - 1, 1 - alpha)) * odds.std(ddof=1) * math.sqrt(1 + 1 / k)
    return float(accuracy.mean() - expit(odds.mean() - below))


def detectable_drop(
    correct: NDArray[np.bool_], people: NDArray[np.int64], *, tolerated: float, alpha: float, power: float = 0.8
) -> float:
    """Smallest drop of accuracy that passes a tolerance and is rejected by the test over people, with this power.

    A drop of this size is meant as so large a share of the images that were classified correctly, drawn at random. Both
    are thresholds on the drop found: the tolerance, and the t quantile times the standard error over people. The drop
    found varies by the luck of the seed and of which images are lost; the first is known from a few seeds only, so
    power is a t quantile with Satterthwaite's degrees of freedom (doi 10.2307/3002019).

    Parameters
    ----------
    correct : (k, n) bool
        What k seeds got right of the same n images.
    people : (n,)
        At least two.
    tolerated : float
        A share of images.
    alpha : float
        One-sided level of the test, corrected for how many there are.
    power : float

    Returns
    -------
    float
        A share of images; infinite where even the loss of every right answer would not do.
    """
    k = len(correct)
    threshold = float(stdtrit(len(np.unique(people)) - 1, 1 - alpha))
    luck, by_people, accuracy = _luck(correct), _person_error(correct, people), float(correct.mean())
    drop = max(tolerated, 1 / correct.shape[1])  # from none lost nothing would follow
    for _ in range(50):  # the error grows slowly with the drop: a fixed point, reached within a few rounds
        share = min(1.0, drop / accuracy) if accuracy > 0 else 0.0
        within, between = _loss_errors(correct, people, share)
        error = math.sqrt(by_people**2 + within**2 + between**2)
        varies = luck**2 + within**2
        freedom = (k - 1) * varies**2 / luck**4 if luck else math.inf
        drop = max(tolerated, threshold * error) + float(stdtrit(freedom, power)) * math.sqrt(varies)
    return drop if drop <= accuracy else math.inf


def _luck(correct: NDArray[np.bool_]) -> float:
    """Standard error of a new seed's accuracy against the mean of the known ones; 0 where there is one."""
    k = len(correct)
    return float(correct.mean(axis=1).std(ddof=1)) * math.sqrt(1 + 1 / k) if k > 1 else 0.0


def _person_error(correct: NDArray[np.bool_], people: NDArray[np.int64]) -> float:
    """Standard error over people of an honest new seed minus the mean of the known ones."""
    right: Floats = correct.astype(np.float64)
    k, n = right.shape
    if k < 2:
        return 0.0
    squares = []
    for place in range(k):
        others = (right.sum(axis=0) - right[place]) / (k - 1)
        by_person = sum_by_person(right[place] - others, people)[:, 0]
        squares.append(float((by_person**2).sum()))
    # k - 1 others stood in for k
    result: float = math.sqrt(np.mean(squares) * (1 + 1 / k) / (1 + 1 / (k - 1))) / n
    return result


def _loss_errors(correct: NDArray[np.bool_], people: NDArray[np.int64], share: float) -> tuple[float, float]:
    """Standard errors of a drop that takes this share of right answers: by chance of images, and between people."""
    right = sum_by_person(correct.mean(axis=0), people)[:, 0]
    n = correct.shape[1]
    within = math.sqrt(share * (1 - share) * right.sum()) / n
    between = share * math.sqrt(((right - right.mean()) ** 2).sum()) / n
    return within, between
