"""Several methods weighed against each other on the same images, with people as the unit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_bench import stats
from fer_bench.results.outcomes import MethodPredictions
from fer_bench.results.training_luck import fold_test

from ..model.report_run import ReportRun
from ..model.tables import Estimate

__all__ = ["Contrast", "contrast", "mean_of", "trend"]

Weighted = tuple[MethodPredictions, Fraction]


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of accuracies.

    Attributes
    ----------
    estimate : Estimate
        In shares of images, with its interval over people.
    p_value : float
        Of the sign-flip test over people that the sum is zero.
    detectable : float
        Value detectable with 80 % power, if it is the only one that is tested; NaN where people do not vary.
    over_folds : FoldTest or None
        The same with folds as the units, which holds new trainings, too; None where there is one fold, or methods
        have other folds.
    detectable_among : callable
        The detectable value where so many figures are tested at once.
    """

    estimate: Estimate
    p_value: float
    detectable: float
    over_folds: stats.FoldTest | None = None
    detectable_among: Callable[[int], float] = field(default=lambda _: math.nan, repr=False, compare=False)

    def among(self, family: int) -> Contrast:
        """The same as one of so many figures that are tested at once, which takes more to be found."""
        return replace(self, detectable=self.detectable_among(family)) if family > 1 else self


def trend(ordered: Sequence[MethodPredictions]) -> list[Weighted]:
    """Weigh methods so that the sum is the rise from the first to the last along a straight line through all.

    The least-squares slope over the places 0 to k - 1, times k - 1: the linear contrast of an ordered alternative. For
    two methods it is the second minus the first.

    Parameters
    ----------
    ordered : sequence of MethodPredictions
        At least two, in the order that a claim gives them.
    """
    k = len(ordered)
    middle = Fraction(k - 1, 2)
    spread = sum((place - middle) ** 2 for place in range(k))
    return [(outcome, (place - middle) * (k - 1) / spread) for place, outcome in enumerate(ordered)]


def mean_of(parts: Sequence[Sequence[Weighted]]) -> list[Weighted]:
    """The mean of several weighted sums."""
    return [(outcome, weight / len(parts)) for part in parts for outcome, weight in part]


def contrast(run: ReportRun, weighted: Sequence[Weighted], constant: Fraction = Fraction(0)) -> Contrast | None:
    """Weigh what methods classified correctly, image by image, over the images that all of them were tested on.

    Parameters
    ----------
    view : ReportRun
    weighted : sequence of (MethodPredictions, Fraction)
    constant : Fraction
        Added to every image; one half minus an accuracy says by how much it misses half.

    Returns
    -------
    Contrast or None
        None where no image was tested by all.
    """
    found = [(outcome, weight) for outcome, weight in weighted if weight]
    places = _common([outcome for outcome, _ in found])
    if not len(places[0]):
        return None
    # whole numbers, so that the sign-flip test stays exact
    scale = math.lcm(*(weight.denominator for _, weight in found), constant.denominator)
    score = np.full(len(places[0]), int(constant * scale), dtype=np.int64)
    for (outcome, weight), rows in zip(found, places, strict=True):
        score += int(weight * scale) * outcome.correct[rows]
    people = found[0][0].person[places[0]]
    plus, minus = np.maximum(score, 0), np.maximum(-score, 0)
    sums = stats.sum_by_person(np.stack([score / scale, np.ones(len(score))], axis=1), people)
    interval = stats.people_interval(
        sums, lambda s: s[:, 0] / s[:, 1], n=len(score), seed=run.seed, bounds=(-1.0, 1.0), unit=run.unit
    )
    if len(sums) > stats.BOOTSTRAP_MOST:
        p_value = stats.zero_mean_p_value(sums[:, 0])
    else:
        p_value = stats.sign_flip_test(plus, minus, people, unit=run.unit).p_value
    sides = (plus / scale, minus / scale, people)
    return Contrast(
        Estimate.of(interval),
        p_value,
        stats.minimum_detectable_difference(*sides),
        _over_folds(run, found, places, sides),
        lambda family: stats.minimum_detectable_difference(*sides, family=family),
    )


def _over_folds(
    run: ReportRun,
    found: Sequence[Weighted],
    places: Sequence[NDArray[np.int64]],
    sides: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
) -> stats.FoldTest | None:
    folds = [outcome.folds[rows] for (outcome, _), rows in zip(found, places, strict=True)]
    if not all(np.array_equal(one, folds[0]) for one in folds):
        return None
    return fold_test(*sides, folds[0], run.train_size(found[0][0].key.protocol))


def _common(outcomes: Sequence[MethodPredictions]) -> list[NDArray[np.int64]]:
    """Positions in each outcome of the image-seed pairs that all have, in one order."""
    first = outcomes[0]
    if all(np.array_equal(one.images, first.images) and np.array_equal(one.seeds, first.seeds) for one in outcomes[1:]):
        return [np.arange(len(first.images))] * len(outcomes)
    places: list[dict[Any, int]] = [
        {pair: place for place, pair in enumerate(zip(one.images, one.seeds, strict=True))} for one in outcomes
    ]
    shared = [pair for pair in places[0] if all(pair in other for other in places[1:])]
    return [np.array([where[pair] for pair in shared], dtype=np.int64) for where in places]
