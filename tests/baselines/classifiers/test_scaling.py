"""Scalings learnt on training images."""

import numpy as np
from sklearn.preprocessing import StandardScaler

from fer_bench.baselines.classifiers.scaling import BlockScaler, CentredRoot, SquareRoot, UnitScaler


def test_unit_scaler_is_the_standard_scaler_over_the_root_of_the_width():
    """Values are those of scikit-learn's StandardScaler divided by sqrt(d); rows have mean squared length one."""
    X = np.random.default_rng(0).normal(100, 7, (50, 30)).astype(np.float32)
    scaled = UnitScaler().fit_transform(X)
    np.testing.assert_allclose(scaled, StandardScaler().fit_transform(X) / np.sqrt(30), atol=1e-5)
    np.testing.assert_allclose(np.square(scaled).sum(axis=1).mean(), 1, rtol=1e-4)
    assert scaled.dtype == np.float32


def test_constant_features_become_zero_and_do_not_count():
    """A feature without variation gives zeros for any image, and the others keep length one."""
    X = np.random.default_rng(0).uniform(size=(40, 10)).astype(np.float32)
    X[:, 3] = 0.1
    X[:, 7] = 0.0
    scaler = UnitScaler().fit(X)
    other = np.ones((2, 10), dtype=np.float32)
    assert not scaler.transform(other)[:, [3, 7]].any()
    np.testing.assert_allclose(np.square(scaler.transform(X)).sum(axis=1).mean(), 1, rtol=1e-4)


def test_square_root_gives_hellinger_distances():
    """Squared distances of rows are the mean over cells of twice one minus the Bhattacharyya coefficient."""
    X = np.random.default_rng(0).dirichlet(np.ones(5), (6, 4)).astype(np.float32)
    roots = SquareRoot().fit_transform(X.reshape(6, 20))
    coefficient = np.sqrt(X[0].astype(float) * X[1]).sum(axis=1)
    np.testing.assert_allclose(np.square(roots[0] - roots[1]).sum(), (2 - 2 * coefficient).mean(), rtol=1e-4)
    np.testing.assert_allclose(np.square(roots).sum(axis=1), 1, rtol=1e-5)


def test_parts_of_a_concatenation_are_scaled_each_in_its_own_way():
    """Values and histograms side by side contribute half of the variance, whatever their numbers are."""
    rng = np.random.default_rng(0)
    values, histograms = rng.normal(50, 9, (60, 30)), rng.dirichlet(np.ones(5), (60, 4)).reshape(60, 20)
    X = np.column_stack([values, histograms]).astype(np.float32)
    scaled = BlockScaler([(30, False), (20, True)]).fit_transform(X)
    np.testing.assert_allclose(scaled[:, 30:].var(axis=0).sum(), 0.5, rtol=1e-4)
    np.testing.assert_allclose(np.square(scaled[:, :30]).sum(axis=1).mean(), 0.5, rtol=1e-4)
    np.testing.assert_allclose(scaled[:, :30], StandardScaler().fit_transform(values) / np.sqrt(60), atol=1e-5)


def test_centred_roots_have_unit_variance_and_hellinger_distances():
    """Mean zero, mean squared length one, and distances that are those of the roots times one factor."""
    X = np.random.default_rng(0).dirichlet(np.ones(5), (30, 4)).astype(np.float32).reshape(30, 20)
    rows, roots = CentredRoot().fit_transform(X), SquareRoot().fit_transform(X)
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(np.square(rows).sum(axis=1).mean(), 1, rtol=1e-5)
    factor = 1 / np.sqrt(roots.var(axis=0).sum())
    np.testing.assert_allclose(rows[1:] - rows[0], factor * (roots[1:] - roots[0]), atol=1e-5)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(CentredRoot().fit(X).transform(X), rows)


def test_centred_roots_of_rows_all_alike_are_zero():
    """Where nothing varies, nothing is divided by zero."""
    X = np.full((6, 4), 0.25, np.float32)
    assert not CentredRoot().fit_transform(X).any()
