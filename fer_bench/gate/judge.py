"""Two keys, or the same predictions: how a row is judged, and which drop it would catch.

**exact**: of a method that is deterministic, at most a few images may be answered differently: other processors round
differently in the last bits, which now and then turns a close decision.

**people**: a regression is a drop beyond the tolerance AND a sign-flip test over people that rejects, Holm over rows.
The test takes both models as given and knows nothing of the luck of a seed, so the tolerance has to: it is at least
the drop that a new seed exceeds once in a hundred gate calls (prediction bound of the normal on the logit scale,
Bonferroni over rows). A rise is judged by the same two keys.

What got better by either rule is no regression and still not what is expected: methods also get better by a label that
leaks. Such a row is **changed**, and somebody has to say that it is meant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_bench import stats

from .reference import SEEDS, Reference

__all__ = ["FLIPS", "TOLERANCE", "Row", "allowed_changes", "judge", "smallest_drop", "tolerance_of"]

TOLERANCE = 0.02
"""Change of accuracy that is not asked about."""
FLIPS = 0.005
"""Share of images that a deterministic method may answer differently; docs/ci.md says what other processors change."""
FALSE_ALARMS = {"drop": 0.0075, "rise": 0.0025}
"""Of gate calls, at most, whatever the number of rows: 1 % together, most of it where a gate should see sharply."""
POWER = 0.8


@dataclass(frozen=True, kw_only=True)
class Row:
    """The verdict on one method under one protocol.

    Attributes
    ----------
    method, protocol, rule : str
    verdict : str
        ok; regression; or changed, where it did not get worse and is not what is expected.
    expected, found : float
        Accuracy; ``expected`` is the mean over seeds where ``rule`` is people.
    seeds, images, changed : int
        ``changed``: images answered differently than with the same seed; -1 where that seed is not known.
    tolerance : float
        Share of accuracy, in the direction in which it moved (people), or of images changed (exact).
    p_value : float
        One-sided, in the direction in which accuracy moved, Holm over rows; NaN where the rule is exact.
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
        Change of accuracy that is not asked about.
    """
    family = sum(rule == "people" for rule in rules)
    tested = [place for place, rule in enumerate(rules) if rule == "people"]
    drops, rises = (
        dict(zip(tested, stats.holm([_p_value(*pairs[place][:2], rise=rise) for place in tested]), strict=True))
        for rise in (False, True)
    )
    rows = []
    for i, (reference, predicted, place) in enumerate(pairs):
        if rules[i] == "exact":
            rows.append(_exact(reference, predicted, place))
        else:
            rows.append(_by_people(reference, predicted, place, (drops[i], rises[i]), family, tolerance))
    return rows


def _p_value(reference: Reference, predicted: NDArray[np.uint8], *, rise: bool) -> float:
    """A rise of what is right is a drop of what is wrong."""
    return stats.drop_p_value(reference.correct ^ rise, (predicted == reference.labels) ^ rise, reference.people)


def tolerance_of(reference: Reference, family: int, tolerance: float = TOLERANCE, *, rise: bool = False) -> float:
    """Change that is not asked about: the one given, or what a new seed exceeds once in a hundred gate calls.

    It is at least as far as the seeds lie apart. On the logit scale: accuracies above one half fall farther than they
    rise, and a bound that takes them for symmetric stopped 1.3 of 100 honest gate calls where seeds differ much (6,000
    draws of `benchmarks/simulate_gate.py`).

    Parameters
    ----------
    reference : Reference
    family : int
        Rows that are judged by people.
    tolerance : float
    rise : bool
        Which direction: a rise, or a drop.
    """
    if len(reference.seeds) < 2:
        return tolerance
    # the last term alone counts near zero, where an accuracy has nowhere left to fall
    spread = float(np.ptp(reference.correct.mean(axis=1)))
    alpha = FALSE_ALARMS["rise" if rise else "drop"] / family
    return max(tolerance, spread, stats.new_seed_drop(reference.correct ^ rise, alpha=alpha))


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
    verdict = "ok" if changed <= allowed else "regression" if found < expected else "changed"
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
    reference: Reference,
    predicted: NDArray[np.uint8],
    place: int,
    p_values: tuple[float, float],
    family: int,
    tolerance: float,
) -> Row:
    expected, found = float(reference.correct.mean()), float((predicted == reference.labels).mean())
    rise = found > expected
    tolerated, p_value = tolerance_of(reference, family, tolerance, rise=rise), p_values[rise]
    verdict = "ok"
    if abs(found - expected) > tolerated and p_value < stats.ALPHA:
        verdict = "changed" if rise else "regression"
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
