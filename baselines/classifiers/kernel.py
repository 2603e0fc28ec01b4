"""Support vector machine with a Gaussian kernel, its kernel matrix made by one matrix product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.svm import SVC

from .temperature import decision_matrix

__all__ = ["GaussianSVM"]


_BLOCK = 64  # rows of a kernel matrix at a time stay in the cache


def _squared_distances(X: NDArray[np.float32], Y: NDArray[np.float32]) -> NDArray[np.float32]:
    """|x - y|^2 for all pairs, (len(X), len(Y)) float32."""
    squares = X @ Y.T
    rows, columns = np.square(X).sum(axis=1)[:, None], np.square(Y).sum(axis=1)
    for start in range(0, len(X), _BLOCK):
        part = squares[start : start + _BLOCK]
        part *= -2
        part += rows[start : start + _BLOCK]
        part += columns
        np.maximum(part, 0, out=part)
    return squares


def _gaussian(squares: NDArray[np.float32], gamma: float, out: NDArray[np.float32] | None = None) -> NDArray[Any]:
    """exp(-gamma * squared distance)."""
    kernel = np.empty_like(squares) if out is None else out
    for start in range(0, len(squares), _BLOCK):
        part = np.multiply(squares[start : start + _BLOCK], np.float32(-gamma), out=kernel[start : start + _BLOCK])
        np.exp(part, out=part)
    return kernel


def _libsvm(C: float, kernel: NDArray[np.float32], y: NDArray[np.int64]) -> SVC:
    """Optimise on a kernel matrix; shrinking would save products that cost nothing here, and take time for it."""
    return SVC(C=C, kernel="precomputed", shrinking=False).fit(kernel, y)


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
        squares = _squared_distances(X, X)
        return self._learn(_gaussian(squares, self.gamma, out=squares), X, y)

    def fit_holding_out(
        self, X: NDArray[np.float32], y: NDArray[np.int64], inner: NDArray[np.intp], held: NDArray[np.intp]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Fit on all rows, and tell what a model that knows ``inner`` alone decides on ``held``.

        Both models read one kernel matrix.

        Returns
        -------
        (k,) int64, (len(held), k) float64
            The inner model's classes and decision values.
        """
        squares = _squared_distances(X, X)
        kernel = _gaussian(squares, self.gamma, out=squares)
        self._learn(kernel, X, y)
        model = _libsvm(self.C, kernel[np.ix_(inner, inner)], y[inner])
        return model.classes_, decision_matrix(model, kernel[np.ix_(held, inner)])

    def fit_path(
        self, X: NDArray[np.float32], y: NDArray[np.int64], settings: Sequence[Mapping[str, Any]]
    ) -> list[GaussianSVM]:
        """Fit a clone for each setting; all share the distances, and those of one gamma the kernel matrix."""
        squares = _squared_distances(X, X)
        models = [clone(self).set_params(**setting) for setting in settings]
        for gamma in dict.fromkeys(model.gamma for model in models):
            kernel = _gaussian(squares, gamma)
            for model in models:
                if model.gamma == gamma:
                    model._learn(kernel, X, y)
        return models

    def _learn(self, kernel: NDArray[np.float32], X: NDArray[np.float32], y: NDArray[np.int64]) -> Self:
        self.svc_ = _libsvm(self.C, kernel, y)
        self.classes_ = self.svc_.classes_
        self.vectors_ = X[self.svc_.support_]
        return self

    def decision_function(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (n, k) one-against-rest decision values; (n,) for two classes."""
        # libsvm wants a column for each training row but reads those of support vectors only
        kernel = np.zeros((len(X), self.svc_.shape_fit_[0]))
        squares = _squared_distances(X, self.vectors_)
        kernel[:, self.svc_.support_] = _gaussian(squares, self.gamma, out=squares)
        return self.svc_.decision_function(kernel)

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return (n,) classes of the largest decision value."""
        values = self.decision_function(X)
        best = np.argmax(values, axis=1) if values.ndim == 2 else (values > 0).astype(np.int64)
        return self.classes_[best]
