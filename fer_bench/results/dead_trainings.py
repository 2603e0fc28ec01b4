"""Trainings that learnt nothing: one answer for all pictures, or a training that ended where guessing is.

Their accuracy is that of a constant, and a mean over folds with such a one among them is of no method at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_bench.labels import EMOTIONS

from .outcomes import Key, MethodPredictions
from .run_data import RunData
from .schema import LAST_EPOCH, TRIAL_KEY

__all__ = ["DeadTraining", "find_dead_trainings"]

FEWEST_OTHERS = 10
"""Pictures of other expressions that must have the one answer, too, before it is called blind.

Whoever guesses gives ten pictures one answer in 7 ** -9, three in 100 million; and a test side of one expression alone,
or nearly so, rightly has one answer.
"""

SDS = 3.0
"""Standard deviations above the most frequent expression's share from which on a training accuracy is above guessing:
a training that learns nothing lies higher in 1 of 700 epochs."""

TEST_SDS = 2.0
"""The same for test pictures, above which a method lives whatever its training says. Fewer, since both must fail."""

NEAR = 0.02
"""How near, relatively, the last epoch's loss lies to the entropy of the labels (ln 7 = 1.946 where they are balanced,
Cover & Thomas 2006, section 2.1: the least cross-entropy of answers that do not hang on the picture). A network that
tells no more than one picture in eight apart already gains 2 %."""


FLOOR = "majority"
"""The method that names the most frequent expression on purpose: the floor that others are held against."""


@dataclass(frozen=True)
class DeadTraining:
    """A finished training that learnt nothing.

    Attributes
    ----------
    method, protocol : str
    fold, seed : int
    answer : str
        The one code of ``EMOTIONS`` that it gave for all pictures; empty where it gave several.
    why : str
        What shows it, a clause to follow "fold 0: ".
    """

    method: str
    protocol: str
    fold: int
    seed: int
    answer: str
    why: str


def find_dead_trainings(run: RunData, outcomes: Mapping[Key, MethodPredictions]) -> tuple[DeadTraining, ...]:
    """Find the trainings that learnt nothing, in the order of ``outcomes``, then of seeds and folds.

    A training is dead where it gave all of its test pictures one answer, ten of another expression among them; or
    where its test accuracy is within two standard deviations of naming the most frequent expression always, and so is
    its training: accuracy of the last epoch within three, or, where none was noted, a loss within 2 % of the labels'
    entropy. A poor method that sees anything, in training or in test, is not.

    Parameters
    ----------
    run : RunData
        Its curves tell of training, where there are any.
    outcomes : mapping
        As of `fer_bench.results.outcomes.collect_predictions`; the last epoch's are judged.
    """
    ends = _ends(run.curves)
    sizes = {tuple(row): int(n) for *row, n in run.trials[[*TRIAL_KEY, "n_train"]].fillna(0).itertuples(index=False)}
    expressions = run.info["dataset"].get("expressions") or run.predictions["label"].value_counts().to_dict()
    counts = np.array([n for n in expressions.values() if n > 0], dtype=np.float64)
    shares = counts / counts.sum() if len(counts) else np.ones(1)
    found = []
    for key, outcome in outcomes.items():
        if key.selection != LAST_EPOCH or key.method == FLOOR:
            continue
        for seed, fold, rows in _trials(outcome):
            trial = (key.method, key.protocol, fold, seed)
            answer = _one_answer(outcome, rows)
            why = f"{answer} for all {len(rows):,} pictures" if answer else ""
            if not why and not _above(outcome.labels[rows], outcome.correct[rows]):
                why = _training_at_guessing(ends.get(trial), sizes.get(trial, 0), shares)
            if why:
                found.append(DeadTraining(key.method, key.protocol, fold, seed, answer, why))
    return tuple(found)


def _trials(outcome: MethodPredictions) -> Iterator[tuple[int, int, np.ndarray]]:
    """Seed, fold and rows (n,) of each trial."""
    order = np.lexsort((outcome.folds, outcome.seeds))
    seeds, folds = outcome.seeds[order], outcome.folds[order]
    starts = np.flatnonzero((np.diff(seeds) != 0) | (np.diff(folds) != 0)) + 1
    for rows in np.split(order, starts):
        if len(rows):
            yield int(outcome.seeds[rows[0]]), int(outcome.folds[rows[0]]), rows


def _one_answer(outcome: MethodPredictions, rows: np.ndarray) -> str:
    """Code of the one answer that all pictures have, unless they are too few or too alike to tell."""
    predicted = outcome.predicted[rows]
    if (predicted != predicted[0]).any() or (outcome.labels[rows] != predicted[0]).sum() < FEWEST_OTHERS:
        return ""
    return EMOTIONS[int(predicted[0])]


def _above(labels: np.ndarray, correct: np.ndarray) -> bool:
    """Whether more pictures are right than naming the most frequent expression always would get by luck."""
    share = float(np.bincount(labels).max()) / len(labels)
    return float(correct.mean()) > share + TEST_SDS * math.sqrt(share * (1 - share) / len(labels))


def _training_at_guessing(end: Mapping[str, float] | None, n: int, shares: np.ndarray) -> str:
    """Why a training ended where guessing is; empty where it did not, or nothing was noted."""
    loss, accuracy = (math.nan, math.nan) if end is None else (end["loss"], end["train_accuracy"])
    share, entropy = float(shares.max()), float(-(shares * np.log(shares)).sum())
    if not math.isnan(accuracy):
        limit = share + SDS * math.sqrt(share * (1 - share) / max(1, n))
        said = f"a training accuracy of {100 * accuracy:.1f} % at the end, no more than guessing"
        return said if accuracy <= limit else ""
    if entropy > 0 and abs(loss - entropy) <= NEAR * entropy:
        return f"a training loss of {loss:.3f} at the end, as of guessing ({entropy:.3f})"
    return ""


def _ends(curves: pd.DataFrame | None) -> dict[tuple[object, ...], dict[str, float]]:
    """Loss and training accuracy of each trial's last epoch; NaN where they were not noted."""
    if curves is None or curves.empty:
        return {}
    told = curves.reindex(columns=[*TRIAL_KEY, "epoch", "loss", "train_accuracy"])
    last = told.sort_values("epoch", kind="stable").groupby(TRIAL_KEY, sort=False, observed=True).tail(1)
    return {
        (str(row["method"]), str(row["protocol"]), int(row["fold"]), int(row["seed"])): {
            name: float(row[name]) for name in ("loss", "train_accuracy")
        }
        for row in last.to_dict("records")
    }
