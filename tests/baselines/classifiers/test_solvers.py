"""The package's own solvers give what the plain scikit-learn estimators give."""

import warnings

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid
from sklearn.svm import SVC, LinearSVC

from fer_bench.baselines.classifiers.discriminant import FisherNearestMean, ShrinkageLDA
from fer_bench.baselines.classifiers.kernel import GaussianSVM
from fer_bench.baselines.classifiers.linear import LinearSVM, OrthonormalBasis
from fer_bench.baselines.classifiers.logistic import MultinomialRegression
from fer_bench.baselines.classifiers.newton import leading_spectrum, preconditioner


@pytest.mark.parametrize(("n", "d", "k"), [(210, 60, 7), (70, 200, 7), (90, 40, 2)])
@pytest.mark.parametrize("C", [1.0, 30.0])
def test_linear_svm_finds_the_optimum_of_liblinear(blobs, n, d, k, C):
    """Weights and predictions are those of scikit-learn's LinearSVC run to a tight tolerance."""
    X, y = blobs(n, d, k)
    Z, _ = blobs(500, d, k, seed=1)
    ours = LinearSVM(C=C, tol=1e-6).fit(X, y)
    theirs = LinearSVC(C=C, dual=True, tol=1e-8, max_iter=200_000, random_state=0).fit(X, y)
    expected = np.vstack([-theirs.coef_, theirs.coef_]) if k == 2 else theirs.coef_
    np.testing.assert_allclose(ours.coef_, expected, atol=2e-3 * np.abs(expected).max())
    assert (ours.predict(Z) == theirs.predict(Z)).mean() >= 0.995


@pytest.mark.parametrize(("n", "d", "k"), [(210, 60, 7), (70, 200, 7), (90, 40, 2)])
@pytest.mark.parametrize("C", [1.0, 100.0])
def test_logistic_regression_finds_the_optimum_of_scikit_learn(blobs, n, d, k, C):
    """Probabilities are those of scikit-learn's LogisticRegression run to a tight tolerance."""
    X, y = blobs(n, d, k, spread=4)
    Z, _ = blobs(500, d, k, spread=4, seed=1)
    ours = MultinomialRegression(C=C, tol=1e-6).fit(X, y)
    # two classes: scikit-learn's one column of weights carries half of our penalty
    theirs = LogisticRegression(C=C if k > 2 else 2 * C, tol=1e-8, max_iter=20_000).fit(X.astype(float), y)
    np.testing.assert_allclose(ours.predict_proba(Z), theirs.predict_proba(Z), atol=5e-3)
    assert (ours.predict(Z) == theirs.predict(Z)).mean() >= 0.995


def test_logistic_regression_says_when_it_did_not_converge(blobs):
    """Too few Newton steps give a warning that says what to do."""
    X, y = blobs(100, 30, spread=10)
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        MultinomialRegression(C=1e4, max_iter=1).fit(X, y)


def test_linear_svm_in_float32_answers_as_in_float64(blobs):
    """Single precision does not change predictions."""
    X, y = blobs(400, 300, spread=6)
    Z, _ = blobs(1000, 300, spread=6, seed=1)
    single, double = (LinearSVM().fit(X.astype(t), y).predict(Z.astype(t)) for t in (np.float32, np.float64))
    assert (single == double).mean() >= 0.995


@pytest.mark.parametrize(("n", "d"), [(300, 40), (900, 700), (90, 700)])
def test_the_leading_spectrum_preconditions_nearly_as_the_whole_matrix_does(n, d):
    """With few columns the product is the exact inverse; with many the condition number falls fiftyfold."""
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(n, d)) / np.arange(1, d + 1)).astype(np.float32)
    hessian = 0.01 * np.eye(d) + 2 * features.T.astype(float) @ features
    solve = preconditioner(leading_spectrum(features), 2.0, 0.01)
    product = hessian @ solve(np.eye(d, dtype=np.float32))
    values = np.linalg.eigvals(product).real
    condition = values.max() / values.min()
    assert condition < (1.01 if d == 40 else np.linalg.cond(hessian) / 50)


def test_linear_svm_says_when_it_did_not_converge(blobs):
    """Too few Newton steps give a warning that says what to do."""
    X, y = blobs(100, 30, spread=10)
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        LinearSVM(C=1e4, max_iter=1).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LinearSVM(C=1.0).fit(X, y)


