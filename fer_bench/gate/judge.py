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


@dataclass(frozen=True, kw_only=True)
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
    raw = [_drop_p_value(*pairs[place][:2]) for place in tested]
    adjusted: Mapping[int, float] = dict(zip(tested, stats.holm(raw), strict=True))
    rows = []
    for i, (reference, predicted, place) in enumerate(pairs):
        if rules[i] == "exact":
            rows.append(_exact(reference, predicted, place))
        else:
            rows.append(_by_people(reference, predicted, place, adjusted[i], family, tolerance))
    return rows


def _drop_p_value(reference: Reference, predicted: NDArray[np.uint8]) -> float:
    return stats.drop_p_value(reference.correct, predicted == reference.labels, reference.people)


def tolerance_of(reference: Reference, family: int, tolerance: float = TOLERANCE) -> float:
    """Drop that is not asked about: the one given, or what a new seed exceeds once in a hundred gate calls.

    It is at least as far as the seeds lie apart. On the logit scale: accuracies above one half fall farther than they
    rise, and a bound that takes them for symmetric stopped 1.3 of 100 honest gate calls where seeds differ much (6,000
    draws of `benchmarks/simulate_gate.py`).
    """
    if len(reference.seeds) < 2:
        return tolerance
    # the last term alone counts near zero, where an accuracy has nowhere left to fall
    spread = float(np.ptp(reference.correct.mean(axis=1)))
    return max(tolerance, spread, stats.new_seed_drop(reference.correct, alpha=FALSE_ALARMS / family))


def allowed_changes(n: int) -> int:
    """How many of n images a deterministic method may answer differently."""
    return math.floor(FLIPS * n)


def smallest_drop(reference: Reference, family: int, tolerance: float = TOLERANCE) -> float:
    """Smallest drop of accuracy that the rule of people catches with 80 % power; see `stats.detectable_drop`.

    Returns
    -------
    float
        A share; infinite where so few people let the test never reject.
    """
    n_people = len(np.unique(reference.people))
    if n_people < 2 or family / 2.0**n_people >= stats.ALPHA:
        return math.inf
    tolerated = tolerance_of(reference, family, tolerance)
    alpha = stats.ALPHA / family
    return stats.detectable_drop(reference.correct, reference.people, tolerated=tolerated, alpha=alpha, power=POWER)


def _exact(reference: Reference, predicted: NDArray[np.uint8], place: int) -> Row:
    before = reference.predicted[place]
    changed, allowed = int((before != predicted).sum()), allowed_changes(len(predicted))
    expected, found = (float((answers == reference.labels).mean()) for answers in (before, predicted))
    verdict = "ok" if changed <= allowed else "better" if found > expected else "regression"
    n = len(predicted)
    return Row(
        method=reference.method,
        protocol=reference.protocol,
        rule="exact",
        verdict=verdict,
        expected=expected,
        found=found,
        seeds=1,
        images=n,
        changed=changed,
        tolerance=allowed / n,
        p_value=math.nan,
        caught=(allowed + 1) / n,
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
        method=reference.method,
        protocol=reference.protocol,
        rule="people",
        verdict=verdict,
        expected=expected,
        found=found,
        seeds=len(reference.seeds),
        images=len(predicted),
        changed=changed,
        tolerance=tolerated,
        p_value=p_value,
        caught=smallest_drop(reference, family, tolerance),
    )
