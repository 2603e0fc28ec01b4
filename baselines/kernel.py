"""Support vector machine with a Gaussian kernel, its kernel matrix made by one matrix product."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC

__all__ = ["GaussianSVM"]


def _gaussian(X: NDArray[np.float32], Y: NDArray[np.float32], gamma: float) -> NDArray[np.float32]:
    """exp(-gamma |x - y|^2) for all pairs, (len(X), len(Y)) float32."""
    kernel = X @ Y.T
    kernel *= -2
    kernel += np.square(X).sum(axis=1)[:, None]
    kernel += np.square(Y).sum(axis=1)
    np.maximum(kernel, 0, out=kernel)
    kernel *= np.float32(-gamma)
    return np.exp(kernel, out=kernel)


class GaussianSVM(ClassifierMixin, BaseEstimator):
    """``sklearn.svm.SVC(kernel="rbf", break_ties=True)`` on a kernel matrix that is computed beforehand in float32.

    libsvm computes one kernel row after the other in double precision, which takes nearly all of its time on
    images; the optimisation itself is the same. For rows of length around one, where float32 is enough.

    Parameters
    ----------
    C : float
        Weight of the losses.
    gamma : float
        exp(-gamma * squared distance).

    Attributes
    ----------
    classes_ : (k,) int
    vectors_ : (m, d) float32
        Support vectors.
    """

    def __init__(self, C: float = 10.0, gamma: float = 1.0) -> None:
        self.C = C
        self.gamma = gamma

    def fit(self, X: NDArray[np.float32], y: NDArray[np.int64]) -> Self:
        """Learn from features (n, d) and labels (n,)."""
        self.svc_ = SVC(C=self.C, kernel="precomputed").fit(_gaussian(X, X, self.gamma), y)
        self.classes_ = self.svc_.classes_
        self.vectors_ = X[self.svc_.support_]
        return self

    def decision_function(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (n, k) one-against-rest decision values; (n,) for two classes."""
        # libsvm wants a column for each training row but reads those of support vectors only
        kernel = np.zeros((len(X), self.svc_.shape_fit_[0]))
        kernel[:, self.svc_.support_] = _gaussian(X, self.vectors_, self.gamma)
        return self.svc_.decision_function(kernel)

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return (n,) classes of the largest decision value."""
        values = self.decision_function(X)
        best = np.argmax(values, axis=1) if values.ndim == 2 else (values > 0).astype(np.int64)
        return self.classes_[best]
