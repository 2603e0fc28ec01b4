"""Defaults that hold on few pictures as on many, for histograms as for values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold

from fer_bench.baselines.classifiers.registry import make_classifier
from fer_bench.plan.suites import load_suite

MACHINES = ("linear_svc", "logreg", "rbf_svc")


def histograms(seed: int, people: int = 10, cells: int = 64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two pictures of each expression: frequencies that vary more between and within people than by expression."""
    rng = np.random.default_rng(seed)
    base, expressions = rng.normal(size=(cells, 59)), 0.1 * rng.normal(size=(7, cells, 59))
    rows, labels, groups = [], [], []
    for person in range(people):
        own = 0.5 * rng.normal(size=(3, cells, 59))
        for picture in range(14):
            label = picture % 7
            weights = np.exp(base + expressions[label] + own[0] + np.tensordot(rng.normal(size=3), own, 1))
            shares = weights / weights.sum(axis=1, keepdims=True)
            rows.append(np.concatenate([rng.multinomial(256, share) for share in shares]) / 256)
            labels.append(label)
            groups.append(person)
    return np.array(rows, np.float32), np.array(labels), np.array(groups)


@pytest.mark.parametrize("features", ["lbp", "pixels"])
@pytest.mark.parametrize("machine", MACHINES)
@settings(max_examples=8, deadline=None)
@given(length=st.floats(0.2, 5.0), offset=st.floats(0.0, 3.0), people=st.integers(3, 8), seed=st.integers(0, 2**32 - 1))
def test_answers_hang_on_neither_the_offset_of_the_rows_nor_their_length(
    machine, features, length, offset, people, seed
):
    """Roots of frequencies, or values, that are all moved and stretched alike get the same answers."""
    X, y, _ = histograms(seed, people, cells=4)
    roots = np.sqrt(X) if features == "lbp" else X
    moved = (length * roots + offset).astype(np.float32)
    other = np.square(moved) if features == "lbp" else moved
    decided = []
    for rows in (X, other):
        pipeline = make_classifier(machine, features, None, random_state=0, n_train=len(X))
        decided.append(pipeline.fit(rows[::2], y[::2]).decision_function(rows[1::2]))
    # a pair of classes that is all but undecided may vote the other way
    assert (np.abs(decided[1] - decided[0]) < 0.02 * np.ptp(decided[0])).mean() >= 0.98


@pytest.mark.parametrize("machine", ["linear_svc", "logreg"])
def test_ten_people_are_learnt_as_well_as_with_a_weaker_penalty(machine):
    """Histograms of 112 pictures, five folds by person: a hundred times the C gains less than six points."""
    right, n = np.zeros(2), 0
    for seed in range(2):
        X, y, people = histograms(seed)
        for train, test in GroupKFold(5).split(X, y, people):
            C = make_classifier(machine, "lbp", None, random_state=0, n_train=len(train))[-1].C
            for i, params in enumerate([None, {"C": 100 * C}]):
                model = make_classifier(machine, "lbp", params, random_state=0, n_train=len(train))
                right[i] += (model.fit(X[train], y[train]).predict(X[test]) == y[test]).sum()
            n += len(test)
    assert right[0] / n > right[1] / n - 0.06, right / n


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("n", [112, 1000, 4410])
def test_the_grid_of_a_tuned_run_lies_around_the_default(machine, n):
    """From ten people to all of KDEF the grids of the suites hold values below and above the default."""
    last = make_classifier(machine, "lbp", None, random_state=0, n_train=n)[-1].get_params()
    for suite in ("classical", "all"):
        for name, values in load_suite(suite).tune[machine].items():
            assert min(values) < last[name] < max(values)
