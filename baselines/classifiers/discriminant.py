"""Linear discriminant analysis in as many dimensions as a face has pixels, and Fisher's projection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigh
from sklearn.base import BaseEstimator, ClassifierMixin, clone

__all__ = ["FisherNearestMean", "ShrinkageLDA"]


_ROUNDING = 1e-5


def _class_means(X: NDArray[np.floating], index: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Mean of the rows of each class, (k, d)."""
    return np.stack([X[index == c].mean(axis=0, dtype=np.float64) for c in range(k)])


def _mean_square(X: NDArray[np.float32]) -> float:
    """Mean squared length of rows."""
    return float(np.square(X).sum(dtype=np.float64)) / len(X)


def _scatter(X: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """X' X, or None where there are fewer rows than features."""
    return X.T @ X if len(X) >= X.shape[1] else None


def _identity(total: float, shrinkage: float, d: int) -> float:
    """What shrinkage adds to the diagonal: its share of the mean variance, never nothing."""
    return max(shrinkage * total / d, float(np.finfo(np.float32).tiny))


def _solve_by_features(
    covariance: NDArray[np.float32], shrinkage: float, right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve ((1 - s) covariance + s m I) B = right for B, m the mean variance; the covariance is overwritten.

    By a factor in single precision, whose rounding one step of iterative refinement takes back.
    """
    d = len(covariance)
    identity = _identity(float(np.trace(covariance)), shrinkage, d)
    covariance *= np.asarray(1 - shrinkage, covariance.dtype)
    covariance.flat[:: d + 1] += identity
    try:
        factor = cho_factor(covariance, lower=True, check_finite=False)
    except np.linalg.LinAlgError:  # hardly any shrinkage: single precision is not enough
        return cho_solve(_factor(covariance.astype(np.float64)), right, check_finite=False)
    solved = cho_solve(factor, right.astype(covariance.dtype), check_finite=False).astype(np.float64)
    missing = right - covariance @ solved
    return solved + cho_solve(factor, missing.astype(covariance.dtype), check_finite=False)


def _solve_by_rows(within: NDArray[Any], shrinkage: float, right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve the same system from the rows W that the covariance W' W / n is made of, where they are fewer.

    By Woodbury's identity: B = (right - W' (W W' + ridge I)^-1 W right) / (s m), with ridge = n s m / (1 - s).
    """
    n, d = within.shape
    identity = _identity(_mean_square(within), shrinkage, d)
    if shrinkage == 1:
        return right / identity
    ridge = n * identity / (1 - shrinkage)
    try:
        factor = _factor(_raised((within @ within.T).astype(np.float64), ridge))
    except np.linalg.LinAlgError:  # hardly any shrinkage: products in single precision are not enough
        within = within.astype(np.float64)
        factor = _factor(_raised(within @ within.T, ridge))
    inner = cho_solve(factor, within @ right, check_finite=False)
    return (right - within.T @ inner) / identity


def _raised(matrix: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    matrix.flat[:: len(matrix) + 1] += ridge
    return matrix


def _factor(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    return cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)


class ShrinkageLDA(ClassifierMixin, BaseEstimator):
    """Linear discriminant analysis with a pooled covariance shrunk towards a multiple of the identity.

    The same model as ``sklearn.discriminant_analysis.LinearDiscriminantAnalysis(solver="lsqr",
    shrinkage=shrinkage)``, by one scatter matrix and a Cholesky factor instead of a covariance a class and an SVD,
    and by the matrix of inner products of the rows where there are fewer rows than features.
    Friedman, JASA 84(405), 1989, doi 10.1080/01621459.1989.10478752.

    Parameters
    ----------
    shrinkage : float
        In (0, 1]: the share of the identity.

    Attributes
    ----------
    classes_ : (k,) int
    coef_ : (k, d) float32
    intercept_ : (k,) float64
    """

    def __init__(self, shrinkage: float = 0.1) -> None:
        self.shrinkage = shrinkage

    def fit(self, X: NDArray[np.float32], y: NDArray[np.int64]) -> Self:
        """Learn from features (n, d) and labels (n,)."""
        return self._learn(X, y, _scatter(X))

    def fit_holding_out(
        self, X: NDArray[np.float32], y: NDArray[np.int64], inner: NDArray[np.intp], held: NDArray[np.intp]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Fit on all rows, and tell what a model that knows ``inner`` alone decides on ``held``.

        Products of all rows are those of the inner rows and of the rest.

        Returns
        -------
        (k,) int64, (len(held), k) float64
            The inner model's classes and decision values.
        """
        rest = X[np.setdiff1d(np.arange(len(X)), inner)]
        part = X[inner]
        scatter = _scatter(part)
        model = clone(self)._learn(part, y[inner], scatter)
        if scatter is not None:
            scatter += rest.T @ rest
        self._learn(X, y, scatter if scatter is not None else _scatter(X))
        return model.classes_, model.decision_function(X[held]).astype(np.float64)

    def fit_path(
        self, X: NDArray[np.float32], y: NDArray[np.int64], settings: Sequence[Mapping[str, Any]]
    ) -> list[ShrinkageLDA]:
        """Fit a clone for each setting; all share the scatter matrix."""
        scatter = _scatter(X)
        return [clone(self).set_params(**setting)._learn(X, y, scatter) for setting in settings]

    def _learn(self, X: NDArray[np.float32], y: NDArray[np.int64], scatter: NDArray[np.float32] | None) -> Self:
        """Learn, given X' X where there are more rows than features; it is not changed."""
        self.classes_, index, counts = np.unique(y, return_inverse=True, return_counts=True)
        means = _class_means(X, index, len(self.classes_))
        mean = counts @ means / len(X)
        if scatter is None:
            within = X - means.astype(X.dtype)[index]
            total, varying = _mean_square(X), _mean_square(within)
        else:
            within = scatter - ((means.T * counts) @ means).astype(scatter.dtype)
            within /= len(X)
            total, varying = float(np.trace(scatter)) / len(X), float(np.trace(within))
        if varying < _ROUNDING * total:
            # Nothing varies within classes: what is left are rounding errors. The nearest mean is as good as any.
            weights = (means - mean).T / (_ROUNDING * total)
        elif scatter is None:
            weights = _solve_by_rows(within, self.shrinkage, (means - mean).T)
        else:
            weights = _solve_by_features(within, self.shrinkage, (means - mean).T)
        bias = np.log(counts / len(X)) - 0.5 * ((means - mean) * weights.T).sum(axis=1)
        self.coef_ = np.ascontiguousarray(weights.T.astype(X.dtype))
        self.intercept_ = bias - self.coef_.astype(np.float64) @ mean
        return self

    def decision_function(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (n, k) log posterior probabilities up to a constant of each row.

        With fewer rows than features the posteriors of the model are far too sure of themselves, so they are not
        offered as such: `fer_bench.baselines.classifiers.temperature` turns these values into probabilities.
        """
        return X @ self.coef_.T + self.intercept_

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return (n,) classes of the highest posterior."""
        return self.classes_[np.argmax(self.decision_function(X), axis=1)]


class FisherNearestMean(ClassifierMixin, BaseEstimator):
    """Project on Fisher's discriminant directions, at most k - 1 of them, and take the nearest class mean.

    Belhumeur, Hespanha and Kriegman, TPAMI 19(7), 1997, doi 10.1109/34.598228, whose principal components come
    first, as a step of its own. To the within-class scatter only a millionth of the mean variance is added,
    which keeps it invertible where a component does not vary within classes.

    Attributes
    ----------
    classes_ : (k,) int
    directions_ : (d, k - 1) float64
        Scaled so that the pooled within-class covariance is the identity.
    means_ : (k, k - 1) float64
        Class means in the projection.
    """

    def fit(self, X: NDArray[np.floating], y: NDArray[np.int64]) -> Self:
        """Learn from features (n, d) and labels (n,); d well below n."""
        self.classes_, index, counts = np.unique(y, return_inverse=True, return_counts=True)
        X = X.astype(np.float64)
        n, d = X.shape
        k = len(self.classes_)
        means = _class_means(X, index, k)
        within = X - means[index]
        scatter = within.T @ within / max(1, n - k)
        scatter.flat[:: d + 1] += max(1e-6 * X.var(axis=0).mean(), np.finfo(np.float32).tiny)
        spread = np.sqrt(counts / n)[:, None] * (means - X.mean(axis=0))
        kept = min(k - 1, d)
        self.directions_ = eigh(spread.T @ spread, scatter, subset_by_index=(d - kept, d - 1))[1]
        self.means_ = means @ self.directions_
        return self

    def decision_function(self, X: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return (n, k): minus half the squared distance to each class mean in the projection."""
        projected = X.astype(np.float64) @ self.directions_
        return -0.5 * np.square(projected[:, None, :] - self.means_).sum(axis=2)

    def predict(self, X: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return (n,) classes of the nearest mean."""
        return self.classes_[np.argmax(self.decision_function(X), axis=1)]