@pytest.mark.parametrize("classifier", [LinearSVM(tol=1e-6), LogisticRegression(C=10, tol=1e-8, max_iter=5000)])
def test_a_basis_of_the_rows_changes_no_decision_of_a_linear_model(blobs, classifier):
    """On fewer rows than features the model in the rows' space decides as the model on all features."""
    X, y = blobs(60, 500)
    Z, _ = blobs(300, 500, seed=1)
    reduce = OrthonormalBasis().fit(X)
    assert reduce.transform(Z).shape == (300, 60)
    whole = classifier.fit(X, y).decision_function(Z)
    short = classifier.fit(reduce.transform(X), y).decision_function(reduce.transform(Z))
    np.testing.assert_allclose(short, whole, atol=2e-3 * np.abs(whole).max())


def test_a_basis_of_the_rows_passes_on_what_it_cannot_shorten(blobs):
    """With many rows the features go through untouched."""
    X, _ = blobs(60, 100)
    assert OrthonormalBasis().fit_transform(X) is X


@pytest.mark.parametrize(("n", "d", "k"), [(300, 50, 7), (400, 300, 7), (60, 200, 7), (50, 50, 2), (64, 65, 7)])
@pytest.mark.parametrize("shrinkage", [0.05, 0.3, 1.0])
def test_lda_is_that_of_scikit_learn(blobs, n, d, k, shrinkage):
    """Decision values agree with LinearDiscriminantAnalysis(solver="lsqr") up to a constant of each row."""
    X, y = blobs(n, d, k)
    y = np.where(np.arange(n) % 11 == 0, 0, y)  # unequal priors
    Z, _ = blobs(200, d, k, seed=1)
    ours = ShrinkageLDA(shrinkage).fit(X, y)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(X.astype(float), y)
    expected, found = theirs.decision_function(Z), ours.decision_function(Z)
    np.testing.assert_array_equal(ours.predict(Z), theirs.predict(Z))
    gap = found[:, 1] - found[:, 0] - expected if k == 2 else found - expected - (found - expected).mean(1)[:, None]
    np.testing.assert_allclose(gap, 0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("n", [400, 60])
@pytest.mark.parametrize("shrinkage", [1e-6, 1e-3])
def test_lda_with_hardly_any_shrinkage_is_that_of_scikit_learn(n, shrinkage):
    """Features whose spread falls over three decades, where single precision alone would fail, are answered alike."""
    rng = np.random.default_rng(0)
    y, spread = np.arange(n) % 7, np.logspace(-1, -4, 300)
    X = (spread * (rng.normal(size=(n, 300)) + 0.5 * rng.normal(size=(7, 300))[y])).astype(np.float32)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(X.astype(float), y)
    assert (ShrinkageLDA(shrinkage).fit(X, y).predict(X) == theirs.predict(X)).all()


def test_fisher_is_lda_and_nearest_centroid(blobs):
    """Six directions and nearest mean decide as scikit-learn's LDA transform and NearestCentroid."""
    X, y = blobs(300, 20)
    Z, _ = blobs(500, 20, seed=1)
    lda = LinearDiscriminantAnalysis(solver="eigen", n_components=6).fit(X.astype(float), y)
    expected = NearestCentroid().fit(lda.transform(X), y).predict(lda.transform(Z))
    fisher = FisherNearestMean().fit(X, y)
    assert fisher.directions_.shape == (20, 6)
    assert (fisher.predict(Z) == expected).mean() >= 0.995


@pytest.mark.parametrize("k", [2, 7])
@pytest.mark.parametrize("gamma", [0.3, 1.0, 3.0])
def test_gaussian_svm_is_that_of_scikit_learn(blobs, k, gamma):
    """The kernel in single precision gives the decisions of SVC(kernel="rbf")."""
    X, y = blobs(250, 300, k, spread=5)
    Z, _ = blobs(400, 300, k, spread=5, seed=1)
    ours = GaussianSVM(C=10.0, gamma=gamma).fit(X, y)
    theirs = SVC(C=10.0, gamma=gamma, break_ties=True).fit(X, y)
    # a pair of classes that is all but undecided may vote the other way
    gap = np.abs(ours.decision_function(Z) - theirs.decision_function(Z))
    assert (gap < 5e-3).mean() >= 0.995
    assert (ours.predict(Z) == theirs.predict(Z)).mean() >= 0.995
