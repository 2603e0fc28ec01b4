"""Chi-square neighbours and the radial basis function network against plain computations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics.pairwise import additive_chi2_kernel
from sklearn.neighbors import KNeighborsClassifier

from fer_bench.baselines.classifiers.nearest import (
    ChiSquareNeighbours,
    _counts,
    _shared_of_counts,
    _shared_of_terms,
    chi_square_distances,
)
from fer_bench.baselines.classifiers.rbf_network import RBFNetwork

COUNTS = hnp.arrays(np.int64, st.tuples(st.integers(1, 40), st.just(12)), elements=st.integers(0, 9))


@given(COUNTS, COUNTS)
@settings(max_examples=60, deadline=None)
def test_distances_are_the_sum_of_squares_over_sums(first, second):
    """Any histograms, empty bins and empty histograms included, are as far apart as scikit-learn says."""
    X, Y = (counts.astype(np.float32) / 16 for counts in (first, second))
    expected = -additive_chi2_kernel(X.astype(float), Y.astype(float))
    np.testing.assert_allclose(chi_square_distances(X, Y), expected, atol=1e-5 * max(1.0, float(expected.max())))


def test_counts_of_equal_cells_and_other_frequencies_are_summed_alike():
    """Looked-up counts give the sums that terms give, to single precision; frequencies that are no counts are told."""
    rng = np.random.default_rng(0)
    X, Y = (rng.multinomial(256, rng.dirichlet(np.full(59, 0.2)), (n, 8)).reshape(n, -1) for n in (7, 50))
    X, Y = X.astype(np.float32) / 256, Y.astype(np.float32) / 256
    counted = _counts(X, Y)
    assert counted is not None
    np.testing.assert_allclose(_shared_of_counts(*counted), _shared_of_terms(X, Y), atol=2e-5)
    assert _counts(X, Y * np.float32(0.83)) is None
    assert _counts(0 * X, 0 * Y) is None


@pytest.mark.parametrize("k", [1, 5, 500])
def test_votes_are_those_of_scikit_learn(k):
    """Probabilities equal KNeighborsClassifier's on the same distances, also with more neighbours than rows."""
    rng = np.random.default_rng(0)
    X, Z = (rng.dirichlet(np.ones(30), n).astype(np.float32) for n in (90, 40))
    y = rng.integers(0, 4, 90)
    Z[0] = X[3]
    theirs = KNeighborsClassifier(min(k, 90), weights="distance", metric="precomputed")
    theirs.fit(chi_square_distances(X, X), y)
    expected = theirs.predict_proba(chi_square_distances(Z, X))
    found = ChiSquareNeighbours(k).fit(X, y).predict_proba(Z)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_network_separates_what_no_line_does():
    """Rings around each other, which a linear read-out of the inputs cannot tell apart, are told by radial units."""
    rng = np.random.default_rng(0)
    y = np.arange(600) % 3
    angle = rng.uniform(0, 2 * np.pi, 600)
    X = ((y + 1 + rng.normal(0, 0.15, 600))[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])).astype(
        np.float32
    )
    network = RBFNetwork(60, random_state=0).fit(X[:400], y[:400])
    assert (network.predict(X[400:]) == y[400:]).mean() > 0.9
    assert network.centres_.shape == (60, 2)


def test_the_networks_width_follows_its_centres():
    """Twice as large inputs give twice as wide units and the same answers."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 5)).astype(np.float32), np.arange(200) % 4
    small, large = (RBFNetwork(20, random_state=0).fit(factor * X, y) for factor in (1, 2))
    assert large.width_ == pytest.approx(2 * small.width_, rel=1e-5)
    np.testing.assert_allclose(small.decision_function(X), large.decision_function(2 * X), atol=1e-6)
