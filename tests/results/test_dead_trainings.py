"""Trainings that learnt nothing are found, and poor ones that see anything are not."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench.labels import EMOTIONS
from fer_bench.results.dead_trainings import FEWEST_OTHERS, find_dead_trainings
from fer_bench.results.outcomes import Key, MethodPredictions
from fer_bench.results.schema import LAST_EPOCH

KEY = Key("net", "subject-2fold", LAST_EPOCH)


def outcome_of(labels, predicted, folds=None) -> MethodPredictions:
    n = len(labels)
    names = np.array([f"i{i}" for i in range(n)])
    return MethodPredictions(
        *(KEY, np.asarray(labels), np.asarray(predicted), np.full((n, 7), 1 / 7), names, np.full(n, "S"), names),
        *(np.zeros(n, np.int64), np.zeros(n, np.int64) if folds is None else np.asarray(folds)),
    )


def found_in(outcome, *, loss=math.nan, train_accuracy=math.nan, n_train=1000, expressions=None):
    folds = np.unique(outcome.folds)
    trial = {"method": "net", "protocol": "subject-2fold", "seed": 0}
    trials = pd.DataFrame([{**trial, "fold": fold, "n_train": n_train} for fold in folds])
    told = {"loss": loss, "train_accuracy": train_accuracy}
    curves = pd.DataFrame([{**trial, "fold": fold, "epoch": e, **told} for fold in folds for e in (1, 2)])
    curves.loc[curves["epoch"] == 1, ["loss", "train_accuracy"]] = (math.log(7), 1 / 7)
    counts = expressions or dict.fromkeys(EMOTIONS, 10)
    run = SimpleNamespace(
        info={"dataset": {"expressions": counts}},
        trials=trials,
        curves=None if math.isnan(loss) and math.isnan(train_accuracy) else curves,
        predictions=pd.DataFrame({"label": ["AF"]}),
    )
    return find_dead_trainings(run, {outcome.key: outcome})


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=80), st.integers(0, 6))
def test_one_answer_for_all_is_dead_unless_it_may_be_right(labels, answer):
    """One answer for all pictures is dead if ten of them or more show another expression, and only then."""
    found = found_in(outcome_of(labels, [answer] * len(labels)))
    others = sum(label != answer for label in labels)
    assert len(found) == (others >= FEWEST_OTHERS)
    assert not found or found[0].answer == EMOTIONS[answer]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.35, 1.0), st.floats(0.2, 1.0))
def test_a_poor_method_that_is_alive_is_never_flagged(seed, test, train):
    """Who is right in a third of the test pictures lives, whatever its training says; who learnt lives, too."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(7), 30)
    right = rng.permutation(len(labels)) < math.ceil(test * len(labels))
    wrong = (labels + rng.integers(1, 7, len(labels))) % 7
    seeing = outcome_of(labels, np.where(right, labels, wrong))
    assert found_in(seeing, loss=math.log(7), train_accuracy=1 / 7) == ()
    assert found_in(seeing, loss=math.log(7)) == ()
    guessing = outcome_of(labels, rng.integers(0, 7, len(labels)) | (np.arange(len(labels)) == 0))
    assert found_in(guessing, loss=math.log(7), train_accuracy=train) == ()
    assert found_in(guessing, loss=0.95 * math.log(7)) == ()
    assert found_in(guessing) == ()


@pytest.mark.parametrize("counts", [dict.fromkeys(EMOTIONS, 10), {"HA": 50, "NE": 30, "SA": 20}, {"HA": 5, "AN": 5}])
def test_a_training_that_ended_at_guessing_is_dead(counts):
    """Answers at chance with a training accuracy at chance, or a loss at the labels' entropy (ln 7), are dead."""
    labels = np.repeat(np.arange(7), 30)
    guessing = outcome_of(labels, np.roll(labels, 97))
    shares = np.array(list(counts.values())) / sum(counts.values())
    entropy = -(shares * np.log(shares)).sum()
    for told in ({"loss": entropy * 1.005}, {"loss": 0.4, "train_accuracy": shares.max() + 0.01}):
        (dead,) = found_in(guessing, expressions=counts, **told)
        assert dead.answer == ""
        assert "at the end" in dead.why
    assert len(counts) < 7 or entropy == pytest.approx(math.log(7))


def test_only_the_fold_that_is_dead_is_named():
    """Of two folds, one blind and one that reads half of its pictures, the blind one is found."""
    labels = np.tile(np.arange(7), 40)
    folds = np.arange(280) // 140
    reads = np.where(np.arange(280) % 2 == 0, labels, (labels + 1) % 7)
    (dead,) = found_in(outcome_of(labels, np.where(folds == 0, 4, reads), folds))
    assert (dead.fold, dead.seed, dead.answer, dead.why) == (0, 0, "NE", "NE for all 140 pictures")
