"""Two keys, or the same predictions: how a row is judged, and which drop it would catch.

**exact**: of a method that is deterministic, at most a few images may be answered differently: other processors round
differently in the last bits, which now and then turns a close decision.

**people**: a regression is a drop beyond the tolerance AND a sign-flip test over people that rejects, Holm over rows.
The test takes both models as given and knows nothing of the luck of a seed, so the tolerance has to: it is at least
the drop that a new seed exceeds once in a hundred gate calls (prediction bound of the normal on the logit scale,
Bonferroni over rows).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions
from scipy.special import expit, logit

from fer_bench import stats

from .expected import SEEDS, Reference

__all__ = ["FLIPS", "TOLERANCE", "Row", "allowed_changes", "judge", "smallest_drop", "tolerance_of"]

TOLERANCE = 0.02
"""Drop of accuracy that is not asked about."""
FLIPS = 0.005
"""Share of images that a deterministic method may answer differently; docs/ci.md says what other processors change."""
FALSE_ALARMS = 0.01
"""Of gate calls, at most, whatever the number of rows."""
POWER = 0.8
_MANY = 2000
"""Units above which the flips' total is taken for normal: exact sums would take minutes."""


@dataclass(frozen=True)
class Row:
    """The verdict on one method under one protocol.

    Attributes
    ----------
    method, protocol, rule : str
    verdict : str
        ok, better, or regression.
    expected, found : float
        Accuracy; ``expected`` is the mean over seeds where ``rule`` is people.
    seeds, images, changed : int
        ``changed``: images answered differently than with the same seed; -1 where that seed is not known.
    tolerance : float
        Share of accuracy (people), or of images changed (exact).
    p_value : float
        One-sided, Holm over rows; NaN where the rule is exact.
    caught : float
        Smallest drop caught with 80 % power; infinite where none can be.
    """

    method: str
    protocol: str
    rule: str
    verdict: str
    expected: float
    found: float
    seeds: int
    images: int
    changed: int
    tolerance: float
    p_value: float
    caught: float

    @property
    def few_seeds(self) -> bool:
        """Whether the spread between seeds is unknown or rests on too few."""
        return self.rule == "people" and self.seeds < SEEDS


def judge(
    pairs: Sequence[tuple[Reference, NDArray[np.uint8], int]], rules: Sequence[str], *, tolerance: float = TOLERANCE
) -> list[Row]:
    """Judge all rows of a run together.

    Parameters
    ----------
    pairs : sequence of (Reference, (n,) uint8, int)
        What is expected, what was predicted, and the place of the same seed in the reference (-1: none).
    rules : sequence of str
        Of each pair, exact or people.
    tolerance : float
        Drop of accuracy that is not asked about.
    """
    family = sum(rule == "people" for rule in rules)
    tested = [place for place, rule in enumerate(rules) if rule == "people"]
    raw = [drop_p_value(pairs[i][0].correct, pairs[i][1] == pairs[i][0].labels, pairs[i][0].people) for i in tested]
    adjusted: Mapping[int, float] = dict(zip(tested, stats.holm(raw), strict=True))
    rows = []
    for i, (reference, predicted, place) in enumerate(pairs):
        if rules[i] == "exact":
            rows.append(_exact(reference, predicted, place))
        else:
            rows.append(_by_people(reference, predicted, place, adjusted[i], family, tolerance))
    return rows


def drop_p_value(before: NDArray[np.bool_], now: NDArray[np.bool_], people: NDArray[np.int64]) -> float:
    """One-sided p value of a drop: sign flips over people of ``now`` (n,) against the mean of ``before`` (k, n)."""
    # k times the difference: whole numbers, which the exact test adds up
    by_person = stats.sum_by_person(len(before) * now.astype(np.int64) - before.sum(axis=0), people)[:, 0].round()
    total = float(by_person.sum())
    if total >= 0:
        return 1.0
    if len(before) > 1 and len(by_person) > _MANY:
        return float(distributions.norm.cdf(total / np.sqrt((by_person**2).sum())))
    return stats.flip_p_value(by_person.astype(np.int64)) / 2


def tolerance_of(reference: Reference, family: int, tolerance: float = TOLERANCE) -> float:
    """Drop that is not asked about: the one given, or what a new seed exceeds once in a hundred gate calls.

    It is at least as far as the seeds lie apart. On the logit scale: accuracies above one half fall farther than they
    rise, and a bound that takes them for symmetric stopped 1.3 of 100 honest gate calls where seeds differ much (6,000
    draws of `benchmarks/simulate_gate.py`).
    """
    k, n = reference.predicted.shape
    if k < 2:
        return tolerance
    accuracy = reference.correct.mean(axis=1)
    odds = logit(np.clip(accuracy, 0.5 / n, 1 - 0.5 / n))
    below = float(distributions.t.ppf(1 - FALSE_ALARMS / family, k - 1)) * odds.std(ddof=1) * math.sqrt(1 + 1 / k)
    # the second term alone counts near zero, where an accuracy has nowhere left to fall
    return max(tolerance, float(np.ptp(accuracy)), float(accuracy.mean() - expit(odds.mean() - below)))


