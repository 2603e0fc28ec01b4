"""How probable it is that one method is better than another by more than a margin."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike
from scipy.special import stdtr

from fer_bench.errors import InputError

from .intervals import NO_WIDTH
from .people import jackknife_error, paired_counts, ratio
from .reasons import NotApplicable
from .units import PERSON, Unit

__all__ = ["MARGIN", "Posterior", "probability_better"]

MARGIN = 0.01
"""Differences of accuracy up to this, one point, count as the same for practical ends."""


@dataclass(frozen=True)
class Posterior:
    """Where the true difference of accuracy, A minus B, may lie.

    Attributes
    ----------
    better, same, worse : float
        Probability that A is better by more than ``margin``, within ``margin`` of B, worse by more than it; sum 1.
    margin : float
        Share of images; the half width of what counts as the same (region of practical equivalence).
    n, people : int
    method : str
        How it was computed, in words for a reader.
    """

    better: float
    same: float
    worse: float
    margin: float
    n: int
    people: int
    method: str


def probability_better(
    correct_a: ArrayLike, correct_b: ArrayLike, people: ArrayLike, *, margin: float = MARGIN, unit: Unit = PERSON
) -> Posterior | NotApplicable:
    """Probability that A beats B by more than a margin for people like these.

    Persons' differences are taken as draws from a normal distribution of unknown mean and spread; under the reference
    prior (flat in mean and log spread) the mean then has a Student distribution around the observed difference, with
    the leave-one-person-out standard error and people - 1 degrees of freedom. It is the Bayesian t test of Benavoli
    et al. (2017, jmlr.org/papers/v18/16-305.html) with people in the place of folds, which are disjoint, so that
    nothing needs correcting for overlap.

    Parameters
    ----------
    correct_a, correct_b : (n,) bool
        The same images in the same order.
    people : (n,)
    margin : float
        Share of images, at least 0.
    unit : Unit
        What ``people`` holds; it words the method.

    Raises
    ------
    InputError
        Arrays that do not fit, or a negative margin.
    """
    if not margin >= 0:
        raise InputError(f"margin: expected a share of images of at least 0, found {margin}")
    method = f"Bayesian t test {unit.over}"
    counts = paired_counts(correct_a, correct_b, people)
    if len(counts) < 2:
        return NotApplicable(method, f"it takes two {unit.many}")
    error, freedom = jackknife_error(counts, ratio)
    if not error > NO_WIDTH:
        return NotApplicable(method, f"no two {unit.many} differ")
    mean = float(ratio(counts.sum(axis=0, keepdims=True))[0])
    worse = float(stdtr(freedom, (-margin - mean) / error))
    better = float(stdtr(freedom, (mean - margin) / error))
    return Posterior(better, max(0.0, 1 - better - worse), worse, margin, int(counts[:, 1].sum()), len(counts), method)
