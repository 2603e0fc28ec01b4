"""One method of one run against one of another: the figures alone, then those that count all comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fer_bench import stats

from .dead_trainings import find_dead_trainings
from .load import report_seed
from .outcomes import MethodPredictions
from .pairing import Identity, common_places
from .run_data import RunData
from .training_luck import WITHHELD, fold_test, in_doubt, why_withheld

__all__ = ["Pair", "Score", "pair_alone", "pair_row", "pairs_together"]

Score = tuple[Any, Any]
"""What A classified right and B did not, image by image, and who is on it."""


@dataclass(frozen=True)
class Pair:
    """One method of run A and one of run B under one protocol, on the images that both were tested on.

    Attributes
    ----------
    method_a, method_b, protocol : str
    accuracy_a, accuracy_b : Interval
        On the common images.
    difference : Difference
        A minus B; its interval holds for all pairs of the comparison at once, and its detectable difference counts
        all of them. Its ``test`` and ``mcnemar`` are of this pair alone.
    p_adjusted : float
        Of sign flips of all pairs of the comparison together; below 5 % exactly where the interval leaves zero out.
    posterior : Posterior or NotApplicable
    folds : FoldTest or NotApplicable
        Nadeau and Bengio's test, where both runs have the same folds.
    tested_a, tested_b : int
        Images that each run tested; the difference's ``n`` is what they have in common.
    notes : tuple of str
        What a reader must know of this pair.
    withheld : str
        Why a difference is none yet of the methods; empty where it is one, or where nothing differs.
    """

    method_a: str
    method_b: str
    protocol: str
    accuracy_a: stats.Interval
    accuracy_b: stats.Interval
    difference: stats.Difference
    p_adjusted: float
    posterior: stats.Posterior | stats.NotApplicable
    folds: stats.FoldTest | stats.NotApplicable
    tested_a: int
    tested_b: int
    notes: tuple[str, ...] = ()
    withheld: str = ""

    @property
    def verdict(self) -> str:
        """``"A is better"``, ``"B is better"``, ``"not significantly different"`` at 5 %, or why it is withheld."""
        if not self.p_adjusted < stats.ALPHA:
            return "not significantly different"
        if self.withheld:
            return self.withheld
        return f"{'A' if self.difference.interval.value > 0 else 'B'} is better"


def pair_row(pair: Pair) -> dict[str, Any]:
    """A row of `Compared.table`."""
    interval = pair.difference.interval
    return {
        "method_a": pair.method_a,
        "method_b": pair.method_b,
        "protocol": pair.protocol,
        "n": interval.n,
        "accuracy_a": pair.accuracy_a.value,
        "accuracy_b": pair.accuracy_b.value,
        "difference": interval.value,
        "difference_low": interval.low,
        "difference_high": interval.high,
        "p_value": pair.difference.test.p_value,
        "p_adjusted": pair.p_adjusted,
        "verdict": pair.verdict,
    }


def pairs_together(pairs: Sequence[Pair], scores: Sequence[Score], *, seed: int, unit: stats.Unit) -> Iterator[Pair]:
    """Pairs with p and interval that count all of them, from one distribution."""
    family = stats.max_t_apiece(scores, seed=seed, unit=unit)
    for place, pair in enumerate(pairs):
        low, high = float(family.low[place]), float(family.high[place])
        why = family.why(place, unit)
        interval = replace(pair.difference.interval, low=low, high=high, method=family.method, reason=why)
        difference = replace(pair.difference, interval=interval, detectable=float(family.detectable[place]))
        yield replace(pair, difference=difference, p_adjusted=float(family.p_value[place]))


def pair_alone(
    a: RunData,
    b: RunData,
    left: MethodPredictions,
    right: MethodPredictions,
    identities: tuple[Identity | None, Identity | None],
    margin: float,
) -> tuple[Pair, Score] | None:
    """Compare on what both tested, alone, with the scores that all are compared by; None where that is nothing."""
    at_a, at_b = common_places(left, right, *identities)
    if not len(at_a):
        return None
    correct_a, correct_b, people = left.correct[at_a], right.correct[at_b], left.people[at_a]
    unit, seed, protocol = a.unit, report_seed(a), left.key.protocol
    trained, same_folds = _trained(a, left), np.array_equal(left.folds[at_a], right.folds[at_b])
    folds: stats.FoldTest | stats.NotApplicable = stats.NotApplicable(
        "Nadeau-Bengio corrected t test over folds", "the two runs have other folds"
    )
    if same_folds:
        folds = stats.corrected_t_test(correct_a, correct_b, left.folds[at_a], train_images=trained)
    tested = fold_test(correct_a, correct_b, people, left.folds[at_a], trained) if same_folds else None
    pair = Pair(
        method_a=left.key.method,
        method_b=right.key.method,
        protocol=protocol,
        accuracy_a=stats.accuracy_interval(correct_a, people, seed=seed, unit=unit),
        accuracy_b=stats.accuracy_interval(correct_b, people, seed=seed, unit=unit),
        difference=stats.paired_difference(correct_a, correct_b, people, seed=seed, unit=unit),
        p_adjusted=float("nan"),
        posterior=stats.probability_better(correct_a, correct_b, people, margin=margin, unit=unit),
        folds=folds,
        tested_a=len(left.labels),
        tested_b=len(right.labels),
        notes=tuple(_pair_notes(a, b, left, right, len(at_a))),
        withheld=_withheld((a, left), (b, right), tested, same_folds=same_folds),
    )
    return pair, (correct_a.astype(np.float64) - correct_b, people)


def _trained(run: RunData, outcome: MethodPredictions) -> float:
    """Mean number of images that a fold of a method trained on."""
    trials = run.trials[(run.trials["method"] == outcome.key.method) & (run.trials["protocol"] == outcome.key.protocol)]
    return float(trials.loc[trials["state"] == "ok", "n_train"].mean())


def _withheld(
    left: tuple[RunData, MethodPredictions],
    right: tuple[RunData, MethodPredictions],
    tested: stats.FoldTest | None,
    *,
    same_folds: bool,
) -> str:
    """Why a difference between the people's answers would be none of the methods; empty where it would be one."""
    for side, (run, outcome) in (("A", left), ("B", right)):
        dead = find_dead_trainings(run, {outcome.key: outcome})
        if dead:
            more = f" and {len(dead) - 1} more" if len(dead) > 1 else ""
            return f"{WITHHELD}: a training of {side} learnt nothing (fold {dead[0].fold}: {dead[0].why}{more})"
    families = [str(run.info["methods"].get(one.key.method, {}).get("family", "")) for run, one in (left, right)]
    if not any(in_doubt(one, family) for (_, one), family in zip((left, right), families, strict=True)):
        return ""
    if not same_folds:
        return f"{WITHHELD}: it holds for these trainings; the runs have other folds, so new ones cannot be judged"
    return why_withheld(tested)


def _pair_notes(a: RunData, b: RunData, left: MethodPredictions, right: MethodPredictions, n: int) -> Iterator[str]:
    for side, run, outcome in (("A", a, left), ("B", b, right)):
        rows = run.trials[
            (run.trials["method"] == outcome.key.method) & (run.trials["protocol"] == outcome.key.protocol)
        ]
        done = int((rows["state"] == "ok").sum())
        if done < len(rows):
            yield f"{side} finished only {done} of {len(rows)} trials"
    if n < max(len(left.labels), len(right.labels)):
        yield f"compared on {n:,} images; A tested {len(left.labels):,}, B {len(right.labels):,}"