def allowed_changes(n: int) -> int:
    """How many of n images a deterministic method may answer differently."""
    return math.floor(FLIPS * n)


def smallest_drop(reference: Reference, family: int, tolerance: float = TOLERANCE) -> float:
    """Smallest drop of accuracy that the rule of people catches with 80 % power.

    A drop of this size is meant as so large a share of the images that were answered rightly, drawn at random. Both
    keys are thresholds on the drop found: the tolerance, and the t quantile (at 5 % over the number of rows) times the
    standard error over people. The drop found varies by the luck of the seed and of which images are lost; the first is
    known from a few seeds only, so power is a t quantile with Satterthwaite's degrees of freedom (doi 10.2307/3002019).

    Returns
    -------
    float
        A share; infinite where so few people let the test never reject.
    """
    n_people = len(np.unique(reference.people))
    if n_people < 2 or family / 2.0**n_people >= stats.ALPHA:
        return math.inf
    tolerated = tolerance_of(reference, family, tolerance)
    threshold = float(distributions.t.ppf(1 - stats.ALPHA / family, n_people - 1))
    luck, by_people = _luck(reference), _person_error(reference)
    accuracy = float(reference.correct.mean())
    drop = tolerated
    for _ in range(50):  # the error grows slowly with the drop: a fixed point, reached within a few rounds
        within, between = _loss_errors(reference, min(1.0, drop / accuracy)) if accuracy > 0 else (0.0, 0.0)
        error = math.sqrt(by_people**2 + within**2 + between**2)
        varies = luck**2 + within**2
        freedom = (len(reference.seeds) - 1) * varies**2 / luck**4 if luck else math.inf
        drop = max(tolerated, threshold * error) + float(distributions.t.ppf(POWER, freedom)) * math.sqrt(varies)
    return drop if drop <= accuracy else math.inf


def _exact(reference: Reference, predicted: NDArray[np.uint8], place: int) -> Row:
    before = reference.predicted[place]
    changed, allowed = int((before != predicted).sum()), allowed_changes(len(predicted))
    expected, found = (float((answers == reference.labels).mean()) for answers in (before, predicted))
    verdict = "ok" if changed <= allowed else "better" if found > expected else "regression"
    n = len(predicted)
    return Row(
        *(reference.method, reference.protocol, "exact", verdict, expected, found, 1, n, changed, allowed / n),
        *(math.nan, (allowed + 1) / n),
    )


def _by_people(
    reference: Reference, predicted: NDArray[np.uint8], place: int, p_value: float, family: int, tolerance: float
) -> Row:
    expected, found = float(reference.correct.mean()), float((predicted == reference.labels).mean())
    tolerated = tolerance_of(reference, family, tolerance)
    drop = expected - found
    verdict = "better" if -drop > tolerated else "ok"
    if drop > tolerated and p_value < stats.ALPHA:
        verdict = "regression"
    changed = int((reference.predicted[place] != predicted).sum()) if place >= 0 else -1
    return Row(
        *(reference.method, reference.protocol, "people", verdict, expected, found, len(reference.seeds)),
        *(len(predicted), changed, tolerated, p_value, smallest_drop(reference, family, tolerance)),
    )


def _luck(reference: Reference) -> float:
    """Standard error of a new seed's accuracy against the mean of the expected ones; 0 where there is one."""
    k = len(reference.seeds)
    return float(reference.correct.mean(axis=1).std(ddof=1)) * math.sqrt(1 + 1 / k) if k > 1 else 0.0


def _person_error(reference: Reference) -> float:
    """Standard error over people of an honest new seed minus the mean of the expected ones."""
    k, correct = len(reference.seeds), reference.correct.astype(np.float64)
    if k < 2:
        return 0.0
    n = correct.shape[1]
    squares = []
    for place in range(k):
        others = (correct.sum(axis=0) - correct[place]) / (k - 1)
        by_person = stats.sum_by_person(correct[place] - others, reference.people)[:, 0]
        squares.append(float((by_person**2).sum()))
    # k - 1 others stood in for k
    result: float = math.sqrt(np.mean(squares) * (1 + 1 / k) / (1 + 1 / (k - 1))) / n
    return result


def _loss_errors(reference: Reference, share: float) -> tuple[float, float]:
    """Standard errors of a drop that takes this share of right answers: by chance of images, and between people."""
    right = stats.sum_by_person(reference.correct.mean(axis=0), reference.people)[:, 0]
    n = reference.correct.shape[1]
    within = math.sqrt(share * (1 - share) * right.sum()) / n
    between = share * math.sqrt(((right - right.mean()) ** 2).sum()) / n
    return within, between
