"""Linear discriminant analysis in as many dimensions as a face has pixels, and Fisher's projection."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigh
from sklearn.base import BaseEstimator, ClassifierMixin

__all__ = ["FisherNearestMean", "ShrinkageLDA"]


def _class_means(X: NDArray[np.floating], index: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Mean of the rows of each class, (k, d)."""
    return np.stack([X[index == c].mean(axis=0, dtype=np.float64) for c in range(k)])


def _solve_shrunk(within: NDArray[np.float32], shrinkage: float, right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve ((1 - s) W'W / n + s m I) B = right for B, m the mean variance; by W W' where that is smaller.

    The second way is Woodbury's identity: B = (right - W' (W W' + ridge I)^-1 W right) / (s m), with
    ridge = n s m / (1 - s).
    """
    n, d = within.shape
    identity = max(shrinkage * float(np.square(within).sum(dtype=np.float64)) / n / d, np.finfo(np.float32).tiny)
    if n >= d or shrinkage == 1:
        matrix = (within.T @ within).astype(np.float64)
        matrix *= (1 - shrinkage) / n
        matrix.flat[:: d + 1] += identity
        return cho_solve(_factor(matrix), right, check_finite=False)
    gram = (within @ within.T).astype(np.float64)
    gram.flat[:: n + 1] += n * identity / (1 - shrinkage)
    inner = cho_solve(_factor(gram), within @ right, check_finite=False)
    return (right - within.T @ inner) / identity


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
        self.classes_, index, counts = np.unique(y, return_inverse=True, return_counts=True)
        n = len(X)
        mean = X.mean(axis=0, dtype=np.float64)
        centred = X - mean.astype(X.dtype)
        means = _class_means(centred, index, len(self.classes_))
        within = centred - means.astype(X.dtype)[index]
        weights = _solve_shrunk(within, self.shrinkage, means.T)
        bias = np.log(counts / n) - 0.5 * (means * weights.T).sum(axis=1)
        self.coef_ = np.ascontiguousarray(weights.T.astype(X.dtype))
        self.intercept_ = bias - self.coef_.astype(np.float64) @ mean
        return self

    def decision_function(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (n, k) log posterior probabilities up to a constant of each row.

        With fewer rows than features the posteriors of the model are far too sure of themselves, so they are not
        offered as such: `fer_bench.baselines.temperature` turns these values into probabilities.
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
