"""Probabilities from decision values."""

from typing import ClassVar

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from fer_bench.baselines.classifiers.discriminant import ShrinkageLDA
from fer_bench.baselines.classifiers.temperature import fit_temperature, fit_with_temperature, tempered

DECISIONS = hnp.arrays(np.float64, (5, 7), elements=st.integers(-5000, 5000).map(lambda v: v / 1000))


@given(DECISIONS, st.floats(-7, 7))
@settings(max_examples=200, deadline=None)
def test_no_temperature_changes_the_class_that_comes_first(decisions, log_temperature):
    """Softmax over any temperature in the bounds is highest where the decision value is, and sums to one."""
    probabilities = tempered(decisions, float(np.exp(log_temperature)))
    np.testing.assert_array_equal(probabilities.argmax(axis=1), decisions.argmax(axis=1))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert np.isfinite(probabilities).all()


def test_the_temperature_has_the_least_log_loss():
    """No temperature of a fine grid gives less log-loss, and one that was put in comes out again."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 7))
    columns = np.array([rng.choice(7, p=row) for row in tempered(logits, 1.0)])
    decisions = 5 * logits
    found = fit_temperature(decisions, columns)
    assert 4.5 < found < 5.5
    rows = np.arange(4000)
    loss = [-log_softmax(decisions / t, axis=1)[rows, columns].mean() for t in (found, *np.geomspace(0.01, 100, 60))]
    assert loss[0] <= min(loss[1:]) + 1e-9


def test_certainty_is_bounded_by_the_number_of_images():
    """All of m held-out images classified with a wide margin give a probability near (m + 1) / (m + k), not one."""
    columns = np.arange(70) % 7
    decisions = np.eye(7)[columns]
    probabilities = tempered(decisions, fit_temperature(decisions, columns))
    np.testing.assert_allclose(probabilities.max(axis=1), 71 / 77, rtol=1e-3)


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers, beyond clones, which rows it was fitted on and asked about."""

    seen: ClassVar[list[set[int]]] = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        Recorder.seen.append(set(X[:, 0].astype(int).tolist()))
        return self

    def decision_function(self, X):
        Recorder.seen.append(set(X[:, 0].astype(int).tolist()))
        return np.zeros((len(X), len(self.classes_)))


def test_nobody_is_on_both_sides_of_the_inner_split():
    """The people whose images fit the temperature are not among those that the inner classifier learns from."""
    Recorder.seen.clear()
    people = np.repeat(np.arange(12), 7)
    X = np.column_stack([people, np.zeros(84)])
    fit_with_temperature(Recorder(), X, np.tile(np.arange(7), 12), people, 0)
    learnt, everybody, asked = Recorder.seen
    assert not learnt & asked
    assert learnt | asked == everybody == set(range(12))
    assert len(asked) == 3


def test_without_enough_people_the_temperature_is_one_and_says_so(blobs):
    """One person, or one image a class, leaves nothing to hold out: 1.0 and a sentence."""
    X, y = blobs(14, 5)
    for labels, people in ((y, np.zeros(14)), (y[:7], None)):
        temperature, note = fit_with_temperature(ShrinkageLDA(), X[: len(labels)], labels, people, 0)
        assert temperature == 1.0
        assert "too few people or images" in note


def test_classes_that_only_held_out_people_have_are_left_aside(blobs):
    """A class that one person alone shows does not break the fit of the temperature."""
    X, y = blobs(70, 10, k=5)
    people = np.arange(70) // 7
    for lonely in range(10):
        labels = np.where((people == lonely) & (y == 0), 6, y)
        temperature, note = fit_with_temperature(ShrinkageLDA(), X, labels, people, 0)
        assert np.isfinite(temperature)
        assert note is None
