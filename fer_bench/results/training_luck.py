"""Which verdicts hang on the luck of training, and are therefore withheld: the rule, for reports and comparisons.

Rule. A method is in doubt where its folds differ by more than its people explain (p < 0.05), or where it is trained
(any but the classical ones, which give the same model for the same pictures) with one seed or with fewer than five
folds. A verdict on it is withheld unless a test over folds, which holds new trainings, too, agrees with that over
people. Withheld and not reworded, since both tests then must err at once: of equal methods at most 5.6 in 100 are told
apart with 2 to 10 folds and a luck of 0 to 0.3 on the logit scale (tests/stats/test_fold_luck.py), where people alone
give 48.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fer_bench import stats

from .outcomes import MethodPredictions

__all__ = ["WITHHELD", "fold_test", "folds_differ", "in_doubt", "why_withheld"]

WITHHELD = "verdict withheld"
"""Begins every sentence that stands where a verdict would."""

Spread = stats.FoldSpread | stats.NotApplicable


def folds_differ(spread: Spread) -> bool:
    """Whether folds differ by more than people explain."""
    return not isinstance(spread, stats.NotApplicable) and spread.p_value < stats.ALPHA


def in_doubt(outcome: MethodPredictions, family: str, spread: Spread | None = None) -> bool:
    """Whether new trainings may move a method by more than its interval over people says; see this module's rule.

    Parameters
    ----------
    outcome : MethodPredictions
    family : str
        One of `fer_bench.methods.FAMILIES`.
    spread : FoldSpread or NotApplicable, optional
        What `fer_bench.stats.fold_spread` says of it, where it is known already.
    """
    few = len(np.unique(outcome.seeds)) == 1 or len(np.unique(outcome.folds)) < stats.ENOUGH_FOLDS
    if few and family != "classical":
        return True
    return folds_differ(stats.fold_spread(outcome.correct, outcome.person, outcome.folds) if spread is None else spread)


def fold_test(
    correct_a: ArrayLike, correct_b: ArrayLike, people: ArrayLike, folds: ArrayLike, train_images: float
) -> stats.FoldTest | None:
    """The test over folds of two methods on the same images; None where there is one fold.

    Parameters
    ----------
    correct_a, correct_b : (n,) bool
    people, folds : (n,)
        Folds as both methods have them.
    train_images : float
        How many images a fold trains on; NaN where it is not known.
    """
    found = stats.fold_difference(correct_a, correct_b, people, folds)
    if isinstance(found, stats.NotApplicable):
        # Folds that share people do not vary by them: Nadeau and Bengio's correction is for these.
        trained = None if math.isnan(train_images) else train_images
        found = stats.corrected_t_test(correct_a, correct_b, folds, train_images=trained)
    return None if isinstance(found, stats.NotApplicable) else found


def why_withheld(tested: stats.FoldTest | None) -> str:
    """Why a difference that is certain over people, one side in doubt, is none yet of the methods; empty where it is.

    Parameters
    ----------
    tested : FoldTest or None
        What `fold_test` gave.
    """
    if tested is None:
        return f"{WITHHELD}: it holds for these trainings; a single fold cannot tell what new ones would show"
    if tested.p_value < stats.ALPHA:
        return ""
    p_value = "< 0.001" if tested.p_value < 0.001 else f"= {tested.p_value:.3f}"
    return f"{WITHHELD}: it holds for these trainings, but over the {tested.folds} folds, as for new ones, p {p_value}"
